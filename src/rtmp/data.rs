//! Messages that are not one tag: data messages become script tags, aggregate messages are taken apart.

use super::message::{Message, kind};
use bytes::{Buf, Bytes};
use madang_media::{
    amf0::{self, Value},
    flv::TagKind,
};

/// Bounds on the AMF0 of one data message. Strings are bounded by the message anyway.
const LIMITS: amf0::Limits = amf0::Limits { depth: 16, values: 4_096, string_bytes: 64 * 1024 };
const SET_DATA_FRAME: &str = "@setDataFrame";

/// The body of the script tag that a data message means: a name and its values in AMF0, without the `@setDataFrame` that asks a
/// server to keep them. `None` when there is nothing to pass on: no name, broken AMF0, or another instruction to the server.
pub fn script(message_kind: u8, body: &Bytes) -> Option<Bytes> {
    let mut body = body.clone();
    // Type 15 is AMF3: in practice one zero byte, then AMF0.
    if message_kind == kind::DATA_AMF3 && body.first() == Some(&0) {
        body.advance(1);
    }
    let mut rest: &[u8] = &body;
    let Ok(Value::String(name)) = amf0::read(&mut rest, &LIMITS) else { return None };
    let tag = match name.as_str() {
        SET_DATA_FRAME => body.slice_ref(rest),
        name if name.starts_with('@') => return None,
        _ => body.clone(),
    };
    // Viewers' players get these bytes as they are, so they must be sound to the end.
    let values = amf0::read_all(&tag, &LIMITS).ok()?;
    matches!(values.first(), Some(Value::String(name)) if !name.is_empty()).then_some(tag)
}

/// A tag inside an aggregate message.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    pub kind: TagKind,
    /// 32-bit stamp on the clock of the connection.
    pub at: u32,
    pub body: Bytes,
}

/// The tags of an aggregate message (RTMP 1.0 §7.1.6): FLV framed, their stamps relative to the first one's. Ends at the first
/// part that is not whole.
pub fn aggregate(message: &Message) -> Aggregate {
    Aggregate { at: message.at, first: None, rest: message.body.clone() }
}

pub struct Aggregate {
    at: u32,
    first: Option<u32>,
    rest: Bytes,
}

const HEADER: usize = 11;
const BACK_POINTER: usize = 4;

impl Iterator for Aggregate {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        loop {
            let [number, l0, l1, l2, t0, t1, t2, t3, ..] = *self.rest.first_chunk::<HEADER>()?;
            let length = u32::from_be_bytes([0, l0, l1, l2]) as usize;
            let stamp = u32::from_be_bytes([t3, t0, t1, t2]);
            if self.rest.len() < HEADER + length {
                self.rest.clear();
                return None;
            }
            self.rest.advance(HEADER);
            let body = self.rest.split_to(length);
            self.rest.advance(BACK_POINTER.min(self.rest.len()));
            let first = *self.first.get_or_insert(stamp);
            if let Some(kind) = TagKind::from_number(number) {
                return Some(Part { kind, at: self.at.wrapping_add(stamp.wrapping_sub(first)), body });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use madang_media::flv;
    use proptest::prelude::*;

    fn amf(values: &[Value]) -> Bytes {
        let mut out = BytesMut::new();
        for value in values {
            amf0::write(value, &mut out);
        }
        out.freeze()
    }

    fn text(text: &str) -> Value {
        Value::String(text.into())
    }

    #[test]
    fn set_data_frame_is_taken_off() {
        let metadata = Value::EcmaArray(vec![("width".into(), Value::Number(1280.0))]);
        let sent = amf(&[text("@setDataFrame"), text("onMetaData"), metadata.clone()]);
        let kept = amf(&[text("onMetaData"), metadata]);
        assert_eq!(script(kind::DATA_AMF0, &sent), Some(kept.clone()));
        assert_eq!(script(kind::DATA_AMF0, &kept), Some(kept.clone()), "some send it without");
        let amf3: Bytes = [&[0], &sent[..]].concat().into();
        assert_eq!(script(kind::DATA_AMF3, &amf3), Some(kept));
    }

    #[test]
    fn a_set_data_frame_with_nothing_behind_it_is_dropped() {
        assert_eq!(script(kind::DATA_AMF0, &amf(&[text("@setDataFrame")])), None);
        assert_eq!(script(kind::DATA_AMF0, &amf(&[text("@clearDataFrame"), text("onMetaData")])), None);
        assert_eq!(script(kind::DATA_AMF0, &amf(&[text("@setDataFrame"), Value::Number(1.0)])), None);
        assert_eq!(script(kind::DATA_AMF0, &Bytes::new()), None);
        assert_eq!(script(kind::DATA_AMF3, &Bytes::from_static(&[0])), None);
    }

    #[test]
    fn an_aggregate_is_its_tags_on_the_clock_of_the_message() {
        let mut body = BytesMut::new();
        flv::write_tag(&mut body, TagKind::Audio, 500, &[0xAF, 1, 7]);
        flv::write_tag(&mut body, TagKind::Video, 540, &[0x27, 1, 0, 0, 0, 9]);
        let message = Message { at: u32::MAX - 9, kind: kind::AGGREGATE, stream: 1, body: body.freeze() };
        let parts: Vec<Part> = aggregate(&message).collect();
        assert_eq!(
            parts.iter().map(|part| (part.kind, part.at)).collect::<Vec<_>>(),
            [(TagKind::Audio, u32::MAX - 9), (TagKind::Video, 30),]
        );
        assert_eq!(parts.last().map(|part| part.body.len()), Some(6));
    }

    #[test]
    fn a_cut_off_aggregate_gives_its_whole_tags() {
        let mut body = BytesMut::new();
        flv::write_tag(&mut body, TagKind::Audio, 0, &[0xAF, 1, 7]);
        let whole = body.len();
        flv::write_tag(&mut body, TagKind::Audio, 23, &[0xAF, 1, 8]);
        for end in 0..body.len() {
            let message = Message { at: 0, kind: kind::AGGREGATE, stream: 1, body: body.clone().freeze().slice(..end) };
            assert_eq!(aggregate(&message).count(), usize::from(end >= whole - 4) + usize::from(end >= body.len() - 4));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_taken(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let body = Bytes::from(body);
            let _ = script(kind::DATA_AMF0, &body);
            let _ = aggregate(&Message { at: 0, kind: kind::AGGREGATE, stream: 1, body }).count();
        }
    }
}
