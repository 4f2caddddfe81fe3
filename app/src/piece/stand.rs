//! A piece standing in the browser's page: built, taken over from the server's HTML, and changed.

use super::{Element, Kind, Parts, Piece, Shape, Value};
use leptos::{
    prelude::*,
    tachys::{
        hydration::Cursor,
        reactive_graph::RenderEffectState,
        renderer::{
            RemoveEventHandler, Rndr,
            types::{self, Node, Placeholder, Text},
        },
        view::{Mountable, Position, PositionState, any_view::AnyViewState},
    },
    wasm_bindgen::{JsCast, JsValue, throw_str},
};
use std::borrow::Cow;

/// What a piece is in the page.
pub enum State {
    Nothing(Placeholder),
    Text(Text, Cow<'static, str>),
    Element(Box<Standing>),
    Live(Box<RenderEffectState<State>>),
    Many(Vec<State>, Placeholder),
    Any(Box<AnyViewState>),
}

/// An element in the page.
pub struct Standing {
    element: types::Element,
    shape: &'static Shape,
    /// What ends when the element goes.
    kept: Vec<Kept>,
    children: Vec<State>,
}

enum Kept {
    Value { _effect: RenderEffect<Value> },
    Listener { _remove: RemoveEventHandler<types::Element> },
}

/// Where a walk over the server's HTML has come to.
type At<'a> = Option<(&'a Cursor, &'a PositionState)>;

impl Render for Piece {
    type State = State;

    fn build(self) -> State {
        stand(self, None)
    }

    fn rebuild(self, state: &mut State) {
        change(state, self);
    }
}

/// Takes over what the server wrote.
pub fn hydrate(piece: Piece, cursor: &Cursor, position: &PositionState) -> State {
    stand(piece, Some((cursor, position)))
}

fn stand(piece: Piece, at: At) -> State {
    match piece {
        Piece::Nothing => State::Nothing(placeholder(at)),
        Piece::Text(text) => State::Text(text_node(&text, at), text),
        Piece::Element(Element(parts)) => State::Element(Box::new(element(*parts, at))),
        Piece::Live(mut live) => {
            let mut at = at.map(|(cursor, position)| (cursor.clone(), position.clone()));
            let effect = RenderEffect::new(move |state: Option<State>| {
                let piece = live.read();
                match state {
                    Some(mut state) => {
                        change(&mut state, piece);
                        state
                    }
                    None => {
                        let at = at.take();
                        stand(piece, at.as_ref().map(|(cursor, position)| (cursor, position)))
                    }
                }
            });
            State::Live(Box::new(effect.into()))
        }
        Piece::Many(pieces) => State::Many(stand_all(pieces, at), placeholder(at)),
        Piece::Any(view) => State::Any(Box::new(match at {
            Some((cursor, position)) => view.hydrate::<true>(cursor, position),
            None => view.build(),
        })),
    }
}

fn stand_all(pieces: Vec<Piece>, at: At) -> Vec<State> {
    let mut states = Vec::with_capacity(pieces.len());
    for piece in pieces {
        states.push(stand(piece, at));
    }
    states
}

fn placeholder(at: At) -> Placeholder {
    match at {
        Some((cursor, position)) => cursor.next_placeholder(position),
        None => Rndr::create_placeholder(),
    }
}

fn text_node(text: &str, at: At) -> Text {
    let Some((cursor, position)) = at else { return Rndr::create_text_node(text) };
    step(cursor, position);
    // Between two texts stands a comment, or the browser would read them as one.
    if position.get() == Position::NextChildAfterText {
        cursor.sibling();
    }
    position.set(Position::NextChildAfterText);
    found(cursor, "text")
}

fn step(cursor: &Cursor, position: &PositionState) {
    match position.get() {
        Position::FirstChild => cursor.child(),
        Position::Current => {}
        _ => cursor.sibling(),
    }
}

/// The node that the walk has come to.
fn found<Kind: JsCast>(cursor: &Cursor, what: &str) -> Kind {
    match cursor.current().dyn_into() {
        Ok(node) => node,
        Err(_) => throw_str(what),
    }
}

fn element(parts: Parts, at: At) -> Standing {
    let Parts { shape, values, children } = parts;
    let element = node(shape, at);
    let kept = apply(&element, shape, values, at.is_some());
    let children = match at {
        Some(_) if !reads_children(shape) => Vec::new(),
        Some(_) => stand_all(children, at),
        None => {
            let mut children = stand_all(children, None);
            for child in &mut children {
                child.mount(&element, None);
            }
            children
        }
    };
    leave(&element, at);
    Standing { element, shape, kept, children }
}

/// Whether the browser finds nodes in it: in the others it reads text alone.
fn reads_children(shape: &Shape) -> bool {
    !matches!(shape.tag, "textarea" | "noscript")
}

/// The walk goes on after the element.
fn leave(element: &types::Element, at: At) {
    if let Some((cursor, position)) = at {
        cursor.set(element.clone().into());
        position.set(Position::NextChild);
    }
}

/// The element's node; the walk stands before its first child.
fn node(shape: &'static Shape, at: At) -> types::Element {
    match at {
        Some((cursor, position)) => {
            step(cursor, position);
            position.set(Position::FirstChild);
            found(cursor, shape.tag)
        }
        None => {
            let svg = matches!(shape.tag, "svg" | "path" | "rect" | "circle" | "g");
            let element = Rndr::create_element(shape.tag, svg.then_some("http://www.w3.org/2000/svg"));
            for (name, text) in shape.fixed {
                Rndr::set_attribute(&element, name, text);
            }
            element
        }
    }
}

/// Gives an element its values. What the server wrote `already` is not written again.
fn apply(element: &types::Element, shape: &'static Shape, values: Vec<Value>, already: bool) -> Vec<Kept> {
    let mut kept = Vec::new();
    for ((kind, name), value) in shape.named.iter().zip(values) {
        // A property is never in the HTML.
        let mut already = already && *kind != Kind::Property;
        match value {
            Value::Live(mut live) => {
                let element = element.clone();
                let _effect = RenderEffect::new(move |before: Option<Value>| {
                    let value = live.read();
                    if !std::mem::take(&mut already) && !before.is_some_and(|before| is_same(&before, &value)) {
                        set(&element, *kind, name, &value);
                    }
                    value
                });
                kept.push(Kept::Value { _effect });
            }
            Value::Listener(Some(hear)) => {
                let mut hear = hear.take();
                let _remove = Rndr::add_event_listener(element, name, Box::new(move |event| hear.hear(event)));
                kept.push(Kept::Listener { _remove });
            }
            Value::Reference(node) => node.tell(element),
            value if !already => set(element, *kind, name, &value),
            _ => {}
        }
    }
    kept
}

fn is_same(before: &Value, now: &Value) -> bool {
    match (before, now) {
        (Value::Absent, Value::Absent) => true,
        (Value::Flag(before), Value::Flag(now)) => before == now,
        (Value::Text(before), Value::Text(now)) => before == now,
        _ => false,
    }
}

fn set(element: &types::Element, kind: Kind, name: &str, value: &Value) {
    match (kind, value) {
        (Kind::Attribute, Value::Text(text)) => Rndr::set_attribute(element, name, text),
        (Kind::Attribute, Value::Flag(true)) => Rndr::set_attribute(element, name, ""),
        (Kind::Attribute, _) => Rndr::remove_attribute(element, name),
        (Kind::Class, Value::Flag(true)) => Rndr::add_class(&Rndr::class_list(element), name),
        (Kind::Class, _) => Rndr::remove_class(&Rndr::class_list(element), name),
        (Kind::Property, Value::Text(text)) => Rndr::set_property_or_value(element, name, &JsValue::from_str(text)),
        (Kind::Property, value) => {
            let on = matches!(value, Value::Flag(true));
            Rndr::set_property_or_value(element, name, &JsValue::from_bool(on));
        }
        _ => {}
    }
}

/// Whether both are of one place in the source. Compilers make one of shapes that are alike, so these alone do not say it.
fn same_place(standing: &Standing, parts: &Parts) -> bool {
    let as_many = standing.children.len() == parts.children.len() || !reads_children(parts.shape);
    std::ptr::eq(standing.shape, parts.shape) && as_many
}

/// Makes what stands show `piece`: the same nodes where the piece is of the same place in the source.
fn change(state: &mut State, piece: Piece) {
    match (&mut *state, piece) {
        (State::Nothing(_), Piece::Nothing) => {}
        (State::Text(node, before), Piece::Text(text)) => {
            if *before != text {
                Rndr::set_text(node, &text);
                *before = text;
            }
        }
        (State::Element(standing), Piece::Element(Element(parts))) if same_place(standing, &parts) => {
            standing.kept.clear();
            standing.kept = apply(&standing.element, parts.shape, parts.values, false);
            for (state, piece) in standing.children.iter_mut().zip(parts.children) {
                change(state, piece);
            }
        }
        (State::Many(states, end), Piece::Many(pieces)) => {
            for mut gone in states.drain(pieces.len().min(states.len())..) {
                gone.unmount();
            }
            let mut pieces = pieces.into_iter();
            for state in states.iter_mut() {
                if let Some(piece) = pieces.next() {
                    change(state, piece);
                }
            }
            for piece in pieces {
                let mut state = stand(piece, None);
                end.insert_before_this(&mut state);
                states.push(state);
            }
        }
        (State::Any(state), Piece::Any(view)) => view.rebuild(state),
        (_, piece) => {
            let mut new = stand(piece, None);
            state.insert_before_this(&mut new);
            state.unmount();
            *state = new;
        }
    }
}

impl State {
    /// What stands in the page as one.
    fn parts(&mut self) -> (&mut [State], &mut dyn Mountable) {
        match self {
            Self::Nothing(mark) => (&mut [], mark),
            Self::Text(text, _) => (&mut [], text),
            Self::Element(standing) => (&mut [], &mut standing.element),
            Self::Live(state) => (&mut [], &mut **state),
            Self::Many(states, end) => (states, end),
            Self::Any(state) => (&mut [], &mut **state),
        }
    }
}

impl Mountable for State {
    fn unmount(&mut self) {
        let (states, last) = self.parts();
        states.iter_mut().for_each(Self::unmount);
        last.unmount();
    }

    fn mount(&mut self, parent: &types::Element, before: Option<&Node>) {
        let (states, last) = self.parts();
        for state in states {
            state.mount(parent, before);
        }
        last.mount(parent, before);
    }

    fn insert_before_this(&self, child: &mut dyn Mountable) -> bool {
        match self {
            Self::Nothing(mark) => mark.insert_before_this(child),
            Self::Text(text, _) => text.insert_before_this(child),
            Self::Element(standing) => standing.element.insert_before_this(child),
            Self::Live(state) => state.insert_before_this(child),
            Self::Many(states, end) => match states.first() {
                Some(first) => first.insert_before_this(child),
                None => end.insert_before_this(child),
            },
            Self::Any(state) => state.insert_before_this(child),
        }
    }

    fn elements(&self) -> Vec<types::Element> {
        match self {
            Self::Nothing(_) | Self::Text(..) => Vec::new(),
            Self::Element(standing) => vec![standing.element.clone()],
            Self::Live(state) => state.elements(),
            Self::Many(states, _) => states.iter().flat_map(Self::elements).collect(),
            Self::Any(state) => state.elements(),
        }
    }
}
