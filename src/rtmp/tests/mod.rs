//! The whole RTMP port on a socket, with a gate of the test's own.

mod encoders;
mod hostile;
mod publishing;
#[path = "../../../tests/support/rtmp_client.rs"]
#[allow(dead_code)] // shared with integration tests, which use other parts of it
pub mod rtmp_client;

use super::{
    Attention, Gate, GateFuture, Outlet, PlayFuture, PlayRefusal, PlayRequest, PublishRequest, Refusal, RtmpLimits,
    TurnedAway, run,
};
use crate::live::Cut;
use madang_media::flv::Tag;
use madang_protocol::{RoomId, UnixMillis};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    sync::{Mutex, mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

/// Keys beginning like this may publish.
pub const GOOD: &str = "sk_good";
pub const REVOKED: &str = "sk_revoked";
/// The gate never answers about this one.
pub const SLOW: &str = "sk_slow";

/// Longest wait for something that ought to happen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A publisher that the gate let in, seen from behind it.
pub struct Published {
    pub encoder: String,
    pub app: String,
    tags: mpsc::UnboundedReceiver<Tag>,
    cut: Option<oneshot::Sender<Cut>>,
}

impl Published {
    /// The next tag; `None` when the publisher is gone.
    pub async fn tag(&mut self) -> Option<Tag> {
        within(self.tags.recv()).await
    }

    pub fn cut(&mut self, cut: Cut) {
        let sender = self.cut.take().expect("cut once");
        assert_eq!(sender.send(cut), Ok(()), "the publisher is there");
    }

    /// Tags until the publisher is gone.
    pub async fn all(&mut self) -> Vec<Tag> {
        let mut tags = Vec::new();
        while let Some(tag) = self.tag().await {
            tags.push(tag);
        }
        tags
    }
}

pub struct TestOutlet {
    tags: mpsc::UnboundedSender<Tag>,
    cut: Option<oneshot::Receiver<Cut>>,
}

impl Outlet for TestOutlet {
    fn push(&mut self, tag: Tag) -> Result<(), Cut> {
        // The test may have lost interest.
        let _ = self.tags.send(tag);
        Ok(())
    }

    fn room(&self) -> Option<RoomId> {
        Some(RoomId::from_random(4))
    }

    fn flush(&mut self) {}

    async fn attention(&mut self) -> Attention {
        if let Some(cut) = self.cut.as_mut() {
            let cut = cut.await;
            self.cut = None;
            if let Ok(cut) = cut {
                return Attention::Cut(cut);
            }
        }
        std::future::pending().await
    }
}

struct TestGate {
    published: mpsc::UnboundedSender<Published>,
}

impl Gate<TestOutlet> for TestGate {
    fn publish(&self, request: PublishRequest) -> GateFuture<'_, TestOutlet> {
        Box::pin(async move {
            let key = request.key.expose().trim();
            if key == SLOW {
                std::future::pending::<()>().await;
            }
            if key == REVOKED {
                return Err(Refusal::Revoked { at: UnixMillis(0), room: RoomId::from_random(2) });
            }
            if !key.starts_with(GOOD) {
                return Err(if key.starts_with("sk_") { Refusal::UnknownKey } else { Refusal::NotAKey });
            }
            let (tag_sender, tags) = mpsc::unbounded_channel();
            let (cut_sender, cut) = oneshot::channel();
            let (encoder, app) = (request.encoder, request.app);
            let _ = self.published.send(Published { encoder, app, tags, cut: Some(cut_sender) });
            Ok(TestOutlet { tags: tag_sender, cut: Some(cut) })
        })
    }

    fn play(&self, _: PlayRequest) -> PlayFuture<'_> {
        Box::pin(std::future::ready(Err(PlayRefusal::NotLive)))
    }

    fn turned_away(&self, _: TurnedAway) {}
}

/// A running RTMP port.
pub struct Server {
    pub address: SocketAddr,
    published: Mutex<mpsc::UnboundedReceiver<Published>>,
    shutdown: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    pub async fn start(limits: RtmpLimits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket");
        let (published_sender, published) = mpsc::unbounded_channel();
        let (shutdown, stop) = watch::channel(false);
        let gate = Arc::new(TestGate { published: published_sender });
        let task = tokio::spawn(run(listener, gate, limits, stop));
        Self { address, published: Mutex::new(published), shutdown, task }
    }

    /// The next publisher that was let in.
    pub async fn published(&self) -> Published {
        within(self.published.lock().await.recv()).await.expect("the server runs")
    }

    pub async fn stop(self) {
        self.shutdown.send_replace(true);
        within(self.task).await.expect("the server ends in order");
    }

    pub fn request_stop(&self) {
        self.shutdown.send_replace(true);
    }
}

/// Fails the test when `wanted` does not happen.
pub async fn within<F: Future>(wanted: F) -> F::Output {
    timeout(PATIENCE, wanted).await.expect("it happens within ten seconds")
}

/// An AVC key frame, an AAC frame and their configurations, as far as this module looks at them.
pub const VIDEO_CONFIG: &[u8] = &[0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1F];
pub const KEY_FRAME: &[u8] = &[0x17, 1, 0, 0, 0, 0, 0, 0, 1, 0x65];
pub const AUDIO_CONFIG: &[u8] = &[0xAF, 0, 0x11, 0x90];
pub const AUDIO_FRAME: &[u8] = &[0xAF, 1, 0x21, 0x00];
