//! Reading AMF0 under limits.

use super::{MAX_DEPTH, Value, marker};
use crate::bytes_in::BytesIn;

/// What a reader accepts. The defaults are generous for commands and metadata of every known encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Containers inside containers, at most [`MAX_DEPTH`] whatever is set here; 1 allows a flat object.
    pub depth: usize,
    /// Values of one call in all, those inside containers included.
    pub values: usize,
    /// Bytes of one string or name.
    pub string_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: MAX_DEPTH, values: 4096, string_bytes: 0xffff }
    }
}

/// Why bytes are not readable AMF0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Amf0Error {
    /// The input ends inside a value.
    #[error("the AMF0 data end inside a value")]
    Truncated,
    /// A type marker the specification does not define, or one without use here (MovieClip, RecordSet, AVM+).
    #[error("AMF0 type {0:#04x} is not supported")]
    Marker(u8),
    /// A reference to an earlier object (0x07), by its index.
    #[error("AMF0 references are not supported (object {0})")]
    Reference(u16),
    /// Containers nested deeper than [`Limits::depth`].
    #[error("the AMF0 data are nested too deep")]
    TooDeep,
    /// More values than [`Limits::values`].
    #[error("the AMF0 data hold too many values")]
    TooMany,
    /// A string or name longer than [`Limits::string_bytes`].
    #[error("an AMF0 string of {0} bytes is too long")]
    StringTooLong(usize),
    /// An object's empty last name is not followed by the end marker.
    #[error("an AMF0 object does not end where its last name says")]
    NoObjectEnd,
}

/// Reads one value and moves `input` past it; on an error `input` stays where it was.
///
/// # Errors
/// See [`Amf0Error`].
pub fn read(input: &mut &[u8], limits: &Limits) -> Result<Value, Amf0Error> {
    let mut reader = Reader::new(input, limits);
    let value = reader.value(limits.depth.min(MAX_DEPTH))?;
    *input = reader.input.rest();
    Ok(value)
}

/// Reads values until the input ends; [`Limits::values`] counts them all together.
///
/// # Errors
/// See [`Amf0Error`]; values before the faulty one are lost.
pub fn read_all(input: &[u8], limits: &Limits) -> Result<Vec<Value>, Amf0Error> {
    let mut reader = Reader::new(input, limits);
    let mut values = Vec::new();
    while !reader.input.rest().is_empty() {
        values.push(reader.value(limits.depth.min(MAX_DEPTH))?);
    }
    Ok(values)
}

struct Reader<'a> {
    input: BytesIn<'a>,
    values_left: usize,
    string_bytes: usize,
}

impl<'a> Reader<'a> {
    fn new(input: &'a [u8], limits: &Limits) -> Self {
        Self { input: BytesIn::new(input), values_left: limits.values, string_bytes: limits.string_bytes }
    }

    /// One value; `depth` containers may still be opened. This is the only recursion, and `depth` bounds it.
    fn value(&mut self, depth: usize) -> Result<Value, Amf0Error> {
        self.values_left = self.values_left.checked_sub(1).ok_or(Amf0Error::TooMany)?;
        let marker = self.input.u8().ok_or(Amf0Error::Truncated)?;
        let inner = || depth.checked_sub(1).ok_or(Amf0Error::TooDeep);
        Ok(match marker {
            marker::NUMBER => Value::Number(self.input.f64().ok_or(Amf0Error::Truncated)?),
            marker::BOOLEAN => Value::Boolean(self.input.u8().ok_or(Amf0Error::Truncated)? != 0),
            marker::STRING => Value::String(self.short_string()?),
            marker::OBJECT => Value::Object(self.fields(inner()?)?),
            marker::NULL => Value::Null,
            marker::UNDEFINED => Value::Undefined,
            marker::REFERENCE => return Err(Amf0Error::Reference(self.input.u16().ok_or(Amf0Error::Truncated)?)),
            marker::ECMA_ARRAY => {
                // A count that is a hint only (§2.10): many writers put 0 here.
                self.input.u32().ok_or(Amf0Error::Truncated)?;
                Value::EcmaArray(self.fields(inner()?)?)
            }
            marker::STRICT_ARRAY => Value::StrictArray(self.items(inner()?)?),
            marker::DATE => Value::Date {
                ms: self.input.f64().ok_or(Amf0Error::Truncated)?,
                zone: self.input.i16().ok_or(Amf0Error::Truncated)?,
            },
            marker::LONG_STRING => Value::LongString(self.long_string()?),
            marker::UNSUPPORTED => Value::Unsupported,
            marker::XML => Value::Xml(self.long_string()?),
            marker::TYPED_OBJECT => {
                let inner = inner()?;
                Value::Typed { class: self.short_string()?, fields: self.fields(inner)? }
            }
            other => return Err(Amf0Error::Marker(other)),
        })
    }

    /// Names and values up to the end marker (§2.5).
    fn fields(&mut self, depth: usize) -> Result<Vec<(String, Value)>, Amf0Error> {
        let mut fields = Vec::new();
        loop {
            let name = self.short_string()?;
            if name.is_empty() {
                // An empty name is legal by the letter of §2.5 but stands before the end marker everywhere.
                return match self.input.u8() {
                    Some(marker::OBJECT_END) => Ok(fields),
                    Some(_) => Err(Amf0Error::NoObjectEnd),
                    None => Err(Amf0Error::Truncated),
                };
            }
            fields.push((name, self.value(depth)?));
        }
    }

    /// A counted array (§2.12). The count is the peer's word, so nothing is reserved for it.
    fn items(&mut self, depth: usize) -> Result<Vec<Value>, Amf0Error> {
        let count = self.input.u32().ok_or(Amf0Error::Truncated)?;
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(self.value(depth)?);
        }
        Ok(items)
    }

    fn short_string(&mut self) -> Result<String, Amf0Error> {
        let length = self.input.u16().ok_or(Amf0Error::Truncated)?;
        self.text(usize::from(length))
    }

    fn long_string(&mut self) -> Result<String, Amf0Error> {
        let length = self.input.u32().ok_or(Amf0Error::Truncated)?;
        self.text(usize::try_from(length).unwrap_or(usize::MAX))
    }

    fn text(&mut self, length: usize) -> Result<String, Amf0Error> {
        if length > self.string_bytes {
            return Err(Amf0Error::StringTooLong(length));
        }
        let bytes = self.input.take(length).ok_or(Amf0Error::Truncated)?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }
}
