//! What waits to be written to one connection: a bounded queue that all its rooms fill and it alone empties.

use bytes::Bytes;
use madang_protocol::realtime::ServerEvent;
use std::{
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Some events, encoded once and shared by everyone they are for. Cloning copies no bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame(Bytes);

impl Frame {
    /// Encodes events; `None` for no events.
    pub fn encode(events: &[ServerEvent]) -> Option<Self> {
        if events.is_empty() {
            return None;
        }
        match serde_json::to_vec(events) {
            Ok(json) => Some(Self(Bytes::from(json))),
            Err(cause) => {
                tracing::error!(%cause, "events could not be encoded");
                None
            }
        }
    }

    /// The JSON array of the events, as a frame of `/ws` is when nothing else goes with it. Shares its bytes; valid UTF-8.
    pub fn array(&self) -> Bytes {
        self.0.clone()
    }

    /// The events joined by commas, without the brackets of an array: what several frames are put together of. Valid UTF-8.
    pub fn events(&self) -> &[u8] {
        self.0.get(1..self.0.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Bytes of the array.
    pub fn size(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

/// The connection could not keep up, or its room's task ended: close it with `CLOSE_RESUME`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection must be made anew and resumed")]
pub struct MustResume;

/// One connection's queue. Clones are the same queue. About 150 bytes when nothing waits.
#[derive(Clone)]
pub struct Outbox(Arc<Inner>);

struct Inner {
    queue: Mutex<Queue>,
    some: Notify,
}

struct Queue {
    frames: Vec<Frame>,
    bytes: usize,
    closed: bool,
    messages_max: usize,
    bytes_max: usize,
}

impl Outbox {
    /// A queue of at most so many frames, and of so many bytes and one frame more.
    pub fn new(messages_max: usize, bytes_max: usize) -> Self {
        let queue = Queue { frames: Vec::new(), bytes: 0, closed: false, messages_max, bytes_max };
        Self(Arc::new(Inner { queue: Mutex::new(queue), some: Notify::new() }))
    }

    /// Adds a frame. One that does not fit closes the queue and drops what waits: its reader resumes from what it has.
    pub fn push(&self, frame: Frame) {
        let mut queue = self.lock();
        if queue.closed {
            return;
        }
        // What waits is looked at, not what comes: a large frame behind a small one is no sign of a slow reader.
        let fits = queue.frames.len() < queue.messages_max && queue.bytes < queue.bytes_max;
        if fits {
            queue.bytes = queue.bytes.saturating_add(frame.size());
            queue.frames.push(frame);
        } else {
            queue.close();
        }
        drop(queue);
        self.0.some.notify_one();
    }

    /// [`Outbox::push`] of events for this connection only.
    pub fn tell(&self, event: ServerEvent) {
        if let Some(frame) = Frame::encode(&[event]) {
            self.push(frame);
        }
    }

    /// Closes the queue: its reader gets [`MustResume`].
    pub fn close(&self) {
        self.lock().close();
        self.0.some.notify_one();
    }

    /// Waits until something is there, and takes everything that is, oldest first; never an empty list. For one reader.
    /// Cancelling it loses nothing.
    ///
    /// # Errors
    /// [`MustResume`] once the queue overflowed or was closed, and then always.
    pub async fn next(&self) -> Result<Vec<Frame>, MustResume> {
        loop {
            match self.take() {
                Ok(frames) if frames.is_empty() => self.0.some.notified().await,
                taken => return taken,
            }
        }
    }

    /// [`Outbox::next`] without waiting: perhaps nothing.
    ///
    /// # Errors
    /// As [`Outbox::next`].
    pub fn take(&self) -> Result<Vec<Frame>, MustResume> {
        let mut queue = self.lock();
        if queue.closed {
            return Err(MustResume);
        }
        queue.bytes = 0;
        Ok(mem::take(&mut queue.frames))
    }

    /// Nothing in here is half done at any point, so a panic under the lock leaves the queue whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn close(&mut self) {
        self.closed = true;
        self.frames = Vec::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    fn pong() -> Frame {
        Frame::encode(&[ServerEvent::Pong]).expect("an event")
    }

    #[test]
    fn a_frame_is_an_array_and_what_is_in_it() {
        let frame = Frame::encode(&[ServerEvent::Pong, ServerEvent::Pong]).expect("events");
        assert_eq!(frame.array(), r#"[{"type":"pong"},{"type":"pong"}]"#);
        assert_eq!(frame.events(), br#"{"type":"pong"},{"type":"pong"}"#);
        assert_eq!(Frame::encode(&[]), None);
    }

    #[tokio::test]
    async fn the_reader_is_woken_and_takes_all() {
        let outbox = Outbox::new(4, 1000);
        let reader = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.next().await }
        });
        tokio::task::yield_now().await;
        outbox.push(pong());
        assert_eq!(reader.await.expect("no panic"), Ok(vec![pong()]));
        outbox.push(pong());
        outbox.push(pong());
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(2));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err(), "nothing waits");
    }

    #[tokio::test]
    async fn one_too_many_closes_and_keeps_nothing() {
        for (messages, bytes) in [(2, 1000), (1000, 2 * pong().size())] {
            let outbox = Outbox::new(messages, bytes);
            outbox.push(pong());
            outbox.push(pong());
            assert_eq!(outbox.take().map(|frames| frames.len()), Ok(2));
            for _ in 0..3 {
                outbox.push(pong());
            }
            assert_eq!(outbox.next().await, Err(MustResume));
            outbox.push(pong());
            assert_eq!(outbox.next().await, Err(MustResume), "it stays closed");
        }
    }

    #[tokio::test]
    async fn a_frame_larger_than_the_queue_goes_alone() {
        let outbox = Outbox::new(4, 3);
        outbox.push(pong());
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
    }

    #[test]
    fn an_idle_queue_is_small() {
        assert!(size_of::<Inner>() <= 160, "{}", size_of::<Inner>());
    }
}
