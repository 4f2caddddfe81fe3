//! What every handler may reach, and the ports that join the rooms of the house.

use crate::{
    Config, Shutdown,
    deliver::{AcceptorLimits, Asked, Deliver, FoundRoom, MediaAcceptor, NotPlayed, Play, Reception, browser_of},
    live::{Browser, Live},
    permits::Permits,
    realtime::{Connections, Hub, Meters},
    web::{Assets, Changes, Writers, client, client::EncoderPort},
};
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use futures_util::future::BoxFuture;
use madang_app::{
    AssetNames, ServerContext,
    context::{PERSON_COOKIE, session_cookie},
    i18n::Locale,
};
use madang_domain::{Domain, Error, PERMIT_COOKIE, Person, PersonKind, Shown};
use madang_protocol::{PersonId, RoomSlug, SessionId, UnixMillis};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{net::IpAddr, sync::Arc, time::SystemTime};

/// How long a browser is known by its cookie, in seconds: a year.
const VISITOR_COOKIE_MAX_AGE_S: u32 = 365 * 24 * 60 * 60;

/// Shared by every connection; cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub config: Arc<Config>,
    pub domain: Domain,
    pub live: Arc<Live>,
    pub hub: Hub,
    /// Who is in rooms, and by what they were let in.
    pub permits: Permits,
    pub sockets: Arc<Connections>,
    pub meters: Meters,
    /// The built files' names, found once at the start.
    pub names: AssetNames,
    pub assets: Assets,
    pub writers: Writers,
    pub changes: Arc<Changes>,
    pub metrics: PrometheusHandle,
    pub shutdown: Shutdown,
    /// The port that encoders are sent to, known once the socket is open.
    pub rtmp_port: EncoderPort,
    /// The port of HTTPS, where it is served.
    pub https_port: Option<u16>,
}

impl Services {
    /// Who asks: the account whose session the request shows, or else the guest whose signed cookie it carries.
    ///
    /// # Errors
    /// Storage does not answer. That is not nobody: a new guest's cookie would take the old one's place, and their rooms with it.
    pub async fn asker(&self, headers: &HeaderMap) -> Result<Asker, Error> {
        let origin = client::origin(headers, &self.config.public);
        if let Some(shown) = client::cookie(headers, session_cookie(&origin))
            && let Some(session) = self.domain.session(shown).await?
        {
            return Ok(Asker { person: Some(session.person), session: Some(session.id) });
        }
        let person = match client::cookie(headers, PERSON_COOKIE) {
            Some(cookie) => self.domain.identify(cookie).await?,
            None => None,
        };
        Ok(Asker { person, session: None })
    }

    /// A new guest for a browser that shows no cookie, and the cookie to set. Nothing is written until they do something;
    /// `None` (logged) when there is no randomness to be had.
    pub fn visitor(&self, headers: &HeaderMap) -> Option<(Person, HeaderValue)> {
        let (id, value) = match self.domain.new_visitor() {
            Ok(visitor) => visitor,
            Err(error) => {
                tracing::error!(%error, "a browser could not be given a cookie");
                return None;
            }
        };
        let origin = client::origin(headers, &self.config.public);
        let context = ServerContext::new(None, Locale::En, origin, String::new());
        let cookie = context.cookie(PERSON_COOKIE, value.as_str(), VISITOR_COOKIE_MAX_AGE_S);
        // Hexadecimal digits and dots fit any header.
        let mut cookie = HeaderValue::from_str(&cookie).ok()?;
        // `Debug` then does not print it.
        cookie.set_sensitive(true);
        Some((Person { id, kind: PersonKind::Guest, name: String::new() }, cookie))
    }

    /// What the media routes need.
    pub fn deliver(&self) -> Arc<Deliver> {
        let limits = &self.config.limits;
        let reception = Arc::new(self.clone());
        Deliver::new(Arc::clone(&self.live), reception, limits.viewers_per_address, limits.http_streams_per_browser)
    }

    /// What a request shows to be let into a room, by whom it is and by its cookies.
    pub fn shown(headers: &HeaderMap, person: Option<&Person>) -> Shown {
        let permits = client::cookies(headers, PERMIT_COOKIE).map(ToOwned::to_owned).collect();
        Shown { permits, ..Shown::person(person.map(|person| person.id)) }
    }

    /// The browser that a request comes from, as it is counted among those who watch.
    pub fn watching_browser(&self, headers: &HeaderMap, address: IpAddr) -> Browser {
        browser_of(self, self.live.presence(), headers, address)
    }

    /// What stands at the web socket's door.
    pub fn acceptor(&self) -> MediaAcceptor {
        let limits = &self.config.limits;
        MediaAcceptor::new(AcceptorLimits {
            connections: limits.http_connections,
            connections_per_address: limits.http_connections_per_address,
            proxies: self.config.public.trusted_proxies.clone(),
            opening: limits.http_head(),
            stalled: limits.http_stalled(),
            ..AcceptorLimits::default()
        })
    }
}

impl Reception for Services {
    fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        client::address(peer, headers, &self.config.public)
    }

    fn browser(&self, headers: &HeaderMap) -> Option<PersonId> {
        self.domain.signed_person(client::cookie(headers, PERSON_COOKIE)?)
    }

    fn is_own_page(&self, headers: &HeaderMap) -> bool {
        client::same_origin(headers, &self.config.public)
    }

    fn person<'a>(&'a self, headers: &'a HeaderMap) -> BoxFuture<'a, Option<PersonId>> {
        Box::pin(async move { Some(self.asker(headers).await.ok()?.person?.id) })
    }

    /// A room that is for everybody asks for nobody's identity.
    fn may_play<'a>(&'a self, slug: &'a RoomSlug, asked: Asked<'a>) -> BoxFuture<'a, Result<Play, NotPlayed>> {
        Box::pin(async move {
            let mut shown = Self::shown(asked.headers, None);
            shown.token = asked.token.map(ToOwned::to_owned);
            let mut played = self.permits.play(&self.domain, slug, &shown).await;
            if played.as_ref().is_err_and(|error| *error == Error::Forbidden) {
                shown.person = self.person(asked.headers).await;
                if shown.person.is_some() {
                    played = self.permits.play(&self.domain, slug, &shown).await;
                }
            }
            match played {
                Ok((room, stay)) => {
                    let room = FoundRoom {
                        id: room.id,
                        owner: room.owner,
                        open: !room.visibility.is_gated(),
                        last_live: room.last_live,
                    };
                    Ok(Play { room, stay })
                }
                Err(Error::NotFound | Error::Forbidden) => Err(NotPlayed::Unknown),
                Err(error) => {
                    tracing::warn!(%slug, %error, "a viewer's room cannot be looked up");
                    Err(NotPlayed::Unavailable)
                }
            }
        })
    }
}

/// Who asks.
#[derive(Clone, Debug, Default)]
pub struct Asker {
    /// `None` for a browser without a cookie of ours.
    pub person: Option<Person>,
    /// The session that says so; none for a guest.
    pub session: Option<SessionId>,
}

/// Adds a cookie to an answer.
pub fn set_cookie(response: &mut Response, cookie: HeaderValue) {
    response.headers_mut().append(header::SET_COOKIE, cookie);
}

/// The server's clock.
pub fn now() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
