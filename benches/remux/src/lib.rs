//! The FLV reader and the remuxer as a WebAssembly module without a page around them: `cargo xtask bench remux` sets it beside another
//! remuxer in the same browser.
#![expect(unsafe_code, reason = "a module's exports keep their names")]

use bytes::Bytes;
use madang_media::{
    flv::{Item, Reader},
    remux::{Options, Output, Remuxer, TrackKind},
};
use std::cell::RefCell;

struct Work {
    reader: Reader,
    remuxer: Remuxer,
    /// Where the page writes the next chunk.
    room: Vec<u8>,
    /// What the last chunk has become, an append a track and what configures it before: merged, as the player does it. Kept until the next,
    /// as it is until a SourceBuffer has taken it.
    given: Vec<Vec<u8>>,
    broken: bool,
}

thread_local! {
    static WORK: RefCell<Option<Work>> = const { RefCell::new(None) };
}

fn with<T: Default>(act: impl FnOnce(&mut Work) -> T) -> T {
    WORK.with_borrow_mut(|work| work.as_mut().map_or_else(T::default, act))
}

/// A new stream begins.
#[unsafe(no_mangle)]
pub extern "C" fn begin() {
    let remuxer = Remuxer::new(Options::default());
    let work = Work { reader: Reader::new(), remuxer, room: Vec::new(), given: Vec::new(), broken: false };
    WORK.set(Some(work));
}

/// Where to write `length` bytes; what was there is gone.
#[unsafe(no_mangle)]
pub extern "C" fn room(length: usize) -> usize {
    with(|work| {
        // As large as the chunk, as a player's copy of it is.
        work.room = vec![0; length];
        work.room.as_mut_ptr() as usize
    })
}

/// Takes what was written. 0 when the stream is not what it should be.
#[unsafe(no_mangle)]
pub extern "C" fn push() -> u32 {
    with(|work| {
        let (mut video, mut audio) = (Vec::new(), Vec::new());
        work.reader.push(Bytes::from(std::mem::take(&mut work.room)));
        loop {
            match work.reader.next() {
                Ok(Some(Item::Tag(tag))) => work.broken |= work.remuxer.push(&tag).is_err(),
                Ok(Some(Item::Header { .. })) => {}
                Ok(None) => break,
                Err(_) => {
                    work.broken = true;
                    break;
                }
            }
            while let Some(output) = work.remuxer.poll() {
                if let Output::Init { track, bytes, .. } | Output::Fragment { track, bytes, .. } = output {
                    match track {
                        TrackKind::Video => video.push(bytes),
                        TrackKind::Audio => audio.push(bytes),
                    }
                }
            }
        }
        work.given = [video, audio].iter().filter(|track| !track.is_empty()).map(|track| track.concat()).collect();
        u32::from(!work.broken)
    })
}

/// Where one of them lies; zero for none.
#[unsafe(no_mangle)]
pub extern "C" fn given(number: usize) -> usize {
    with(|work| work.given.get(number).map_or(0, |bytes| bytes.as_ptr() as usize))
}

/// How long it is; zero for none.
#[unsafe(no_mangle)]
pub extern "C" fn length(number: usize) -> usize {
    with(|work| work.given.get(number).map_or(0, Vec::len))
}
