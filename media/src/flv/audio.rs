//! The first bytes of an audio tag (E.4.2, Enhanced RTMP v2 §ExAudioTagHeader) and of its packet.

use bytes::Bytes;

use super::ex;
use crate::bytes_in::BytesIn;
use crate::codec::AudioCodec;

/// Packet type of several tracks in one tag.
const MULTITRACK: u8 = 5;
/// How channels are laid out, which browsers are told by the configuration.
const MULTICHANNEL_CONFIG: u8 = 4;

/// What an audio tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A configuration, see [`codec::AudioConfig`](crate::codec::AudioConfig).
    Config(AudioCodec, Bytes),
    /// One frame. MP3 has no configuration: each frame says what it is.
    Frame(AudioCodec, Bytes),
    /// Nothing to decode: an empty tag or packet, or another track than the first.
    Nothing,
    /// Another codec, by the name people know it by.
    Unsupported(String),
}

/// A tag that ends before its header does, or states a packet type that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The tag ends within its header.
    #[error("an audio tag is too short for its header")]
    Truncated,
    /// The packet type has no meaning.
    #[error("audio packet type {0} does not exist")]
    PacketType(u8),
}

/// Reads the body of an audio tag; the data in the answer are slices of it. Rate, size and channels in the first
/// byte are constants for AAC and say nothing; the configuration does.
///
/// # Errors
/// See [`AudioError`]; an empty body and another codec are answers, not errors.
pub fn parse(body: &Bytes) -> Result<Packet, AudioError> {
    let mut input = BytesIn::new(body);
    let Some(first) = input.u8() else { return Ok(Packet::Nothing) };
    let (codec, packet_type, data) = match first >> 4 {
        10 => (AudioCodec::Aac, input.u8().ok_or(AudioError::Truncated)?, input.rest()),
        2 | 14 => (AudioCodec::Mp3, ex::CODED_FRAMES, input.rest()),
        9 => {
            let Some(ex) = ex::read(first & 0x0f, MULTITRACK, input).map_err(|_| AudioError::Truncated)? else {
                return Ok(Packet::Nothing);
            };
            let Some(codec) = AudioCodec::of_four_cc(&ex.four_cc) else {
                return Ok(Packet::Unsupported(four_cc_name(&ex.four_cc)));
            };
            (codec, ex.packet_type, ex.data)
        }
        other => return Ok(Packet::Unsupported(format_name(other))),
    };
    let enhanced = first >> 4 == 9;
    match packet_type {
        ex::SEQUENCE_START | ex::CODED_FRAMES if data.is_empty() => Ok(Packet::Nothing),
        ex::SEQUENCE_START => Ok(Packet::Config(codec, body.slice_ref(data))),
        ex::CODED_FRAMES => Ok(Packet::Frame(codec, body.slice_ref(data))),
        // An end says no more than that nothing follows.
        ex::SEQUENCE_END | MULTICHANNEL_CONFIG if enhanced => Ok(Packet::Nothing),
        other => Err(AudioError::PacketType(other)),
    }
}

/// SoundFormat of E.4.2.1.
fn format_name(format: u8) -> String {
    match format {
        0 | 3 => "PCM".into(),
        1 => "ADPCM".into(),
        4..=6 => "Nellymoser".into(),
        7 => "G.711 A-law".into(),
        8 => "G.711 mu-law".into(),
        11 => "Speex".into(),
        13 => "Opus".into(),
        other => format!("FLV sound format {other}"),
    }
}

/// The name of a codec that is not carried, by its FourCC; its letters when it is not a known one.
pub(super) fn four_cc_name(four_cc: &[u8; 4]) -> String {
    match four_cc {
        b"vp08" => "VP8".into(),
        b"vvc1" => "VVC".into(),
        b"ac-3" => "AC-3".into(),
        b"ec-3" => "E-AC-3".into(),
        // Letters only: the name ends up in a page and in log lines.
        other if other.iter().all(u8::is_ascii_graphic) => other.iter().map(|byte| char::from(*byte)).collect(),
        _ => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &'static [u8]) -> Result<Packet, AudioError> {
        parse(&Bytes::from_static(body))
    }

    #[test]
    fn aac_packets() {
        let aac = AudioCodec::Aac;
        assert_eq!(read(&[0xaf, 0, 0x11, 0x90]), Ok(Packet::Config(aac, Bytes::from_static(&[0x11, 0x90]))));
        assert_eq!(read(&[0xaf, 1, 7]), Ok(Packet::Frame(aac, Bytes::from_static(&[7]))));
        assert_eq!(read(&[0xaf, 1]), Ok(Packet::Nothing));
        assert_eq!(read(&[]), Ok(Packet::Nothing));
        assert_eq!(read(&[0xaf]), Err(AudioError::Truncated));
        assert_eq!(read(&[0xaf, 2]), Err(AudioError::PacketType(2)));
    }

    #[test]
    fn enhanced_packets() {
        let data = Bytes::from_static(b"x");
        for (four_cc, codec) in [
            (b"mp4a", AudioCodec::Aac),
            (b".mp3", AudioCodec::Mp3),
            (b"Opus", AudioCodec::Opus),
            (b"fLaC", AudioCodec::Flac),
        ] {
            let tag = |packet_type: u8| parse(&[&[0x90 | packet_type], &four_cc[..], b"x"].concat().into());
            assert_eq!(tag(0), Ok(Packet::Config(codec, data.clone())));
            assert_eq!(tag(1), Ok(Packet::Frame(codec, data.clone())));
            assert_eq!((tag(2), tag(4)), (Ok(Packet::Nothing), Ok(Packet::Nothing)));
            assert_eq!(tag(3), Err(AudioError::PacketType(3)));
        }
        assert_eq!(read(&[0x2f, 0xff, 0xfb]), Ok(Packet::Frame(AudioCodec::Mp3, Bytes::from_static(&[0xff, 0xfb]))));
    }

    #[test]
    fn of_several_tracks_the_first_is_taken_and_extensions_are_passed_over() {
        let frame = Ok(Packet::Frame(AudioCodec::Opus, Bytes::from_static(b"ab")));
        assert_eq!(read(b"\x95\x01Opus\x00ab"), frame, "one track");
        assert_eq!(read(b"\x95\x11Opus\x01\x00\x00\x01z\x00\x00\x00\x02ab"), frame, "two");
        assert_eq!(read(b"\x95\x21fLaC\x01\x00\x00\x01zOpus\x00\x00\x00\x02ab"), frame, "two codecs");
        assert_eq!(read(b"\x95\x01Opus\x03ab"), Ok(Packet::Nothing), "another track alone");
        assert_eq!(read(b"\x97\x02\x00\x00\x05\x01Opusab"), frame, "nanoseconds");
        assert_eq!(read(b"\x97\x00\x01\x07\x00\x01\x05\x01Opus\x00ab"), frame, "two extensions, then a track");
        let long = [&b"\x97\xff\x01\x00"[..], &[0; 257], b"\x01Opusab"].concat();
        assert_eq!(parse(&long.into()), frame, "a long extension");
        for cut in [&b"\x97"[..], b"\x97\x09", b"\x95\x11Opus\x00\x00\x00\x05ab", b"\x95", b"\x91Opu"] {
            assert_eq!(read(cut), Err(AudioError::Truncated), "{cut:?}");
        }
    }

    #[test]
    fn other_codecs_have_names() {
        assert_eq!(read(&[0x7f, 1]), Ok(Packet::Unsupported("G.711 A-law".into())));
        assert_eq!(read(b"\x90ac-3"), Ok(Packet::Unsupported("AC-3".into())));
        assert_eq!(read(b"\x90new!"), Ok(Packet::Unsupported("new!".into())));
        assert_eq!(read(b"\x90\x1b[2J"), Ok(Packet::Unsupported("unknown".into())));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(
            first in prop_oneof![any::<u8>(), 0x90u8..0xa0], body in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            let _ = parse(&[&[first], &body[..]].concat().into());
        }
    }
}
