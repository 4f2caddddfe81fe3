//! Keeps the record of broadcasts: when a room went live, and when that ended.

use crate::{Shutdown, live::Live, state::now};
use madang_domain::{Domain, OnAir as _};
use madang_protocol::RoomId;
use std::{collections::HashSet, sync::Arc};
use tokio::sync::broadcast::error::RecvError;

/// Follows `live` until `shutdown`; broadcasts that run then are ended in the record.
pub async fn keep(domain: Domain, live: Arc<Live>, mut shutdown: Shutdown) {
    let mut changes = live.changes();
    let mut running = HashSet::<RoomId>::new();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(change) => note(&domain, &live, &mut running, change.room).await,
                Err(RecvError::Lagged(_)) => {
                    let rooms: HashSet<RoomId> = running.iter().copied().chain(live.on_air()).collect();
                    for room in rooms {
                        note(&domain, &live, &mut running, room).await;
                    }
                }
                Err(RecvError::Closed) => break,
            },
            () = shutdown.requested() => break,
        }
    }
    for room in running {
        report(domain.broadcast_ended(room, now()).await);
    }
}

async fn note(domain: &Domain, live: &Live, running: &mut HashSet<RoomId>, room: RoomId) {
    match live.status(room).live {
        Some(since) if running.insert(room) => report(domain.broadcast_started(room, since).await),
        None if running.remove(&room) => report(domain.broadcast_ended(room, now()).await),
        _ => {}
    }
}

fn report<T>(outcome: Result<T, madang_domain::Error>) {
    if let Err(error) = outcome {
        tracing::warn!(%error, "the record of broadcasts was not kept");
    }
}
