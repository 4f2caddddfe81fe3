//! Memos of one type.

use super::{GONE, Held, Run, see};
use leptos::prelude::{Signal, With, WithUntracked};
use std::{any::Any, marker::PhantomData, sync::Arc};

/// A value made of others, which is told to those who read it only when it is another.
pub struct Memo<T> {
    inner: leptos::prelude::Memo<Made>,
    of: PhantomData<fn() -> T>,
}

#[derive(Clone)]
struct Made(Arc<dyn Same>);

impl PartialEq for Made {
    fn eq(&self, other: &Self) -> bool {
        self.0.same(&*other.0)
    }
}

/// A value that can be compared behind a pointer.
trait Same: Any + Send + Sync {
    fn same(&self, other: &dyn Same) -> bool;
    fn any(&self) -> &dyn Any;
}

impl<T: PartialEq + Held> Same for T {
    fn same(&self, other: &dyn Same) -> bool {
        other.any().downcast_ref::<T>() == Some(self)
    }

    fn any(&self) -> &dyn Any {
        self
    }
}

/// A value that is told to those who read it only when it is another.
pub fn memo<T: PartialEq + Held>(read: impl Fn() -> T + Send + Sync + 'static) -> Memo<T> {
    Memo { inner: make(Box::new(move || Made(Arc::new(read())))), of: PhantomData }
}

#[inline(never)]
fn make(read: Box<dyn Run<Made> + Send + Sync>) -> leptos::prelude::Memo<Made> {
    leptos::prelude::Memo::new(move |_| read.run())
}

#[inline(never)]
fn look_made(memo: leptos::prelude::Memo<Made>, tracked: bool, look: &mut dyn FnMut(&dyn Any)) {
    let made = if tracked { memo.with(Made::clone) } else { memo.with_untracked(Made::clone) };
    look(made.0.any());
}

impl<T> Clone for Memo<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Memo<T> {}

impl<T: Held> Memo<T> {
    pub fn with<U>(self, look: impl FnOnce(&T) -> U) -> U {
        see(|seen| look_made(self.inner, true, seen), look).expect(GONE)
    }

    pub fn with_untracked<U>(self, look: impl FnOnce(&T) -> U) -> U {
        see(|seen| look_made(self.inner, false, seen), look).expect(GONE)
    }
}

impl<T: Held + Clone> Memo<T> {
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }
}

impl<T: Held + Clone> From<Memo<T>> for Signal<T> {
    fn from(memo: Memo<T>) -> Self {
        Self::derive(move || memo.get())
    }
}
