//! `/live/{slug}.mp4`: the newest key frame as a fragmented MP4 of one frame, which a browser shows as a picture. Nothing is decoded
//! here, and a room's still is made once for everybody who asks within ten seconds.

use super::{
    Deliver,
    flv::{find, not_live, open},
};
use crate::live::{Flight, Live, NotLive};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
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
pub(super) async fn show(deliver: &Deliver, file: &str, query: Option<&str>, headers: &HeaderMap) -> Response {
    let room = match find(deliver, file, query, headers).await {
        Ok(play) => play.room,
        Err(refusal) => return refusal,
    };
    match deliver.stills.get(&deliver.live, room.id, Instant::now()) {
        Ok(Some(still)) => {
            let cached = if room.open { "public, max-age=10" } else { "private, max-age=10" };
            let mut response = open(whole_or_part(still, headers.get(header::RANGE)));
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("video/mp4"));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cached));
            headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
            response
        }
        // Nothing is wrong with a stream of sound; there is no picture to send.
        Ok(None) => open(StatusCode::NO_CONTENT.into_response()),
        Err(why) => not_live(room, why),
    }
}

/// The still, or the part of it that is asked for: Safari plays nothing that cannot be had in parts.
fn whole_or_part(still: Bytes, range: Option<&HeaderValue>) -> Response {
    let length = still.len();
    let Some((first, last)) = part(range, length) else { return Response::new(Body::from(still)) };
    let mut response = Response::new(Body::from(still.slice(first..=last)));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    if let Ok(value) = HeaderValue::from_str(&format!("bytes {first}-{last}/{length}")) {
        response.headers_mut().insert(header::CONTENT_RANGE, value);
    }
    response
}

/// First and last byte of what a `Range` asks for of `length` bytes (RFC 9110 §14.1.2). `None` is the whole, which is a right answer
/// to several parts at once and to what cannot be read too.
fn part(range: Option<&HeaderValue>, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range?.to_str().ok()?.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", count) => (length.saturating_sub(count.parse().ok()?), end),
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::{LiveLimits, PublisherInfo, testing::avc_config};
    use madang_media::{
        Millis,
        flv::{Tag, TagKind},
    };
    use madang_protocol::{KeyId, UnixMillis};

    #[test]
    fn a_still_is_kept_for_ten_seconds_however_many_key_frames_come() {
        let live = Live::new(LiveLimits { flight: Duration::ZERO, ..LiveLimits::default() });
        let room = RoomId::from_random(42);
        let (from, encoder) = ([127, 0, 0, 1].into(), String::new());
        let who = PublisherInfo { from, encoder, key: KeyId::from_random(1), since: UnixMillis(5) };
        let mut publisher = live.publish(room, who);
        let mut push = |tag: Tag| {
            publisher.push(tag).expect("not cut");
            publisher.flush();
        };
        // A slice of so many bytes, in a frame of its own.
        let frame = |at, head: u8, length: u8| {
            let unit = [&[0, 0, 0, length, 0x65][..], &vec![7; usize::from(length) - 1]].concat();
            Tag { kind: TagKind::Video, at: Millis(at), body: [&[head, 1, 0, 0, 0][..], &unit].concat().into() }
        };
        let (stills, start) = (Stills::default(), Instant::now());
        let at = |ms| stills.get(&live, room, start + Duration::from_millis(ms)).expect("live");
        push(avc_config());
        push(frame(0, 0x17, 100));
        let first = at(0).expect("a picture");
        push(frame(40, 0x27, 10));
        push(frame(2_000, 0x17, 200));
        assert_eq!(at(9_900), Some(first.clone()), "the same one");
        let second = at(10_000).expect("a picture");
        assert!(second.len() > first.len(), "the newest one");
        assert_eq!(at(19_000), Some(second));
        assert_eq!(stills.made.lock().expect("not poisoned").len(), 1);
    }

    #[test]
    fn a_part_is_never_outside_of_the_whole() {
        let asked = |text: &'static str| part(Some(&HeaderValue::from_static(text)), 100);
        assert_eq!(asked("bytes=0-1"), Some((0, 1)));
        assert_eq!(asked("bytes=0-"), Some((0, 99)));
        assert_eq!(asked("bytes=90-1000"), Some((90, 99)));
        assert_eq!(asked("bytes=-10"), Some((90, 99)));
        assert_eq!(asked("bytes=-1000"), Some((0, 99)));
        for whole in
            ["bytes=100-", "bytes=-0", "bytes=5-4", "bytes=0-1,4-5", "bytes=-", "bytes=x-y", "lines=0-1", "bytes"]
        {
            assert_eq!(asked(whole), None, "{whole}");
        }
        assert_eq!(part(Some(&HeaderValue::from_static("bytes=0-")), 0), None);
        assert_eq!(part(None, 100), None);
    }
}
