//! Effects, values and memos that are one type each, whatever they do and hold.
//!
//! Leptos compiles a signal, an effect or a memo anew for every type and closure it is made of, one to three kilobytes each in the
//! browser's download. These keep any closure and any value behind a pointer instead. Use them for everything the watch page loads;
//! docs/ARCHITECTURE.md has the other rules that keep it small.

mod memo;

pub use memo::{Memo, memo};

#[cfg(feature = "hydrate")]
use leptos::__reexports::send_wrapper::SendWrapper;
use leptos::prelude::{ArcTrigger, Effect, GetValue, Notify, Signal, StoredValue, Track};
use std::{
    any::Any,
    marker::PhantomData,
    sync::{Arc, PoisonError, RwLock},
};

/// Why a read can fail: leptos' own signals end the program in the same case.
const GONE: &str = "a value was read after the part of the page that it belongs to";

/// Runs `run` once hydrated, and again when what it read changes. Does nothing on the server.
pub fn effect(run: impl Fn() + 'static) {
    start(Box::new(run));
}

/// Closures in a generic function are types of their own for each of its types: this one is not generic.
#[inline(never)]
fn start(run: Box<dyn Run<()>>) {
    Effect::new(move |_| run.run());
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

/// What a [`Var`] or a [`Memo`] can hold.
pub trait Held: Send + Sync + 'static {}

impl<T: Send + Sync + 'static> Held for T {}

/// A value that tells those who read it when it changes. Lives for as long as somebody holds it.
pub struct Shared<T> {
    node: Arc<Node>,
    of: PhantomData<fn() -> T>,
}

struct Node {
    changed: ArcTrigger,
    value: RwLock<Box<dyn Any + Send + Sync>>,
}

impl Node {
    #[inline(never)]
    fn new(value: Box<dyn Any + Send + Sync>) -> Arc<Self> {
        Arc::new(Self { changed: ArcTrigger::new(), value: RwLock::new(value) })
    }

    #[inline(never)]
    fn look(&self, tracked: bool, look: &mut dyn FnMut(&dyn Any)) {
        if tracked {
            self.changed.track();
        }
        look(&**self.value.read().unwrap_or_else(PoisonError::into_inner));
    }

    #[inline(never)]
    fn change(&self, told: bool, change: &mut dyn FnMut(&mut dyn Any)) {
        change(&mut **self.value.write().unwrap_or_else(PoisonError::into_inner));
        if told {
            self.changed.notify();
        }
    }
}

impl<T> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { node: Arc::clone(&self.node), of: PhantomData }
    }
}

impl<T: Held + Default> Default for Shared<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// Looks at a value behind a pointer as what it is.
fn see<T: Held, U>(show: impl FnOnce(&mut dyn FnMut(&dyn Any)), look: impl FnOnce(&T) -> U) -> Option<U> {
    let (mut look, mut seen) = (Some(look), None);
    show(&mut |value| {
        if let (Some(look), Some(value)) = (look.take(), value.downcast_ref()) {
            seen = Some(look(value));
        }
    });
    seen
}

impl<T: Held> Shared<T> {
    pub fn new(value: T) -> Self {
        Self { node: Node::new(Box::new(value)), of: PhantomData }
    }

    fn change<U>(&self, told: bool, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        let (mut change, mut done) = (Some(change), None);
        self.node.change(told, &mut |value| {
            if let (Some(change), Some(value)) = (change.take(), value.downcast_mut()) {
                done = Some(change(value));
            }
        });
        done
    }

    pub fn with<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        see(|seen| self.node.look(true, seen), look).expect(GONE)
    }

    pub fn with_untracked<U>(&self, look: impl FnOnce(&T) -> U) -> U {
        see(|seen| self.node.look(false, seen), look).expect(GONE)
    }

    pub fn update(&self, change: impl FnOnce(&mut T)) {
        self.change(true, change);
    }

    pub fn set(&self, value: T) {
        self.change(true, |now| *now = value);
    }
}

impl<T: Held + Clone> Shared<T> {
    pub fn get_untracked(&self) -> T {
        self.with_untracked(T::clone)
    }
}

/// A value that tells those who read it when it changes. Can be copied, and lives for as long as the owner that it was made in.
pub struct Var<T> {
    node: StoredValue<Arc<Node>>,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Var<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Var<T> {}

impl<T> From<Shared<T>> for Var<T> {
    fn from(shared: Shared<T>) -> Self {
        Self { node: StoredValue::new(shared.node), of: PhantomData }
    }
}

impl<T: Held + Default> Default for Var<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

/// These do nothing once the owner is gone.
#[inline(never)]
fn look_at(kept: StoredValue<Arc<Node>>, tracked: bool, look: &mut dyn FnMut(&dyn Any)) {
    if let Some(node) = kept.try_get_value() {
        node.look(tracked, look);
    }
}

#[inline(never)]
fn change_at(kept: StoredValue<Arc<Node>>, told: bool, change: &mut dyn FnMut(&mut dyn Any)) {
    if let Some(node) = kept.try_get_value() {
        node.change(told, change);
    }
}

impl<T: Held> Var<T> {
    pub fn new(value: T) -> Self {
        Shared::new(value).into()
    }

    fn look<U>(self, tracked: bool, look: impl FnOnce(&T) -> U) -> Option<U> {
        see(|seen| look_at(self.node, tracked, seen), look)
    }

    fn change<U>(self, told: bool, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        let (mut change, mut done) = (Some(change), None);
        change_at(self.node, told, &mut |value| {
            if let (Some(change), Some(value)) = (change.take(), value.downcast_mut()) {
                done = Some(change(value));
            }
        });
        done
    }

    /// Whether its owner is still there.
    pub fn lives(self) -> bool {
        self.node.try_get_value().is_some()
    }

    pub fn with<U>(self, look: impl FnOnce(&T) -> U) -> U {
        self.look(true, look).expect(GONE)
    }

    pub fn with_untracked<U>(self, look: impl FnOnce(&T) -> U) -> U {
        self.look(false, look).expect(GONE)
    }

    pub fn try_with_untracked<U>(self, look: impl FnOnce(&T) -> U) -> Option<U> {
        self.look(false, look)
    }

    /// Changes nothing once its owner is gone; so do the following.
    pub fn try_update<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.change(true, change)
    }

    /// As [`Self::try_update`], and tells nobody.
    pub fn try_update_untracked<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.change(false, change)
    }

    pub fn update(self, change: impl FnOnce(&mut T)) {
        self.try_update(change);
    }

    pub fn set(self, value: T) {
        self.try_update(|now| *now = value);
    }
}

impl<T: Held + Clone> Var<T> {
    pub fn get(self) -> T {
        self.with(T::clone)
    }

    pub fn get_untracked(self) -> T {
        self.with_untracked(T::clone)
    }

    /// Tells nobody of a value that is there already.
    pub fn set_if_new(self, value: T)
    where
        T: PartialEq,
    {
        if self.try_with_untracked(|now| *now != value) == Some(true) {
            self.set(value);
        }
    }

    pub fn try_get_untracked(self) -> Option<T> {
        self.try_with_untracked(T::clone)
    }
}

impl<T: Held + Clone> From<Var<T>> for Signal<T> {
    fn from(var: Var<T>) -> Self {
        Self::derive(move || var.get())
    }
}

/// A value that tells nobody, and stays in the browser's one thread. Otherwise as a [`Var`].
#[cfg(feature = "hydrate")]
pub struct Kept<T: 'static>(Var<SendWrapper<T>>);

#[cfg(feature = "hydrate")]
impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        *self
    }
}

#[cfg(feature = "hydrate")]
impl<T> Copy for Kept<T> {}

#[cfg(feature = "hydrate")]
impl<T> Kept<T> {
    pub fn new(value: T) -> Self {
        Self(Var::new(SendWrapper::new(value)))
    }

    pub fn with_value<U>(self, look: impl FnOnce(&T) -> U) -> U {
        self.0.with_untracked(|value| look(value))
    }

    pub fn try_with_value<U>(self, look: impl FnOnce(&T) -> U) -> Option<U> {
        self.0.try_with_untracked(|value| look(value))
    }

    pub fn try_update_value<U>(self, change: impl FnOnce(&mut T) -> U) -> Option<U> {
        self.0.try_update_untracked(|value| change(value))
    }

    pub fn update_value(self, change: impl FnOnce(&mut T)) {
        self.try_update_value(change);
    }

    pub fn set_value(self, value: T) {
        self.try_update_value(|now| *now = value);
    }
}

#[cfg(feature = "hydrate")]
impl<T: Clone> Kept<T> {
    pub fn try_get_value(self) -> Option<T> {
        self.try_with_value(T::clone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use leptos::prelude::{Get as _, Owner};

    #[test]
    fn a_memo_follows_what_it_read() {
        let owner = Owner::new();
        owner.with(|| {
            let (one, two) = (Var::new(1_u32), Var::new("a".to_owned()));
            let both = memo(move || format!("{}{}", one.get(), two.get()));
            assert_eq!(both.get(), "1a");
            one.set(2);
            two.update(|text| text.push('b'));
            assert_eq!((both.get(), both.get_untracked()), ("2ab".to_owned(), "2ab".to_owned()));
            let signal: Signal<String> = both.into();
            one.set(3);
            assert_eq!(signal.get(), "3ab");
        });
    }

    #[test]
    fn a_shared_value_outlives_its_readers_and_a_var_does_not() {
        let shared = Shared::new(1_u32);
        let owner = Owner::new();
        let var = owner.with(|| Var::from(shared.clone()));
        var.set(2);
        assert_eq!(shared.get_untracked(), 2);
        assert!(var.lives());
        owner.cleanup();
        assert!(!var.lives());
        assert_eq!(var.try_update(|value| *value = 3), None);
        assert_eq!(shared.get_untracked(), 2);
    }
}
