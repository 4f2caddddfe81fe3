//! FLV, the container of HTTP-FLV and the shape of RTMP's media messages (Adobe Video File Format 10.1, annex E).
//!
//! A tag's body is the same in a file, on a HTTP-FLV connection and in an RTMP message; [`Tag`] is what the server
//! and the player pass around. What a body means is read by [`video`] and [`audio`].

pub mod audio;
mod ex;
mod reader;
pub mod video;

use bytes::{BufMut, Bytes, BytesMut};

use crate::Millis;
pub use reader::{Chunk, FlvError, Item, Reader};

/// Bytes of a tag around its body: 11 before, and PreviousTagSize (4) after.
pub const TAG_OVERHEAD: usize = 15;

/// The largest body a tag can state (24 bits).
pub const MAX_BODY: usize = 0x00ff_ffff;

/// The name of Madang's own script tags. Their value is an object with one or more of `discontinuity` (true: the publisher's clock does
/// not lead from the tags before to those after), `away` (seconds that a publisher who is gone is still waited for) and `clock` (before a key
/// frame: when the server received it, milliseconds of the Unix clock).
/// Other players pass over script tags that they do not know.
pub const MARK: &str = "madang";

/// What a tag carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TagKind {
    /// Audio data (tag and RTMP message type 8).
    Audio,
    /// Video data (9).
    Video,
    /// Script data: AMF0 values, a name first (18).
    Script,
}

impl TagKind {
    /// The number in the file, equal to the RTMP message type.
    pub const fn number(self) -> u8 {
        match self {
            Self::Audio => 8,
            Self::Video => 9,
            Self::Script => 18,
        }
    }

    /// The kind with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            8 => Some(Self::Audio),
            9 => Some(Self::Video),
            18 => Some(Self::Script),
            _ => None,
        }
    }
}

/// One tag (E.4.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    /// What the body is.
    pub kind: TagKind,
    /// The stamp: the decoding time of a frame.
    pub at: Millis,
    /// The payload as in FLV and in RTMP messages.
    pub body: Bytes,
}

impl Tag {
    /// A picture that decoding can begin with.
    pub fn is_keyframe(&self) -> bool {
        // Frame type 1; what is not yet a frame is told apart by its packet.
        self.kind == TagKind::Video
            && self.body.first().is_some_and(|first| first & 0x70 == 0x10)
            && matches!(video::parse(&self.body), Ok(video::Packet::Frame { .. }))
    }

    /// A codec configuration of either track.
    pub fn is_sequence_header(&self) -> bool {
        self.is_video_config() || self.is_audio_config()
    }

    /// A sequence header of the picture.
    pub fn is_video_config(&self) -> bool {
        self.kind == TagKind::Video && matches!(video::parse(&self.body), Ok(video::Packet::Config(..)))
    }

    /// A sequence header of the sound.
    pub fn is_audio_config(&self) -> bool {
        self.kind == TagKind::Audio && matches!(audio::parse(&self.body), Ok(audio::Packet::Config(..)))
    }

    /// Appends the tag as it stands in a file, PreviousTagSize included; the stamp is taken modulo 2^32.
    pub fn write(&self, out: &mut BytesMut) {
        write_tag(out, self.kind, self.at.to_stamp(), &self.body);
    }
}

/// The start of a file or a live response: header (E.2) and PreviousTagSize0.
pub const fn header(has_audio: bool, has_video: bool) -> [u8; 13] {
    let flags = (if has_audio { 4 } else { 0 }) | (if has_video { 1 } else { 0 });
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}

/// Appends a framed tag with its PreviousTagSize (E.4.1). `at` is the stamp in ms.
///
/// A body over [`MAX_BODY`] has no representation; it is left out.
pub fn write_tag(out: &mut BytesMut, kind: TagKind, at: u32, body: &[u8]) {
    let Ok(size) = u32::try_from(body.len()) else { return };
    if body.len() > MAX_BODY {
        return;
    }
    let [ext, high, mid, low] = at.to_be_bytes();
    out.reserve(body.len().saturating_add(TAG_OVERHEAD));
    out.put_u8(kind.number());
    out.put_uint(u64::from(size), 3);
    out.put_slice(&[high, mid, low, ext, 0, 0, 0]);
    out.put_slice(body);
    out.put_u32(size.saturating_add(11));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(kind: TagKind, body: &'static [u8]) -> Tag {
        Tag { kind, at: Millis(0), body: Bytes::from_static(body) }
    }

    #[test]
    fn tags_say_what_they_are() {
        assert!(tag(TagKind::Video, &[0x17, 1, 0, 0, 0, 9]).is_keyframe());
        assert!(!tag(TagKind::Video, &[0x27, 1, 0, 0, 0, 9]).is_keyframe());
        assert!(!tag(TagKind::Video, &[0x17, 0, 0, 0, 0]).is_keyframe());
        assert!(!tag(TagKind::Audio, &[0x17, 1]).is_keyframe());
        assert!(tag(TagKind::Video, &[0x17, 0, 0, 0, 0]).is_video_config());
        assert!(!tag(TagKind::Video, &[0x97, 0]).is_video_config());
        assert!(
            tag(TagKind::Video, b"\x90av01x").is_video_config() && !tag(TagKind::Video, b"\x90av01x").is_keyframe()
        );
        assert!(tag(TagKind::Video, b"\x91av01x").is_keyframe() && !tag(TagKind::Video, b"\xa1av01x").is_keyframe());
        assert!(tag(TagKind::Audio, &[0xaf, 0, 0x11]).is_sequence_header());
        assert!(tag(TagKind::Audio, b"\x90OpusOpusHead").is_sequence_header());
        assert!(!tag(TagKind::Audio, &[0x2f, 0]).is_sequence_header(), "MP3 has none");
        assert!(!tag(TagKind::Audio, &[]).is_sequence_header());
    }

    #[test]
    fn the_layout_of_a_tag() {
        let mut out = BytesMut::new();
        write_tag(&mut out, TagKind::Video, 0x0102_0304, &[0xaa, 0xbb]);
        assert_eq!(&out[..], &[9, 0, 0, 2, 2, 3, 4, 1, 0, 0, 0, 0xaa, 0xbb, 0, 0, 0, 13]);
    }

    #[test]
    fn a_body_the_format_cannot_state_is_left_out() {
        let mut out = BytesMut::new();
        write_tag(&mut out, TagKind::Video, 0, &vec![0; MAX_BODY + 1]);
        assert!(out.is_empty());
    }

    #[test]
    fn the_header_names_the_tracks() {
        assert_eq!(header(true, true)[4], 5);
        assert_eq!(header(true, false)[4], 4);
        assert_eq!(header(false, true)[4], 1);
    }
}
