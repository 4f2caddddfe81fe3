//! One whole RTMP message and the numbers of its types (RTMP 1.0 §5.4, §6.1, §7.1).

use bytes::Bytes;

/// What the chunk reader gives: a message put together again, whatever chunks it came in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The sender's clock in milliseconds, 32 bits, wrapping.
    pub at: u32,
    /// One of [`kind`], or anything else a peer made up.
    pub kind: u8,
    /// Message stream: 0 is the connection itself, others come from `createStream`.
    pub stream: u32,
    pub body: Bytes,
}

/// Message type ids.
pub mod kind {
    pub const SET_CHUNK_SIZE: u8 = 1;
    pub const ABORT: u8 = 2;
    pub const USER_CONTROL: u8 = 4;
    pub const WINDOW_ACKNOWLEDGEMENT_SIZE: u8 = 5;
    pub const AUDIO: u8 = 8;
    pub const VIDEO: u8 = 9;
    pub const DATA_AMF3: u8 = 15;
    pub const COMMAND_AMF3: u8 = 17;
    pub const DATA_AMF0: u8 = 18;
    pub const COMMAND_AMF0: u8 = 20;
    pub const AGGREGATE: u8 = 22;

    /// Types that carry frames and may therefore be large.
    pub fn is_media(kind: u8) -> bool {
        matches!(kind, AUDIO | VIDEO | AGGREGATE)
    }
}

/// Four bytes, big endian, from the start of `body`; `None` when there are fewer.
pub fn leading_u32(body: &[u8]) -> Option<u32> {
    body.first_chunk::<4>().map(|bytes| u32::from_be_bytes(*bytes))
}
