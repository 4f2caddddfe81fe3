//! A body's bytes, read by read.

use bytes::Bytes;
use js_sys::{Promise, Uint8Array};
use wasm_bindgen::{JsCast, JsValue, prelude::wasm_bindgen};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStream, ReadableStreamDefaultReader, ReadableStreamReadResult};

/// The most that one read gives.
const READ_MAX: u32 = 512 * 1024;

#[wasm_bindgen]
extern "C" {
    /// Either kind of reader.
    type Either;

    /// `into` is given away; a reader that does not fill it does not look at it.
    #[wasm_bindgen(method)]
    fn read(this: &Either, into: &Uint8Array) -> Promise;

    /// A reader that fills the memory it is given (Streams §4.5).
    #[wasm_bindgen(extends = Either, js_name = ReadableStreamBYOBReader)]
    type Filling;

    #[wasm_bindgen(constructor, catch, js_class = "ReadableStreamBYOBReader")]
    fn new(stream: &ReadableStream) -> Result<Filling, JsValue>;
}

/// Reads a body. Where the browser's bodies can, into one buffer again and again: otherwise each read is a buffer of its own, and
/// megabytes of them are left for the garbage collector.
pub(super) struct Reader {
    reader: Either,
    /// What the next read fills; empty for a reader that brings its own.
    room: Uint8Array,
    fills: bool,
    /// The last read gave all that had come. Readers that bring their own give it piece by piece, and never know.
    pub drained: bool,
}

impl Reader {
    /// `None` for a body that somebody else reads.
    pub fn new(body: &ReadableStream) -> Option<Self> {
        let other = |_| ReadableStreamDefaultReader::new(body).map(|reader| (reader.unchecked_into(), false));
        let (reader, fills) = Filling::new(body).map(|reader| (reader.into(), true)).or_else(other).ok()?;
        let room = Uint8Array::new_with_length(if fills { READ_MAX } else { 0 });
        Some(Self { reader, room, fills, drained: false })
    }

    /// Asks for what comes next; to be given to [`Self::take`]. After a failure nothing comes any more.
    pub fn ask(&self) -> JsFuture {
        self.reader.read(&self.room).into()
    }

    /// What has come; `Ok(None)` at the end.
    pub fn take(&mut self, read: JsValue) -> Result<Option<Bytes>, JsValue> {
        let read: ReadableStreamReadResult = read.unchecked_into();
        if read.get_done() == Some(true) {
            return Ok(None);
        }
        let chunk: Uint8Array = read.get_value().dyn_into()?;
        // Copied in at once: a view into WASM memory would not outlive the next allocation.
        let bytes = Bytes::from(chunk.to_vec());
        if self.fills {
            self.drained = chunk.length() < READ_MAX;
            self.room = Uint8Array::new(&chunk.buffer());
        }
        Ok(Some(bytes))
    }
}
