//! Whether viewers can play what an encoder sends, told from the first tags of each track.
//!
//! What no browser is given in any case is refused at once with words, rather than going on air as a black picture. Whether a viewer's
//! browser plays HEVC, AV1 and the like is the viewer's to find out.

use super::error::Refused;
use madang_media::{
    codec::VideoCodec,
    flv::{Tag, TagKind, audio, video},
};

/// Remembers which tracks were found playable, so that each is looked at once.
#[derive(Debug, Default)]
pub struct CodecCheck {
    video: bool,
    audio: bool,
}

impl CodecCheck {
    /// Looks at a tag of a track not yet judged; the name of the codec comes with a refusal.
    pub fn look(&mut self, tag: &Tag) -> Result<(), (Refused, String)> {
        match tag.kind {
            TagKind::Video if !self.video => match video::parse(&tag.body) {
                Ok(video::Packet::Unsupported(name)) => return Err((Refused::VideoCodec, name)),
                Ok(video::Packet::Config(VideoCodec::Avc, config)) if is_hevc(&config) => {
                    return Err((Refused::HevcAsAvc, "HEVC".into()));
                }
                Ok(video::Packet::Config(..) | video::Packet::Frame { .. }) => self.video = true,
                _ => {}
            },
            TagKind::Audio if !self.audio => match audio::parse(&tag.body) {
                Ok(audio::Packet::Unsupported(name)) => return Err((Refused::AudioCodec, name)),
                Ok(audio::Packet::Config(..) | audio::Packet::Frame(..)) => self.audio = true,
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }
}

/// Whether a decoder configuration is HEVC's (ISO/IEC 14496-15 §8.3.3.1.2): behind 22 bytes the number of arrays, and the first array's
/// type a parameter set's (32 to 34) or SEI's (39). In H.264's, the sixth byte says how many sequence parameter sets there are, and each
/// begins with its own type.
fn is_hevc(config: &[u8]) -> bool {
    let avc = matches!(config, [1, _, _, _, _, count, _, _, nal, ..] if count & 0x1f > 0 && nal & 0x1f == 7);
    let arrays = matches!(config.get(22..24), Some([1..=8, kind]) if matches!(kind & 0x3f, 32..=34 | 39));
    !avc && config.first() == Some(&1) && arrays
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use madang_media::Millis;

    fn look(kind: TagKind, body: &'static [u8]) -> Result<(), (Refused, String)> {
        CodecCheck::default().look(&Tag { kind, at: Millis(0), body: Bytes::from_static(body) })
    }

    #[test]
    fn what_browsers_may_play_passes_and_others_are_named() {
        assert_eq!(look(TagKind::Video, &[0x17, 0, 0, 0, 0, 1]), Ok(()));
        assert_eq!(look(TagKind::Audio, &[0xAF, 0, 0x11, 0x90]), Ok(()));
        for video in [&b"\x90hvc1x"[..], b"\x90av01x", b"\x91vp09x"] {
            assert_eq!(look(TagKind::Video, video), Ok(()));
        }
        for audio in [&b"\x90OpusOpusHead"[..], b"\x90fLaCx", b"\x2f\xff\xfb"] {
            assert_eq!(look(TagKind::Audio, audio), Ok(()));
        }
        assert_eq!(look(TagKind::Video, b"\x90vp08"), Err((Refused::VideoCodec, "VP8".into())));
        assert_eq!(look(TagKind::Audio, b"\x90ac-3"), Err((Refused::AudioCodec, "AC-3".into())));
    }

    /// What encoders sent that had HEVC before there was a number for it: hvcC of 1280x720, in a tag of H.264.
    #[test]
    fn hevc_under_the_number_of_h264_is_named() {
        const HVCC: &[u8] = &[
            0x17, 0, 0, 0, 0, 1, 1, 0x60, 0, 0, 0, 0x90, 0, 0, 0, 0, 0, 0x5d, 0xf0, 0, 0xfc, 0xfd, 0xf8, 0xf8, 0, 0,
            0x0f, 3, 0x20, 0, 1, 0, 2, 0x40, 1,
        ];
        assert_eq!(look(TagKind::Video, HVCC), Err((Refused::HevcAsAvc, "HEVC".into())));
    }

    #[test]
    fn empty_and_broken_tags_say_nothing_about_the_codec() {
        assert_eq!(look(TagKind::Video, &[]), Ok(()));
        assert_eq!(look(TagKind::Video, &[0x17]), Ok(()));
        assert_eq!(look(TagKind::Audio, &[]), Ok(()));
    }
}
