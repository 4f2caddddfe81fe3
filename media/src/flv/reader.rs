//! Reads FLV as it arrives: any split of the input gives the same items, and a tag is given as soon as its last
//! byte is there.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::{MAX_BODY, Tag, TagKind};
use crate::time::StampExtender;

/// Header bytes of a tag before its body.
const TAG_HEADER: usize = 11;
/// A header that states more than this before the first tag is not FLV; the standard knows 9.
const MAX_DATA_OFFSET: usize = 1024;
/// Chunks below this are copied together, so that an input in single bytes costs neither an allocation nor a queue
/// entry each.
const SMALL_CHUNK: usize = 1024;
/// Small chunks are gathered up to this size.
const GATHER: usize = 16 * 1024;

/// Why input is not readable FLV. Nothing after it can be trusted, so a reader repeats its error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlvError {
    /// The first bytes are not `FLV` and version 1.
    #[error("this is not FLV: it does not start with the letters FLV and version 1")]
    NotFlv,
    /// The header states an impossible length.
    #[error("the FLV header states a length of {0} bytes")]
    HeaderLength(u32),
    /// A tag of a type the standard does not define: the position in the input is lost.
    #[error("FLV tag type {0} does not exist")]
    UnknownTag(u8),
    /// An encrypted tag (filter bit, E.4.1).
    #[error("the FLV is encrypted")]
    Encrypted,
    /// A body over the reader's limit.
    #[error("an FLV tag of {size} bytes is over the limit of {limit}")]
    TooLarge {
        /// Stated size in bytes.
        size: usize,
        /// The reader's limit in bytes.
        limit: usize,
    },
}

/// What a reader finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// The file header (E.2): the tracks it promises. Not every writer is honest about them.
    Header {
        /// Audio tags are promised.
        has_audio: bool,
        /// Video tags are promised.
        has_video: bool,
    },
    /// A whole tag.
    Tag(Tag),
}

/// A piece of input: what [`Reader::push`] takes. Shared bytes are kept as they are, borrowed ones are copied once.
#[derive(Clone, Debug)]
pub enum Chunk<'a> {
    /// To be copied.
    Borrowed(&'a [u8]),
    /// Kept; tags that lie whole in it are slices of it.
    Shared(Bytes),
}

impl<'a> From<&'a [u8]> for Chunk<'a> {
    fn from(chunk: &'a [u8]) -> Self {
        Self::Borrowed(chunk)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Chunk<'a> {
    fn from(chunk: &'a [u8; N]) -> Self {
        Self::Borrowed(chunk)
    }
}

impl<'a> From<&'a Vec<u8>> for Chunk<'a> {
    fn from(chunk: &'a Vec<u8>) -> Self {
        Self::Borrowed(chunk)
    }
}

impl From<Vec<u8>> for Chunk<'_> {
    fn from(chunk: Vec<u8>) -> Self {
        Self::Shared(chunk.into())
    }
}

impl From<Bytes> for Chunk<'_> {
    fn from(chunk: Bytes) -> Self {
        Self::Shared(chunk)
    }
}

#[derive(Clone, Copy, Debug)]
enum State {
    FileHeader,
    /// Bytes to be passed over (PreviousTagSize, header extension) before the next tag.
    Skip(usize),
    TagHeader,
    Body {
        kind: TagKind,
        at: crate::Millis,
        size: usize,
    },
    Failed(FlvError),
}

/// An incremental FLV reader: [`push`](Self::push) input, then take items with [`next`](Self::next) until it gives
/// `None`. What is kept between the two is at most one unfinished tag, provided items are taken after each push.
#[derive(Debug)]
pub struct Reader {
    state: State,
    stamps: StampExtender,
    /// Unread input in order; never an empty chunk.
    chunks: VecDeque<Bytes>,
    /// Small chunks gathered; follows `chunks`.
    tail: BytesMut,
    /// Bytes in `chunks` and `tail` together.
    available: usize,
    max_body: usize,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader that takes any tag the format can state (16 MiB).
    pub fn new() -> Self {
        Self::with_limit(MAX_BODY)
    }

    /// A reader that gives [`FlvError::TooLarge`] for bodies over `max_body` bytes.
    pub fn with_limit(max_body: usize) -> Self {
        Self {
            state: State::FileHeader,
            stamps: StampExtender::new(),
            chunks: VecDeque::new(),
            tail: BytesMut::new(),
            available: 0,
            max_body,
        }
    }

    /// Adds input: `&[u8]`, `Vec<u8>` or `Bytes`.
    pub fn push<'a>(&mut self, chunk: impl Into<Chunk<'a>>) {
        if matches!(self.state, State::Failed(_)) {
            return;
        }
        let chunk = chunk.into();
        let bytes: &[u8] = match &chunk {
            Chunk::Borrowed(bytes) => bytes,
            Chunk::Shared(bytes) => bytes,
        };
        self.available = self.available.saturating_add(bytes.len());
        if bytes.len() < SMALL_CHUNK {
            self.tail.extend_from_slice(bytes);
            if self.tail.len() >= GATHER {
                self.queue_tail();
            }
            return;
        }
        self.queue_tail();
        self.chunks.push_back(match chunk {
            Chunk::Borrowed(bytes) => Bytes::copy_from_slice(bytes),
            Chunk::Shared(bytes) => bytes,
        });
    }

    /// Bytes pushed that are not part of an item given out yet.
    pub fn buffered(&self) -> usize {
        self.available
    }

    /// The next whole item, or `None` until more input is pushed.
    ///
    /// # Errors
    /// See [`FlvError`]. An error stays: later calls give it again, and input is no longer kept.
    #[allow(clippy::should_implement_trait, reason = "a Result of an Option says more than an Iterator's item")]
    pub fn next(&mut self) -> Result<Option<Item>, FlvError> {
        let step = self.step();
        if let Err(error) = step {
            self.state = State::Failed(error);
            self.chunks.clear();
            self.tail = BytesMut::new();
            self.available = 0;
        }
        step
    }

    fn step(&mut self) -> Result<Option<Item>, FlvError> {
        loop {
            match self.state {
                State::FileHeader => {
                    let Some([f, l, v, version, flags, offset @ ..]) = self.peek::<9>() else { return Ok(None) };
                    if [f, l, v, version] != *b"FLV\x01" {
                        return Err(FlvError::NotFlv);
                    }
                    let stated = u32::from_be_bytes(offset);
                    let length = usize::try_from(stated).unwrap_or(usize::MAX);
                    if !(9..=MAX_DATA_OFFSET).contains(&length) {
                        return Err(FlvError::HeaderLength(stated));
                    }
                    self.state = State::Skip(length.saturating_add(4));
                    return Ok(Some(Item::Header { has_audio: flags & 4 != 0, has_video: flags & 1 != 0 }));
                }
                State::Skip(bytes) => {
                    let left = bytes.saturating_sub(self.discard(bytes));
                    if left > 0 {
                        self.state = State::Skip(left);
                        return Ok(None);
                    }
                    self.state = State::TagHeader;
                }
                State::TagHeader => {
                    let Some(header) = self.peek::<TAG_HEADER>() else { return Ok(None) };
                    self.discard(TAG_HEADER);
                    self.state = self.tag_header(header)?;
                }
                State::Body { kind, at, size } => {
                    let Some(body) = self.take(size) else { return Ok(None) };
                    self.state = State::Skip(4);
                    return Ok(Some(Item::Tag(Tag { kind, at, body })));
                }
                State::Failed(error) => return Err(error),
            }
        }
    }

    /// Reads the fields of E.4.1. StreamID is passed over: it is always 0 and some writers leave other things there.
    fn tag_header(&mut self, header: [u8; TAG_HEADER]) -> Result<State, FlvError> {
        let [first, s0, s1, s2, t0, t1, t2, ext, ..] = header;
        if first & 0x20 != 0 {
            return Err(FlvError::Encrypted);
        }
        let kind = TagKind::from_number(first & 0x1f).ok_or(FlvError::UnknownTag(first & 0x1f))?;
        let size = usize::try_from(u32::from_be_bytes([0, s0, s1, s2])).unwrap_or(usize::MAX);
        if size > self.max_body {
            return Err(FlvError::TooLarge { size, limit: self.max_body });
        }
        let stamp = u32::from_be_bytes([ext, t0, t1, t2]);
        // Metadata is often stamped 0 in the middle of a stream, so it must not move what stamps are measured from.
        let at = if kind == TagKind::Script { self.stamps.peek(stamp) } else { self.stamps.extend(stamp) };
        Ok(State::Body { kind, at, size })
    }

    /// The next `N` bytes, left in place.
    fn peek<const N: usize>(&self) -> Option<[u8; N]> {
        if self.available < N {
            return None;
        }
        let mut out = [0; N];
        let input = self.chunks.iter().flat_map(|chunk| chunk.iter()).chain(self.tail.iter());
        for (to, from) in out.iter_mut().zip(input) {
            *to = *from;
        }
        Some(out)
    }

    /// The next `n` bytes as one: a slice of the chunk they lie in, or copied together, once.
    fn take(&mut self, n: usize) -> Option<Bytes> {
        if self.available < n {
            return None;
        }
        if n == 0 {
            return Some(Bytes::new());
        }
        if self.chunks.is_empty() {
            self.queue_tail();
        }
        if self.chunks.front().is_some_and(|front| front.len() >= n) {
            return Some(self.pop_front(n));
        }
        let mut whole = BytesMut::with_capacity(n);
        while whole.len() < n {
            if self.chunks.is_empty() {
                self.queue_tail();
            }
            let piece = self.pop_front(n.saturating_sub(whole.len()));
            if piece.is_empty() {
                return None;
            }
            whole.extend_from_slice(&piece);
        }
        Some(whole.freeze())
    }

    /// Passes over up to `n` bytes and says how many.
    fn discard(&mut self, n: usize) -> usize {
        let mut done = 0usize;
        while done < n && self.available > 0 {
            if self.chunks.is_empty() {
                self.queue_tail();
            }
            done = done.saturating_add(self.pop_front(n.saturating_sub(done)).len());
        }
        done
    }

    /// Up to `n` bytes of the first chunk.
    fn pop_front(&mut self, n: usize) -> Bytes {
        let Some(front) = self.chunks.front_mut() else { return Bytes::new() };
        let piece = if front.len() > n { front.split_to(n) } else { self.chunks.pop_front().unwrap_or_default() };
        self.available = self.available.saturating_sub(piece.len());
        piece
    }

    fn queue_tail(&mut self) {
        if !self.tail.is_empty() {
            self.chunks.push_back(self.tail.split().freeze());
        }
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
