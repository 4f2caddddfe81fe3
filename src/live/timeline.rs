//! The room's own time: starts at 0, goes on over jumps, wraps and changes of the encoder.
//!
//! A publisher's stamps may begin anywhere, jump, or start again. Each track keeps an offset from its stamps to the room's
//! time. While that offset puts a tag near the live edge it is left alone, so that sound and picture keep their distance; when
//! it does not, the track is put at the edge again, by the other track's offset if that one fits.

use madang_media::Millis;

/// A gap up to this is a pause, and kept: a publisher that is silent for longer is closed.
const PAUSE_MAX: Millis = Millis(10_000);
/// A tag may be this much behind the live edge: the tracks of one encoder are interleaved loosely.
const INTERLEAVING_MAX: Millis = Millis(2_000);
/// Within one track a step back up to this is held at the last stamp; more is an encoder that started its clock again.
const HELD_MAX: Millis = Millis(500);
/// What is taken for a frame's duration where none is known.
const STEP: Millis = Millis(20);
/// The longest step that is believed to be a frame's duration.
const STEP_MAX: Millis = Millis(100);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Track {
    Audio,
    Video,
}

#[derive(Clone, Copy, Debug)]
struct Placed {
    offset: Millis,
    last: Millis,
    step: Millis,
}

/// Places each tag's stamp on the room's time. Stamps of one track never go back; none is negative.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    edge: Option<Millis>,
    audio: Option<Placed>,
    video: Option<Placed>,
}

impl Timeline {
    /// `edge` is the latest stamp that the room has seen, from an earlier publisher.
    pub(super) fn from_edge(edge: Option<Millis>) -> Self {
        Self { edge, ..Self::default() }
    }

    /// The latest stamp given out.
    pub(super) fn edge(&self) -> Millis {
        self.edge.unwrap_or_default()
    }

    /// Where a tag stamped `at` by the publisher stands on the room's time.
    pub(super) fn place(&mut self, track: Track, at: Millis) -> Millis {
        let (own, other) = match track {
            Track::Audio => (self.audio, self.video),
            Track::Video => (self.video, self.audio),
        };
        let step = own.map_or(STEP, |own| own.step);
        // A take-over goes on one step after the edge, the first broadcast begins at 0.
        let landing = self.edge.map_or(Millis::ZERO, |edge| edge + step);
        let fits = |placed: &Placed, back: Millis| {
            let placed_at = at + placed.offset;
            let edge = self.edge();
            placed_at >= edge - back && placed_at <= edge + PAUSE_MAX
        };
        let keeps = |own: &Placed| fits(own, INTERLEAVING_MAX) && at + own.offset >= own.last - HELD_MAX;
        let offset = match (own, other) {
            (Some(own), _) if keeps(&own) => own.offset,
            (_, Some(other)) if fits(&other, INTERLEAVING_MAX) => other.offset,
            _ => landing - at,
        };
        let placed = at + offset;
        let placed = own.map_or(placed, |own| placed.max(own.last)).max(Millis::ZERO);
        let step = own.map_or(STEP, |own| (placed - own.last).clamp(Millis(1), STEP_MAX));
        let state = Some(Placed { offset, last: placed, step });
        match track {
            Track::Audio => self.audio = state,
            Track::Video => self.video = state,
        }
        self.edge = Some(self.edge.map_or(placed, |edge| edge.max(placed)));
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(timeline: &mut Timeline, stamps: &[(Track, i64)]) -> Vec<i64> {
        stamps.iter().map(|(track, at)| timeline.place(*track, Millis(*at)).get()).collect()
    }

    #[test]
    fn a_broadcast_begins_at_zero_and_keeps_its_distances() {
        use Track::{Audio, Video};
        let mut timeline = Timeline::default();
        let placed =
            run(&mut timeline, &[(Video, 5_000), (Audio, 5_010), (Video, 5_033), (Audio, 5_031), (Video, 5_066)]);
        assert_eq!(placed, [0, 10, 33, 31, 66]);
    }

    #[test]
    fn sound_before_the_first_picture_is_not_negative() {
        use Track::{Audio, Video};
        assert_eq!(run(&mut Timeline::default(), &[(Video, 100), (Audio, 80), (Audio, 101)]), [0, 0, 1]);
    }

    #[test]
    fn an_encoder_that_starts_again_goes_on_where_it_was_with_both_tracks_in_step() {
        use Track::{Audio, Video};
        let mut timeline = Timeline::default();
        run(&mut timeline, &[(Video, 1_000_000), (Audio, 1_000_005), (Video, 1_000_040), (Audio, 1_000_026)]);
        assert_eq!(run(&mut timeline, &[(Video, 0), (Audio, 5), (Video, 40), (Audio, 26)]), [80, 85, 120, 106]);
    }

    #[test]
    fn a_jump_forward_is_closed_and_a_pause_is_kept() {
        use Track::Video;
        let mut timeline = Timeline::default();
        let placed =
            run(&mut timeline, &[(Video, 0), (Video, 40), (Video, 9_040), (Video, 90_000_000), (Video, 90_000_040)]);
        assert_eq!(placed, [0, 40, 9_040, 9_140, 9_180]);
    }

    #[test]
    fn two_tracks_with_clocks_of_their_own_both_advance_as_they_should() {
        use Track::{Audio, Video};
        let mut timeline = Timeline::default();
        for n in 0..500 {
            let video = timeline.place(Video, Millis(7_000_000 + n * 40)).get();
            let audio = timeline.place(Audio, Millis(n * 40)).get();
            assert_eq!(video, n * 40);
            assert!((audio - video).abs() <= 40, "{audio} {video}");
        }
    }

    #[test]
    fn a_take_over_goes_on_after_the_edge() {
        let mut timeline = Timeline::from_edge(Some(Millis(60_000)));
        assert_eq!(run(&mut timeline, &[(Track::Video, 0), (Track::Audio, 3)]), [60_020, 60_023]);
    }

    proptest! {
        #[test]
        fn stamps_of_a_track_never_go_back_and_never_run_away(
            tags in prop::collection::vec((any::<bool>(), prop_oneof![any::<i64>(), -50i64..5_000_000_000]), 1..200),
        ) {
            let mut timeline = Timeline::default();
            let (mut audio, mut video) = (Millis::ZERO, Millis::ZERO);
            for (is_audio, at) in tags {
                let before = timeline.edge();
                let (track, last) = if is_audio { (Track::Audio, &mut audio) } else { (Track::Video, &mut video) };
                let placed = timeline.place(track, Millis(at));
                prop_assert!(placed >= *last);
                prop_assert!(placed <= before + PAUSE_MAX);
                *last = placed;
            }
        }
    }
}
