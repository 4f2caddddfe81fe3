//! Bytes to messages: the chunk stream of RTMP 1.0 §5.3, read incrementally and under limits.
//!
//! Several messages may be on their way at once, one per chunk stream; each is assembled on its own. Set Chunk Size and Abort are
//! obeyed here, because the bytes behind them cannot be read otherwise; everything else is handed on. Any split of the input gives
//! the same messages.
//!
//! Not here: what a message means.

mod header;

use super::message::{Message, kind, leading_u32};
use bytes::{Buf, Bytes, BytesMut};
use header::{Format, Header};

/// RTMP 1.0 §5.4.1: what both sides start with.
const INITIAL_CHUNK_SIZE: usize = 128;
/// No message is longer (24-bit length), so a larger chunk size means the same.
const MAX_CHUNK_SIZE: usize = 0xFF_FFFF;
/// A message up to this size that lies in one chunk is awaited whole and split off the read buffer instead of being copied.
const SPLIT_OFF_BYTES: usize = 64 * 1024;

/// Bounds on what a peer can make us hold.
#[derive(Clone, Copy, Debug)]
pub struct ChunkLimits {
    /// Longest audio, video or aggregate message, in bytes.
    pub media_bytes: usize,
    /// Longest message of any other type, in bytes.
    pub command_bytes: usize,
    /// Chunk streams that a peer may use in one connection.
    pub chunk_streams: usize,
    /// Announced lengths of all unfinished messages together, in bytes.
    pub assembly_bytes: usize,
}

/// Why the chunk stream cannot be read on. Each ends the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChunkError {
    #[error("chunk size {0} is not allowed (1 to 2147483647)")]
    ChunkSize(u32),
    #[error("a message of type {kind} announced {bytes} bytes, {limit} are allowed")]
    MessageTooLong { kind: u8, bytes: usize, limit: usize },
    #[error("more than {0} chunk streams")]
    TooManyChunkStreams(usize),
    #[error("unfinished messages of more than {0} bytes together")]
    TooMuchUnfinished(usize),
    #[error("chunk stream {0} begins with a header that refers to an earlier one")]
    NoEarlierHeader(u32),
    #[error("chunk stream {0} begins a message inside another")]
    MessageInterrupted(u32),
    #[error("a control message of type {kind} has {bytes} bytes")]
    ControlLength { kind: u8, bytes: usize },
}

/// What the headers of one chunk stream left behind, and its message in progress.
#[derive(Debug)]
struct ChunkStream {
    id: u32,
    at: u32,
    delta: u32,
    length: usize,
    kind: u8,
    stream: u32,
    /// The extended timestamp field of the last full header, when it had one.
    extended: Option<u32>,
    /// Whether this encoder repeats the extended timestamp in type 3 chunks (§5.3.1.3 says so, some do not). Learnt from the first.
    repeats: Option<bool>,
    unfinished: Option<BytesMut>,
}

/// The chunk whose payload is being read into its stream's unfinished message.
#[derive(Clone, Copy, Debug)]
struct OpenChunk {
    index: usize,
    left: usize,
}

/// Reads messages out of a growing buffer. See the module page.
#[derive(Debug)]
pub struct ChunkReader {
    limits: ChunkLimits,
    chunk_size: usize,
    streams: Vec<ChunkStream>,
    open: Option<OpenChunk>,
    assembling: usize,
}

/// What a step over the input came to.
enum Step {
    /// More input is needed.
    Short,
    /// Something was consumed, no message is whole yet.
    Onwards,
    Whole(Message),
}

impl ChunkReader {
    pub fn new(limits: ChunkLimits) -> Self {
        Self { limits, chunk_size: INITIAL_CHUNK_SIZE, streams: Vec::new(), open: None, assembling: 0 }
    }

    /// Other limits from the next message on, for instance when the peer has shown a key.
    pub fn set_limits(&mut self, limits: ChunkLimits) {
        self.limits = limits;
    }

    /// The next message, taken off the front of `input`; `None` when more input is needed. After an error the connection is over.
    pub fn next(&mut self, input: &mut BytesMut) -> Result<Option<Message>, ChunkError> {
        loop {
            let step = match self.open {
                Some(open) => self.fill(open, input),
                None => self.begin_chunk(input)?,
            };
            match step {
                Step::Short => return Ok(None),
                Step::Onwards => {}
                Step::Whole(message) => {
                    if !self.obey(&message)? {
                        return Ok(Some(message));
                    }
                }
            }
        }
    }

    /// Moves payload from the input into the unfinished message of the open chunk.
    fn fill(&mut self, open: OpenChunk, input: &mut BytesMut) -> Step {
        if input.is_empty() {
            return Step::Short;
        }
        let take = open.left.min(input.len());
        let Some(stream) = self.streams.get_mut(open.index) else {
            self.open = None;
            return Step::Onwards;
        };
        let assembly = stream.unfinished.get_or_insert_default();
        assembly.extend_from_slice(input.get(..take).unwrap_or_default());
        input.advance(take);
        self.open = (open.left > take).then_some(OpenChunk { left: open.left - take, ..open });
        if assembly.len() < stream.length {
            return Step::Onwards;
        }
        self.assembling = self.assembling.saturating_sub(stream.length);
        let body = stream.unfinished.take().unwrap_or_default().freeze();
        Step::Whole(stream.message(body))
    }

    /// Reads a chunk's headers; nothing is consumed or changed until all that is needed has arrived.
    fn begin_chunk(&mut self, input: &mut BytesMut) -> Result<Step, ChunkError> {
        let Some(header) = Header::read(input) else { return Ok(Step::Short) };
        match self.streams.iter().position(|stream| stream.id == header.id) {
            None => {
                if self.streams.len() >= self.limits.chunk_streams {
                    return Err(ChunkError::TooManyChunkStreams(self.limits.chunk_streams));
                }
                // Type 1 is what librtmp sends first on chunk stream 2: the message stream is then 0.
                if !matches!(header.format, Format::Full { .. } | Format::SameStream { .. }) {
                    return Err(ChunkError::NoEarlierHeader(header.id));
                }
                let stream = ChunkStream::new(header.id);
                let step = self.begin_message(stream.following(&header), header.length, input, None)?;
                Ok(step)
            }
            Some(index) => {
                let Some(stream) = self.streams.get(index) else { return Ok(Step::Short) };
                let mut header_length = header.length;
                let mut following = stream.following(&header);
                if matches!(header.format, Format::Same) {
                    match stream.repeated_stamp(input, header.length) {
                        None => return Ok(Step::Short),
                        Some(Repetition::NotExpected) => {}
                        Some(Repetition::Absent) => following.repeats = Some(false),
                        Some(Repetition::Present) => {
                            following.repeats = Some(true);
                            header_length += 4;
                        }
                    }
                }
                let Some(have) = stream.unfinished.as_ref().map(BytesMut::len) else {
                    return self.begin_message(following, header_length, input, Some(index));
                };
                if !matches!(header.format, Format::Same) {
                    return Err(ChunkError::MessageInterrupted(header.id));
                }
                let left = self.chunk_size.min(stream.length.saturating_sub(have));
                if let Some(stream) = self.streams.get_mut(index) {
                    stream.repeats = following.repeats;
                }
                input.advance(header_length);
                self.open = Some(OpenChunk { index, left });
                Ok(Step::Onwards)
            }
        }
    }

    /// A message starts with this chunk: checks its announced size, then takes it at once or opens an assembly of that size.
    fn begin_message(
        &mut self,
        stream: ChunkStream,
        header_length: usize,
        input: &mut BytesMut,
        index: Option<usize>,
    ) -> Result<Step, ChunkError> {
        let length = stream.length;
        let limit = if kind::is_media(stream.kind) { self.limits.media_bytes } else { self.limits.command_bytes };
        if length > limit {
            return Err(ChunkError::MessageTooLong { kind: stream.kind, bytes: length, limit });
        }
        let in_one_chunk = length <= self.chunk_size && length <= SPLIT_OFF_BYTES;
        if in_one_chunk && input.len() < header_length + length {
            return Ok(Step::Short);
        }
        if !in_one_chunk && self.assembling + length > self.limits.assembly_bytes {
            return Err(ChunkError::TooMuchUnfinished(self.limits.assembly_bytes));
        }
        let index = self.keep(index, stream);
        input.advance(header_length);
        if in_one_chunk {
            let body = input.split_to(length).freeze();
            return Ok(self.streams.get(index).map_or(Step::Onwards, |stream| Step::Whole(stream.message(body))));
        }
        self.assembling += length;
        if let Some(stream) = self.streams.get_mut(index) {
            stream.unfinished = Some(BytesMut::with_capacity(length));
        }
        self.open = Some(OpenChunk { index, left: self.chunk_size.min(length) });
        Ok(Step::Onwards)
    }

    fn keep(&mut self, index: Option<usize>, stream: ChunkStream) -> usize {
        match index.and_then(|index| self.streams.get_mut(index).map(|slot| (index, slot))) {
            Some((index, slot)) => {
                *slot = stream;
                index
            }
            None => {
                self.streams.push(stream);
                self.streams.len() - 1
            }
        }
    }

    /// Carries out the two messages that concern the reader itself (§5.4.1, §5.4.2); says whether it was one of them.
    fn obey(&mut self, message: &Message) -> Result<bool, ChunkError> {
        if !matches!(message.kind, kind::SET_CHUNK_SIZE | kind::ABORT) {
            return Ok(false);
        }
        let Some(value) = leading_u32(&message.body) else {
            return Err(ChunkError::ControlLength { kind: message.kind, bytes: message.body.len() });
        };
        if message.kind == kind::SET_CHUNK_SIZE {
            if value == 0 || value > i32::MAX.unsigned_abs() {
                return Err(ChunkError::ChunkSize(value));
            }
            self.chunk_size = usize::try_from(value).unwrap_or(MAX_CHUNK_SIZE).min(MAX_CHUNK_SIZE);
        } else if let Some(stream) = self.streams.iter_mut().find(|stream| stream.id == value)
            && stream.unfinished.take().is_some()
        {
            self.assembling = self.assembling.saturating_sub(stream.length);
        }
        Ok(true)
    }
}

/// Whether a type 3 chunk carries the extended timestamp again.
enum Repetition {
    NotExpected,
    Absent,
    Present,
}

impl ChunkStream {
    fn new(id: u32) -> Self {
        let (at, delta, length, kind, stream) = (0, 0, 0, 0, 0);
        Self { id, at, delta, length, kind, stream, extended: None, repeats: None, unfinished: None }
    }

    /// The state after `header`, were it to start a message (§5.3.1.2).
    fn following(&self, header: &Header) -> Self {
        let mut next = Self { unfinished: None, ..*self };
        match header.format {
            Format::Full { stamp, length, kind, stream } => {
                // A type 3 header after this one means "the same again" (§5.3.1.2.4), which for a large absolute stamp nobody means.
                let delta = if stamp.extended { 0 } else { stamp.value };
                next = Self { at: stamp.value, delta, length, kind, stream, ..next };
                next.extended = stamp.extended.then_some(stamp.value);
            }
            Format::SameStream { stamp, length, kind } => {
                next = Self { at: self.at.wrapping_add(stamp.value), delta: stamp.value, length, kind, ..next };
                next.extended = stamp.extended.then_some(stamp.value);
            }
            Format::SameLength { stamp } => {
                next = Self { at: self.at.wrapping_add(stamp.value), delta: stamp.value, ..next };
                next.extended = stamp.extended.then_some(stamp.value);
            }
            Format::Same => next.at = self.at.wrapping_add(self.delta),
        }
        next
    }

    /// Looks behind a type 3 header for the repeated stamp; `None` when too little has arrived to tell.
    fn repeated_stamp(&self, input: &[u8], header_length: usize) -> Option<Repetition> {
        let Some(expected) = self.extended else { return Some(Repetition::NotExpected) };
        if self.repeats == Some(false) {
            return Some(Repetition::Absent);
        }
        let found = leading_u32(input.get(header_length..)?)?;
        // Most repeat the field as it was, some write the absolute stamp where the field was a delta.
        Some(if found == expected || found == self.at { Repetition::Present } else { Repetition::Absent })
    }

    fn message(&self, body: Bytes) -> Message {
        Message { at: self.at, kind: self.kind, stream: self.stream, body }
    }
}

#[cfg(test)]
mod tests;
