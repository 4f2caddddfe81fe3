//! What every handler may reach, and the ports that join the rooms of the house.

use crate::{
    Config, Shutdown,
    live::Live,
    realtime::{Connections, Hub},
    web::{Assets, Changes, client},
};
use axum::http::HeaderMap;
use leptos::config::LeptosOptions;
use madang_app::context::PERSON_COOKIE;
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
    pub leptos: LeptosOptions,
    pub assets: Assets,
    pub changes: Arc<Changes>,
    pub metrics: PrometheusHandle,
    pub shutdown: Shutdown,
    /// The port that encoders really reach, known once the socket is open.
    pub rtmp_port: u16,
}

impl Services {
    /// The person whose signed cookie a request carries.
    pub async fn person(&self, headers: &HeaderMap) -> Option<Person> {
        self.domain.person_of(client::cookie(headers, PERSON_COOKIE)?).await
    }
}

/// The server's clock.
pub fn now() -> UnixMillis {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
