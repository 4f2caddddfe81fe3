//! Effects and memos that are one type each, whatever they do.
//!
//! Leptos compiles an effect or a memo anew for every closure it is made of, a kilobyte or two each in the browser's download. These
//! take any closure behind a pointer instead. Use them for everything the watch page loads; docs/ARCHITECTURE.md has the other
//! rules that keep it small.

use leptos::prelude::*;

/// Runs `run` once hydrated, and again when what it read changes. Does nothing on the server.
pub fn effect(run: impl Fn() + 'static) {
    let run: Box<dyn Run<()>> = Box::new(run);
    Effect::new(move |_| run.run());
}

/// A value that is told to those who read it only when it is another.
pub fn memo<T: PartialEq + Send + Sync + 'static>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    let read: Box<dyn Run<T> + Send + Sync> = Box::new(read);
    Memo::new(move |_| read.run())
}

/// A closure, without the functions that one behind a pointer brings beside its own.
trait Run<T> {
    fn run(&self) -> T;
}

impl<T, F: Fn() -> T> Run<T> for F {
    fn run(&self) -> T {
        self()
    }
}
