//! The first bytes of a video tag (E.4.3) and, for AVC, of its packet (E.4.3.2).

use bytes::Bytes;

use super::audio::four_cc_name;
use crate::bytes_in::BytesIn;

/// What a video tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// An AVCDecoderConfigurationRecord (packet type 0), see [`avc::DecoderConfig`](crate::avc::DecoderConfig).
    Config(Bytes),
    /// An access unit (packet type 1): NAL units, each after its length.
    Frame {
        /// Frame type 1: decoding may start here.
        keyframe: bool,
        /// Frame type 3: no other frame is decoded from this one.
        disposable: bool,
        /// Presentation minus decoding time in ms; negative in streams some encoders write.
        composition: i32,
        /// The NAL units.
        data: Bytes,
    },
    /// The encoder says that no more frames follow until the next configuration (packet type 2).
    EndOfSequence,
    /// Nothing to decode: an empty tag, or a command frame (frame type 5).
    Nothing,
    /// Another codec than AVC, by the name people know it by.
    Unsupported(String),
}

/// A video tag that ends before its header does, or states a packet type that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// Fewer than the 5 bytes of an AVC packet's header.
    #[error("an AVC tag of {0} bytes is too short for its header")]
    Truncated(usize),
    /// AVCPacketType is 0, 1 or 2.
    #[error("AVC packet type {0} does not exist")]
    PacketType(u8),
}

/// Reads the body of a video tag; the data in the answer are slices of it.
///
/// # Errors
/// See [`VideoError`]; an empty body and another codec are answers, not errors.
pub fn parse(body: &Bytes) -> Result<Packet, VideoError> {
    let mut input = BytesIn::new(body);
    let Some(first) = input.u8() else { return Ok(Packet::Nothing) };
    if first & 0x80 != 0 {
        // Enhanced RTMP v2 §ExVideoTagHeader: the codec is a FourCC in the four bytes that follow.
        return Ok(Packet::Unsupported(four_cc_name(input.rest())));
    }
    let frame_type = first >> 4;
    if frame_type == 5 {
        return Ok(Packet::Nothing);
    }
    if first & 0x0f != 7 {
        return Ok(Packet::Unsupported(codec_name(first & 0x0f)));
    }
    let (Some(packet_type), Some(composition)) = (input.u8(), input.i24()) else {
        return Err(VideoError::Truncated(body.len()));
    };
    let data = body.slice_ref(input.rest());
    match packet_type {
        0 => Ok(Packet::Config(data)),
        1 if data.is_empty() => Ok(Packet::Nothing),
        1 => Ok(Packet::Frame { keyframe: frame_type == 1, disposable: frame_type == 3, composition, data }),
        2 => Ok(Packet::EndOfSequence),
        other => Err(VideoError::PacketType(other)),
    }
}

/// CodecID of E.4.3.1; 12 and 13 are common additions.
fn codec_name(id: u8) -> String {
    match id {
        2 => "Sorenson H.263".into(),
        3 | 6 => "Screen video".into(),
        4 | 5 => "VP6".into(),
        12 => "HEVC".into(),
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
        assert_eq!(read(&[0x17, 0, 0, 0, 0, 1, 2]), Ok(Packet::Config(Bytes::from_static(&[1, 2]))));
        assert_eq!(
            read(&[0x17, 1, 0, 0, 80, 9]),
            Ok(Packet::Frame { keyframe: true, disposable: false, composition: 80, data: Bytes::from_static(&[9]) })
        );
        assert_eq!(
            read(&[0x37, 1, 0xff, 0xff, 0xd8, 9]),
            Ok(Packet::Frame { keyframe: false, disposable: true, composition: -40, data: Bytes::from_static(&[9]) })
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
    fn other_codecs_have_names() {
        assert_eq!(read(&[0x12, 0]), Ok(Packet::Unsupported("Sorenson H.263".into())));
        assert_eq!(read(&[0x1c, 0]), Ok(Packet::Unsupported("HEVC".into())));
        assert_eq!(read(b"\x90hvc1"), Ok(Packet::Unsupported("HEVC".into())));
        assert_eq!(read(b"\x90av01"), Ok(Packet::Unsupported("AV1".into())));
        assert_eq!(read(b"\x90zz"), Ok(Packet::Unsupported("unknown".into())));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body in prop::collection::vec(any::<u8>(), 0..32)) {
            let _ = parse(&body.into());
        }
    }
}
