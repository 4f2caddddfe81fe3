//! What a player that watches over RTMP is given: the same flights, one by one.

use super::{Closed, Deliver, flv::exact_slug};
use crate::{
    addresses::AddressSeat,
    live::{Delivery, Subscriber, Watcher},
    rtmp::{PlayRefusal, PlayRequest, Program},
};
use metrics::Counter;
use std::{pin::Pin, time::Instant};

/// One who watches over RTMP. Dropping it leaves the room.
struct Watching {
    subscriber: Subscriber,
    _seat: Option<AddressSeat>,
    watcher: Option<Watcher>,
    delivered: Counter,
}

impl Program for Watching {
    fn next(&mut self) -> Pin<Box<dyn Future<Output = Delivery> + Send + '_>> {
        Box::pin(self.subscriber.next())
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
        let slug = name.split('?').next().and_then(exact_slug).ok_or(PlayRefusal::NoRoom)?;
        let room = self.rooms.find(&slug).await.map_err(|super::Unavailable| PlayRefusal::Unavailable)?;
        let room = room.ok_or(PlayRefusal::NoRoom)?;
        let address = request.from.ip().to_canonical();
        let (subscriber, seat) = self.enter(room, Some(address)).map_err(|why| match why {
            Closed::TooMany => PlayRefusal::TooMany,
            Closed::NotLive(_) => PlayRefusal::NotLive,
        })?;
        let browser = self.live.presence().stranger(address, request.program.as_bytes());
        let watcher = self.live.presence().enter(room.id, browser);
        Ok(Box::new(Watching { subscriber, _seat: seat, watcher, delivered: self.delivered_bytes.clone() }))
    }
}
