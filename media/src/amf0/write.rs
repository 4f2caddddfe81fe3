//! Writing AMF0.

use bytes::{BufMut, BytesMut};

use super::{MAX_DEPTH, Value, marker};

/// Appends one value.
///
/// What AMF0 cannot state is written as the nearest thing a reader accepts: strings over 65,535 bytes as long
/// strings, longer names cut at a character, a field with an empty name (which would end the object) left out, and
/// containers deeper than [`MAX_DEPTH`] as null.
pub fn write(value: &Value, out: &mut BytesMut) {
    put(value, out, MAX_DEPTH);
}

fn put(value: &Value, out: &mut BytesMut, depth: usize) {
    let is_container =
        matches!(value, Value::Object(_) | Value::EcmaArray(_) | Value::StrictArray(_) | Value::Typed { .. });
    if is_container && depth == 0 {
        out.put_u8(marker::NULL);
        return;
    }
    let inner = depth.saturating_sub(1);
    match value {
        Value::Number(number) => {
            out.put_u8(marker::NUMBER);
            out.put_f64(*number);
        }
        Value::Boolean(truth) => out.put_slice(&[marker::BOOLEAN, u8::from(*truth)]),
        Value::String(text) => match u16::try_from(text.len()) {
            Ok(length) => {
                out.put_u8(marker::STRING);
                out.put_u16(length);
                out.put_slice(text.as_bytes());
            }
            Err(_) => put_long(marker::LONG_STRING, text, out),
        },
        Value::Object(fields) => {
            out.put_u8(marker::OBJECT);
            put_fields(fields, out, inner);
        }
        Value::Null => out.put_u8(marker::NULL),
        Value::Undefined => out.put_u8(marker::UNDEFINED),
        Value::EcmaArray(fields) => {
            out.put_u8(marker::ECMA_ARRAY);
            out.put_u32(u32::try_from(fields.len()).unwrap_or(u32::MAX));
            put_fields(fields, out, inner);
        }
        Value::StrictArray(items) => {
            out.put_u8(marker::STRICT_ARRAY);
            let count = u32::try_from(items.len()).unwrap_or(u32::MAX);
            out.put_u32(count);
            for item in items.iter().take(usize::try_from(count).unwrap_or(usize::MAX)) {
                put(item, out, inner);
            }
        }
        Value::Date { ms, zone } => {
            out.put_u8(marker::DATE);
            out.put_f64(*ms);
            out.put_i16(*zone);
        }
        Value::LongString(text) => put_long(marker::LONG_STRING, text, out),
        Value::Unsupported => out.put_u8(marker::UNSUPPORTED),
        Value::Xml(text) => put_long(marker::XML, text, out),
        Value::Typed { class, fields } => {
            out.put_u8(marker::TYPED_OBJECT);
            put_name(class, out);
            put_fields(fields, out, inner);
        }
    }
}

fn put_fields(fields: &[(String, Value)], out: &mut BytesMut, depth: usize) {
    for (name, value) in fields.iter().filter(|(name, _)| !name.is_empty()) {
        put_name(name, out);
        put(value, out, depth);
    }
    out.put_slice(&[0, 0, marker::OBJECT_END]);
}

fn put_name(name: &str, out: &mut BytesMut) {
    let name = name.get(..name.floor_char_boundary(0xffff)).unwrap_or_default();
    out.put_u16(u16::try_from(name.len()).unwrap_or(u16::MAX));
    out.put_slice(name.as_bytes());
}

fn put_long(marker: u8, text: &str, out: &mut BytesMut) {
    // Nobody holds 4 GiB of text; the cut keeps length and bytes equal if somebody does.
    let limit = usize::try_from(u32::MAX).unwrap_or(usize::MAX);
    let text = text.get(..text.floor_char_boundary(limit)).unwrap_or_default();
    out.put_u8(marker);
    out.put_u32(u32::try_from(text.len()).unwrap_or(u32::MAX));
    out.put_slice(text.as_bytes());
}
