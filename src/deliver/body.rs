//! The body of a live response: asks the ring when hyper asks it, and hands on what it is given.

use crate::addresses::AddressSeat;
use crate::live::{Delivery, Subscriber};
use bytes::Bytes;
use http_body::{Body, Frame};
use metrics::Counter;
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// Delivered bytes are added to the shared counter in lots of this many: one cache line for all viewers is touched seldom.
const COUNT_LOT: u64 = 256 * 1024;

/// FLV without an end, until the broadcast ends. Dropping it leaves the room.
pub(super) struct FlvBody {
    subscriber: Subscriber,
    _seat: Option<AddressSeat>,
    delivered: Counter,
    uncounted: u64,
}

impl FlvBody {
    pub(super) fn new(subscriber: Subscriber, seat: Option<AddressSeat>, delivered: Counter) -> Self {
        Self { subscriber, _seat: seat, delivered, uncounted: 0 }
    }

    fn count(&mut self, bytes: usize) {
        self.uncounted += bytes as u64;
        if self.uncounted >= COUNT_LOT {
            self.delivered.increment(std::mem::take(&mut self.uncounted));
        }
    }
}

impl Body for FlvBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        loop {
            let delivery = ready!(self.subscriber.poll_next(cx));
            if let Some(bytes) = delivery.flv().cloned() {
                self.count(bytes.len());
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if matches!(delivery, Delivery::Ended) {
                return Poll::Ready(None);
            }
        }
    }
}

impl Drop for FlvBody {
    fn drop(&mut self) {
        self.delivered.increment(self.uncounted);
    }
}
