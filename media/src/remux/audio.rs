//! The audio track: configuration, and times that follow the count of samples.

use std::collections::VecDeque;

use bytes::Bytes;

use super::batch::Batch;
use super::timeline::Timeline;
use super::{AUDIO_TRACK_ID, AudioParams, Output, RemuxError, TrackKind};
use crate::Millis;
use crate::codec::{AudioCodec, AudioConfig};
use crate::mp4::{self, Codec, Sample, TooLong, Track};

/// Stamps and the count of samples may differ by this: rounding and the jitter of encoders stay below.
const TOLERATED_MS: i64 = 50;
/// So many frames in a row must differ in the same direction before the count follows …
const PATIENCE: u32 = 4;
/// … unless the difference is too large for jitter.
const CERTAIN_MS: i64 = 250;
/// A hole up to this is filled by stretching a frame, as playback would stop at it; a longer one is left open.
const STRETCHED_MS: i64 = 500;
/// Before a configuration there are no samples; any timescale does.
const NO_TIMESCALE: u32 = 48_000;

#[derive(Debug)]
pub(super) struct AudioTrack {
    config: Option<AudioConfig>,
    /// Where the next frame begins by the count of samples, in ticks.
    next: Option<i64>,
    /// How far the last stamp was ahead of the count, in ticks.
    ahead: i64,
    astray: Astray,
    /// The next stamp counts, however near: what is before it was another clock's.
    resync: bool,
    batch: Batch,
}

/// Frames in a row whose stamps were too far off, and to which side.
#[derive(Clone, Copy, Debug, Default)]
struct Astray {
    late: bool,
    frames: u32,
}

/// What to do with a frame.
enum Fit {
    /// Put it where the count says, and let it last so many ticks longer.
    Here { stretch: i64 },
    /// Leave a gap: put it where its stamp says.
    AtStamp,
    /// Leave it out: its time is taken.
    Drop,
}

impl AudioTrack {
    pub(super) fn new(fragment: Millis) -> Self {
        Self {
            config: None,
            next: None,
            ahead: 0,
            astray: Astray::default(),
            resync: false,
            batch: Batch::new(TrackKind::Audio, AUDIO_TRACK_ID, NO_TIMESCALE, fragment),
        }
    }

    /// Takes a configuration; the same one again changes nothing.
    pub(super) fn configure(
        &mut self,
        codec: AudioCodec,
        bytes: &Bytes,
        out: &mut VecDeque<Output>,
    ) -> Result<(), RemuxError> {
        let known = |known: &AudioConfig| known.codec == codec && known.config == bytes;
        if bytes.is_empty() || self.config.as_ref().is_some_and(known) {
            return Ok(());
        }
        self.batch.cut(out)?;
        self.config = None;
        let config = AudioConfig::read(codec, bytes)?;
        // The count goes on in the new ticks; rounded up, so that nothing overlaps.
        let (old, new) = (i64::from(self.batch.timescale()), i64::from(config.timescale));
        self.next = self.next.map(|next| {
            // Whole old ticks apart from the rest, so that 64 bits hold the products.
            let (whole, rest) = (next.checked_div_euclid(old).unwrap_or(0), next.checked_rem_euclid(old).unwrap_or(0));
            let rest = rest.saturating_mul(new).saturating_add(old).checked_div(old).unwrap_or(0);
            whole.saturating_mul(new).saturating_add(rest)
        });
        self.batch.set_timescale(config.timescale, out)?;
        let (record, channels) = (config.record.clone(), config.channels);
        let codec = Codec::Audio { codec, record: record.clone(), sample_rate_hz: config.timescale, channels };
        let init = mp4::init_segment(&[Track { id: AUDIO_TRACK_ID, timescale: config.timescale, codec }])?;
        out.push_back(Output::Init {
            track: TrackKind::Audio,
            mime: format!("audio/mp4; codecs=\"{}\"", config.codec_string),
            bytes: init,
            record,
            video: None,
            audio: Some(AudioParams { sample_rate_hz: config.output_rate_hz, channels: config.output_channels }),
        });
        self.config = Some(config);
        Ok(())
    }

    /// Takes a frame stamped `at`.
    pub(super) fn frame(
        &mut self,
        at: Millis,
        codec: AudioCodec,
        data: Bytes,
        timeline: &mut Timeline,
        out: &mut VecDeque<Output>,
    ) -> Result<(), RemuxError> {
        let Some(config) = self.config.as_ref().filter(|config| config.codec == codec) else { return Ok(()) };
        let frame_ticks = i64::from(config.ticks(&data));
        let stamped = self.ticks(timeline.place(at).0);
        let next = self.next.unwrap_or(stamped.max(0));
        self.ahead = stamped.saturating_sub(next);
        let (begin, stretch) = match self.fit(self.ahead) {
            Fit::Here { stretch } => (next, stretch),
            Fit::AtStamp => (stamped, 0),
            Fit::Drop => return Ok(()),
        };
        let ticks = frame_ticks.saturating_add(stretch);
        self.next = Some(begin.saturating_add(ticks));
        let duration = u32::try_from(ticks).unwrap_or(u32::MAX);
        Ok(self.batch.push(begin, Sample { duration, composition: 0, sync: true, disposable: false, data }, out)?)
    }

    /// The clock that the stamps are made from is another one from here on: a difference is none to be patient with.
    pub(super) fn resync(&mut self) {
        self.resync = true;
    }

    /// How far the last frame's stamp was ahead of where the frame lies, before that was made good.
    pub(super) fn drift(&self) -> Millis {
        Millis(self.ahead.saturating_mul(1000).checked_div(i64::from(self.batch.timescale())).unwrap_or(0))
    }

    pub(super) fn flush(&mut self, out: &mut VecDeque<Output>) -> Result<(), TooLong> {
        self.batch.cut(out)
    }

    /// Decides by how far a stamp is ahead (positive) or behind of the count, in ticks.
    fn fit(&mut self, ahead: i64) -> Fit {
        let off = ahead.saturating_abs();
        if off <= self.ticks(TOLERATED_MS) {
            self.astray = Astray::default();
            self.resync = false;
            return Fit::Here { stretch: 0 };
        }
        let late = ahead < 0;
        let frames = if self.astray.late == late { self.astray.frames.saturating_add(1) } else { 1 };
        self.astray = Astray { late, frames };
        if !self.resync && frames < PATIENCE && off < self.ticks(CERTAIN_MS) {
            return Fit::Here { stretch: 0 };
        }
        if late {
            return Fit::Drop;
        }
        self.astray = Astray::default();
        self.resync = false;
        if off <= self.ticks(STRETCHED_MS) { Fit::Here { stretch: ahead } } else { Fit::AtStamp }
    }

    fn ticks(&self, ms: i64) -> i64 {
        // Seconds apart from the rest: places on the timeline stay below 2^42 ms and rates below 2^24 Hz, so 64 bits hold both products.
        let (seconds, rest) = (ms.div_euclid(1000), ms.rem_euclid(1000));
        let rate = i64::from(self.batch.timescale());
        let rest = rest.saturating_mul(rate).saturating_add(500).div_euclid(1000);
        seconds.saturating_mul(rate).saturating_add(rest)
    }
}
