//! Keeps the record of broadcasts: when a room went live, and when that ended; and tells the room's chat of it, and of how many
//! watch.

use crate::{
    Shutdown,
    live::{Change, Live},
    state::now,
};
use madang_domain::{Domain, Error, OnAir as _};
use madang_protocol::{RoomId, chat::SystemLine};
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::sync::broadcast::error::RecvError;

/// Waits between tries at a busy database.
const BUSY_PAUSES: [Duration; 3] = [Duration::from_millis(200), Duration::from_millis(500), Duration::from_secs(1)];

/// Follows `live` until `shutdown`; broadcasts that run then are ended in the record.
pub async fn keep(domain: Domain, live: Arc<Live>, mut shutdown: Shutdown) {
    let mut changes = live.changes();
    let mut running = HashSet::<RoomId>::new();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(change) if change.what == Change::Watching => watching(&domain, &live, change.room),
                Ok(change) => note(&domain, &live, &mut running, change.room).await,
                Err(RecvError::Lagged(_)) => {
                    let rooms: HashSet<RoomId> = running.iter().copied().chain(live.on_air()).collect();
                    for room in rooms {
                        note(&domain, &live, &mut running, room).await;
                        watching(&domain, &live, room);
                    }
                }
                Err(RecvError::Closed) => break,
            },
            () = shutdown.requested() => break,
        }
    }
    for room in running {
        ended(&domain, room).await;
    }
}

/// An end that is not written would join the next broadcast to this one: a busy database is asked again.
async fn ended(domain: &Domain, room: RoomId) {
    let at = now();
    domain.chat_system(room, SystemLine::StreamEnded);
    for pause in BUSY_PAUSES {
        match domain.broadcast_ended(room, at).await {
            Err(Error::Busy) => tokio::time::sleep(pause).await,
            outcome => return report(outcome),
        }
    }
    report(domain.broadcast_ended(room, at).await);
}

async fn note(domain: &Domain, live: &Live, running: &mut HashSet<RoomId>, room: RoomId) {
    match live.status(room).live {
        Some(since) if running.insert(room) => {
            domain.chat_system(room, SystemLine::StreamStarted);
            report(domain.broadcast_started(room, since).await);
        }
        None if running.remove(&room) => {
            ended(domain, room).await;
            watching(domain, live, room);
        }
        _ => {}
    }
}

fn watching(domain: &Domain, live: &Live, room: RoomId) {
    domain.chat_watching(room, live.status(room).watching);
}

fn report<T>(outcome: Result<T, Error>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "the record of broadcasts was not kept");
    }
}
