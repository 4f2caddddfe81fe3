//! The ring of flights: the GOP cache, the join position and the slow-viewer policy at once. A viewer is a cursor on it.
//!
//! Pure data: no lock, no waker, no clock but the instants it is given. [`super::stream`] wraps it.

use super::{
    LiveLimits,
    flight::{Delivery, Draft, Flight, Headers, Skip},
};
use madang_media::Millis;
use std::{collections::VecDeque, sync::Arc, time::Duration, time::Instant};

/// What a flight costs beside its bytes, so that very many very small ones are bounded too.
const FLIGHT_OVERHEAD: usize = 256;
/// A listener to a stream without picture begins this far behind the edge, to have something to start with.
const AUDIO_JOIN: Millis = Millis(1_000);
/// The span that the bitrate is taken over.
const BITRATE_SPAN: Duration = Duration::from_secs(5);
/// Skips are forgotten after this long.
const SKIP_WINDOW: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Ring {
    flights: VecDeque<Arc<Flight>>,
    /// Sequence number of the front.
    first: u64,
    held_bytes: usize,
    /// Sequence number of the newest flight that a viewer may begin at, while it is held.
    newest_join: Option<u64>,
    edge: Option<Millis>,
    newest_headers: Option<Arc<Headers>>,
    span_max: Millis,
    bytes_max: usize,
    lag_max: Millis,
    skips_max: u32,
}

/// A subscriber's place in a ring. Small: a viewer costs this and a seat.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    /// Sequence number of the flight to deliver next.
    position: u64,
    /// Flights before this were the backlog on joining; being behind on them is nobody's fault.
    backlog_end: u64,
    /// The epoch that the subscriber's decoder has been given.
    epoch: Option<u64>,
    place: Place,
    skips: u32,
    skips_since: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Not begun.
    #[default]
    Joining,
    /// Nothing to decode from was left: waits for a key frame at or after the position.
    AwaitingJoin,
    Following,
    Ended,
}

/// What a cursor finds.
#[derive(Debug)]
pub(super) enum Step {
    Give(Delivery),
    /// Nothing new. `from` is the sequence number that would change that.
    Wait,
}

impl Cursor {
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn end(&mut self) {
        self.place = Place::Ended;
    }

    pub(super) fn is_ended(&self) -> bool {
        self.place == Place::Ended
    }
}

fn millis(span: Duration) -> Millis {
    Millis(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}

impl Ring {
    pub(super) fn new(limits: &LiveLimits) -> Self {
        Self {
            flights: VecDeque::new(),
            first: 0,
            held_bytes: 0,
            newest_join: None,
            edge: None,
            newest_headers: None,
            span_max: millis(limits.ring),
            bytes_max: limits.ring_bytes,
            lag_max: millis(limits.lag),
            skips_max: limits.max_skips,
        }
    }

    /// The sequence number that the next flight will have.
    pub(super) fn next_seq(&self) -> u64 {
        self.first + self.flights.len() as u64
    }

    /// The latest stamp; none before the first flight.
    pub(super) fn edge(&self) -> Option<Millis> {
        self.edge
    }

    /// The newest flight that starts with a key frame, while it is held.
    pub(super) fn newest_picture(&self) -> Option<Arc<Flight>> {
        self.flights.iter().rev().find(|flight| flight.starts_with_keyframe).cloned()
    }

    /// The newest headers; none before the first flight.
    pub(super) fn headers(&self) -> Option<Arc<Headers>> {
        self.newest_headers.clone()
    }

    pub(super) fn epoch(&self) -> Option<u64> {
        self.newest_headers.as_ref().map(|headers| headers.epoch)
    }

    /// Bytes of the flights that are held.
    pub(super) fn held_bytes(&self) -> usize {
        self.held_bytes - self.flights.len() * FLIGHT_OVERHEAD
    }

    /// Puts a flight at the end. What falls out at the front is put into `evicted`, to be dropped where no lock is held.
    pub(super) fn append(&mut self, draft: Draft, closed: Instant, evicted: &mut Vec<Arc<Flight>>) {
        let Draft { bytes, at, end, starts_with_keyframe, joinable, headers } = draft;
        let seq = self.next_seq();
        self.held_bytes += bytes.len() + FLIGHT_OVERHEAD;
        self.edge = Some(self.edge.map_or(end, |edge| edge.max(end)));
        if joinable {
            self.newest_join = Some(seq);
        }
        self.newest_headers = Some(headers.clone());
        self.flights.push_back(Arc::new(Flight {
            seq,
            bytes,
            at,
            end,
            starts_with_keyframe,
            joinable,
            headers,
            closed,
        }));
        while let Some(front) = self.flights.front() {
            // The newest GOP is kept however long it is: without its key frame nobody could begin. Only bytes beat that.
            let too_old = self.behind(front) > self.span_max && self.newest_join.is_none_or(|join| self.first < join);
            let too_much = self.held_bytes > self.bytes_max && self.flights.len() > 1;
            if !(too_old || too_much) {
                break;
            }
            let Some(front) = self.flights.pop_front() else { break };
            self.held_bytes -= front.bytes.len() + FLIGHT_OVERHEAD;
            self.first += 1;
            self.newest_join = self.newest_join.filter(|join| *join >= self.first);
            evicted.push(front);
        }
    }

    /// What the cursor is given next; moves it.
    pub(super) fn step(&self, cursor: &mut Cursor) -> Step {
        if cursor.place == Place::Ended {
            return Step::Give(Delivery::Ended);
        }
        if matches!(cursor.place, Place::Joining | Place::AwaitingJoin) && !self.join(cursor) {
            return Step::Wait;
        }
        if cursor.position < self.first {
            return Step::Give(self.skip(cursor, self.newest_join));
        }
        let Some(flight) = self.at(cursor.position) else { return Step::Wait };
        let exempt = cursor.position < cursor.backlog_end;
        if !exempt && self.is_too_late(flight) {
            // Whoever stands at the newest place already, or past it, stays: moving them would gain nothing.
            if let Some(join) = self.newest_join.filter(|join| *join > cursor.position) {
                return Step::Give(self.skip(cursor, Some(join)));
            }
        }
        if cursor.epoch.is_none_or(|epoch| epoch < flight.headers.epoch) {
            let joining = cursor.epoch.is_none();
            let headers = self.headers_for(flight);
            cursor.epoch = Some(headers.epoch);
            return Step::Give(Delivery::Headers { headers: headers.clone(), joining });
        }
        cursor.position += 1;
        Step::Give(Delivery::Flight(flight.clone()))
    }

    /// The newest headers, if the flight decodes with them: so that who joins just before a track appears knows of it at once.
    fn headers_for<'a>(&'a self, flight: &'a Flight) -> &'a Arc<Headers> {
        let newest = self.newest_headers.as_ref().filter(|newest| flight.headers.epoch >= newest.compatible_from);
        newest.unwrap_or(&flight.headers)
    }

    /// Finds the place to begin at. False when there is none yet; the cursor has then seen all there is.
    fn join(&self, cursor: &mut Cursor) -> bool {
        let Some(join) = self.newest_join.filter(|join| *join >= cursor.position) else {
            cursor.position = self.next_seq();
            cursor.place = Place::AwaitingJoin;
            return false;
        };
        cursor.position = if cursor.place == Place::Joining { self.with_lead(join) } else { join };
        cursor.backlog_end = self.next_seq();
        cursor.place = Place::Following;
        true
    }

    /// Where a listener begins when `join` has no picture: up to [`AUDIO_JOIN`] earlier.
    fn with_lead(&self, join: u64) -> u64 {
        let mut from = join;
        while let Some(earlier) = from.checked_sub(1).and_then(|seq| self.at(seq)) {
            let here_is_sound = self.at(from).is_some_and(|flight| !flight.starts_with_keyframe);
            if !here_is_sound || !earlier.joinable || self.behind(earlier) > AUDIO_JOIN {
                break;
            }
            from = earlier.seq;
        }
        from
    }

    fn skip(&self, cursor: &mut Cursor, to: Option<u64>) -> Delivery {
        let now = Instant::now();
        if cursor.skips_since.is_none_or(|since| now.duration_since(since) > SKIP_WINDOW) {
            cursor.skips = 0;
            cursor.skips_since = Some(now);
        }
        cursor.skips += 1;
        let behind = self.at(cursor.position.max(self.first)).map_or(Millis::ZERO, |flight| self.behind(flight));
        let target = to.unwrap_or_else(|| self.next_seq());
        let skip = Skip { flights: target.saturating_sub(cursor.position), behind };
        cursor.position = target;
        cursor.place = if to.is_some() { Place::Following } else { Place::AwaitingJoin };
        if cursor.skips > self.skips_max {
            cursor.place = Place::Ended;
            return Delivery::Ended;
        }
        Delivery::Skipped(skip)
    }

    fn at(&self, seq: u64) -> Option<&Arc<Flight>> {
        let index = usize::try_from(seq.checked_sub(self.first)?).ok()?;
        self.flights.get(index)
    }

    /// Whether a viewer who stands here is to be moved. A GOP that was begun is shown to its end, unless that takes twice the limit, or
    /// GOPs are so long that there would be nowhere to move to at its end.
    fn is_too_late(&self, flight: &Flight) -> bool {
        let behind = self.behind(flight);
        behind > self.lag_max
            && (flight.joinable || behind > self.lag_max + self.lag_max || self.gop().is_none_or(|gop| gop >= behind))
    }

    /// From the newest place to begin at to the one before it; `None` where only one is held.
    fn gop(&self) -> Option<Millis> {
        let newest = self.at(self.newest_join?)?;
        let earlier = (self.first..newest.seq).rev().filter_map(|seq| self.at(seq)).find(|flight| flight.joinable)?;
        Some(newest.at - earlier.at)
    }

    fn behind(&self, flight: &Flight) -> Millis {
        self.edge.unwrap_or_default() - flight.at
    }

    /// Over the last seconds; falls when nothing comes any more.
    pub(super) fn bitrate_bps(&self, now: Instant) -> u64 {
        let recent =
            || self.flights.iter().rev().take_while(|f| now.saturating_duration_since(f.closed) <= BITRATE_SPAN);
        let Some(oldest) = recent().last() else { return 0 };
        // The oldest flight's bytes came before its instant: they belong to the span before.
        let bytes: usize = recent().map(|flight| flight.bytes.len()).sum::<usize>() - oldest.bytes.len();
        let millis = now.saturating_duration_since(oldest.closed).as_millis().max(1);
        u64::try_from(bytes as u128 * 8 * 1000 / millis).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
