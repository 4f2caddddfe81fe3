//! What may stand in `{…}` of a view, and after `=`.

use super::{Piece, Value};
use crate::reactive::{Held, Var};
use leptos::prelude::*;
use std::{any::Any, borrow::Cow};

/// What can be shown as a part of a page.
pub trait IntoPiece {
    fn into_piece(self) -> Piece;
}

/// What an attribute, a class or a property can be.
pub trait IntoValue {
    fn into_value(self) -> Value;
}

/// A component, ours or of leptos.
pub fn any<V: IntoView + 'static>(view: V) -> Piece {
    let mut view = Some(view);
    if let Some(piece) = take::<V, Piece>(&mut view) {
        return piece;
    }
    // As leptos' `view!` gives it, with one piece in it.
    if let Some(piece) = take::<V, View<Piece>>(&mut view) {
        return piece.into_inner();
    }
    if let Some(any) = take::<V, AnyView>(&mut view) {
        return Piece::Any(Box::new(any));
    }
    view.map_or(Piece::Nothing, |view| Piece::Any(Box::new(view.into_any())))
}

/// What is in `view`, if it is of that type.
fn take<V: 'static, T: 'static>(view: &mut Option<V>) -> Option<T> {
    let same: &mut dyn Any = view;
    same.downcast_mut::<Option<T>>()?.take()
}

impl IntoPiece for Piece {
    fn into_piece(self) -> Piece {
        self
    }
}

impl IntoPiece for AnyView {
    fn into_piece(self) -> Piece {
        Piece::Any(Box::new(self))
    }
}

impl<T: IntoPiece> IntoPiece for View<T> {
    fn into_piece(self) -> Piece {
        self.into_inner().into_piece()
    }
}

impl IntoPiece for () {
    fn into_piece(self) -> Piece {
        Piece::Nothing
    }
}

impl<T: IntoPiece> IntoPiece for Option<T> {
    fn into_piece(self) -> Piece {
        self.map_or(Piece::Nothing, T::into_piece)
    }
}

impl<T: IntoPiece> IntoPiece for Vec<T> {
    fn into_piece(self) -> Piece {
        Piece::Many(self.into_iter().map(T::into_piece).collect())
    }
}

impl<T: IntoPiece, const N: usize> IntoPiece for [T; N] {
    fn into_piece(self) -> Piece {
        Piece::Many(self.into_iter().map(T::into_piece).collect())
    }
}

impl<F: FnMut() -> T + Send + 'static, T: IntoPiece> IntoPiece for F {
    fn into_piece(mut self) -> Piece {
        Piece::Live(Box::new(move || self().into_piece()))
    }
}

impl<F: FnMut() -> T + Send + 'static, T: IntoValue> IntoValue for F {
    fn into_value(mut self) -> Value {
        Value::Live(Box::new(move || self().into_value()))
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        Value::Flag(self)
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Absent, T::into_value)
    }
}

/// Texts, and what is shown as one.
macro_rules! texts {
    ($($text:ty: $cow:expr;)*) => {$(
        impl IntoPiece for $text {
            fn into_piece(self) -> Piece {
                Piece::Text($cow(self))
            }
        }

        impl IntoValue for $text {
            fn into_value(self) -> Value {
                Value::Text($cow(self))
            }
        }
    )*};
}

texts! {
    &'static str: Cow::Borrowed;
    String: Cow::Owned;
    Cow<'static, str>: std::convert::identity;
    u32: |number: u32| Cow::Owned(number.to_string());
    u64: |number: u64| Cow::Owned(number.to_string());
    usize: |number: usize| Cow::Owned(number.to_string());
}

/// Signals that are read where they stand.
macro_rules! signals {
    ($($signal:ident)*) => {$(
        impl<T: IntoPiece + Clone + Send + Sync + 'static> IntoPiece for $signal<T> {
            fn into_piece(self) -> Piece {
                Piece::Live(Box::new(move || self.get().into_piece()))
            }
        }

        impl<T: IntoValue + Clone + Send + Sync + 'static> IntoValue for $signal<T> {
            fn into_value(self) -> Value {
                Value::Live(Box::new(move || self.get().into_value()))
            }
        }
    )*};
}

signals! { Signal Memo RwSignal ReadSignal }

/// The same for ours.
macro_rules! values {
    ($($kept:ident)*) => {$(
        impl<T: IntoPiece + Clone + Held> IntoPiece for $kept<T> {
            fn into_piece(self) -> Piece {
                Piece::Live(Box::new(move || self.get().into_piece()))
            }
        }

        impl<T: IntoValue + Clone + Held> IntoValue for $kept<T> {
            fn into_value(self) -> Value {
                Value::Live(Box::new(move || self.get().into_value()))
            }
        }
    )*};
}

type Ours<T> = crate::reactive::Memo<T>;

values! { Var Ours }
