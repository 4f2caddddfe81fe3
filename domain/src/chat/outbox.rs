//! What waits to be written to one connection: a bounded queue that all its rooms fill and it alone empties.
//!
//! While its task waits with nothing to write, a room writes to the connection itself ([`Direct`]): waking a thousand tasks costs as much
//! as half of their writes.

use super::Frame;
use madang_protocol::realtime::ServerEvent;
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// A way to a connection past its task: what is written here costs no waking of it.
pub trait Direct: Send + Sync {
    /// Writes as much of the frame as can be written without waiting, and keeps the rest for the task.
    fn send(&self, frame: &Frame) -> Sent;
}

/// How much of a frame [`Direct::send`] wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    All,
    /// The task has to write the rest before anything else.
    Part,
    Nothing,
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
    /// The reader waits and has nothing of its own to write: others may, without breaking the order.
    open: bool,
    /// A frame is written in part; the reader has to write the rest.
    part: bool,
    direct: Option<Arc<dyn Direct>>,
    messages_max: usize,
    bytes_max: usize,
}

impl Outbox {
    /// A queue of at most so many frames, and of so many bytes and one frame more.
    pub fn new(messages_max: usize, bytes_max: usize) -> Self {
        let queue = Queue {
            frames: Vec::new(),
            bytes: 0,
            closed: false,
            open: false,
            part: false,
            direct: None,
            messages_max,
            bytes_max,
        };
        Self(Arc::new(Inner { queue: Mutex::new(queue), some: Notify::new() }))
    }

    /// Gives it a way past its reader.
    pub fn attach(&self, direct: Arc<dyn Direct>) {
        self.lock().direct = Some(direct);
    }

    /// Takes that way back: nothing is written from now on but by the reader.
    pub fn detach(&self) {
        let mut queue = self.lock();
        (queue.open, queue.direct) = (false, None);
    }

    /// The reader is about to write something itself, or to do what makes it owe something: nobody writes before it until it
    /// waits again.
    pub fn hold(&self) {
        self.lock().open = false;
    }

    /// Writes a frame at once where that is possible now, or adds it to the queue. It may cost a system call: what tells many
    /// gives others a turn in between.
    pub fn give(&self, frame: &Frame) {
        let mut queue = self.lock();
        match queue.send(frame) {
            Sent::All => {}
            Sent::Part => {
                (queue.open, queue.part) = (false, true);
                drop(queue);
                self.0.some.notify_one();
            }
            Sent::Nothing => {
                queue.push(frame.clone());
                drop(queue);
                self.0.some.notify_one();
            }
        }
    }

    /// Adds a frame. One that does not fit closes the queue and drops what waits: its reader resumes from what it has.
    pub fn push(&self, frame: Frame) {
        self.lock().push(frame);
        self.0.some.notify_one();
    }

    /// [`Outbox::give`] of an event for this connection only.
    pub fn tell(&self, event: ServerEvent) {
        if let Some(frame) = Frame::encode(&[event]) {
            self.give(&frame);
        }
    }

    /// Closes the queue: its reader gets [`MustResume`].
    pub fn close(&self) {
        self.lock().close();
        self.0.some.notify_one();
    }

    /// Waits until something is to be written, and takes everything that is, oldest first; an empty list when only the rest of
    /// what was written in part. For one reader. Cancelling it loses nothing, and leaves others to write: see [`Outbox::hold`].
    ///
    /// # Errors
    /// [`MustResume`] once the queue overflowed or was closed, and then always.
    pub async fn next(&self) -> Result<Vec<Frame>, MustResume> {
        loop {
            let nothing = {
                let mut queue = self.lock();
                queue.open = queue.is_empty();
                queue.open
            };
            if !nothing {
                return self.take();
            }
            self.0.some.notified().await;
        }
    }

    /// [`Outbox::next`] without waiting: perhaps nothing. The queue is held from then on.
    ///
    /// # Errors
    /// As [`Outbox::next`].
    pub fn take(&self) -> Result<Vec<Frame>, MustResume> {
        let mut queue = self.lock();
        (queue.open, queue.part) = (false, false);
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
    fn is_empty(&self) -> bool {
        self.frames.is_empty() && !self.part && !self.closed
    }

    fn send(&self, frame: &Frame) -> Sent {
        match &self.direct {
            Some(direct) if self.open && self.is_empty() => direct.send(frame),
            _ => Sent::Nothing,
        }
    }

    fn push(&mut self, frame: Frame) {
        if self.closed {
            return;
        }
        // What waits is looked at, not what comes: a large frame behind a small one is no sign of a slow reader.
        if self.frames.len() < self.messages_max && self.bytes < self.bytes_max {
            self.bytes = self.bytes.saturating_add(frame.size());
            self.frames.push(frame);
        } else {
            self.close();
        }
    }

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

    /// Takes the first frames whole, one in part, and nothing after that.
    struct Narrow(Mutex<(usize, Vec<Sent>)>);

    impl Direct for Narrow {
        fn send(&self, _: &Frame) -> Sent {
            let mut narrow = self.0.lock().expect("whole");
            let sent = match narrow.0 {
                0 => Sent::Nothing,
                1 => Sent::Part,
                _ => Sent::All,
            };
            narrow.0 = narrow.0.saturating_sub(1);
            narrow.1.push(sent);
            sent
        }
    }

    #[tokio::test]
    async fn others_write_only_while_the_reader_waits_and_never_out_of_order() {
        let outbox = Outbox::new(4, 1000);
        let narrow = Arc::new(Narrow(Mutex::new((3, Vec::new()))));
        let sent = || narrow.0.lock().expect("whole").1.clone();
        outbox.attach(Arc::clone(&narrow) as Arc<dyn Direct>);
        outbox.give(&pong());
        assert_eq!(sent(), [], "the reader has not waited yet");
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
        outbox.give(&pong());
        assert_eq!(sent(), [], "it writes what it took");
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err());
        outbox.give(&pong());
        outbox.give(&pong());
        outbox.give(&pong());
        assert_eq!(sent(), [Sent::All, Sent::All, Sent::Part]);
        outbox.give(&pong());
        assert_eq!(sent().len(), 3, "the rest of the third comes first");
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err());
        outbox.hold();
        outbox.give(&pong());
        assert_eq!(sent().len(), 3, "the reader does something");
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err());
        outbox.push(pong());
        outbox.give(&pong());
        assert_eq!(sent().len(), 3, "what waits goes first");
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(2));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err());
        outbox.give(&pong());
        assert_eq!(sent().last(), Some(&Sent::Nothing));
        assert_eq!(outbox.next().await.map(|frames| frames.len()), Ok(1));
        outbox.detach();
        assert_eq!(Arc::strong_count(&narrow), 1);
    }

    #[tokio::test]
    async fn the_rest_of_a_frame_wakes_the_reader() {
        let outbox = Outbox::new(4, 1000);
        outbox.attach(Arc::new(Narrow(Mutex::new((1, Vec::new())))));
        assert!(timeout(Duration::from_millis(1), outbox.next()).await.is_err());
        outbox.give(&pong());
        assert_eq!(outbox.next().await, Ok(Vec::new()));
    }

    #[test]
    fn an_idle_queue_is_small() {
        assert!(size_of::<Inner>() <= 160, "{}", size_of::<Inner>());
    }
}
