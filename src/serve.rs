//! The whole server: opens its sockets, starts its tasks, and ends them in order.

use crate::{
    Config, Shutdown, StartError, broadcasts, config,
    gate::{PublishGate, keep_grants},
    live::{Live, SWEEP_EVERY},
    realtime::{Connections, Hub, Meters},
    rtmp,
    state::Services,
    telemetry,
    web::{self, Assets, Changes},
};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use leptos::config::{Env, LeptosOptions};
use madang_domain::Domain;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::MissedTickBehavior};

/// Viewers and requests get this long to end after a request to stop.
const GRACE: Duration = Duration::from_secs(3);
/// Bytes that hyper may hold for a connection; it is also the longest request head.
const HTTP_BUFFER_BYTES: usize = 64 * 1024;

/// Where the server really listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub http: SocketAddr,
    pub rtmp: SocketAddr,
}

/// A server with its sockets open, before it serves.
pub struct Server {
    http: std::net::TcpListener,
    rtmp: TcpListener,
    addresses: Addresses,
    services: Services,
}

impl Server {
    /// Opens storage and sockets. Port 0 takes any free port; [`Server::addresses`] tells which.
    ///
    /// # Errors
    /// [`StartError::Data`] or [`StartError::Bind`].
    pub async fn bind(mut config: Config, shutdown: Shutdown) -> Result<Self, StartError> {
        config.limits = config.limits.in_force();
        if let Some(trouble) = config.untrusted_proxy() {
            tracing::warn!("{trouble}");
        }
        let metrics = telemetry::metrics();
        // Pages are rendered on this runtime. An error means that an earlier server of this process has said so already.
        let _ = any_spawner::Executor::init_tokio();
        let path = config.data_dir();
        let domain = Domain::open_with(&path, config.domain()).map_err(|source| StartError::Data { path, source })?;
        let http =
            std::net::TcpListener::bind(config.http).map_err(|source| StartError::bind("http", config.http, source))?;
        let rtmp =
            TcpListener::bind(config.rtmp).await.map_err(|source| StartError::bind("rtmp", config.rtmp, source))?;
        let addresses = Addresses {
            http: http.local_addr().map_err(|source| StartError::bind("http", config.http, source))?,
            rtmp: rtmp.local_addr().map_err(|source| StartError::bind("rtmp", config.rtmp, source))?,
        };
        let live = Live::new(config.media.live());
        domain.set_on_air(Arc::clone(&live) as Arc<dyn madang_domain::OnAir>);
        let hub = Hub::start(domain.clone(), Arc::clone(&live), shutdown.clone());
        let assets = Assets::find();
        let names = assets.names(live_reload(addresses.http));
        let services = Services {
            hub,
            live,
            assets,
            changes: Arc::new(Changes::new(config.limits.changes_per_minute)),
            meters: Meters::default(),
            sockets: Connections::new(config.limits.ws_connections, config.limits.ws_connections_per_address),
            names,
            config: Arc::new(config),
            domain,
            metrics,
            shutdown,
            rtmp_port: addresses.rtmp.port(),
        };
        Ok(Self { http, rtmp, addresses, services })
    }

    pub const fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// The link by which somebody makes the first administrator's account; `None` where there is one. For standard output and not for the
    /// log, which is kept longer than the link is good for.
    pub async fn set_up_link(&self) -> Option<String> {
        let code = self.services.domain.begin_setup().await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether there is an administrator cannot be looked up");
            None
        })?;
        let configured = config::origin_of(&self.services.config.public.url).map(ToOwned::to_owned);
        let site = configured.unwrap_or_else(|| format!("http://{}", self.addresses.http));
        Some(format!("{site}/register?setup={}", code.expose()))
    }

    /// What the server works with, for tests that look behind the sockets.
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Serves until the shutdown is requested, then lets connections end for a few seconds.
    ///
    /// # Errors
    /// [`StartError::Serve`] when a socket fails for good.
    pub async fn run(self) -> Result<(), StartError> {
        let Self { http, rtmp, services, .. } = self;
        let mut shutdown = services.shutdown.clone();
        let publishers = tokio::spawn(rtmp::run(
            rtmp,
            Arc::new(PublishGate::new(services.domain.clone(), Arc::clone(&services.live))),
            services.config.limits.rtmp(),
            shutdown.flag(),
        ));
        let record = tokio::spawn(broadcasts::keep(
            services.domain.clone(),
            Arc::clone(&services.live),
            services.shutdown.clone(),
        ));
        tokio::spawn(keep_grants(services.domain.clone(), Arc::clone(&services.live), services.shutdown.clone()));
        tokio::spawn(count_audience(Arc::clone(&services.live), services.shutdown.clone()));
        let handle = Handle::new();
        let stopping = handle.clone();
        let live = Arc::clone(&services.live);
        tokio::spawn(async move {
            shutdown.requested().await;
            // Streams end first: a viewer's answer would never end by itself.
            live.shut_down();
            stopping.graceful_shutdown(Some(GRACE));
        });
        http.set_nonblocking(true).map_err(StartError::Serve)?;
        let mut server = axum_server::from_tcp(http).map_err(StartError::Serve)?.handle(handle);
        let limits = &services.config.limits;
        server
            .http_builder()
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.http_head())
            // What hyper may take from a body that the socket does not: a viewer who takes nothing pins this and one flight.
            .max_buf_size(HTTP_BUFFER_BYTES);
        let acceptor = services.acceptor();
        let router = web::router(services.clone());
        let served = server.acceptor(acceptor).serve(router.into_make_service_with_connect_info::<SocketAddr>()).await;
        // These tasks watch the same flag; an error means that one panicked, which the log has told.
        let _ = tokio::time::timeout(GRACE, publishers).await;
        let _ = tokio::time::timeout(GRACE, record).await;
        served.map_err(StartError::Serve)
    }
}

/// Counts who watches, until `shutdown`.
async fn count_audience(live: Arc<Live>, mut shutdown: Shutdown) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = sweep.tick() => live.count_audience(std::time::Instant::now()),
            () = shutdown.requested() => return,
        }
    }
}

/// What pages need to reload themselves; `None` unless `cargo leptos watch` started this server.
fn live_reload(address: SocketAddr) -> Option<LeptosOptions> {
    std::env::var_os("LEPTOS_WATCH")?;
    let port = std::env::var("LEPTOS_RELOAD_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(3001);
    let options = LeptosOptions::builder().output_name("madang").site_addr(address).reload_port(port).env(Env::DEV);
    Some(options.build())
}
