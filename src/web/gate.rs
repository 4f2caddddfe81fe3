//! A room's address: for whoever is let in the page of the application; for others the gate, which asks for the password or the link.
//! Going in is a form of the gate's; a link's code leaves the address for a cookie first, so that what looks a link up for its preview
//! counts as nobody.

use super::{Shared, accounts, client, headers::PageNonce, pages, refusals::Refusal};
use crate::state::{Asker, Services};
use axum::{
    body::Body,
    extract::{ConnectInfo, Form, Path, State, rejection::FormRejection},
    http::{HeaderMap, HeaderValue, Request, StatusCode, Uri, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use leptos::nonce::Nonce;
use madang_app::{
    accounts::local_path,
    context::{INVITE_COOKIE, INVITE_COOKIE_MAX_AGE_S},
    gate::{Asks, Gate, framed, page},
    i18n::Messages,
};
use madang_domain::{Error, Gate as Stands, PermitCookie, Visit};
use madang_protocol::RoomSlug;
use std::{net::SocketAddr, sync::Arc};

/// Fields of a gate's form that are looked at.
const FIELDS_MAX: usize = 8;
/// When to try again while the server is busy, in seconds.
const RETRY_BUSY_S: u32 = 2;

/// `GET` of a room's page, or of its chat's.
pub async fn show(state: Shared, Path(slug): Path<String>, request: Request<Body>) -> Response {
    let Ok(slug) = RoomSlug::parse(&slug) else { return pages::show(state, request).await };
    let (path, headers) = (request.uri().path(), request.headers());
    if let Some(answer) = opened_link(&state, &slug, request.uri(), headers) {
        return answer;
    }
    match stands(&state, &slug, headers).await {
        Ok((Stands::Open, _)) => pages::show(state, request).await,
        Ok((gate, asker)) => {
            let before = Before { services: &state, headers, slug: &slug, next: path, known: asker.session.is_some() };
            before.shown(asks(gate), None, StatusCode::FORBIDDEN)
        }
        Err(busy) => busy.answer(path, headers),
    }
}

/// The gate's form, posted to the room's address.
pub async fn enter(
    State(services): Shared,
    Path(slug): Path<String>,
    parts: Parts,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let (path, headers) = (parts.uri.path(), &parts.headers);
    let fields = match form {
        Ok(Form(fields)) if fields.len() <= FIELDS_MAX => fields,
        _ => return Refusal::Malformed.answer(path, headers),
    };
    let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
    let by_link = match field("do") {
        "password" => false,
        "link" => true,
        _ => return Refusal::Malformed.answer(path, headers),
    };
    let Ok(slug) = RoomSlug::parse(&slug) else { return Refusal::Malformed.answer(path, headers) };
    let room = format!("/rooms/{slug}");
    let next = match local_path(field("next")) {
        "/" => &room,
        next => next,
    };
    let (gate, asker) = match stands(&services, &slug, headers).await {
        Ok((Stands::Open, _)) => return accounts::see_other(next),
        Ok(found) => found,
        Err(busy) => return busy.answer(path, headers),
    };
    let entered = match parts.extensions.get::<Refusal>() {
        // Too many changes from there: what was typed is not even looked at.
        Some(Refusal::TooMany { retry_after_s }) => Err(Error::TooMany { retry_after_s: *retry_after_s }),
        Some(other) => return other.answer(path, headers),
        None if by_link => by_opened_link(&services, &slug, &parts, &asker).await,
        None => by_password(&services, &slug, &parts, field("password")).await,
    };
    match entered {
        Ok(permit) => {
            let mut answer = accounts::see_other(next);
            let context = accounts::context(&services, headers);
            accounts::set(&mut answer, &context.cookie(&permit.name, permit.value.as_str(), permit.lasts_s));
            if by_link {
                accounts::set(&mut answer, &context.cookie(&invite_cookie(&slug), "", 0));
            }
            answer
        }
        Err(error) => {
            let before = Before { services: &services, headers, slug: &slug, next, known: asker.session.is_some() };
            before.refused(asks(gate), &error)
        }
    }
}

async fn by_password(
    services: &Services,
    slug: &RoomSlug,
    parts: &Parts,
    password: &str,
) -> Result<PermitCookie, Error> {
    services.domain.enter_by_password(slug, password, &visit(services, parts)?).await
}

async fn by_opened_link(
    services: &Services,
    slug: &RoomSlug,
    parts: &Parts,
    asker: &Asker,
) -> Result<PermitCookie, Error> {
    let cookie = invite_cookie(slug);
    let code = client::cookie(&parts.headers, &cookie).unwrap_or_default();
    let shown = Services::shown(&parts.headers, asker.person.as_ref());
    services.domain.enter_by_link(slug, code, &shown, &visit(services, parts)?).await
}

fn visit(services: &Services, parts: &Parts) -> Result<Visit, Error> {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip()).ok_or(Error::Busy)?;
    let address = client::address(peer, &parts.headers, &services.config.public);
    Ok(Visit { address, agent: String::new(), guest: None, session: None })
}

/// What stands at the room's address for whoever asks, and who that is where it matters.
async fn stands(services: &Services, slug: &RoomSlug, headers: &HeaderMap) -> Result<(Stands, Asker), Refusal> {
    let busy = |error: Error| {
        tracing::warn!(%error, "a request was not answered: whether a room asks for something cannot be looked up");
        Refusal::Busy
    };
    let cookie = invite_cookie(slug);
    let code = client::cookie(headers, &cookie);
    let by_address = services.domain.gate(slug, &Services::shown(headers, None), code).await.map_err(busy)?;
    if by_address == Stands::Open {
        return Ok((Stands::Open, Asker::default()));
    }
    let asker = services.asker(headers).await.map_err(busy)?;
    let shown = Services::shown(headers, asker.person.as_ref());
    Ok((services.domain.gate(slug, &shown, code).await.map_err(busy)?, asker))
}

const fn asks(gate: Stands) -> Asks {
    match gate {
        Stands::Open | Stands::Password => Asks::Password,
        Stands::Invitation { shown: None } => Asks::Link,
        Stands::Invitation { shown: Some(true) } => Asks::Invited,
        Stands::Invitation { shown: Some(false) } => Asks::LinkOver,
    }
}

/// A browser before a gate.
struct Before<'a> {
    services: &'a Services,
    headers: &'a HeaderMap,
    slug: &'a RoomSlug,
    /// Where it wants to go.
    next: &'a str,
    /// Whether it is logged in.
    known: bool,
}

impl Before<'_> {
    /// The gate again, with what was wrong.
    fn refused(&self, asks: Asks, error: &Error) -> Response {
        let m = Messages::new(client::locale(self.headers));
        let (status, words, asks) = match (error, asks) {
            (Error::Invalid(_), Asks::Password) => {
                (StatusCode::UNPROCESSABLE_ENTITY, Some(m.gate_password_wrong().to_owned()), asks)
            }
            (Error::Invalid(_), _) => (StatusCode::UNPROCESSABLE_ENTITY, None, Asks::LinkOver),
            (Error::TooMany { retry_after_s }, _) => {
                (StatusCode::TOO_MANY_REQUESTS, Some(m.error_too_many(retry_after_s)), asks)
            }
            // It asks for something else since a moment, or is gone: its page says which.
            (Error::NotFound | Error::Forbidden, _) => return accounts::see_other(&format!("/rooms/{}", self.slug)),
            (error, _) => {
                tracing::warn!(%error, "somebody could not go into a room");
                (StatusCode::SERVICE_UNAVAILABLE, Some(m.error_busy().to_owned()), asks)
            }
        };
        let mut answer = self.shown(asks, words, status);
        let retry = match error {
            Error::TooMany { retry_after_s } => Some(*retry_after_s),
            Error::Busy => Some(RETRY_BUSY_S),
            _ => None,
        };
        if let Some(seconds) = retry {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }

    fn shown(&self, asks: Asks, wrong: Option<String>, status: StatusCode) -> Response {
        let room = format!("/rooms/{}", self.slug);
        // What stands in a page as it is has to be plain, as a room's own paths are.
        let plain = self.next.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-".contains(&byte));
        let next = if plain { self.next } else { &room };
        let gate = Gate { asks, room: &room, next, wrong, css: &self.services.names.css, known: self.known };
        let page = if next.starts_with("/embed/") { framed } else { page };
        let html = Html(page(Messages::new(client::locale(self.headers)), &gate));
        let mut answer = (status, html).into_response();
        // The page has no script; its policy is that of pages all the same.
        answer.extensions_mut().insert(PageNonce(Arc::from(&*Nonce::new())));
        answer
    }
}

/// A room's link, `/rooms/{slug}?invite=…`: its code goes into a cookie, so that it is in no history, no `Referer` and in no log of what
/// comes after. `None` for any other address.
fn opened_link(services: &Services, slug: &RoomSlug, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    let code = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("invite="))?;
    let mut answer = accounts::see_other(uri.path());
    // What is no code is none in a cookie either: a word that is not one tells the page that something was shown.
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let code = if plain && !code.is_empty() { code } else { "none" };
    let context = accounts::context(services, headers);
    accounts::set(&mut answer, &context.cookie(&invite_cookie(slug), code, INVITE_COOKIE_MAX_AGE_S));
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(answer)
}

/// Each room's own, so that a link into one says nothing of another. A slug's letters fit a cookie's name.
fn invite_cookie(slug: &RoomSlug) -> String {
    format!("{INVITE_COOKIE}{slug}")
}
