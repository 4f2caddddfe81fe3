//! The first bytes of an audio tag (E.4.2) and, for AAC, of its packet (E.4.2.2).

use bytes::Bytes;

use crate::bytes_in::BytesIn;

/// What an audio tag holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packet {
    /// An AudioSpecificConfig (packet type 0), see [`aac::AudioSpecificConfig`](crate::aac::AudioSpecificConfig).
    Config(Bytes),
    /// One raw AAC frame (packet type 1).
    Frame(Bytes),
    /// Nothing to decode: an empty tag or packet.
    Nothing,
    /// Another codec than AAC, by the name people know it by.
    Unsupported(String),
}

/// An AAC tag that ends before its header does, or states a packet type that does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// Fewer than the 2 bytes of an AAC packet's header.
    #[error("an AAC tag of one byte is too short for its header")]
    Truncated,
    /// AACPacketType is 0 or 1.
    #[error("AAC packet type {0} does not exist")]
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
    match first >> 4 {
        10 => {}
        // Enhanced RTMP v2 §ExAudioTagHeader: the codec is a FourCC in the four bytes that follow.
        9 => return Ok(Packet::Unsupported(four_cc_name(input.rest()))),
        other => return Ok(Packet::Unsupported(format_name(other))),
    }
    let packet_type = input.u8().ok_or(AudioError::Truncated)?;
    let data = body.slice_ref(input.rest());
    match packet_type {
        0 => Ok(Packet::Config(data)),
        1 if data.is_empty() => Ok(Packet::Nothing),
        1 => Ok(Packet::Frame(data)),
        other => Err(AudioError::PacketType(other)),
    }
}

/// SoundFormat of E.4.2.1.
fn format_name(format: u8) -> String {
    match format {
        0 | 3 => "PCM".into(),
        1 => "ADPCM".into(),
        2 | 14 => "MP3".into(),
        4..=6 => "Nellymoser".into(),
        7 => "G.711 A-law".into(),
        8 => "G.711 mu-law".into(),
        11 => "Speex".into(),
        13 => "Opus".into(),
        other => format!("FLV sound format {other}"),
    }
}

/// The name of the codec a FourCC of Enhanced RTMP stands for; its letters when it is not a known one.
pub(super) fn four_cc_name(input: &[u8]) -> String {
    let Some((four_cc, _)) = input.split_first_chunk::<4>() else { return "unknown".into() };
    match four_cc {
        b"avc1" => "H.264 by Enhanced RTMP".into(),
        b"hvc1" => "HEVC".into(),
        b"av01" => "AV1".into(),
        b"vp08" => "VP8".into(),
        b"vp09" => "VP9".into(),
        b"vvc1" => "VVC".into(),
        b"Opus" => "Opus".into(),
        b"fLaC" => "FLAC".into(),
        b"ac-3" => "AC-3".into(),
        b"ec-3" => "E-AC-3".into(),
        b".mp3" => "MP3".into(),
        b"mp4a" => "AAC by Enhanced RTMP".into(),
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
        assert_eq!(read(&[0xaf, 0, 0x11, 0x90]), Ok(Packet::Config(Bytes::from_static(&[0x11, 0x90]))));
        assert_eq!(read(&[0xaf, 1, 7]), Ok(Packet::Frame(Bytes::from_static(&[7]))));
        assert_eq!(read(&[0xaf, 1]), Ok(Packet::Nothing));
        assert_eq!(read(&[]), Ok(Packet::Nothing));
        assert_eq!(read(&[0xaf]), Err(AudioError::Truncated));
        assert_eq!(read(&[0xaf, 2]), Err(AudioError::PacketType(2)));
    }

    #[test]
    fn other_codecs_have_names() {
        assert_eq!(read(&[0x2f, 1]), Ok(Packet::Unsupported("MP3".into())));
        assert_eq!(read(b"\x90Opus"), Ok(Packet::Unsupported("Opus".into())));
        assert_eq!(read(b"\x90new!"), Ok(Packet::Unsupported("new!".into())));
        assert_eq!(read(b"\x90\x1b[2J"), Ok(Packet::Unsupported("unknown".into())));
    }

    proptest! {
        #[test]
        fn any_body_is_answered(body in prop::collection::vec(any::<u8>(), 0..32)) {
            let _ = parse(&body.into());
        }
    }
}
