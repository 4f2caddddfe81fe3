//! Accepts encoders, one task each, within the bounds on connections.

use super::{
    connection::{Players, Shared, serve, stopped},
    gate::{Gate, Outlet},
    limits::{Admission, Admitted, Crowded, RtmpLimits, WrongKeys},
    prompt::Prompt,
};
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How long connections may take to say goodbye when the server stops, beyond their own farewell.
const STOPPING: Duration = Duration::from_secs(1);
/// Pause after a failed accept: it fails for want of file descriptors, and would go on failing at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections turned away are told of in the log this often at most.
const CROWDED_PAUSE: Duration = Duration::from_secs(10);

/// Where encoders come in. Both doors count together.
pub struct Doors {
    pub plain: TcpListener,
    /// RTMPS: the same after a TLS handshake.
    pub encrypted: Option<(TcpListener, TlsAcceptor)>,
}

impl From<TcpListener> for Doors {
    fn from(plain: TcpListener) -> Self {
        Self { plain, encrypted: None }
    }
}

impl Doors {
    /// The next connection, and the TLS that it begins with.
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr, Option<TlsAcceptor>)> {
        let encrypted = async {
            match &self.encrypted {
                Some((listener, tls)) => {
                    listener.accept().await.map(|(socket, from)| (socket, from, Some(tls.clone())))
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = self.plain.accept() => accepted.map(|(socket, from)| (socket, from, None)),
            accepted = encrypted => accepted,
        }
    }
}

/// Serves encoders at `doors` until `shutdown` becomes true or its sender is gone; returns when every connection has ended.
///
/// Whatever a peer sends ends at most its own connection.
pub async fn run<P: Outlet>(
    doors: impl Into<Doors>,
    gate: Arc<dyn Gate<P>>,
    limits: RtmpLimits,
    mut shutdown: watch::Receiver<bool>,
) {
    let doors = doors.into();
    let admission = Admission::new(&limits);
    let stopping = limits.farewell + STOPPING;
    let (wrong_keys, players) = (WrongKeys::new(&limits), Players::new(&limits));
    let shared = Arc::new(Shared { gate, wrong_keys, players, limits });
    let mut connections = JoinSet::new();
    let mut crowd = Crowd::default();
    loop {
        let accepted = tokio::select! {
            accepted = doors.accept() => accepted,
            Some(ended) = connections.join_next() => {
                note(ended);
                continue;
            }
            () = stopped(&mut shutdown) => break,
        };
        match accepted {
            Ok((socket, from, tls)) => match admission.admit(from.ip()) {
                Ok(place) => {
                    connections.spawn(connection(socket, tls, from, place, Arc::clone(&shared), shutdown.clone()));
                }
                // Dropping the socket closes it.
                Err(why) => crowd.turned_away(from, why),
            },
            Err(error) => {
                tracing::warn!(%error, "an RTMP connection could not be accepted");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(doors);
    let all = async {
        while let Some(ended) = connections.join_next().await {
            note(ended);
        }
    };
    if timeout(stopping, all).await.is_err() {
        connections.shutdown().await;
    }
}

/// Keeps the log readable while a crowd is at the door.
#[derive(Default)]
struct Crowd {
    silent: u64,
    told: Option<Instant>,
}

impl Crowd {
    fn turned_away(&mut self, from: SocketAddr, why: Crowded) {
        metrics::counter!("madang_rtmp_refused_total", "reason" => "crowded").increment(1);
        if self.told.is_some_and(|told| told.elapsed() < CROWDED_PAUSE) {
            self.silent += 1;
            return;
        }
        tracing::warn!(%from, %why, others = self.silent, "an RTMP connection was turned away; the limits are in Leptos.toml");
        *self = Self { silent: 0, told: Some(Instant::now()) };
    }
}

async fn connection<P: Outlet>(
    socket: TcpStream,
    tls: Option<TlsAcceptor>,
    from: SocketAddr,
    place: Admitted,
    shared: Arc<Shared<P>>,
    shutdown: watch::Receiver<bool>,
) {
    // Our answers are small and awaited; delaying them delays going on air.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%from, %error, "TCP_NODELAY could not be set");
    }
    let socket = Prompt::new(socket);
    match tls {
        None => serve(socket, from, &shared, shutdown).await,
        Some(tls) => {
            if let Some(socket) = encrypted(socket, &tls, from, &shared, shutdown.clone()).await {
                serve(socket, from, &shared, shutdown).await;
            }
        }
    }
    drop(place);
}

/// The TLS handshake, which has as long as RTMP's own; `None` when it fails.
async fn encrypted<P>(
    socket: Prompt,
    tls: &TlsAcceptor,
    from: SocketAddr,
    shared: &Shared<P>,
    mut shutdown: watch::Receiver<bool>,
) -> Option<impl AsyncRead + AsyncWrite + Unpin + Send + use<P>> {
    let shaken = tokio::select! {
        shaken = timeout(shared.limits.handshake, tls.accept(socket)) => shaken,
        () = stopped(&mut shutdown) => return None,
    };
    let why = match shaken {
        Ok(Ok(socket)) => return Some(socket),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it took too long".to_owned(),
    };
    metrics::counter!("madang_rtmp_refused_total", "reason" => "tls").increment(1);
    tracing::info!(%from, %why, "a TLS handshake with an encoder failed");
    None
}

/// A panic in one connection stays there; it is a fault of ours and said loudly.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "an RTMP connection panicked");
    }
}
