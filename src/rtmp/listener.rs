//! Accepts encoders, one task each, within the bounds on connections.

use super::{
    connection::{Shared, serve, stopped},
    gate::{Gate, Outlet},
    limits::{Admission, Admitted, Crowded, RtmpLimits, WrongKeys},
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep, timeout},
};

/// How long connections may take to say goodbye when the server stops, beyond their own farewell.
const STOPPING: Duration = Duration::from_secs(1);
/// Pause after a failed accept: it fails for want of file descriptors, and would go on failing at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Connections turned away are told of in the log this often at most.
const CROWDED_PAUSE: Duration = Duration::from_secs(10);

/// Serves encoders on `listener` until `shutdown` becomes true or its sender is gone; returns when every connection has ended.
///
/// Whatever a peer sends ends at most its own connection.
pub async fn run<P: Outlet>(
    listener: TcpListener,
    gate: Arc<dyn Gate<P>>,
    limits: RtmpLimits,
    mut shutdown: watch::Receiver<bool>,
) {
    let admission = Admission::new(&limits);
    let stopping = limits.farewell + STOPPING;
    let shared = Arc::new(Shared { gate, wrong_keys: WrongKeys::new(&limits), limits });
    let mut connections = JoinSet::new();
    let mut crowd = Crowd::default();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(ended) = connections.join_next() => {
                note(ended);
                continue;
            }
            () = stopped(&mut shutdown) => break,
        };
        match accepted {
            Ok((socket, from)) => match admission.admit(from.ip()) {
                Ok(place) => {
                    connections.spawn(connection(socket, from, place, Arc::clone(&shared), shutdown.clone()));
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
    drop(listener);
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
    from: SocketAddr,
    place: Admitted,
    shared: Arc<Shared<P>>,
    shutdown: watch::Receiver<bool>,
) {
    // Our answers are small and awaited; delaying them delays going on air.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%from, %error, "TCP_NODELAY could not be set");
    }
    serve(socket, from, &shared, shutdown).await;
    drop(place);
}

/// A panic in one connection stays there; it is a fault of ours and said loudly.
fn note(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        tracing::error!(%error, "an RTMP connection panicked");
    }
}
