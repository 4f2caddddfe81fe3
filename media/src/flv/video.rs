//! The first bytes of a video tag (E.4.3, Enhanced RTMP v2 §ExVideoTagHeader) and of its packet.

use bytes::Bytes;

use super::audio::four_cc_name;
use super::ex;
use crate::bytes_in::BytesIn;
use crate::codec::VideoCodec;

/// Frames whose composition time is 0 and left out.
const CODED_FRAMES_X: u8 = 3;
/// Such as colours for HDR, which the coded picture states too.
const METADATA: u8 = 4;
/// A configuration as MPEG-2 transport streams have it.
const MPEG2TS_SEQUENCE_START: u8 = 5;
/// Packet type of several tracks in one tag.
const MULTITRACK: u8 = 6;

/// What a video tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// A configuration, see [`codec::VideoConfig`](crate::codec::VideoConfig).
    Config(VideoCodec, Bytes),
    /// An access unit.
    Frame {
        /// What it is coded with.
        codec: VideoCodec,
        /// Frame type 1: decoding may start here.
        keyframe: bool,
        /// Frame type 3: no other frame is decoded from this one.
        disposable: bool,
        /// Presentation minus decoding time in ms; negative in streams some encoders write.
        composition: i32,
        /// H.264 and HEVC: NAL units, each after its length. AV1: a temporal unit. VP9: a frame.
        data: Bytes,
    },
    /// The encoder says that no more frames follow until the next configuration (packet type 2).
    EndOfSequence,
    /// Nothing to decode: an empty tag, a command frame (frame type 5), colours, or another track than the first.
    Nothing,
    /// Another codec, by the name people know it by.
    Unsupported(String),
}

/// A video tag that ends before its header does, or states a packet type that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The tag ends within its header.
    #[error("a video tag of {0} bytes is too short for its header")]
    Truncated(usize),
    /// The packet type has no meaning.
    #[error("video packet type {0} does not exist")]
    PacketType(u8),
}

/// Reads the body of a video tag; the data in the answer are slices of it.
///
/// # Errors
/// See [`VideoError`]; an empty body and another codec are answers, not errors.
pub fn parse(body: &Bytes) -> Result<Packet, VideoError> {
    let truncated = VideoError::Truncated(body.len());
    let mut input = BytesIn::new(body);
    let Some(first) = input.u8() else { return Ok(Packet::Nothing) };
    let frame_type = (first >> 4) & 7;
    if frame_type == 5 {
        return Ok(Packet::Nothing);
    }
    let (codec, packet_type, mut input) = if first & 0x80 != 0 {
        let Some(ex) = ex::read(first & 0x0f, MULTITRACK, input).map_err(|_| truncated)? else {
            return Ok(Packet::Nothing);
        };
        if matches!(ex.packet_type, METADATA | MPEG2TS_SEQUENCE_START) {
            return Ok(Packet::Nothing);
        }
        let Some(codec) = VideoCodec::of_four_cc(&ex.four_cc) else {
            return Ok(Packet::Unsupported(four_cc_name(&ex.four_cc)));
        };
        (codec, ex.packet_type, BytesIn::new(ex.data))
    } else {
        // 12 is what some encoders sent HEVC under before Enhanced RTMP.
        let codec = match first & 0x0f {
            7 => VideoCodec::Avc,
            12 => VideoCodec::Hevc,
            other => return Ok(Packet::Unsupported(codec_name(other))),
        };
        (codec, input.u8().ok_or(truncated)?, input)
    };
    let classic = first & 0x80 == 0;
    let timed = matches!(codec, VideoCodec::Avc | VideoCodec::Hevc) && packet_type == ex::CODED_FRAMES;
    let composition = if classic || timed { input.i24().ok_or(truncated)? } else { 0 };
    let rest = match (codec, input.rest()) {
        // A temporal delimiter has no place in MP4 (AV1 in ISO BMFF §2.4), and no use in FLV.
        (VideoCodec::Av1, [0x12, 0, rest @ ..]) => rest,
        (_, rest) => rest,
    };
    let data = body.slice_ref(rest);
    match packet_type {
        ex::SEQUENCE_START => Ok(Packet::Config(codec, data)),
        ex::CODED_FRAMES | CODED_FRAMES_X if data.is_empty() => Ok(Packet::Nothing),
        CODED_FRAMES_X if classic => Err(VideoError::PacketType(packet_type)),
        ex::CODED_FRAMES | CODED_FRAMES_X => {
            Ok(Packet::Frame { codec, keyframe: frame_type == 1, disposable: frame_type == 3, composition, data })
        }
        ex::SEQUENCE_END => Ok(Packet::EndOfSequence),
        other => Err(VideoError::PacketType(other)),
    }
}

/// CodecID of E.4.3.1; 12 and 13 are common additions.
fn codec_name(id: u8) -> String {
    match id {
        2 => "Sorenson H.263".into(),
        3 | 6 => "Screen video".into(),
        4 | 5 => "VP6".into(),
        13 => "AV1".into(),
        other => format!("FLV video codec {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &'static [u8]) -> Result<Packet, VideoError> {
        parse(&Bytes::from_static(body))
    }

    #[test]
    fn avc_packets() {
        let codec = VideoCodec::Avc;
        assert_eq!(read(&[0x17, 0, 0, 0, 0, 1, 2]), Ok(Packet::Config(codec, Bytes::from_static(&[1, 2]))));
        let data = Bytes::from_static(&[9]);
        assert_eq!(
            read(&[0x17, 1, 0, 0, 80, 9]),
            Ok(Packet::Frame { codec, keyframe: true, disposable: false, composition: 80, data: data.clone() })
        );
        assert_eq!(
            read(&[0x37, 1, 0xff, 0xff, 0xd8, 9]),
            Ok(Packet::Frame { codec, keyframe: false, disposable: true, composition: -40, data })
        );
        assert_eq!(read(&[0x17, 2, 0, 0, 0]), Ok(Packet::EndOfSequence));
    }

    #[test]
    fn nothing_and_errors() {
        assert_eq!(read(&[]), Ok(Packet::Nothing));
        assert_eq!(read(&[0x57, 0]), Ok(Packet::Nothing));
        assert_eq!(read(&[0x27, 1, 0, 0, 0]), Ok(Packet::Nothing));
        assert_eq!(read(&[0x17, 1]), Err(VideoError::Truncated(2)));
        assert_eq!(read(&[0x17, 9, 0, 0, 0]), Err(VideoError::PacketType(9)));
    }

    #[test]
    fn enhanced_packets() {
        let frame = |codec, composition, data: &'static [u8]| {
            let data = Bytes::from_static(data);
            Ok(Packet::Frame { codec, keyframe: true, disposable: false, composition, data })
        };
        let (avc, hevc, av1, vp9) = (VideoCodec::Avc, VideoCodec::Hevc, VideoCodec::Av1, VideoCodec::Vp9);
        assert_eq!(read(b"\x90hvc1cfg"), Ok(Packet::Config(hevc, Bytes::from_static(b"cfg"))));
        assert_eq!(read(b"\x91hvc1\0\0\x50x"), frame(hevc, 80, b"x"));
        assert_eq!(read(b"\x93hvc1x"), frame(hevc, 0, b"x"));
        assert_eq!(read(b"\x91avc1\xff\xff\xffx"), frame(avc, -1, b"x"));
        assert_eq!(read(b"\x91av01xyz"), frame(av1, 0, b"xyz"));
        assert_eq!(read(b"\x91av01\x12\0xyz"), frame(av1, 0, b"xyz"), "without its delimiter");
        assert_eq!(read(b"\x93vp09x"), frame(vp9, 0, b"x"));
        assert_eq!(read(b"\x92vp09"), Ok(Packet::EndOfSequence));
        assert_eq!(read(b"\xd4av01\x02\0\x09colorInfo"), Ok(Packet::Nothing), "colours");
        assert_eq!(read(b"\x94av01\x02\0\x09colorInfo"), Ok(Packet::Nothing), "colours");
        assert_eq!(read(b"\x96\x01av01\0xyz"), frame(av1, 0, b"xyz"), "a track");
        assert_eq!(read(b"\x96\x01av01\x01xyz"), Ok(Packet::Nothing), "the second track");
        assert_eq!(read(b"\x97\x02\0\0\x01\x01av01xyz"), frame(av1, 0, b"xyz"), "nanoseconds");
        assert_eq!(read(b"\x1c\0\0\0\0cfg"), Ok(Packet::Config(hevc, Bytes::from_static(b"cfg"))), "the older way");
        assert_eq!(read(b"\x98av01x"), Err(VideoError::PacketType(8)));
        assert_eq!(read(b"\x90av0"), Err(VideoError::Truncated(4)));
    }

    #[test]
    fn other_codecs_have_names() {
        assert_eq!(read(&[0x12, 0]), Ok(Packet::Unsupported("Sorenson H.263".into())));
        assert_eq!(read(b"\x90vp08"), Ok(Packet::Unsupported("VP8".into())));
        assert_eq!(read(b"\x90zz!!"), Ok(Packet::Unsupported("zz!!".into())));
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
