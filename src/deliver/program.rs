//! What a player that watches over RTMP is given: the same flights, one by one.

use super::{
    Asked, Closed, Deliver, NotPlayed, Play,
    flv::{exact_slug, token_of},
};
use crate::{
    addresses::AddressSeat,
    live::{Delivery, Subscriber, Watcher},
    permits::Stay,
    rtmp::{PlayRefusal, PlayRequest, Program},
};
use axum::http::HeaderMap;
use metrics::Counter;
use std::{future::poll_fn, pin::Pin, task::Poll, time::Instant};

/// One who watches over RTMP. Dropping it leaves the room.
struct Watching {
    subscriber: Subscriber,
    stay: Stay,
    _seat: Option<AddressSeat>,
    watcher: Option<Watcher>,
    delivered: Counter,
}

impl Program for Watching {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Delivery> + Send + '_>> {
        let Self { subscriber, stay, .. } = self;
        Box::pin(poll_fn(|cx| match stay.poll_over(cx) {
            Poll::Ready(()) => Poll::Ready(Delivery::Ended),
            Poll::Pending => subscriber.poll_next(cx),
        }))
    }

    fn took(&mut self, bytes: usize) {
        self.delivered.increment(bytes as u64);
        if let Some(watcher) = &self.watcher {
            watcher.took(Instant::now());
        }
    }
}

impl Deliver {
    /// Lets an RTMP player watch a room, within the bounds that hold over HTTP too.
    ///
    /// # Errors
    /// Why not.
    pub async fn program(&self, request: PlayRequest) -> Result<Box<dyn Program>, PlayRefusal> {
        let name = request.name.expose();
        let (slug, query) = name.split_once('?').unwrap_or((name, ""));
        let slug = exact_slug(slug).ok_or(PlayRefusal::NoRoom)?;
        let asked = Asked { headers: &HeaderMap::new(), token: token_of(query) };
        let Play { room, stay } = self.reception.may_play(&slug, asked).await.map_err(|why| match why {
            NotPlayed::Unknown => PlayRefusal::NoRoom,
            NotPlayed::Unavailable => PlayRefusal::Unavailable,
        })?;
        let address = request.from.ip().to_canonical();
        let (subscriber, seat) = self.enter(room, Some(address)).map_err(|why| match why {
            Closed::TooMany => PlayRefusal::TooMany,
            Closed::NotLive(_) => PlayRefusal::NotLive,
        })?;
        let browser = self.live.presence().stranger(address, request.program.as_bytes());
        let watcher = self.live.presence().enter(room.id, browser);
        Ok(Box::new(Watching { subscriber, stay, _seat: seat, watcher, delivered: self.delivered_bytes.clone() }))
    }
}
