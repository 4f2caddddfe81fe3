//! What the encoder makes, when the server sends it, and when the network brings it.

use super::{super::trace::Arrival, Due, World, init, record};
use crate::intake::{Fragment, Item, Track};

/// Frames a second of the simulated encoder.
const FPS: i64 = 30;
/// The server's flights.
const FLIGHT_MS: i64 = 40;

impl World {
    pub(super) fn send(&mut self) {
        if self.trace.is_some() {
            return self.send_trace();
        }
        let Some(connection) = &mut self.connection else { return };
        if let Some((since_ms, said_ms)) = &mut self.away {
            if self.now_ms >= said_ms.saturating_add(1_000) {
                *said_ms = self.now_ms;
                let left_s = u32::try_from(30 - (self.now_ms - *since_ms) / 1000).unwrap_or(0);
                let (at_ms, id) = (self.now_ms + 1, connection.id);
                self.later(at_ms, Due::Items(id, vec![Item::Away { left_s }]));
            }
            return;
        }
        if !self.on_air || self.now_ms - connection.sent_ms < FLIGHT_MS {
            return;
        }
        let (from_ms, to_ms) = (connection.sent_ms, self.now_ms);
        connection.sent_ms = to_ms;
        let mut items = Vec::new();
        for frame in from_ms * FPS / 1000..=to_ms * FPS / 1000 {
            let at_ms = frame * 1000 / FPS;
            if at_ms <= from_ms || at_ms > to_ms {
                continue;
            }
            // One audio fragment a frame keeps the arithmetic plain.
            let start_ms = at_ms - connection.origin_ms;
            let next_ms = (frame + 1) * 1000 / FPS;
            for (track, on) in [(Track::Video, (self.video)(at_ms)), (Track::Audio, (self.audio)(at_ms))] {
                if !on {
                    continue;
                }
                let configured = match track {
                    Track::Audio => &mut connection.configured.0,
                    Track::Video => &mut connection.configured.1,
                };
                if !std::mem::replace(configured, true) {
                    items.push(Item::Init(init(track)));
                }
                let keyframe = track == Track::Audio || at_ms % self.gop_ms < 1000 / FPS;
                let bytes = record(start_ms, next_ms - at_ms, at_ms);
                items.push(Item::Fragment(Fragment { track, bytes, start_ms, duration_ms: next_ms - at_ms, keyframe }));
            }
        }
        let late_ms = (self.mood)(to_ms).max(0);
        connection.last_arrival_ms = connection.last_arrival_ms.max(to_ms + 1 + late_ms);
        let (at_ms, id) = (connection.last_arrival_ms, connection.id);
        self.later(at_ms, Due::Items(id, items));
    }

    /// Gives what the recording says has arrived by now.
    fn send_trace(&mut self) {
        let (Some(connection), Some(trace)) = (&mut self.connection, &self.trace) else { return };
        let mut items = Vec::new();
        // After the answer and what the header promised.
        while self.now_ms > connection.last_arrival_ms {
            let arrival = trace.frame(connection.frame);
            if arrival.at_ms > self.now_ms {
                break;
            }
            connection.frame += 1;
            let Arrival { track, keyframe, stamp_ms, duration_ms, .. } = arrival;
            let configured = match track {
                Track::Audio => &mut connection.configured.0,
                Track::Video => &mut connection.configured.1,
            };
            if !std::mem::replace(configured, true) {
                items.push(Item::Init(init(track)));
            }
            let start_ms = (stamp_ms - connection.origin_ms).max(0);
            let bytes = record(start_ms, duration_ms, trace.made_ms(stamp_ms));
            items.push(Item::Fragment(Fragment { track, bytes, start_ms, duration_ms, keyframe }));
        }
        if !items.is_empty() {
            let (at_ms, id) = (self.now_ms, connection.id);
            self.later(at_ms, Due::Items(id, items));
        }
    }
}
