//! The body of a live response: asks the ring when hyper asks it, and hands on what it is given.

use super::line::{Progress, Streaming};
use crate::addresses::{AddressSeat, Seat};
use crate::live::{Delivery, Subscriber, Watcher};
use crate::permits::Stay;
use bytes::Bytes;
use http_body::{Body, Frame};
use madang_protocol::PersonId;
use metrics::Counter;
use std::{
    convert::Infallible,
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// Delivered bytes are added to the shared counter in lots of this many: one cache line for all viewers is touched seldom.
const COUNT_LOT: u64 = 256 * 1024;

/// A viewer's socket is looked at this often: whether it took something since.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What notes that a viewer's socket takes what it is given. hyper may ask for up to its buffer's worth more while the socket
/// takes nothing, so being asked is not enough where the connection's own count is known.
pub(super) struct Attention {
    watcher: Watcher,
    progress: Option<Progress>,
    taken: u64,
    looked: Option<Instant>,
}

impl Attention {
    pub(super) fn new(watcher: Watcher, progress: Option<Progress>) -> Self {
        let taken = progress.as_ref().map_or(0, Progress::taken);
        Self { watcher, progress, taken, looked: None }
    }

    fn look(&mut self) {
        let now = Instant::now();
        if self.looked.is_some_and(|looked| now.duration_since(looked) < LOOK_EVERY) {
            return;
        }
        let taken = self.progress.as_ref().map(Progress::taken);
        if taken.is_none_or(|taken| taken > self.taken) {
            (self.looked, self.taken) = (Some(now), taken.unwrap_or(0));
            self.watcher.took(now);
        }
    }
}

/// What a viewer's address has one of, what its browser has, and what its connection is told.
type Seats = (Option<AddressSeat>, Option<Seat<PersonId>>, Option<Streaming>);

/// FLV without an end, until the broadcast ends, or the leave to watch it. Dropping it leaves the room.
pub(super) struct FlvBody {
    subscriber: Subscriber,
    stay: Stay,
    _seats: Seats,
    attention: Option<Attention>,
    given: bool,
    delivered: Counter,
    uncounted: u64,
}

impl FlvBody {
    /// Bytes of media as they come; `None` when there is no more.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        poll_fn(|cx| self.poll_bytes(cx)).await
    }

    pub(super) fn new(
        subscriber: Subscriber,
        stay: Stay,
        seats: Seats,
        attention: Option<Attention>,
        delivered: Counter,
    ) -> Self {
        Self { subscriber, stay, _seats: seats, attention, given: false, delivered, uncounted: 0 }
    }

    fn count(&mut self, bytes: usize) {
        self.uncounted += bytes as u64;
        if self.uncounted >= COUNT_LOT {
            self.delivered.increment(std::mem::take(&mut self.uncounted));
        }
    }
}

impl FlvBody {
    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.stay.poll_over(cx).is_ready() {
            return Poll::Ready(None);
        }
        // Asked for more, with media on its way already: what was given may have been taken.
        if self.given
            && let Some(attention) = &mut self.attention
        {
            attention.look();
        }
        loop {
            let delivery = ready!(self.subscriber.poll_next(cx));
            if let Some(bytes) = delivery.flv().cloned() {
                self.count(bytes.len());
                self.given = true;
                return Poll::Ready(Some(bytes));
            }
            if matches!(delivery, Delivery::Ended) {
                return Poll::Ready(None);
            }
        }
    }
}

impl Body for FlvBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.poll_bytes(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

impl Drop for FlvBody {
    fn drop(&mut self) {
        self.delivered.increment(self.uncounted);
    }
}
