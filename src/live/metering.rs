//! The counters of the media path, looked up once: each is a handle to an atomic number.

use super::quality::Report;
use crate::telemetry::VIEWER_DELAY;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

/// Made when [`super::Live`] is, after the recorder is installed.
#[derive(Debug)]
pub(super) struct Meters {
    pub(super) publishers: Gauge,
    pub(super) viewers: Gauge,
    pub(super) received_bytes: Counter,
    pub(super) flights: Counter,
    pub(super) take_overs: Counter,
    pub(super) resumed: Counter,
    pub(super) skips: Counter,
    pub(super) skipped_flights: Counter,
    pub(super) sent_away: Counter,
    pub(super) dropped_early: Counter,
    pub(super) dropped_codec: Counter,
    pub(super) dropped_empty: Counter,
    viewer_delay: Histogram,
    viewer_stalls: Counter,
    viewer_frames: Counter,
    viewer_dropped: Counter,
}

impl Meters {
    pub(super) fn new() -> Self {
        describe();
        let dropped = |why: &'static str| counter!("madang_live_dropped_tags_total", "why" => why);
        Self {
            publishers: gauge!("madang_live_publishers"),
            viewers: gauge!("madang_live_viewers"),
            received_bytes: counter!("madang_live_received_bytes_total"),
            flights: counter!("madang_live_flights_total"),
            take_overs: counter!("madang_live_take_overs_total"),
            resumed: counter!("madang_live_resumed_total"),
            skips: counter!("madang_live_skips_total"),
            skipped_flights: counter!("madang_live_skipped_flights_total"),
            sent_away: counter!("madang_live_sent_away_total"),
            dropped_early: dropped("before_key_frame"),
            dropped_codec: dropped("codec"),
            dropped_empty: dropped("nothing_in_it"),
            viewer_delay: histogram!(VIEWER_DELAY),
            viewer_stalls: counter!("madang_viewer_stalls_total"),
            viewer_frames: counter!("madang_viewer_frames_total"),
            viewer_dropped: counter!("madang_viewer_dropped_frames_total"),
        }
    }

    /// What a browser told of its picture.
    pub(super) fn told(&self, report: Report) {
        self.viewer_delay.record(f64::from(report.delay_ms) / 1_000.0);
        self.viewer_stalls.increment(report.stalls.into());
        self.viewer_frames.increment(report.frames.into());
        self.viewer_dropped.increment(report.dropped.into());
    }
}

fn describe() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_gauge!(
        "madang_live_publishers",
        "Rooms with a publisher or waiting for one to come back, starting ones included"
    );
    describe_gauge!("madang_live_viewers", "Connections that are being sent media");
    describe_counter!("madang_live_received_bytes_total", Unit::Bytes, "FLV bytes put into rings");
    describe_counter!("madang_live_flights_total", "Flights put into rings");
    describe_counter!("madang_live_take_overs_total", "Publishers replaced by a newer one of the same room");
    describe_counter!("madang_live_resumed_total", "Publishers that came back to a room that waited for them");
    describe_counter!("madang_live_skips_total", "Times a slow viewer was moved to a newer key frame");
    describe_counter!("madang_live_skipped_flights_total", "Flights that slow viewers were not sent");
    describe_counter!("madang_live_sent_away_total", "Viewers ended because they had to skip too often");
    describe_counter!("madang_live_dropped_tags_total", "Tags from publishers that were sent to nobody");
    describe_histogram!(VIEWER_DELAY, Unit::Seconds, "How far behind live browsers say they are, of each every 10 s");
    describe_counter!("madang_viewer_stalls_total", "Times that the picture stopped, as browsers say");
    describe_counter!("madang_viewer_frames_total", "Frames that browsers had to show, as they say");
    describe_counter!("madang_viewer_dropped_frames_total", "Of those, frames that they did not show");
}
