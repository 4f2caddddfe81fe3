//! Our own messages to bytes, by `rml_rtmp`'s chunk serializer. Commands are written by `madang_media::amf0`.

use super::{message::kind, words::Status};
use bytes::{Bytes, BytesMut};
use madang_media::{
    amf0::{self, Value},
    flv::{Tag, TagKind},
};
use rml_rtmp::{
    chunk_io::ChunkSerializer,
    messages::{MessagePayload, PeerBandwidthLimitType, RtmpMessage, UserControlEventType},
    time::RtmpTimestamp,
};

/// Announced before anything else, so that every command of ours is one chunk.
const CHUNK_SIZE: u32 = 4096;

/// A stamp from here on stands behind the header (§5.3.1.3).
const EXTENDED: u32 = 0x00ff_ffff;

/// Gathers what is to be sent until the connection takes it.
pub struct Outbound {
    serializer: ChunkSerializer,
    bytes: Vec<u8>,
}

impl Outbound {
    pub fn new() -> Self {
        Self { serializer: ChunkSerializer::new(), bytes: Vec::new() }
    }

    /// What was gathered since the last call.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }

    pub fn set_chunk_size(&mut self) {
        let packet = self.serializer.set_max_chunk_size(CHUNK_SIZE, RtmpTimestamp::new(0));
        self.append(packet.map(|packet| packet.bytes));
    }

    pub fn window_acknowledgement_size(&mut self, size: u32) {
        self.control(RtmpMessage::WindowAcknowledgement { size });
    }

    pub fn peer_bandwidth(&mut self, size: u32) {
        self.control(RtmpMessage::SetPeerBandwidth { size, limit_type: PeerBandwidthLimitType::Dynamic });
    }

    /// `total` is all bytes received so far, modulo 2^32 (RTMP 1.0 §5.4.3).
    pub fn acknowledgement(&mut self, total: u32) {
        self.control(RtmpMessage::Acknowledgement { sequence_number: total });
    }

    pub fn stream_begin(&mut self, stream: u32) {
        self.user_control(UserControlEventType::StreamBegin, Some(stream), None);
    }

    pub fn stream_eof(&mut self, stream: u32) {
        self.user_control(UserControlEventType::StreamEof, Some(stream), None);
    }

    pub fn ping_response(&mut self, stamp: u32) {
        self.user_control(UserControlEventType::PingResponse, None, Some(stamp));
    }

    /// `_result` to the transaction.
    pub fn result(&mut self, transaction: f64, properties: Value, information: Value) {
        self.command(0, &[text("_result"), Value::Number(transaction), properties, information]);
    }

    /// `_error` to the transaction.
    pub fn error(&mut self, transaction: f64, status: &Status) {
        self.command(0, &[text("_error"), Value::Number(transaction), Value::Null, information(status, &[])]);
    }

    pub fn on_status(&mut self, stream: u32, status: &Status) {
        self.command(stream, &[text("onStatus"), Value::Number(0.0), Value::Null, information(status, &[])]);
    }

    /// Says that the player may look at raw samples; some wait for it before they show anything.
    pub fn sample_access(&mut self, stream: u32) {
        let mut data = BytesMut::new();
        for value in [text("|RtmpSampleAccess"), Value::Boolean(true), Value::Boolean(true)] {
            amf0::write(&value, &mut data);
        }
        self.message(kind::DATA_AMF0, stream, data.freeze());
    }

    /// A tag as a message of its own type. Written here and not by the serializer, which would leave out the second of two stamps that
    /// are 2^24 ms apart: each begins with a full header, so nothing depends on what was sent before (§5.3.1.2).
    pub fn media(&mut self, stream: u32, tag: &Tag) {
        let (type_id, chunk_stream) = match tag.kind {
            TagKind::Audio => (kind::AUDIO, 4),
            TagKind::Video => (kind::VIDEO, 5),
            TagKind::Script => (kind::DATA_AMF0, 7),
        };
        // An FLV tag's body has 24 bits of length, as a message has.
        let [_, length @ ..] = u32::try_from(tag.body.len()).unwrap_or(0).to_be_bytes();
        let [_, _, _, _, stamp @ ..] = tag.at.0.to_be_bytes();
        let stamp = u32::from_be_bytes(stamp);
        let extended = (stamp >= EXTENDED).then(|| stamp.to_be_bytes());
        let [_, short @ ..] = stamp.min(EXTENDED).to_be_bytes();
        for (number, piece) in tag.body.chunks(CHUNK_SIZE as usize).enumerate() {
            if number == 0 {
                self.bytes.push(chunk_stream);
                self.bytes.extend(short);
                self.bytes.extend(length);
                self.bytes.push(type_id);
                self.bytes.extend(stream.to_le_bytes());
            } else {
                self.bytes.push(0b1100_0000 | chunk_stream);
            }
            self.bytes.extend(extended.into_iter().flatten());
            self.bytes.extend(piece);
        }
    }

    fn command(&mut self, stream: u32, values: &[Value]) {
        let mut data = BytesMut::new();
        for value in values {
            amf0::write(value, &mut data);
        }
        self.message(kind::COMMAND_AMF0, stream, data.freeze());
    }

    fn user_control(&mut self, event_type: UserControlEventType, stream_id: Option<u32>, stamp: Option<u32>) {
        let timestamp = stamp.map(RtmpTimestamp::new);
        self.control(RtmpMessage::UserControl { event_type, stream_id, buffer_length: None, timestamp });
    }

    fn control(&mut self, message: RtmpMessage) {
        match message.into_message_payload(RtmpTimestamp::new(0), 0) {
            Ok(payload) => self.payload(&payload),
            Err(error) => tracing::error!(%error, "an RTMP control message could not be written"),
        }
    }

    fn message(&mut self, type_id: u8, message_stream_id: u32, data: Bytes) {
        self.payload(&MessagePayload { timestamp: RtmpTimestamp::new(0), type_id, message_stream_id, data });
    }

    /// Full headers where the message is one chunk, because some encoders want them; the serializer would repeat a full header in
    /// the middle of a longer message, so those are written compressed.
    fn payload(&mut self, payload: &MessagePayload) {
        let one_chunk = payload.data.len() <= CHUNK_SIZE as usize;
        let packet = self.serializer.serialize(payload, one_chunk, false);
        self.append(packet.map(|packet| packet.bytes));
    }

    fn append<E: std::fmt::Display>(&mut self, packet: Result<Vec<u8>, E>) {
        match packet {
            Ok(bytes) => self.bytes.extend_from_slice(&bytes),
            Err(error) => tracing::error!(%error, "an RTMP message could not be written"),
        }
    }
}

pub fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

/// The information object of an answer, with fields of its own behind the usual three.
pub fn information(status: &Status, more: &[(&str, Value)]) -> Value {
    let usual =
        [("level", text(status.level)), ("code", text(status.code)), ("description", text(&status.description))];
    Value::Object(usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
}
