//! What `view!` makes: a part of a page, of one type whatever it shows.
//!
//! Leptos compiles building, hydrating and changing anew for every kind of element, attribute and closure it meets. A [`Piece`] is
//! data instead, and one walk over it does each of these: `stand` in the browser, `html` on the server. It can stand wherever leptos
//! takes a view, and holds leptos' own components as [`Piece::Any`].

mod html;
mod into;
mod stand;

pub use into::{IntoPiece, IntoValue, any};

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
    Live(Box<dyn FnMut() -> Piece + Send>),
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
    Live(Box<dyn FnMut() -> Value + Send>),
    /// `None` on the server, where nothing is heard.
    Listener(Option<Listener>),
    Reference(Box<dyn FnOnce(&web_sys::Element) + Send>),
}

/// What hears an event. It stays in the browser's one thread.
pub type Listener = SendWrapper<Box<dyn FnMut(JsValue)>>;

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
        let hear: Box<dyn FnMut(JsValue)> = Box::new(move |event| hear(event.unchecked_into()));
        SendWrapper::new(hear)
    }))
}

/// Tells `node` the element once it stands in the page.
pub fn reference<Kind>(node: NodeRef<Kind>) -> Value
where
    Kind: ElementType + 'static,
    Kind::Output: JsCast + Clone + 'static,
{
    Value::Reference(Box::new(move |element| NodeRefContainer::<Kind>::load(node, element)))
}
