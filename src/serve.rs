//! The whole server: opens its sockets, starts its tasks, and ends them in order.

use crate::{
    Config, Shutdown, StartError, broadcasts, config,
    deliver::TlsMediaAcceptor,
    gate::{PublishGate, keep_grants},
    live::{Live, SWEEP_EVERY},
    memory,
    permits::{self, Permits},
    realtime::{Connections, Hub, Meters},
    rtmp,
    state::Services,
    telemetry,
    tls::{self, Certificate, Keeper},
    web::{self, Assets, Changes, Writers, client::EncoderPort},
};
use axum_server::Handle;
use hyper_util::rt::TokioTimer;
use leptos::config::{Env, LeptosOptions};
use madang_domain::Domain;
use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, time::MissedTickBehavior};

/// Viewers and requests get this long to end after a request to stop.
const GRACE: Duration = Duration::from_secs(3);
/// Bytes that hyper may hold for a connection; it is also the longest request head.
const HTTP_BUFFER_BYTES: usize = 64 * 1024;

/// Where the server really listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses {
    pub http: SocketAddr,
    pub https: Option<SocketAddr>,
    pub rtmp: SocketAddr,
    pub rtmps: Option<SocketAddr>,
}

/// One a line, as what is typed to reach it.
impl fmt::Display for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "http://{}", self.http)?;
        if let Some(https) = self.https {
            writeln!(f, "https://{https}")?;
        }
        writeln!(f, "rtmp://{}/live", self.rtmp)?;
        if let Some(rtmps) = self.rtmps {
            writeln!(f, "rtmps://{rtmps}/live")?;
        }
        Ok(())
    }
}

/// What is served over TLS.
struct Encrypted {
    https: std::net::TcpListener,
    rtmps: Option<TcpListener>,
    certificate: Arc<Certificate>,
    keeper: Keeper,
}

/// A server with its sockets open, before it serves.
pub struct Server {
    http: std::net::TcpListener,
    rtmp: TcpListener,
    encrypted: Option<Encrypted>,
    addresses: Addresses,
    services: Services,
}

impl Server {
    /// Opens storage and sockets. Port 0 takes any free port; [`Server::addresses`] tells which.
    ///
    /// # Errors
    /// [`StartError::Data`], [`StartError::Tls`] or [`StartError::Bind`].
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
        let encrypted = if config.tls.is_on() { Some(Encrypted::bind(&config).await?) } else { None };
        let https = encrypted.as_ref().map(|encrypted| encrypted.https.local_addr());
        let rtmps = encrypted.as_ref().and_then(|encrypted| encrypted.rtmps.as_ref()).map(TcpListener::local_addr);
        let addresses = Addresses {
            https: https.transpose().map_err(|source| StartError::bind("https", config.https, source))?,
            rtmps: rtmps.transpose().map_err(StartError::Serve)?,
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
            permits: Permits::default(),
            live,
            assets,
            writers: Writers::start(),
            changes: Arc::new(Changes::new(
                config.limits.changes_per_minute,
                config.limits.changes_per_minute_per_account,
            )),
            meters: Meters::default(),
            sockets: Connections::new(config.limits.ws_connections, config.limits.ws_connections_per_address),
            names,
            config: Arc::new(config),
            domain,
            metrics,
            shutdown,
            rtmp_port: addresses
                .rtmps
                .map_or(EncoderPort::Plain(addresses.rtmp.port()), |rtmps| EncoderPort::Tls(rtmps.port())),
            https_port: addresses.https.map(|https| https.port()),
        };
        Ok(Self { http, rtmp, encrypted, addresses, services })
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
        let site = configured.unwrap_or_else(|| self.own_site());
        Some(format!("{site}/register?setup={}", code.expose()))
    }

    /// Where a browser finds this server when nobody has said where: over TLS if there is any, by a name that the certificate may have.
    fn own_site(&self) -> String {
        let Some(https) = self.addresses.https else { return format!("http://{}", self.addresses.http) };
        match self.services.config.tls.acme_domains.first() {
            Some(name) => format!("https://{name}:{}", https.port()),
            None if https.ip().is_unspecified() => format!("https://localhost:{}", https.port()),
            None => format!("https://{https}"),
        }
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
        let Self { http, rtmp, encrypted, services, .. } = self;
        let mut shutdown = services.shutdown.clone();
        let (mut https, mut rtmps) = (None, None);
        if let Some(Encrypted { https: listener, rtmps: encoders, certificate, keeper }) = encrypted {
            https = Some((listener, tls::web(&certificate)?));
            rtmps = encoders.map(|listener| tls::encoders(&certificate).map(|tls| (listener, tls))).transpose()?;
            tokio::spawn(keeper.keep(services.shutdown.clone()));
        }
        // Over HTTP and RTMP viewers count together.
        let deliver = services.deliver();
        let publishers = tokio::spawn(rtmp::run(
            rtmp::Doors { plain: rtmp, encrypted: rtmps },
            Arc::new(PublishGate::new(services.domain.clone(), Arc::clone(&services.live), Arc::clone(&deliver))),
            services.config.limits.rtmp(),
            shutdown.flag(),
        ));
        let record = tokio::spawn(broadcasts::keep(
            services.domain.clone(),
            Arc::clone(&services.live),
            services.shutdown.clone(),
        ));
        tokio::spawn(keep_grants(services.domain.clone(), Arc::clone(&services.live), services.shutdown.clone()));
        tokio::spawn(permits::keep(services.domain.clone(), services.permits.clone(), services.shutdown.clone()));
        tokio::spawn(tend(Arc::clone(&services.live), services.shutdown.clone()));
        let acceptor = services.acceptor();
        tokio::spawn(memory::give_back(acceptor.clone(), services.shutdown.clone()));
        let (handle, https_handle) = (Handle::new(), Handle::new());
        let stopping = [handle.clone(), https_handle.clone()];
        let live = Arc::clone(&services.live);
        tokio::spawn(async move {
            shutdown.requested().await;
            // Streams end first: a viewer's answer would never end by itself.
            live.shut_down();
            for server in stopping {
                server.graceful_shutdown(Some(GRACE));
            }
        });
        let head = services.config.limits.http_head();
        let router = web::router(services.clone(), deliver).into_make_service_with_connect_info::<SocketAddr>();
        let plain = web_server(http, handle, head)?.acceptor(acceptor.clone()).serve(router.clone());
        let served = match https {
            None => plain.await,
            Some((listener, tls)) => {
                let acceptor = TlsMediaAcceptor::new(acceptor, tls, services.shutdown.clone());
                let encrypted = web_server(listener, https_handle, head)?.acceptor(acceptor).serve(router);
                tokio::try_join!(plain, encrypted).map(|_| ())
            }
        };
        // These tasks watch the same flag; an error means that one panicked, which the log has told.
        let _ = tokio::time::timeout(GRACE, publishers).await;
        let _ = tokio::time::timeout(GRACE, record).await;
        served.map_err(StartError::Serve)
    }
}

impl Encrypted {
    async fn bind(config: &Config) -> Result<Self, StartError> {
        let (certificate, keeper) = Keeper::open(&config.tls, &config.data_dir())?;
        let https = std::net::TcpListener::bind(config.https)
            .map_err(|source| StartError::bind("https", config.https, source))?;
        let rtmps = match config.rtmps {
            Some(address) => {
                let bound = TcpListener::bind(address).await;
                Some(bound.map_err(|source| StartError::bind("rtmps", address, source))?)
            }
            None => None,
        };
        Ok(Self { https, rtmps, certificate, keeper })
    }
}

/// A server of web pages on `listener`, before it knows how to accept.
fn web_server(
    listener: std::net::TcpListener,
    handle: Handle<SocketAddr>,
    head: Duration,
) -> Result<axum_server::Server<SocketAddr>, StartError> {
    listener.set_nonblocking(true).map_err(StartError::Serve)?;
    let mut server = axum_server::from_tcp(listener).map_err(StartError::Serve)?.handle(handle);
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(head)
        // What hyper may take from a body that the socket does not: a viewer who takes nothing pins this and one flight.
        .max_buf_size(HTTP_BUFFER_BYTES);
    Ok(server)
}

/// Counts who watches, and ends rooms that nobody comes back to, until `shutdown`.
async fn tend(live: Arc<Live>, mut shutdown: Shutdown) {
    let mut sweep = tokio::time::interval(SWEEP_EVERY);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = sweep.tick() => {
                let now = std::time::Instant::now();
                live.tend(now);
                live.count_audience(now);
            }
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
