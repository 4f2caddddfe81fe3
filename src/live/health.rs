//! How well an encoder's stream comes in, and what is wrong with it in words that a streamer can act on.
//!
//! Fed with every frame by its publisher; reads no clock of its own. The figures are of the last seconds: what is mended is good again
//! within them.

use madang_media::Millis;
use madang_protocol::studio::{Health, Trouble, TroubleKind};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Span of bitrates, frame rate and jitter.
const WINDOW: Duration = Duration::from_secs(5);
/// Frames kept of one track at most: twice what 200 frames a second fill the window with.
const FRAMES_MAX: usize = 2_000;
/// Distances of key frames that are kept.
const GOPS: usize = 5;
/// Jumps of the stamps count for this long.
const GAPS_WITHIN: Duration = Duration::from_secs(60);
const GAPS_MAX: usize = 100;
/// Stamps of a track that are this far apart, in ms, have a gap between them.
const GAP_MS: i64 = 1_000;
/// Sound and picture that jump within this are one jump.
const TOGETHER: Duration = Duration::from_secs(1);
/// A clock's drift says something only over a span that jitter is small against.
const DRIFT_AFTER: Duration = Duration::from_secs(60);

/// From here on a distance of key frames is too long, and far too long, in ms.
const GOP_LONG_MS: i64 = 4_500;
const GOP_BAD_MS: i64 = 8_000;
const JITTER_MS: i64 = 500;
const JITTER_BAD_MS: i64 = 1_500;
/// Sound and picture that arrive this far apart, in ms, make players wait for one of them.
const OFFSET_MS: i64 = 500;
/// Stamps further apart than this, in ms, are of two clocks, and no distance at all.
const TWO_CLOCKS_MS: i64 = 10_000;
/// Millionths that an encoder's clock may be off; cheap quartz is off by 100.
const CLOCK_PPM: i64 = 1_000;
/// How long a picture may come without sound before that is told, and the other way round.
const ALONE_AFTER: Duration = Duration::from_secs(5);
/// Hundredths of the frames that may come at another distance than most.
const UNEVEN_PERCENT: usize = 10;

/// What is known of one track.
#[derive(Debug, Default)]
struct Track {
    /// Arrival and stamp of the first frame, from which the clock of its stamps is judged.
    began: Option<(Instant, i64)>,
    /// How late the earliest of the first frames came, in ms: what drift is judged against.
    earliest: i64,
    /// Arrival, stamp in ms, bytes; oldest first.
    frames: VecDeque<(Instant, i64, usize)>,
    last: Option<(Instant, i64)>,
}

impl Track {
    const fn new() -> Self {
        Self { began: None, earliest: 0, frames: VecDeque::new(), last: None }
    }

    /// Takes a frame. True when its stamp jumps from the one before: what came before that says nothing about what comes after it.
    fn note(&mut self, now: Instant, at: i64, bytes: usize) -> bool {
        let jumped = self.last.is_some_and(|(_, before)| (at - before).abs() > GAP_MS);
        if jumped {
            *self = Self::new();
        }
        while self.frames.len() >= FRAMES_MAX || self.frames.front().is_some_and(|(came, ..)| now - *came > WINDOW) {
            self.frames.pop_front();
        }
        self.frames.push_back((now, at, bytes));
        self.last = Some((now, at));
        let (began, _) = *self.began.get_or_insert((now, at));
        if now.saturating_duration_since(began) <= WINDOW {
            self.earliest = self.earliest.min(self.late_ms(now, at));
        }
        jumped
    }

    /// How much later than by its first frame and its stamp a frame came.
    fn late_ms(&self, came: Instant, at: i64) -> i64 {
        self.began.map_or(0, |(began, first)| ms(came.saturating_duration_since(began)) - (at - first))
    }

    /// How differently late its frames come.
    fn jitter_ms(&self, now: Instant) -> i64 {
        let late = || self.within(now).map(|(came, at, _)| self.late_ms(*came, *at));
        late().max().zip(late().min()).map_or(0, |(most, least)| most - least)
    }

    /// How much faster the encoder's clock runs than ours, in millionths; after a minute without a jump.
    fn clock_ppm(&self, now: Instant) -> Option<i64> {
        let (began, _) = self.began?;
        let (came, at) = self.last?;
        let ran = ms(came.saturating_duration_since(began));
        if now.saturating_duration_since(began) < DRIFT_AFTER || ran == 0 {
            return None;
        }
        // Jitter of the last frame alone must not look like drift: the earliest of the window is the one that waited nowhere.
        let lag = self.within(now).map(|(came, at, _)| self.late_ms(*came, *at)).min();
        let lag = lag.unwrap_or_else(|| self.late_ms(came, at));
        Some((self.earliest - lag).saturating_mul(1_000_000) / ran)
    }

    fn within(&self, now: Instant) -> impl Iterator<Item = &(Instant, i64, usize)> {
        self.frames.iter().filter(move |(came, ..)| now.saturating_duration_since(*came) <= WINDOW)
    }

    fn bits_per_second(&self, now: Instant) -> u64 {
        let bytes: u64 = self.within(now).map(|(_, _, bytes)| *bytes as u64).sum();
        let Some((first, ..)) = self.within(now).next() else { return 0 };
        let span = now.saturating_duration_since(*first).max(Duration::from_secs(1));
        bytes.saturating_mul(8_000) / u64::try_from(span.as_millis()).unwrap_or(u64::MAX).max(1)
    }

    /// Distances of the stamps, in ms, sorted.
    fn distances(&self, now: Instant) -> Vec<i64> {
        let stamps: Vec<i64> = self.within(now).map(|(_, at, _)| *at).collect();
        let mut distances: Vec<i64> = stamps.windows(2).map(|pair| pair[1] - pair[0]).collect();
        distances.sort_unstable();
        distances
    }
}

/// Whether decoding can begin at a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    No,
    /// It can, in some decoders: what follows may refer to what was before (an open GOP).
    Open,
    Alone,
}

/// Gathers what comes.
#[derive(Debug)]
pub struct Meter {
    /// When the first frame came.
    began: Option<Instant>,
    video: Track,
    audio: Track,
    key: Option<i64>,
    /// The newest key frame is that of an open GOP.
    open_gop: bool,
    gops: VecDeque<i64>,
    gaps: VecDeque<Instant>,
    /// Composition offsets seen in this GOP and in the one before: the least and the greatest.
    composition: [Option<(i32, i32)>; 2],
    plan_bps: u64,
}

impl Meter {
    /// `plan_bps`: what one stream may use of the uplink, 0 for no bound.
    pub const fn new(plan_bps: u64) -> Self {
        Self {
            began: None,
            video: Track::new(),
            audio: Track::new(),
            key: None,
            open_gop: false,
            gops: VecDeque::new(),
            gaps: VecDeque::new(),
            composition: [None; 2],
            plan_bps,
        }
    }

    /// A picture came: its decoding stamp as the encoder wrote it, and its composition offset in ms.
    pub fn picture(&mut self, now: Instant, at: Millis, bytes: usize, key: Key, composition: i32) {
        self.began.get_or_insert(now);
        if self.video.note(now, at.0, bytes) {
            self.key = None;
            self.jumped(now);
        }
        if key != Key::No {
            self.open_gop = key == Key::Open;
            if let Some(before) = self.key.replace(at.0).map(|before| at.0 - before).filter(|gop| *gop > 0) {
                if self.gops.len() >= GOPS {
                    self.gops.pop_front();
                }
                self.gops.push_back(before);
            }
            self.composition.swap(0, 1);
            self.composition[0] = None;
        }
        let (least, most) = self.composition[0].unwrap_or((composition, composition));
        self.composition[0] = Some((least.min(composition), most.max(composition)));
    }

    /// Sound came.
    pub fn sound(&mut self, now: Instant, at: Millis, bytes: usize) {
        self.began.get_or_insert(now);
        if self.audio.note(now, at.0, bytes) {
            self.jumped(now);
        }
    }

    fn jumped(&mut self, now: Instant) {
        if self.gaps.back().is_some_and(|gap| now.saturating_duration_since(*gap) < TOGETHER) {
            return;
        }
        while self.gaps.len() >= GAPS_MAX || self.gaps.front().is_some_and(|gap| now - *gap > GAPS_WITHIN) {
            self.gaps.pop_front();
        }
        self.gaps.push_back(now);
    }

    /// How the stream does now; `None` before anything came.
    pub fn read(&self, now: Instant) -> Option<Health> {
        let began = self.began?;
        let distances = self.video.distances(now);
        let median = distances.get(distances.len() / 2).copied().unwrap_or(0);
        let span: i64 = distances.iter().sum();
        let frames = i64::try_from(distances.len()).unwrap_or(0);
        let fps_tenths = if span > 0 { frames * 10_000 / span } else { 0 };
        // A GOP that goes on is as long as it is by now.
        let open = self.key.zip(self.video.last).map(|(key, (_, at))| at - key);
        let gop = self.gops.iter().copied().chain(open).max();
        let known = self.gops.iter().copied().max().or(open.filter(|open| *open > GOP_LONG_MS));
        let jitter = self.video.jitter_ms(now).max(self.audio.jitter_ms(now));
        let offset = self.audio.last.zip(self.video.last).map(|((_, audio), (_, video))| audio - video);
        let offset = offset.filter(|offset| offset.abs() <= TWO_CLOCKS_MS);
        let clock = self.video.clock_ppm(now).or_else(|| self.audio.clock_ppm(now));
        let video_bps = self.video.bits_per_second(now);
        let audio_bps = self.audio.bits_per_second(now);
        let gaps = self.gaps.iter().filter(|gap| now.saturating_duration_since(**gap) <= GAPS_WITHIN).count();
        let b_frames = self.composition.iter().flatten().any(|(least, most)| least != most);

        let mut troubles = Vec::new();
        let mut trouble = |is_so: bool, bad: bool, kind: TroubleKind, value: i64| {
            if is_so {
                troubles.push(Trouble { kind, bad, value });
            }
        };
        let gop_ms = gop.filter(|_| known.is_some()).unwrap_or(0);
        trouble(gop_ms > GOP_LONG_MS, gop_ms > GOP_BAD_MS, TroubleKind::LongGop, gop_ms);
        trouble(jitter > JITTER_MS, jitter > JITTER_BAD_MS, TroubleKind::Jitter, jitter);
        trouble(gaps > 0, gaps > 3, TroubleKind::Gaps, i64::try_from(gaps).unwrap_or(i64::MAX));
        let total = video_bps + audio_bps;
        let over = self.plan_bps > 0 && total > self.plan_bps;
        trouble(over, total > self.plan_bps.saturating_mul(3) / 2, TroubleKind::Bitrate, total as i64);
        let ran = now.saturating_duration_since(began);
        let absent = |track: &Track| {
            ran > ALONE_AFTER && track.last.is_none_or(|(came, _)| now.saturating_duration_since(came) > ALONE_AFTER)
        };
        let (no_video, no_audio) = (absent(&self.video), absent(&self.audio));
        trouble(no_audio && !no_video, false, TroubleKind::NoAudio, 0);
        let apart = offset.filter(|offset| offset.abs() > OFFSET_MS && !no_audio && !no_video);
        trouble(apart.is_some(), false, TroubleKind::Offset, apart.unwrap_or(0));
        trouble(clock.is_some_and(|ppm| ppm.abs() > CLOCK_PPM), false, TroubleKind::Clock, clock.unwrap_or(0));
        // A jump back and forth of a millisecond is how 60 frames a second are written.
        let uneven = distances.iter().filter(|distance| (**distance - median).abs() > 2 + median / 4).count();
        let variable = distances.len() >= 30 && uneven * 100 > distances.len() * UNEVEN_PERCENT;
        trouble(variable, false, TroubleKind::VariableRate, fps_tenths);
        trouble(self.open_gop, true, TroubleKind::OpenGop, 0);
        trouble(b_frames, false, TroubleKind::BFrames, 0);
        troubles.sort_by_key(|trouble| !trouble.bad);
        Some(Health {
            video_bps,
            audio_bps,
            fps_tenths: u32::try_from(fps_tenths).unwrap_or(0),
            gop_ms: known.map(|gop| u32::try_from(gop).unwrap_or(u32::MAX)),
            jitter_ms: u32::try_from(jitter).unwrap_or(u32::MAX),
            gaps: u32::try_from(gaps).unwrap_or(u32::MAX),
            offset_ms: offset,
            clock_ppm: clock,
            b_frames,
            troubles,
        })
    }
}

fn ms(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An encoder that sends 30 pictures a second and sound, as it is told to.
    struct Encoder {
        meter: Meter,
        start: Instant,
        now_ms: i64,
        gop_ms: i64,
        sound: bool,
        /// What is added to a stamp of sound, in ms.
        sound_skew: i64,
        composition: fn(i64) -> i32,
        /// What is added to a stamp.
        skew: fn(i64) -> i64,
        /// How much later a frame arrives than it was made.
        delay: fn(i64) -> i64,
        bytes: usize,
        /// What its key frames are.
        key: fn(i64) -> Key,
    }

    impl Encoder {
        fn new() -> Self {
            Self {
                meter: Meter::new(8_000_000),
                start: Instant::now(),
                now_ms: 0,
                gop_ms: 2_000,
                sound: true,
                sound_skew: 0,
                composition: |_| 0,
                skew: |_| 0,
                delay: |_| 0,
                bytes: 10_000,
                key: |_| Key::Alone,
            }
        }

        fn run(mut self, seconds: i64) -> Health {
            let end = self.now_ms + seconds * 1_000;
            let mut frame = 0;
            while self.now_ms < end {
                let made = frame * 1_000 / 30;
                let came = self.start + Duration::from_millis((made + (self.delay)(made)) as u64);
                let at = Millis(made + (self.skew)(made));
                let gop_frames = self.gop_ms * 30 / 1_000;
                let key = if frame % gop_frames == 0 { (self.key)(frame) } else { Key::No };
                self.meter.picture(came, at, self.bytes, key, (self.composition)(frame));
                if self.sound {
                    self.meter.sound(came, Millis(at.0 + self.sound_skew), 500);
                }
                self.now_ms = made;
                frame += 1;
            }
            self.meter.read(self.start + Duration::from_millis(self.now_ms as u64)).expect("something came")
        }
    }

    fn kinds(health: &Health) -> Vec<TroubleKind> {
        health.troubles.iter().map(|trouble| trouble.kind).collect()
    }

    #[test]
    fn a_good_stream_has_no_trouble_and_its_figures() {
        let health = Encoder::new().run(90);
        assert_eq!(kinds(&health), []);
        assert!((298..=302).contains(&health.fps_tenths), "{health:?}");
        assert!((1_990..=2_010).contains(&health.gop_ms.expect("key frames came")), "{health:?}");
        assert!((2_300_000..2_500_000).contains(&health.video_bps), "{health:?}");
        assert!((110_000..130_000).contains(&health.audio_bps), "{health:?}");
        assert!(health.clock_ppm.expect("a minute has passed").abs() < 100 && health.jitter_ms <= 1, "{health:?}");
        assert_eq!((health.gaps, health.offset_ms, health.b_frames), (0, Some(0), false));
    }

    #[test]
    fn a_long_gop_is_told_before_it_ends() {
        let long = Encoder { gop_ms: 8_300, ..Encoder::new() };
        let health = long.run(40);
        assert!(matches!(health.troubles[..], [Trouble { kind: TroubleKind::LongGop, bad: true, .. }]), "{health:?}");
        let only_one = Encoder { gop_ms: 1_000_000, ..Encoder::new() };
        assert_eq!(kinds(&only_one.run(6)), [TroubleKind::LongGop]);
    }

    #[test]
    fn b_frames_silence_and_much_bitrate_are_told() {
        let health = Encoder { composition: |frame| [0, 66, 33][(frame % 3) as usize], ..Encoder::new() }.run(10);
        assert_eq!(kinds(&health), [TroubleKind::BFrames]);
        assert_eq!(kinds(&Encoder { sound: false, ..Encoder::new() }.run(10)), [TroubleKind::NoAudio]);
        assert_eq!(kinds(&Encoder { sound: false, ..Encoder::new() }.run(4)), [], "sound may come a little later");
        assert_eq!(kinds(&Encoder { bytes: 40_000, ..Encoder::new() }.run(10)), [TroubleKind::Bitrate]);
        // A constant offset is how encoders with B-frames off write it too.
        assert_eq!(kinds(&Encoder { composition: |_| 80, ..Encoder::new() }.run(10)), []);
    }

    #[test]
    fn key_frames_that_do_not_stand_alone_are_told_until_they_do() {
        // The first picture of a stream has nothing before it.
        let open = || Encoder { key: |frame| if frame == 0 { Key::Alone } else { Key::Open }, ..Encoder::new() };
        assert_eq!(kinds(&open().run(1)), []);
        assert!(matches!(open().run(10).troubles[..], [Trouble { kind: TroubleKind::OpenGop, bad: true, .. }]));
        let mended = Encoder { key: |frame| if frame < 100 { Key::Open } else { Key::Alone }, ..Encoder::new() };
        assert_eq!(kinds(&mended.run(10)), []);
    }

    #[test]
    fn what_the_network_does_is_jitter_and_not_drift() {
        let uneven = |made: i64| if made % 3_000 < 900 { 900 - made % 3_000 } else { 0 };
        let health = Encoder { delay: uneven, ..Encoder::new() }.run(90);
        assert_eq!(kinds(&health), [TroubleKind::Jitter], "{health:?}");
        assert!(health.clock_ppm.expect("known").abs() < CLOCK_PPM);
    }

    #[test]
    fn a_clock_that_runs_fast_is_told_after_a_minute() {
        let fast = || Encoder { skew: |made| made / 200, ..Encoder::new() };
        assert_eq!(kinds(&fast().run(50)), []);
        let health = fast().run(120);
        assert_eq!(kinds(&health), [TroubleKind::Clock]);
        assert!((4_500..5_500).contains(&health.clock_ppm.expect("known")), "{health:?}");
    }

    #[test]
    fn a_clock_that_runs_slowly_is_told_too() {
        let health = Encoder { skew: |made| -made / 200, ..Encoder::new() }.run(120);
        assert_eq!(kinds(&health), [TroubleKind::Clock]);
        assert!((-5_500..-4_500).contains(&health.clock_ppm.expect("known")), "{health:?}");
    }

    #[test]
    fn sound_and_picture_that_are_apart_are_told_and_are_no_jumps() {
        for apart in [-3_000, -1_500, -700, 700, 1_500] {
            let health = Encoder { sound_skew: apart, ..Encoder::new() }.run(20);
            assert_eq!((kinds(&health), health.offset_ms), (vec![TroubleKind::Offset], Some(apart)), "{health:?}");
            assert!(
                (298..=302).contains(&health.fps_tenths) && health.gaps == 0 && health.jitter_ms <= 1,
                "{health:?}"
            );
        }
        for near in [-300, 0, 300] {
            assert_eq!(kinds(&Encoder { sound_skew: near, ..Encoder::new() }.run(20)), []);
        }
        let two_clocks = Encoder { sound_skew: 3_600_000, ..Encoder::new() }.run(90);
        assert_eq!((kinds(&two_clocks), two_clocks.offset_ms), (vec![], None), "each is given its place by itself");
    }

    #[test]
    fn jumps_are_counted_for_a_minute() {
        let jumps = || Encoder { skew: |made| if made > 20_000 { 30_000 } else { 0 }, ..Encoder::new() };
        let health = jumps().run(40);
        assert_eq!((kinds(&health), health.gaps), (vec![TroubleKind::Gaps], 1), "{health:?}");
        assert_eq!(kinds(&jumps().run(110)), [], "and then forgotten");
    }

    #[test]
    fn a_frame_rate_that_varies_is_told() {
        let varies = Encoder { skew: |made| if made / 33 % 3 == 0 { 14 } else { 0 }, ..Encoder::new() };
        assert_eq!(kinds(&varies.run(10)), [TroubleKind::VariableRate]);
    }

    #[test]
    fn whatever_stamps_come_the_figures_are_bounded() {
        let mut meter = Meter::new(0);
        let start = Instant::now();
        for (n, at) in [0, i64::MAX / 4, -5, 1 << 40, 3, i64::MIN / 4, 0].into_iter().cycle().take(5_000).enumerate() {
            let now = start + Duration::from_millis(n as u64);
            meter.picture(now, Millis(at), 1, if n % 2 == 0 { Key::Alone } else { Key::No }, i32::MIN);
            meter.sound(now, Millis(at), 1);
            assert!(meter.read(now).is_some());
        }
        assert!(meter.gaps.len() <= GAPS_MAX && meter.video.frames.len() <= FRAMES_MAX);
    }
}
