//! `/live/{slug}.mp4`: the newest key frame as a fragmented MP4 of one frame, which a browser shows as a picture. Nothing is decoded
//! here, and a room's still is made once for everybody who asks within ten seconds.

use super::{
    Deliver,
    flv::{answer, find, not_live, open},
};
use crate::live::{Flight, Live, NotLive};
use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::{Bytes, BytesMut};
use madang_media::{
    flv::{Item, Reader},
    remux::{Output, Remuxer, TrackKind},
};
use madang_protocol::RoomId;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// A still is given out for so long.
const FRESH: Duration = Duration::from_secs(10);
/// Stills that are kept; a room beyond that has one made for each who asks.
const KEPT_MAX: usize = 1024;

/// The stills that were made lately.
///
/// The kind of lock: a `std` mutex, held to look one up or to put one down. Two who ask at once may both make one.
#[derive(Default)]
pub(super) struct Stills {
    made: Mutex<HashMap<RoomId, (Instant, Bytes)>>,
}

impl Stills {
    /// The room's still; `None` when its stream has no picture.
    fn get(&self, live: &Live, room: RoomId, now: Instant) -> Result<Option<Bytes>, NotLive> {
        let newest = live.newest_picture(room)?;
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.retain(|_, (at, _)| now.saturating_duration_since(*at) < FRESH);
        if let Some((_, still)) = made.get(&room) {
            return Ok(Some(still.clone()));
        }
        drop(made);
        let Some(still) = newest.and_then(|flight| still(&flight)) else { return Ok(None) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.len() < KEPT_MAX {
            made.insert(room, (now, still.clone()));
        }
        Ok(Some(still))
    }
}

/// The key frame that a flight starts with, and what it is decoded with.
fn still(flight: &Flight) -> Option<Bytes> {
    let (mut reader, mut remuxer) = (Reader::new(), Remuxer::default());
    reader.push(flight.headers.first.clone());
    reader.push(flight.bytes.clone());
    let mut out = BytesMut::new();
    while let Ok(Some(item)) = reader.next() {
        if let Item::Tag(tag) = item {
            // What cannot be read is left out, as players do.
            let _ = remuxer.push(&tag);
        }
        while let Some(output) = remuxer.poll() {
            match output {
                Output::Init { track: TrackKind::Video, bytes, .. } => out.extend_from_slice(&bytes),
                Output::Fragment { track: TrackKind::Video, bytes, .. } => {
                    out.extend_from_slice(&bytes);
                    return Some(out.freeze());
                }
                _ => {}
            }
        }
    }
    None
}

/// `GET` and `HEAD`.
pub(super) async fn show(deliver: &Deliver, file: &str) -> Response {
    let room = match find(deliver, file).await {
        Ok(room) => room,
        Err(refusal) => return refusal,
    };
    match deliver.stills.get(&deliver.live, room.id, Instant::now()) {
        Ok(Some(still)) => {
            let mut response = open(Response::new(Body::from(still)));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=10"));
            response
        }
        Ok(None) => answer(StatusCode::NOT_FOUND, None, "This stream has no picture.\n"),
        Err(why) => not_live(room, why),
    }
}
