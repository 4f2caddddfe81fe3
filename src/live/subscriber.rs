//! A viewer: a cursor on the shared ring, and a seat at the bell.

use super::{bell::Seat, flight::Delivery, ring::Cursor, stream::Stream};
use std::{
    future::poll_fn,
    sync::Arc,
    task::{Context, Poll},
};

/// One who is being sent a room's media. Counts as one viewer until it is dropped.
///
/// It holds no media: what it is given is shared with everyone, and what it has not asked for stays in the ring or leaves it.
#[derive(Debug)]
pub struct Subscriber {
    stream: Arc<Stream>,
    seat: Seat,
    cursor: Cursor,
}

impl Subscriber {
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        let seat = stream.enter();
        Self { stream, seat, cursor: Cursor::default() }
    }

    /// What comes next; waits for it. After [`Delivery::Ended`] always that. Cancel safe.
    pub async fn next(&mut self) -> Delivery {
        poll_fn(|cx| self.poll_next(cx)).await
    }

    /// [`Subscriber::next`] for hand-written futures and bodies. Allocates nothing.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Delivery> {
        self.stream.poll(&mut self.cursor, &self.seat, cx)
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        self.stream.leave(&self.seat);
    }
}
