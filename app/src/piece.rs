//! What `view!` makes: a part of a page, of one type whatever it shows.
//!
//! Leptos compiles building, hydrating and changing anew for every kind of element, attribute and closure it meets. A [`Piece`] is
//! data instead, and one walk over it does each of these: `stand` in the browser, `html` on the server. It can stand wherever leptos
//! takes a view, and holds leptos' own components as [`Piece::Any`].

mod html;
mod into;
mod stand;

pub use into::{IntoPiece, IntoValue, any};

use crate::reactive::Var;
use leptos::{
    __reexports::send_wrapper::SendWrapper,
    ev::EventDescriptor,
    html::ElementType,
    prelude::{AnyView, NodeRef},
    tachys::html::node_ref::NodeRefContainer,
    wasm_bindgen::{JsCast, JsValue},
    web_sys,
};
use std::borrow::Cow;

/// A part of a page.
pub enum Piece {
    /// Shows nothing; a comment keeps its place.
    Nothing,
    Text(Cow<'static, str>),
    Element(Element),
    /// Made anew when what it read changes.
    Live(Box<dyn Read<Piece>>),
    /// One after the other; a comment marks the end.
    Many(Vec<Piece>),
    /// What leptos or its router has made.
    Any(Box<AnyView>),
}

/// What all elements of one place in the source have in common.
pub struct Shape {
    pub tag: &'static str,
    /// Attributes that are always the same. An empty text is a flag.
    pub fixed: &'static [(&'static str, &'static str)],
    /// What the element's values are for, in their order.
    pub named: &'static [(Kind, &'static str)],
}

/// What a value of an element is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Attribute,
    /// One class, there or not.
    Class,
    /// A property of the DOM's object, for what an attribute says at first only.
    Property,
    /// HTML that is not escaped, which the server writes. Hydration does not look at it.
    #[cfg(feature = "ssr")]
    Html,
    Listener,
    Reference,
}

/// The value of an attribute, a class or a property; or what is done about an element.
pub enum Value {
    Absent,
    Flag(bool),
    Text(Cow<'static, str>),
    Live(Box<dyn Read<Value>>),
    /// `None` on the server, where nothing is heard.
    Listener(Option<Listener>),
    Reference(Box<dyn Tell>),
}

/// A closure that reads what is live.
///
/// This and its like are traits of one method where a closure's own would do: behind a pointer those bring two functions more for
/// each closure.
pub trait Read<T>: Send {
    fn read(&mut self) -> T;
}

impl<T, F: FnMut() -> T + Send> Read<T> for F {
    fn read(&mut self) -> T {
        self()
    }
}

/// A closure that hears an event.
pub trait Hear {
    fn hear(&mut self, event: JsValue);
}

impl<F: FnMut(JsValue)> Hear for F {
    fn hear(&mut self, event: JsValue) {
        self(event);
    }
}

/// A closure that is told an element.
pub trait Tell: Send {
    fn tell(&self, element: &web_sys::Element);
}

impl<F: Fn(&web_sys::Element) + Send> Tell for F {
    fn tell(&self, element: &web_sys::Element) {
        self(element);
    }
}

/// What hears an event. It stays in the browser's one thread.
pub type Listener = SendWrapper<Box<dyn Hear>>;

/// An element, its values in the order of its shape.
pub struct Element(Box<Parts>);

struct Parts {
    shape: &'static Shape,
    values: Vec<Value>,
    children: Vec<Piece>,
}

impl Element {
    pub fn new(shape: &'static Shape) -> Self {
        Self(Box::new(Parts { shape, values: Vec::new(), children: Vec::new() }))
    }

    /// The value of the shape's next name.
    #[inline(never)]
    pub fn value(&mut self, value: Value) {
        self.0.values.push(value);
    }

    #[inline(never)]
    pub fn child(&mut self, child: Piece) {
        self.0.children.push(child);
    }
}

/// What `on:` of an event does.
pub fn listener<Event: EventDescriptor>(_: Event, mut hear: impl FnMut(Event::EventType) + 'static) -> Value
where
    Event::EventType: JsCast,
{
    Value::Listener(cfg!(feature = "hydrate").then(|| {
        let hear: Box<dyn Hear> = Box::new(move |event: JsValue| hear(event.unchecked_into()));
        SendWrapper::new(hear)
    }))
}

/// What can be told an element.
pub trait IntoReference {
    fn into_reference(self) -> Value;
}

/// Tells `node` the element once it stands in the page.
pub fn reference(node: impl IntoReference) -> Value {
    node.into_reference()
}

impl<Kind> IntoReference for NodeRef<Kind>
where
    Kind: ElementType + 'static,
    Kind::Output: JsCast + Clone + 'static,
{
    fn into_reference(self) -> Value {
        Value::Reference(Box::new(move |element: &web_sys::Element| NodeRefContainer::<Kind>::load(self, element)))
    }
}

/// An element of the page, whatever its kind: one type, where leptos has one for each.
#[derive(Clone, Copy)]
pub struct Spot(Var<Option<SendWrapper<web_sys::Element>>>);

impl Spot {
    pub fn new() -> Self {
        Self(Var::new(None))
    }

    /// The element, once it stands in the page; tracked.
    pub fn get(self) -> Option<web_sys::Element> {
        self.0.with(|element| element.as_deref().cloned())
    }

    pub fn get_untracked(self) -> Option<web_sys::Element> {
        self.0.with_untracked(|element| element.as_deref().cloned())
    }
}

impl Default for Spot {
    fn default() -> Self {
        Self::new()
    }
}

impl IntoReference for Spot {
    fn into_reference(self) -> Value {
        Value::Reference(Box::new(move |element: &web_sys::Element| {
            self.0.set(Some(SendWrapper::new(element.clone())));
        }))
    }
}
