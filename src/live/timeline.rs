//! The room's own time: starts at 0, goes on over jumps, wraps and changes of the encoder.
//!
//! A publisher's stamps may begin anywhere, jump, wrap, or start again. Each track keeps an offset from its stamps to the room's
//! time. While that offset puts a tag near the live edge it is left alone, so that sound and picture keep their distance; when
//! it does not, the track is put at the edge again, by the other track's offset if that one fits. That is a discontinuity, and it is
//! said, so that viewers are told ([`super::mark`]).

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
    /// The jump that the offset comes from.
    jumps: u32,
}

/// A tag's place on the room's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub at: Millis,
    /// The publisher's clock does not lead here from the tags before: it has jumped, or it is another publisher's.
    pub jumped: bool,
}

/// Places each tag's stamp on the room's time. Stamps of one track never go back; none is negative.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    edge: Option<Millis>,
    audio: Option<Placed>,
    video: Option<Placed>,
    jumps: u32,
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
    pub(super) fn place(&mut self, track: Track, at: Millis) -> Place {
        let (own, other) = match track {
            Track::Audio => (self.audio, self.video),
            Track::Video => (self.video, self.audio),
        };
        let step = own.map_or(STEP, |own| own.step);
        // A take-over goes on one step after the edge, the first broadcast begins at 0.
        let landing = self.edge.map_or(Millis::ZERO, |edge| edge + step);
        let edge = self.edge();
        // How far a track's offset puts this tag from where it is expected, if it could be put there.
        let off = |track: &Placed| {
            let at = at + track.offset;
            let expected = own.map_or(at, |own| own.last + own.step);
            let goes_on = own.is_none_or(|own| at >= own.last - HELD_MAX);
            (goes_on && (edge - INTERLEAVING_MAX..=edge + PAUSE_MAX).contains(&at))
                .then(|| (at - expected).0.unsigned_abs())
        };
        let (by_own, by_other) = (own.as_ref().and_then(off), other.as_ref().and_then(off));
        let (offset, jumps, jumped) = match (own, other) {
            // The other track has jumped, and this one after it. It was said there.
            (Some(own), Some(other)) if other.jumps != own.jumps && by_other.is_some() && by_other < by_own => {
                (other.offset, other.jumps, false)
            }
            (Some(own), _) if by_own.is_some() => (own.offset, own.jumps, false),
            (own, Some(other)) if by_other.is_some() => {
                (other.offset, other.jumps, own.is_some_and(|own| own.jumps == other.jumps))
            }
            // A track with a clock of its own that appears; it leads from nowhere.
            (None, Some(_)) => (landing - at, self.jumps, false),
            _ => {
                self.jumps = self.jumps.wrapping_add(1);
                (landing - at, self.jumps, self.edge.is_some())
            }
        };
        let placed = at + offset;
        let placed = own.map_or(placed, |own| placed.max(own.last)).max(Millis::ZERO);
        let step = own.map_or(STEP, |own| (placed - own.last).clamp(Millis(1), STEP_MAX));
        let state = Some(Placed { offset, last: placed, step, jumps });
        match track {
            Track::Audio => self.audio = state,
            Track::Video => self.video = state,
        }
        self.edge = Some(self.edge.map_or(placed, |edge| edge.max(placed)));
        Place { at: placed, jumped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(timeline: &mut Timeline, stamps: &[(Track, i64)]) -> Vec<i64> {
        stamps.iter().map(|(track, at)| timeline.place(*track, Millis(*at)).at.get()).collect()
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
            let video = timeline.place(Video, Millis(7_000_000 + n * 40)).at.get();
            let audio = timeline.place(Audio, Millis(n * 40)).at.get();
            assert_eq!(video, n * 40);
            assert!((audio - video).abs() <= 40, "{audio} {video}");
        }
    }

    #[test]
    fn a_take_over_goes_on_after_the_edge() {
        let mut timeline = Timeline::from_edge(Some(Millis(60_000)));
        assert_eq!(run(&mut timeline, &[(Track::Video, 0), (Track::Audio, 3)]), [60_020, 60_023]);
    }

    /// What an encoder's clock may do to one who watches.
    #[derive(Clone, Copy, Debug)]
    enum Trouble {
        Jump(i64),
        /// From here on only this many bits of the stamps are sent.
        Wrap(u32),
        /// Nothing is sent for so long.
        Pause(i64),
        /// The next stamps of both tracks are one and the same.
        Equal(i64),
    }

    /// A picture every 40 ms and sound every 23 ms, by a clock of 32 bits that meets `trouble` every two seconds. Gives what was
    /// sent (by the encoder's true time) and where it was placed.
    fn broadcast(start: u32, trouble: &[Trouble]) -> Vec<(Track, i64, Place)> {
        let (mut timeline, mut stamps) = (Timeline::default(), madang_media::time::StampExtender::new());
        let (mut clock, mut bits, mut held, mut seen) = (i64::from(start), 32, 0, Vec::new());
        let (mut video, mut audio, mut true_time) = (0, 0, 0);
        for turn in 0..=trouble.len() as i64 {
            while true_time < (turn + 1) * 2_000 {
                let track = if video <= audio { Track::Video } else { Track::Audio };
                let next = if track == Track::Video { &mut video } else { &mut audio };
                true_time = *next;
                *next += if track == Track::Video { 40 } else { 23 };
                let sent = if held > 0 { clock + turn * 2_000 } else { clock + true_time };
                held = (held - 1).max(0);
                let stamp = (sent as u64 & ((1_u64 << bits) - 1)) as u32;
                seen.push((track, true_time, timeline.place(track, stamps.extend(stamp))));
            }
            match trouble.get(turn as usize) {
                Some(Trouble::Jump(by)) => clock += by,
                Some(Trouble::Wrap(to)) => bits = *to,
                // Time passes for both, and nothing is sent.
                Some(Trouble::Pause(by)) => clock += by,
                Some(Trouble::Equal(tags)) => held = *tags,
                None => {}
            }
        }
        seen
    }

    fn any_trouble() -> impl Strategy<Value = Trouble> {
        prop_oneof![
            4 => (-(1_i64 << 33)..1 << 33).prop_map(Trouble::Jump),
            4 => (-30_000_i64..30_000).prop_map(Trouble::Jump),
            1 => prop_oneof![Just(24_u32), Just(32_u32)].prop_map(Trouble::Wrap),
            2 => (0_i64..9_000).prop_map(Trouble::Pause),
            2 => (1_i64..30).prop_map(Trouble::Equal),
        ]
    }

    #[test]
    fn a_wrap_at_32_bits_is_no_jump_and_one_at_24_bits_is_closed() {
        for (start, bits) in [(u32::MAX - 3_000, 32), ((1 << 24) - 3_000, 24), ((1 << 24) - 3_000, 32)] {
            let seen = broadcast(start, &[Trouble::Wrap(bits); 3]);
            let jumps = seen.iter().filter(|(_, _, place)| place.jumped).count();
            assert_eq!(jumps, usize::from(bits == 24));
            let off = seen.iter().map(|(_, sent, place)| (place.at.get() - sent).abs()).max();
            assert!(off <= Some(60), "{off:?}");
        }
    }

    #[test]
    fn a_jump_is_said_once_for_both_tracks() {
        for by in [-3_600_000, -5_000, 20_000, 3_600_000, 1 << 31, -(1 << 31)] {
            let seen = broadcast(1_000_000, &[Trouble::Jump(by)]);
            let jumped: Vec<i64> = seen.iter().filter(|(.., place)| place.jumped).map(|(_, sent, _)| *sent).collect();
            assert_eq!(jumped.len(), 1, "{by}: {jumped:?}");
            assert!((1_960..=2_040).contains(&jumped[0]), "{by}: {jumped:?}");
        }
        assert!(broadcast(0, &[]).iter().all(|(.., place)| !place.jumped));
        assert!(Timeline::from_edge(Some(Millis(9))).place(Track::Video, Millis(0)).jumped, "another publisher");
    }

    proptest! {
        /// Whatever the clock does: no track goes back, sound and picture stay together, and nothing is lost or made up but what
        /// the pauses were.
        #[test]
        fn every_jump_and_wrap_is_lived_through(
            start in prop_oneof![
                any::<u32>(), Just(u32::MAX - 1_500), Just((1 << 24) - 1_500), Just(0),
            ],
            trouble in prop::collection::vec(any_trouble(), 0..8),
        ) {
            let seen = broadcast(start, &trouble);
            let mut last = [Millis::ZERO; 2];
            let mut newest = [None::<(i64, i64)>; 2];
            for (track, sent, place) in &seen {
                let own = usize::from(*track == Track::Audio);
                prop_assert!(place.at >= last[own], "{:?} went back", track);
                last[own] = place.at;
                newest[own] = Some((*sent, place.at.get()));
                // In the second half of each turn all troubles are over.
                if sent % 2_000 > 1_200
                    && let [Some((sent_a, at_a)), Some((sent_b, at_b))] = newest
                {
                    let apart = (at_a - at_b) - (sent_a - sent_b);
                    prop_assert!(apart.abs() <= 80, "sound and picture are {apart} ms apart");
                }
            }
            let length = seen.last().map_or(0, |(_, _, place)| place.at.get());
            let sent = seen.last().map_or(0, |(_, sent, _)| *sent);
            let most = trouble.len() as i64 * PAUSE_MAX.get();
            prop_assert!(length >= sent - trouble.len() as i64 * 2_000 - 100, "{length} of {sent}");
            prop_assert!(length <= sent + most + 100, "{length} of {sent}");
        }

        #[test]
        fn stamps_of_a_track_never_go_back_and_never_run_away(
            tags in prop::collection::vec((any::<bool>(), prop_oneof![any::<i64>(), -50i64..5_000_000_000]), 1..200),
        ) {
            let mut timeline = Timeline::default();
            let (mut audio, mut video) = (Millis::ZERO, Millis::ZERO);
            for (is_audio, at) in tags {
                let before = timeline.edge();
                let (track, last) = if is_audio { (Track::Audio, &mut audio) } else { (Track::Video, &mut video) };
                let placed = timeline.place(track, Millis(at)).at;
                prop_assert!(placed >= *last);
                prop_assert!(placed <= before + PAUSE_MAX);
                *last = placed;
            }
        }
    }
}
