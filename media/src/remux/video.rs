//! The video track: configuration, key frames, decoding times, and the prediction of durations.

use std::collections::VecDeque;

use bytes::Bytes;

use super::batch::Batch;
use super::timeline::Timeline;
use super::{Output, RemuxError, TrackKind, VIDEO_TRACK_ID, VideoParams};
use crate::avc;
use crate::codec::{VideoCodec, VideoConfig};
use crate::mp4::{self, Codec, Sample, Track, VIDEO_TIMESCALE};
use crate::{Millis, mp4::TooLong};

/// A frame's time when nothing is declared and only one frame is known.
const DEFAULT_FRAME_MS: i64 = 40;

/// A pause before a key frame up to this is bridged, as before any other frame. After a longer one the break is
/// left visible: decoding can start anew there.
const BRIDGED_BEFORE_KEYFRAME_MS: i64 = 1_000;

/// A picture's size where nothing states it; what is decoded has a size of its own.
const DEFAULT_SIZE: (u32, u32) = (1280, 720);

pub(super) struct Frame {
    pub(super) codec: VideoCodec,
    pub(super) keyframe: bool,
    pub(super) disposable: bool,
    pub(super) composition: i32,
    pub(super) data: Bytes,
}

#[derive(Debug)]
pub(super) struct VideoTrack {
    config: Option<VideoConfig>,
    /// No frame is given out until a key frame comes.
    needs_keyframe: bool,
    /// When the newest key frame is shown, where it may be that of an open GOP.
    newest_key: Option<i64>,
    /// What was before the newest key frame is not here: it is the first, or the first after a gap. What is shown before it is left out
    /// then, for it refers to that; Media Source Extensions §3.5.8 would give up all that follows in that GOP.
    begins: bool,
    /// The newest key frame is that of an open GOP.
    pub(super) open_gop: bool,
    /// The frame given out last.
    last: Option<Last>,
    cadence: Cadence,
    declared_frame_ms: Option<i64>,
    declared_size: Option<(u32, u32)>,
    batch: Batch,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    /// Decoding time given out, ms.
    decode: i64,
    /// Decoding time as stamped, ms.
    stamped: i64,
    /// Duration given out, ms.
    duration: i64,
}

impl VideoTrack {
    pub(super) fn new(fragment: Millis) -> Self {
        Self {
            config: None,
            needs_keyframe: true,
            newest_key: None,
            begins: true,
            open_gop: false,
            last: None,
            cadence: Cadence::of_frame(DEFAULT_FRAME_MS),
            declared_frame_ms: None,
            declared_size: None,
            batch: Batch::new(TrackKind::Video, VIDEO_TRACK_ID, VIDEO_TIMESCALE, fragment),
        }
    }

    pub(super) fn declare_frame_rate(&mut self, fps: f64) {
        self.declared_frame_ms = frame_ms(fps);
        self.expect_cadence();
    }

    /// What metadata say; the configurations of some codecs say nothing of it, and reading those of others is not worth it here.
    pub(super) fn declare_size(&mut self, width: f64, height: f64) {
        // The casts saturate, and a number that is none is 0.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a size out of 16 bits is passed over"
        )]
        let size = (width as u32, height as u32);
        self.declared_size = Some(size).filter(|(width, height)| *width > 0 && *height > 0);
    }

    /// Takes a configuration; the same one again changes nothing.
    pub(super) fn configure(
        &mut self,
        codec: VideoCodec,
        bytes: &Bytes,
        out: &mut VecDeque<Output>,
    ) -> Result<(), RemuxError> {
        let known = |known: &VideoConfig| known.codec == codec && known.config == bytes;
        if bytes.is_empty() || self.config.as_ref().is_some_and(known) {
            return Ok(());
        }
        self.batch.cut(out)?;
        self.needs_keyframe = true;
        self.config = None;
        let config = VideoConfig::read(codec, bytes)?;
        let (width, height, sar) = match &config.picture {
            Some(picture) => (picture.width, picture.height, picture.sar),
            None => {
                let (width, height) = self.declared_size.unwrap_or(DEFAULT_SIZE);
                (width, height, (1, 1))
            }
        };
        let codec = Codec::Video {
            codec,
            record: config.record.clone(),
            width: u16::try_from(width).unwrap_or(u16::MAX),
            height: u16::try_from(height).unwrap_or(u16::MAX),
            sar,
        };
        let record = config.record.clone();
        let bytes = mp4::init_segment(&[Track { id: VIDEO_TRACK_ID, timescale: VIDEO_TIMESCALE, codec }])?;
        // On a display with square pixels: the height is kept, the width follows the sample aspect ratio.
        let scaled = u64::from(width).saturating_mul(u64::from(sar.0)).saturating_add(u64::from(sar.1) / 2);
        let wide = scaled.checked_div(u64::from(sar.1)).and_then(|wide| u32::try_from(wide).ok()).unwrap_or(width);
        out.push_back(Output::Init {
            track: TrackKind::Video,
            mime: format!("video/mp4; codecs=\"{}\"", config.codec_string),
            bytes,
            record,
            video: Some(VideoParams { width: wide.max(1), height }),
            audio: None,
        });
        self.config = Some(config);
        self.expect_cadence();
        Ok(())
    }

    /// Takes an access unit stamped `at`.
    pub(super) fn frame(
        &mut self,
        at: Millis,
        frame: Frame,
        timeline: &mut Timeline,
        out: &mut VecDeque<Output>,
    ) -> Result<(), RemuxError> {
        let Some(config) = self.config.as_ref().filter(|config| config.codec == frame.codec) else { return Ok(()) };
        if self.needs_keyframe && !frame.keyframe {
            return Ok(());
        }
        if config.nal_length_size > 0 {
            for unit in avc::nal_units(&frame.data, config.nal_length_size) {
                unit?;
            }
        }
        let stamped = timeline.place(at).0;
        let shown = stamped.saturating_add(i64::from(frame.composition));
        if frame.keyframe {
            let is_avc = frame.codec == VideoCodec::Avc;
            self.open_gop = is_avc && avc::is_open(&frame.data, config.nal_length_size);
            // Nothing that follows an IDR picture is shown before it.
            self.newest_key = (self.open_gop || !is_avc).then_some(shown);
            let skipped =
                self.last.is_some_and(|last| stamped.saturating_sub(last.stamped) > last.duration.saturating_mul(2));
            self.begins = self.needs_keyframe || skipped;
        } else if self.begins && self.newest_key.is_some_and(|key| shown < key) {
            return Ok(());
        }
        self.needs_keyframe = false;
        if let Some(last) = self.last {
            self.cadence.saw(stamped.saturating_sub(last.stamped));
        }
        let decode = self.decode_time(stamped, frame.keyframe);
        let duration = self.cadence.next_frame_ms();
        let composition = composition(stamped, i64::from(frame.composition), decode);
        let sample = Sample {
            duration: u32::try_from(duration).unwrap_or(1),
            composition,
            sync: frame.keyframe,
            disposable: frame.disposable,
            data: frame.data,
        };
        self.last = Some(Last { decode, stamped, duration });
        Ok(self.batch.push(decode, sample, out)?)
    }

    /// Decoding begins at the newest key frame.
    pub(super) fn begin_here(&mut self) {
        self.begins = true;
    }

    pub(super) fn flush(&mut self, out: &mut VecDeque<Output>) -> Result<(), TooLong> {
        self.batch.cut(out)
    }

    /// The stamp, made to follow the frame before: later than it, but not so much later that MediaSource sees a
    /// break (Media Source Extensions §3.5.8 "coded frame processing", step 6: two durations).
    fn decode_time(&self, stamped: i64, keyframe: bool) -> i64 {
        let Some(last) = self.last else { return stamped.max(0) };
        let decode = stamped.max(last.decode.saturating_add(1));
        if keyframe && decode.saturating_sub(last.decode) > BRIDGED_BEFORE_KEYFRAME_MS {
            return decode;
        }
        // One less than two durations, so that no rounding in between reaches the limit.
        let reach = last.duration.saturating_mul(2).saturating_sub(1).max(1);
        decode.min(last.decode.saturating_add(reach))
    }

    /// Until two frames have been seen, durations follow what the stream declares.
    fn expect_cadence(&mut self) {
        if self.last.is_none() {
            let picture = self.config.as_ref().and_then(|config| config.picture);
            let stated = picture.and_then(|picture| picture.fps()).and_then(frame_ms);
            self.cadence = Cadence::of_frame(stated.or(self.declared_frame_ms).unwrap_or(DEFAULT_FRAME_MS));
        }
    }
}

/// The composition offset that puts a frame where its stamp and offset say, never before 0, and never before its
/// decoding time unless the encoder meant so.
fn composition(stamped: i64, offset: i64, decode: i64) -> i32 {
    let mut shown = stamped.saturating_add(offset).max(0);
    if offset >= 0 {
        shown = shown.max(decode);
    }
    let composition = shown.saturating_sub(decode);
    i32::try_from(composition).unwrap_or(if composition < 0 { i32::MIN } else { i32::MAX })
}

/// A believable frame time in whole ms, rounded up; 1,000 fps and the like stand for "unknown" in some encoders.
fn frame_ms(fps: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "between 4 and 200")]
    (5.0..=240.0).contains(&fps).then(|| (1000.0 / fps).ceil() as i64)
}

/// How far frames lie apart: the mean over about eight frames, and the last distance.
#[derive(Clone, Copy, Debug)]
struct Cadence {
    /// In 1/256 ms.
    mean: i64,
    /// In ms.
    last: i64,
}

impl Cadence {
    fn of_frame(ms: i64) -> Self {
        Self { mean: ms.saturating_mul(256), last: ms }
    }

    /// Takes the distance between two stamps, ms. A stamp that does not advance says nothing, and a pause counts as
    /// a second at most.
    fn saw(&mut self, distance: i64) {
        if distance <= 0 {
            return;
        }
        self.last = distance.min(1000);
        let change = self.last.saturating_mul(256).saturating_sub(self.mean) / 8;
        self.mean = self.mean.saturating_add(change);
    }

    /// The prediction, rather too long than too short: an overlap is harmless, a gap of two durations is not. Up to
    /// three times the mean, so that one pause does not feign a second of buffer.
    fn next_frame_ms(&self) -> i64 {
        let mean = (self.mean.saturating_add(255) / 256).max(1);
        self.last.clamp(mean, mean.saturating_mul(3))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_cadence_is_predicted_to_the_rounding() {
        let mut cadence = Cadence::of_frame(40);
        for distance in [33, 34, 33].repeat(20) {
            cadence.saw(distance);
        }
        assert_eq!(cadence.next_frame_ms(), 34);
    }

    #[test]
    fn a_pause_is_not_taken_for_the_cadence() {
        let mut cadence = Cadence::of_frame(33);
        cadence.saw(60_000);
        assert!(cadence.next_frame_ms() <= 3 * 160);
        for _ in 0..60 {
            cadence.saw(33);
        }
        assert!((33..=35).contains(&cadence.next_frame_ms()));
        cadence.saw(-5);
        assert!((33..=35).contains(&cadence.next_frame_ms()));
    }

    #[test]
    fn unbelievable_frame_rates_are_not_believed() {
        assert_eq!(frame_ms(25.0), Some(40));
        assert_eq!(frame_ms(29.97), Some(34));
        for fps in [0.0, -1.0, 1000.0, f64::NAN, f64::INFINITY] {
            assert_eq!(frame_ms(fps), None);
        }
    }

    #[test]
    fn offsets_keep_the_presentation_time() {
        assert_eq!(composition(100, 80, 100), 80);
        assert_eq!(composition(100, 80, 60), 120, "decoded early, shown on time");
        assert_eq!(composition(100, -40, 100), -40);
        assert_eq!(composition(10, -40, 10), -10, "not before 0");
        assert_eq!(composition(100, 0, 101), 0, "a stamp that does not advance moves both times");
        assert_eq!(composition(i64::MAX, i64::from(i32::MAX), 0), i32::MAX);
    }
}
