//! AMF0, the values of RTMP commands and FLV script data (Action Message Format 0 specification, 2007).
//!
//! Reading is bounded by [`Limits`] in depth, number of values and length of strings: the nesting in the input never
//! becomes depth of the stack beyond the limit. AVM+ (AMF3 inside AMF0), MovieClip and RecordSet have no use in live
//! streaming and are errors; so is a reference, which no encoder writes and which would make a tree a graph.

mod read;
mod write;

pub use read::{Amf0Error, Limits, read, read_all};
pub use write::write;

/// Containers may be nested this deep; more is an error when reading and becomes null when writing.
pub const MAX_DEPTH: usize = 16;

/// Type markers (§2.1).
mod marker {
    pub(super) const NUMBER: u8 = 0x00;
    pub(super) const BOOLEAN: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const OBJECT: u8 = 0x03;
    pub(super) const NULL: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const REFERENCE: u8 = 0x07;
    pub(super) const ECMA_ARRAY: u8 = 0x08;
    pub(super) const OBJECT_END: u8 = 0x09;
    pub(super) const STRICT_ARRAY: u8 = 0x0a;
    pub(super) const DATE: u8 = 0x0b;
    pub(super) const LONG_STRING: u8 = 0x0c;
    pub(super) const UNSUPPORTED: u8 = 0x0d;
    pub(super) const XML: u8 = 0x0f;
    pub(super) const TYPED_OBJECT: u8 = 0x10;
}

/// One AMF0 value. Strings that are not UTF-8 are read with replacement characters.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double (0x00).
    Number(f64),
    /// A truth value (0x01).
    Boolean(bool),
    /// A string of at most 65,535 bytes (0x02); a longer one is written as [`Value::LongString`].
    String(String),
    /// Named values in their order (0x03). Names may repeat.
    Object(Vec<(String, Value)>),
    /// Null (0x05).
    Null,
    /// Undefined (0x06).
    Undefined,
    /// Named values in their order, as ActionScript writes an associative array (0x08). The stated count is a hint
    /// only and is not kept.
    EcmaArray(Vec<(String, Value)>),
    /// Values in their order (0x0A).
    StrictArray(Vec<Value>),
    /// A moment (0x0B).
    Date {
        /// Milliseconds since 1970-01-01 UTC.
        ms: f64,
        /// Reserved by the specification: 0, though some encoders put their time zone here, in minutes.
        zone: i16,
    },
    /// A string with a 32-bit length (0x0C).
    LongString(String),
    /// A value its writer could not represent (0x0D).
    Unsupported,
    /// An XML document as text (0x0F).
    Xml(String),
    /// An object of a named class (0x10).
    Typed {
        /// The class's name.
        class: String,
        /// Named values in their order.
        fields: Vec<(String, Value)>,
    },
}

impl Value {
    /// The value of the field called `name`: of an object, an ECMA array or a typed object; the last of equal names.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let fields = self.fields()?;
        fields.iter().rev().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// Named values, where there are some.
    pub fn fields(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(fields) | Self::EcmaArray(fields) | Self::Typed { fields, .. } => Some(fields),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    /// The text, if it is a string of either length.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::String(text) | Self::LongString(text) = self { Some(text) } else { None }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Boolean(truth) = self { Some(*truth) } else { None }
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Boolean(truth)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::String(text)
    }
}

#[cfg(test)]
mod tests;
