//! A synthetic encoder for tests: tags of the right shape, with bodies that can be recognised.

use bytes::{Bytes, BytesMut};
use madang_media::{
    Millis,
    amf0::{self, Value},
    flv::{Tag, TagKind},
};

/// The sequence header of H.264 High, level 3.0, 640x360, that
/// `ffmpeg -f lavfi -i testsrc=size=640x360:rate=30 -pix_fmt yuv420p -c:v libx264 -preset veryfast -level 3.0 -f flv` writes.
pub(crate) const AVC_CONFIG: &[u8] = &[
    0x17, 0x00, 0x00, 0x00, 0x00, 0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9,
    0x40, 0xa0, 0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03, 0x00, 0x3c, 0x0f, 0x16, 0x2d,
    0x96, 0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
];

/// A sequence header of AAC-LC, 48 kHz, stereo.
pub(crate) const AAC_CONFIG: &[u8] = &[0xaf, 0, 0x11, 0x90];

fn tag(kind: TagKind, at: i64, body: impl Into<Bytes>) -> Tag {
    Tag { kind, at: Millis(at), body: body.into() }
}

pub(crate) fn avc_config() -> Tag {
    tag(TagKind::Video, 0, AVC_CONFIG)
}

/// Another one: the same with another level.
pub(crate) fn other_avc_config() -> Tag {
    let mut body = AVC_CONFIG.to_vec();
    body[8] = 0x1f;
    body[16] = 0x1f;
    tag(TagKind::Video, 0, body)
}

pub(crate) fn aac_config() -> Tag {
    tag(TagKind::Audio, 0, AAC_CONFIG)
}

/// A key frame with `size` bytes of payload.
pub(crate) fn key(at: i64, size: usize) -> Tag {
    tag(TagKind::Video, at, [&[0x17, 1, 0, 0, 0][..], &vec![at as u8; size]].concat())
}

/// A frame that needs the ones before it.
pub(crate) fn inter(at: i64, size: usize) -> Tag {
    tag(TagKind::Video, at, [&[0x27, 1, 0, 0, 0][..], &vec![at as u8; size]].concat())
}

pub(crate) fn sound(at: i64) -> Tag {
    tag(TagKind::Audio, at, [&[0xaf, 1][..], &[at as u8; 300]].concat())
}

/// The body of `onMetaData`.
pub(crate) fn metadata(fields: &[(&str, Value)]) -> Bytes {
    let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut body = BytesMut::new();
    amf0::write(&Value::String("onMetaData".to_owned()), &mut body);
    amf0::write(&Value::EcmaArray(fields), &mut body);
    body.freeze()
}

pub(crate) fn script(fields: &[(&str, Value)]) -> Tag {
    tag(TagKind::Script, 0, metadata(fields))
}
