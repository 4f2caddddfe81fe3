//! The tracks a publisher sends, and the headers that describe them to viewers.

use super::flight::Headers;
use bytes::{Bytes, BytesMut};
use madang_media::{
    Millis,
    amf0::{self, Value},
    avc,
    codec::{AudioCodec, AudioConfig, VideoCodec, VideoConfig},
    flv::{self, TagKind},
};
use madang_protocol::studio::{AudioInfo, VideoInfo};

/// Longest text that is passed on from an encoder's metadata, in bytes.
const TEXT_MAX: usize = 256;

/// What an encoder may say about its picture. Everything else in `onMetaData` is left out: durations, file sizes and seek
/// tables of a file that is being published would make players treat the stream as that file.
const VIDEO_KEYS: [&str; 5] = ["width", "height", "videocodecid", "videodatarate", "framerate"];
/// What it may say about its sound.
const AUDIO_KEYS: [&str; 6] =
    ["audiocodecid", "audiodatarate", "audiosamplerate", "audiosamplesize", "audiochannels", "stereo"];
const GENERAL_KEYS: [&str; 1] = ["encoder"];

/// A sequence header, and what it says where it could be read.
#[derive(Clone, Debug)]
struct Configured<Codec, Info> {
    codec: Codec,
    /// The tag's body; of MP3, which has none, what its frames begin with.
    body: Bytes,
    info: Option<Info>,
}

/// Configurations and metadata as they are now.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracks {
    video: Option<Configured<VideoCodec, VideoInfo>>,
    /// Bytes before each NAL unit of the picture, where it has any.
    nal_length_size: u8,
    audio: Option<Configured<AudioCodec, AudioInfo>>,
    metadata: Vec<(String, Value)>,
}

/// What a configuration does to those who are watching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is the one they have.
    Same,
    /// A track that was not there: what they have still holds.
    Added,
    /// What they have no longer decodes.
    Replaced,
}

impl Tracks {
    pub(super) fn has_video(&self) -> bool {
        self.video.is_some()
    }

    pub(super) fn has_audio(&self) -> bool {
        self.audio.is_some()
    }

    /// What frames have to be coded with.
    pub(super) fn video_codec(&self) -> Option<VideoCodec> {
        self.video.as_ref().map(|video| video.codec)
    }

    /// What frames have to be coded with.
    pub(super) fn audio_codec(&self) -> Option<AudioCodec> {
        self.audio.as_ref().map(|audio| audio.codec)
    }

    /// Whether a key frame belongs to an open GOP: some decoders do not begin there.
    pub(super) fn is_open(&self, key_frame: &[u8]) -> bool {
        self.video_codec() == Some(VideoCodec::Avc)
            && self.nal_length_size > 0
            && avc::is_open(key_frame, self.nal_length_size)
    }

    pub(super) fn video_info(&self) -> Option<VideoInfo> {
        let mut info = self.video.as_ref().and_then(|video| video.info.clone())?;
        if info.width == 0 {
            // The cast saturates; a side that is no number is 0.
            let side =
                |wanted| self.metadata.iter().find(|(name, _)| name == wanted)?.1.as_f64().map(|side| side as u32);
            (info.width, info.height) = (side("width").unwrap_or(0), side("height").unwrap_or(0));
        }
        Some(info)
    }

    pub(super) fn audio_info(&self) -> Option<AudioInfo> {
        self.audio.as_ref().and_then(|audio| audio.info.clone())
    }

    /// Takes a video sequence header: the tag's `body`, and the configuration in it.
    pub(super) fn set_video(&mut self, body: &Bytes, codec: VideoCodec, config: &Bytes) -> Change {
        let nal_length_size = &mut self.nal_length_size;
        let info = || {
            *nal_length_size = 0;
            let config = VideoConfig::read(codec, config).ok()?;
            *nal_length_size = config.nal_length_size;
            let (width, height) = config.size().unwrap_or((0, 0));
            Some(VideoInfo { codec: config.codec_string, width, height })
        };
        set(&mut self.video, body, codec, info)
    }

    /// Takes an audio sequence header: the tag's `body`, and the configuration in it.
    pub(super) fn set_audio(&mut self, body: &Bytes, codec: AudioCodec, config: &Bytes) -> Change {
        set(&mut self.audio, body, codec, || audio_info(codec, config))
    }

    /// Looks at a frame of MP3, which is its own configuration. A broken one changes nothing.
    pub(super) fn see_mp3(&mut self, frame: &Bytes) -> Change {
        let (codec, head) = (AudioCodec::Mp3, AudioConfig::head_of_mp3(frame));
        match audio_info(codec, &head) {
            Some(info) => set(&mut self.audio, &head, codec, || Some(info)),
            None => Change::Same,
        }
    }

    /// Takes the body of a script tag. True when it changes what viewers are told; anything but `onMetaData` does not.
    pub(super) fn set_metadata(&mut self, body: &[u8]) -> bool {
        let Some(metadata) = read_metadata(body) else { return false };
        if metadata == self.metadata {
            return false;
        }
        self.metadata = metadata;
        true
    }

    /// `onMetaData` for viewers: what the encoder says of the tracks that exist, corrected by what their configuration says.
    pub(super) fn script(&self) -> Bytes {
        let (video, audio) = (self.has_video(), self.has_audio());
        let told = |(name, _): &&(String, Value)| {
            let name = name.as_str();
            GENERAL_KEYS.contains(&name)
                || (video && VIDEO_KEYS.contains(&name))
                || (audio && AUDIO_KEYS.contains(&name))
        };
        let mut fields: Vec<(String, Value)> = self.metadata.iter().filter(told).cloned().collect();
        let mut set = |name: &str, value: Value| {
            fields.retain(|(there, _)| there != name);
            fields.push((name.to_owned(), value));
        };
        set("hasVideo", Value::Boolean(video));
        set("hasAudio", Value::Boolean(audio));
        if let Some(info) = self.video_info().filter(|info| info.width > 0 && info.height > 0) {
            set("width", Value::Number(f64::from(info.width)));
            set("height", Value::Number(f64::from(info.height)));
        }
        let mut body = BytesMut::new();
        amf0::write(&Value::String("onMetaData".to_owned()), &mut body);
        amf0::write(&Value::EcmaArray(fields), &mut body);
        body.freeze()
    }

    /// The headers of an epoch that begins at `at`.
    pub(super) fn headers(&self, epoch: u64, compatible_from: u64, at: Millis) -> Headers {
        let stamp = at.to_stamp();
        let mut out = BytesMut::new();
        out.extend_from_slice(&flv::header(self.has_audio(), self.has_video()));
        let header_len = out.len();
        flv::write_tag(&mut out, TagKind::Script, stamp, &self.script());
        if let Some(video) = &self.video {
            flv::write_tag(&mut out, TagKind::Video, stamp, &video.body);
        }
        if let Some(audio) = self.audio.as_ref().filter(|audio| audio.codec != AudioCodec::Mp3) {
            flv::write_tag(&mut out, TagKind::Audio, stamp, &audio.body);
        }
        let first = out.freeze();
        Headers { epoch, compatible_from, change: first.slice(header_len..), first }
    }
}

fn audio_info(codec: AudioCodec, config: &Bytes) -> Option<AudioInfo> {
    let AudioConfig { codec_string, output_rate_hz, output_channels, .. } = AudioConfig::read(codec, config).ok()?;
    Some(AudioInfo { codec: codec_string, sample_rate_hz: output_rate_hz, channels: output_channels })
}

fn set<Codec: PartialEq, Info>(
    track: &mut Option<Configured<Codec, Info>>,
    body: &Bytes,
    codec: Codec,
    info: impl FnOnce() -> Option<Info>,
) -> Change {
    let change = match track {
        Some(there) if there.codec == codec && there.body == *body => return Change::Same,
        Some(_) => Change::Replaced,
        None => Change::Added,
    };
    // A copy of its own: the body may be a slice of a much larger read buffer, and this one is kept.
    *track = Some(Configured { codec, body: Bytes::copy_from_slice(body), info: info() });
    change
}

/// The fields of `onMetaData` that may be passed on, in their order; `None` when the body is something else or broken.
fn read_metadata(body: &[u8]) -> Option<Vec<(String, Value)>> {
    let values = amf0::read_all(body, &amf0::Limits::default()).ok()?;
    let mut values = values.into_iter();
    let mut name = values.next()?;
    if matches!(&name, Value::String(text) if text == "@setDataFrame") {
        name = values.next()?;
    }
    if !matches!(&name, Value::String(text) if text == "onMetaData") {
        return None;
    }
    let (Value::Object(fields) | Value::EcmaArray(fields)) = values.next()? else { return None };
    let mut kept: Vec<(String, Value)> = Vec::new();
    for (name, value) in fields {
        let known = [&VIDEO_KEYS[..], &AUDIO_KEYS[..], &GENERAL_KEYS[..]].concat().contains(&name.as_str());
        let plain = match &value {
            Value::Number(number) => number.is_finite(),
            Value::Boolean(_) => true,
            Value::String(text) => text.len() <= TEXT_MAX,
            _ => false,
        };
        if known && plain && !kept.iter().any(|(there, _)| *there == name) {
            kept.push((name, value));
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::{AAC_CONFIG, AVC_CONFIG, metadata};

    fn sent(tracks: &Tracks) -> Vec<(String, Value)> {
        match amf0::read_all(&tracks.script(), &amf0::Limits::default()).expect("we wrote it").as_slice() {
            [Value::String(name), Value::EcmaArray(fields)] if name == "onMetaData" => fields.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn with_video(tracks: &mut Tracks) {
        let body = Bytes::from_static(AVC_CONFIG);
        assert_eq!(tracks.set_video(&body, VideoCodec::Avc, &body.slice(5..)), Change::Added);
    }

    #[test]
    fn metadata_is_reduced_to_what_holds_for_a_live_stream() {
        let mut tracks = Tracks::default();
        with_video(&mut tracks);
        let body = metadata(&[
            ("duration", Value::Number(123.0)),
            ("filesize", Value::Number(1e9)),
            ("framerate", Value::Number(30.0)),
            ("width", Value::Number(9999.0)),
            ("audiodatarate", Value::Number(160.0)),
            ("videodatarate", Value::Number(f64::NAN)),
            ("encoder", Value::String("obs".to_owned())),
            ("keyframes", Value::Object(vec![("times".to_owned(), Value::Null)])),
        ]);
        assert!(tracks.set_metadata(&body));
        assert!(!tracks.set_metadata(&body));
        let names: Vec<String> = sent(&tracks).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["framerate", "encoder", "hasVideo", "hasAudio", "width", "height"]);
        assert_eq!(sent(&tracks).last(), Some(&("height".to_owned(), Value::Number(360.0))));
    }

    #[test]
    fn anything_else_is_not_metadata() {
        let mut tracks = Tracks::default();
        let mut cue = BytesMut::new();
        amf0::write(&Value::String("onCuePoint".to_owned()), &mut cue);
        for body in [&b""[..], b"\x02", &[0x0a; 100], &cue, &metadata(&[])[..10]] {
            assert!(!tracks.set_metadata(body));
        }
    }

    #[test]
    fn the_flags_name_the_tracks_that_exist() {
        let mut tracks = Tracks::default();
        with_video(&mut tracks);
        let headers = tracks.headers(1, 1, Millis(0x0102_0304));
        assert_eq!(headers.first.get(..13), Some(&flv::header(false, true)[..]));
        assert_eq!(headers.first.slice(13..), headers.change);
        let audio = Bytes::from_static(AAC_CONFIG);
        assert_eq!(tracks.set_audio(&audio, AudioCodec::Aac, &audio.slice(2..)), Change::Added);
        assert_eq!(tracks.set_audio(&audio, AudioCodec::Aac, &audio.slice(2..)), Change::Same);
        assert_eq!(tracks.headers(2, 1, Millis(0)).first.get(4), Some(&5));
        let other = Bytes::from_static(&[0xaf, 0, 0x12, 0x08]);
        assert_eq!(tracks.set_audio(&other, AudioCodec::Aac, &other.slice(2..)), Change::Replaced);
    }

    #[test]
    fn the_codecs_are_told_in_words() {
        let mut tracks = Tracks::default();
        with_video(&mut tracks);
        let audio = Bytes::from_static(AAC_CONFIG);
        tracks.set_audio(&audio, AudioCodec::Aac, &audio.slice(2..));
        let (video, audio) = (tracks.video_info().expect("read"), tracks.audio_info().expect("read"));
        assert_eq!((video.codec.as_str(), video.width, video.height), ("avc1.64001e", 640, 360));
        assert_eq!((audio.codec.as_str(), audio.sample_rate_hz, audio.channels), ("mp4a.40.2", 48_000, 2));
    }

    #[test]
    fn the_size_of_a_picture_that_does_not_state_it_is_the_encoders_word() {
        let mut tracks = Tracks::default();
        let config = Bytes::from_static(&[1, 0, 0, 0, 0, 31, 0x82, 2, 2, 2, 0, 0]);
        let body = Bytes::from([&b"\x90vp09"[..], &config].concat());
        assert_eq!(tracks.set_video(&body, VideoCodec::Vp9, &config), Change::Added);
        assert!(tracks.set_metadata(&metadata(&[("width", Value::Number(640.0)), ("height", Value::Number(360.0))])));
        let info = tracks.video_info().expect("read");
        assert_eq!((info.codec.as_str(), info.width, info.height), ("vp09.00.31.08", 640, 360));
        assert!(sent(&tracks).contains(&("width".to_owned(), Value::Number(640.0))));
    }

    #[test]
    fn mp3_is_described_by_its_frames() {
        let mut tracks = Tracks::default();
        let frame = Bytes::from_static(&[0xff, 0xfb, 0x10, 0xc4, 1]);
        assert_eq!(tracks.see_mp3(&frame), Change::Added);
        assert_eq!(tracks.see_mp3(&Bytes::from_static(&[0xff, 0xfb, 0x92, 0xc4])), Change::Same, "another bit rate");
        assert_eq!(tracks.see_mp3(&Bytes::from_static(&[1, 2, 3, 4])), Change::Same, "no frame");
        assert_eq!(tracks.audio_info().map(|info| info.codec), Some("mp3".to_owned()));
        let headers = tracks.headers(0, 0, Millis(0));
        assert_eq!(headers.first.get(4), Some(&4), "sound is promised");
        assert!(!headers.change.windows(3).any(|bytes| bytes == [0xff, 0xfb, 0x10]), "and has no sequence header");
        assert_eq!(tracks.see_mp3(&Bytes::from_static(&[0xff, 0xf3, 0x40, 0])), Change::Replaced);
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_passed_on_all_the_same() {
        let mut tracks = Tracks::default();
        let body = Bytes::from_static(&[0x17, 0, 0, 0, 0, 1]);
        assert_eq!(tracks.set_video(&body, VideoCodec::Avc, &body.slice(5..)), Change::Added);
        assert_eq!(tracks.video_info(), None);
        assert_eq!(tracks.headers(1, 1, Millis::ZERO).first.get(4), Some(&1));
    }
}
