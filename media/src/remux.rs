//! FLV tags in, fragmented MP4 out: what a browser's MediaSource plays, one source buffer a track.
//!
//! Every frame becomes a fragment the moment it arrives; none is held back to learn its duration. Both tracks share
//! one time base. What cannot be played yet (frames before their configuration, video before a key frame) is dropped
//! without a word, and what never can be (another codec) is said once.

mod audio;
mod batch;
mod timeline;
mod video;

use std::collections::VecDeque;

use bytes::Bytes;

use crate::flv::audio::AudioError;
use crate::flv::video::VideoError;
use crate::flv::{self, Tag, TagKind};
use crate::{Millis, amf0, avc, codec, mp4};
use timeline::Timeline;
pub use timeline::{LEAP_AHEAD, LEAP_BACK};

/// Number of the video track in init segments and fragments.
pub const VIDEO_TRACK_ID: u32 = 1;
/// Number of the audio track in init segments and fragments.
pub const AUDIO_TRACK_ID: u32 = 2;

/// One of the two tracks a live stream has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrackKind {
    /// Sound.
    Audio,
    /// Picture.
    Video,
}

/// How a [`Remuxer`] lays out time. The default puts the first frame given out at 0 and each frame in a fragment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The stamp that lies at [`start`](Self::start). `None`: the decoding time of the first frame given out.
    pub origin: Option<Millis>,
    /// Where on the media timeline the origin lies: to go on in a MediaSource that holds media already.
    pub start: Millis,
    /// Length of media gathered in one fragment. Zero, for the lowest delay: each frame by itself, at once.
    /// Otherwise a fragment ends when it is this long, or before a key frame, and [`Remuxer::flush`] ends it early.
    pub fragment: Millis,
}

/// The picture of a video track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoParams {
    /// Width on a display with square pixels.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// The sound of an audio track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AudioParams {
    /// Rate of the decoded sound (after SBR, where it is signalled).
    pub sample_rate_hz: u32,
    /// Channels of the decoded sound.
    pub channels: u8,
}

/// What comes out.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// An init segment: before a track's first fragment, and again whenever its configuration changes.
    Init {
        /// The track.
        track: TrackKind,
        /// For `MediaSource.addSourceBuffer` and `changeType`, such as `video/mp4; codecs="avc1.64001f"`.
        mime: String,
        /// `ftyp` and `moov`.
        bytes: Bytes,
        /// The configuration as the codec's own box holds it (`avcC`, `hvcC`, `av1C`, `vpcC`, AudioSpecificConfig, `dOps`, `dfLa`):
        /// for decoders that want no container.
        record: Bytes,
        /// Given for a video track.
        video: Option<VideoParams>,
        /// Given for an audio track.
        audio: Option<AudioParams>,
    },
    /// Media of one track.
    Fragment {
        /// The track.
        track: TrackKind,
        /// `moof` and `mdat`.
        bytes: Bytes,
        /// Presentation time of its earliest sample on the media timeline, never negative.
        start: Millis,
        /// Time it fills. For a video frame a prediction, as the next frame is not known; see [`Remuxer`].
        duration: Millis,
        /// Decoding can start here. Always so for audio.
        keyframe: bool,
    },
    /// Script data, such as `onMetaData` (with or without the `@setDataFrame` of RTMP before it).
    Script {
        /// Its stamp on the media timeline.
        at: Millis,
        /// Its name.
        name: String,
        /// Its first argument; [`amf0::Value::Undefined`] when there is none.
        value: amf0::Value,
    },
    /// The track has a codec that is not supported; once for each codec, however many tags follow.
    Unsupported {
        /// The track.
        track: TrackKind,
        /// A name to show, such as `HEVC` or `MP3`.
        codec: String,
    },
}

/// Why a tag could not be used. The tag is left out; the remuxer goes on with the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RemuxError {
    /// A video tag's header is wrong.
    #[error(transparent)]
    VideoTag(#[from] VideoError),
    /// An audio tag's header is wrong.
    #[error(transparent)]
    AudioTag(#[from] AudioError),
    /// A configuration cannot be used; frames are dropped until a good one comes.
    #[error(transparent)]
    Codec(#[from] codec::CodecError),
    /// A frame's NAL units do not add up. A browser would give up on the whole stream over it.
    #[error(transparent)]
    NalLength(#[from] avc::BadNalLength),
    /// Script data are not AMF0 or do not start with a name.
    #[error("the script data cannot be read: {0}")]
    Script(#[from] amf0::Amf0Error),
    /// Script data without a name.
    #[error("the script data have no name")]
    UnnamedScript,
    /// More data than a fragment can hold.
    #[error(transparent)]
    TooLong(#[from] mp4::TooLong),
}

/// Turns tags into init segments and fragments; see the module's page.
///
/// **Time.** Decoding times are strictly increasing within a track, whatever the stamps do, and presentation times
/// are never negative. A stamp more than [`LEAP_BACK`] behind or [`LEAP_AHEAD`] ahead of the newest one is a new
/// timeline of the encoder's: it is joined to the end of what was given out.
///
/// Video: decoding times are the stamps, exact to the millisecond. A frame's duration is predicted from the frames
/// before it, so neighbours may overlap or gape by a little. MediaSource takes a decoding time more than two
/// durations after the last one for a break and drops everything up to the next key frame; a frame after a longer
/// pause therefore gets an earlier decoding time and a composition offset that keeps its presentation time exact.
///
/// Audio: times follow the count of samples, so the rounding of stamps makes no gaps. When stamps and count stay
/// more than 50 ms apart, the count follows: a frame is stretched (or, after more than half a second, a gap is
/// left), or frames are dropped.
#[derive(Debug)]
pub struct Remuxer {
    timeline: Timeline,
    video: video::VideoTrack,
    audio: audio::AudioTrack,
    unsupported_video: Option<String>,
    unsupported_audio: Option<String>,
    out: VecDeque<Output>,
}

impl Default for Remuxer {
    fn default() -> Self {
        Self::new(Options::default())
    }
}

impl Remuxer {
    /// A remuxer that has seen nothing.
    pub fn new(options: Options) -> Self {
        Self {
            timeline: Timeline::new(options.origin, options.start),
            video: video::VideoTrack::new(options.fragment),
            audio: audio::AudioTrack::new(options.fragment),
            unsupported_video: None,
            unsupported_audio: None,
            out: VecDeque::new(),
        }
    }

    /// Takes one tag; what becomes of it is given by [`poll`](Self::poll).
    ///
    /// # Errors
    /// See [`RemuxError`]: the tag is left out, outputs of earlier tags stay, and later tags are welcome.
    pub fn push(&mut self, tag: &Tag) -> Result<(), RemuxError> {
        match tag.kind {
            TagKind::Video => self.push_video(tag),
            TagKind::Audio => self.push_audio(tag),
            TagKind::Script => self.push_script(tag),
        }
    }

    /// The next output, in the order of the tags. Nothing is thrown away: poll until `None` after each push.
    pub fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// Whether the newest key frame of H.264 is that of an open GOP ([`avc::is_open`](crate::avc::is_open)): not every decoder begins there.
    pub fn open_gop(&self) -> bool {
        self.video.open_gop
    }

    /// Whoever takes the outputs begins anew at the newest key frame: what follows it and refers to pictures before it is left out.
    pub fn begin_here(&mut self) {
        self.video.begin_here();
    }

    /// Ends fragments still being gathered (only with [`Options::fragment`]).
    pub fn flush(&mut self) {
        // Too long for a fragment is ruled out by the limit on what is gathered.
        let _ = self.video.flush(&mut self.out);
        let _ = self.audio.flush(&mut self.out);
    }

    /// The stamp that lies at 0 of the media timeline now; `None` before the first frame.
    pub fn zero_stamp(&self) -> Option<Millis> {
        self.timeline.zero_stamp()
    }

    /// How much sooner sound is heard than its last stamp says (negative: later), before that was made good: how far the encoder's clocks
    /// for sound and picture have come apart. 0 without sound.
    pub fn drift(&self) -> Millis {
        self.audio.drift()
    }

    fn push_video(&mut self, tag: &Tag) -> Result<(), RemuxError> {
        match flv::video::parse(&tag.body)? {
            flv::video::Packet::Config(codec, config) => self.video.configure(codec, &config, &mut self.out),
            flv::video::Packet::Frame { codec, keyframe, disposable, composition, data } => {
                let frame = video::Frame { codec, keyframe, disposable, composition, data };
                self.video.frame(tag.at, frame, &mut self.timeline, &mut self.out)
            }
            flv::video::Packet::EndOfSequence => Ok(self.video.flush(&mut self.out)?),
            flv::video::Packet::Nothing => Ok(()),
            flv::video::Packet::Unsupported(codec) => {
                say_once(&mut self.unsupported_video, TrackKind::Video, codec, &mut self.out);
                Ok(())
            }
        }
    }

    fn push_audio(&mut self, tag: &Tag) -> Result<(), RemuxError> {
        match flv::audio::parse(&tag.body)? {
            flv::audio::Packet::Config(codec, config) => self.audio.configure(codec, &config, &mut self.out),
            flv::audio::Packet::Frame(codec, data) => {
                if codec == codec::AudioCodec::Mp3 {
                    self.audio.configure(codec, &codec::AudioConfig::head_of_mp3(&data), &mut self.out)?;
                }
                self.audio.frame(tag.at, codec, data, &mut self.timeline, &mut self.out)
            }
            flv::audio::Packet::Nothing => Ok(()),
            flv::audio::Packet::Unsupported(codec) => {
                say_once(&mut self.unsupported_audio, TrackKind::Audio, codec, &mut self.out);
                Ok(())
            }
        }
    }

    fn push_script(&mut self, tag: &Tag) -> Result<(), RemuxError> {
        if tag.body.is_empty() {
            return Ok(());
        }
        let mut values = amf0::read_all(&tag.body, &amf0::Limits::default())?.into_iter();
        let mut next_name = || values.next().and_then(|value| value.as_str().map(str::to_owned));
        let mut name = next_name().ok_or(RemuxError::UnnamedScript)?;
        if name == "@setDataFrame" {
            name = next_name().ok_or(RemuxError::UnnamedScript)?;
        }
        let value = values.next().unwrap_or(amf0::Value::Undefined);
        if name == flv::MARK && value.get("discontinuity").is_some() {
            self.audio.resync();
        }
        if name == "onMetaData" {
            let number = |name| value.get(name).and_then(amf0::Value::as_f64);
            if let Some(fps) = number("framerate") {
                self.video.declare_frame_rate(fps);
            }
            if let (Some(width), Some(height)) = (number("width"), number("height")) {
                self.video.declare_size(width, height);
            }
        }
        self.out.push_back(Output::Script { at: self.timeline.peek(tag.at), name, value });
        Ok(())
    }
}

fn say_once(said: &mut Option<String>, track: TrackKind, codec: String, out: &mut VecDeque<Output>) {
    if said.as_ref() != Some(&codec) {
        *said = Some(codec.clone());
        out.push_back(Output::Unsupported { track, codec });
    }
}

#[cfg(test)]
mod tests;
