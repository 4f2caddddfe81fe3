//! AMF0 stub
use bytes::BytesMut;
/// v
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A double (0x00).
    Number(f64),
    /// 0x01.
    Boolean(bool),
    /// A string (0x02).
    String(String),
    /// An anonymous object (0x03).
    Object(Vec<(String, Value)>),
    /// 0x05.
    Null,
    /// 0x06.
    Undefined,
    /// 0x08.
    EcmaArray(Vec<(String, Value)>),
    /// 0x0a.
    StrictArray(Vec<Value>),
    /// 0x0b.
    Date {
        /// ms since 1970
        ms: f64,
        /// zone
        zone: i16,
    },
    /// 0x0c.
    LongString(String),
    /// 0x0d
    Unsupported,
    /// 0x0f.
    Xml(String),
    /// 0x10.
    Typed {
        /// class
        class: String,
        /// fields
        fields: Vec<(String, Value)>,
    },
}
impl Value {
    /// get
    pub fn get(&self, _name: &str) -> Option<&Value> { None }
    /// n
    pub fn as_f64(&self) -> Option<f64> { None }
    /// s
    pub fn as_str(&self) -> Option<&str> { None }
    /// b
    pub fn as_bool(&self) -> Option<bool> { None }
}
/// l
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// containers in containers
    pub depth: usize,
    /// values
    pub values: usize,
    /// bytes per string
    pub string_bytes: usize,
}
impl Default for Limits {
    fn default() -> Self { Self { depth: 16, values: 4096, string_bytes: 65_536 } }
}
/// e
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Amf0Error {
    /// Ends inside a value.
    #[error("AMF0 data ends inside a value")]
    Truncated,
}
/// r
pub fn read(_input: &mut &[u8], _limits: &Limits) -> Result<Value, Amf0Error> { Err(Amf0Error::Truncated) }
/// r
pub fn read_all(_input: &[u8], _limits: &Limits) -> Result<Vec<Value>, Amf0Error> { Err(Amf0Error::Truncated) }
/// w
pub fn write(_value: &Value, _out: &mut BytesMut) {}
