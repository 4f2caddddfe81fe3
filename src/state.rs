//! What every handler may reach, and the ports that join the rooms of the house.

use crate::{
    Config, Shutdown,
    deliver::{AcceptorLimits, Deliver, MediaAcceptor},
    live::Live,
    realtime::{Connections, Hub},
    web::{Assets, Changes, client},
};
use axum::http::HeaderMap;
use madang_app::{AssetNames, context::PERSON_COOKIE};
use madang_domain::{Domain, Person};
use madang_protocol::UnixMillis;
use metrics_exporter_prometheus::PrometheusHandle;
use std::{sync::Arc, time::SystemTime};

/// Shared by every connection; cheap to clone.
#[derive(Clone)]
pub struct Services {
    pub config: Arc<Config>,
    pub domain: Domain,
    pub live: Arc<Live>,
    pub hub: Hub,
    pub sockets: Arc<Connections>,
    /// The built files' names, found once at the start.
    pub names: AssetNames,
    pub assets: Assets,
    pub changes: Arc<Changes>,
    pub metrics: PrometheusHandle,
    pub shutdown: Shutdown,
    /// The port that encoders really reach, known once the socket is open.
    pub rtmp_port: u16,
}

impl Services {
    /// The person whose signed cookie a request carries; `None` without one.
    ///
    /// # Errors
    /// Storage does not answer. That is not nobody: a new guest's cookie would take the old one's place, and their rooms with it.
    pub async fn person(&self, headers: &HeaderMap) -> Result<Option<Person>, madang_domain::Error> {
        match client::cookie(headers, PERSON_COOKIE) {
            Some(cookie) => self.domain.identify(cookie).await,
            None => Ok(None),
        }
    }

    /// What the media routes need.
    pub fn deliver(&self) -> Arc<Deliver> {
        let config = Arc::clone(&self.config);
        let address_of = Arc::new(move |peer, headers: &HeaderMap| client::address(peer, headers, &config.public));
        let rooms = Arc::new(self.domain.clone());
        Deliver::new(Arc::clone(&self.live), rooms, self.config.limits.viewers_per_address, address_of)
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

/// The server's clock.
pub fn now() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
