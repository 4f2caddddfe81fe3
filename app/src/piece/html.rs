//! A piece as HTML, as the server writes it and hydration finds it.

use super::{Element, Kind, Parts, Piece, Value};
use leptos::{
    attr::any_attribute::AnyAttribute,
    prelude::*,
    tachys::{
        html::{attribute::Attribute, element::attributes_to_html},
        hydration::Cursor,
        ssr::StreamBuilder,
        view::{Position, PositionState},
    },
};
use std::{borrow::Cow, pin::Pin};

/// Elements without an end tag.
const VOID: [&str; 13] =
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"];

impl RenderHtml for Piece {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {
        match self {
            Self::Nothing | Self::Text(_) => {}
            Self::Element(element) => element.0.children.iter_mut().for_each(Self::dry_resolve),
            Self::Live(live) => live.read().dry_resolve(),
            Self::Many(pieces) => pieces.iter_mut().for_each(Self::dry_resolve),
            Self::Any(view) => view.dry_resolve(),
        }
    }

    async fn resolve(self) -> Self {
        if cfg!(feature = "ssr") { resolve(self).await } else { self }
    }

    fn to_html_with_buf(
        self,
        html: &mut String,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra: Vec<AnyAttribute>,
    ) {
        match self {
            Self::Nothing => mark(html, position),
            Self::Text(text) => RenderHtml::to_html_with_buf(&*text, html, position, escape, false, Vec::new()),
            Self::Element(Element(parts)) => {
                let (tag, children, inner) = open(*parts, extra, html);
                *position = Position::FirstChild;
                html.push_str(&inner);
                for child in children {
                    child.to_html_with_buf(html, position, true, mark_branches, Vec::new());
                }
                close(tag, html);
                *position = Position::NextChild;
            }
            Self::Live(mut live) => live.read().to_html_with_buf(html, position, escape, mark_branches, extra),
            Self::Many(pieces) => {
                for piece in pieces {
                    piece.to_html_with_buf(html, position, escape, mark_branches, extra.clone());
                }
                mark(html, position);
            }
            Self::Any(view) => view.to_html_with_buf(html, position, escape, mark_branches, extra),
        }
    }

    fn to_html_async_with_buf<const OUT_OF_ORDER: bool>(
        self,
        html: &mut StreamBuilder,
        position: &mut Position,
        escape: bool,
        mark_branches: bool,
        extra: Vec<AnyAttribute>,
    ) {
        match self {
            Self::Element(Element(parts)) => {
                let (mut tag, mut children, mut inner) = ("", Vec::new(), String::new());
                html.with_buf(|html| (tag, children, inner) = open(*parts, extra, html));
                *position = Position::FirstChild;
                html.push_sync(&inner);
                for child in children {
                    child.to_html_async_with_buf::<OUT_OF_ORDER>(html, position, true, mark_branches, Vec::new());
                }
                html.with_buf(|html| close(tag, html));
                *position = Position::NextChild;
            }
            Self::Live(mut live) => {
                live.read().to_html_async_with_buf::<OUT_OF_ORDER>(html, position, escape, mark_branches, extra);
            }
            Self::Many(pieces) => {
                for piece in pieces {
                    piece.to_html_async_with_buf::<OUT_OF_ORDER>(html, position, escape, mark_branches, extra.clone());
                }
                html.with_buf(|html| mark(html, position));
            }
            Self::Any(view) => {
                view.to_html_async_with_buf::<OUT_OF_ORDER>(html, position, escape, mark_branches, extra);
            }
            plain @ (Self::Nothing | Self::Text(_)) => {
                html.with_buf(|html| plain.to_html_with_buf(html, position, escape, mark_branches, extra));
            }
        }
    }

    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Self::State {
        super::stand::hydrate(self, cursor, position)
    }

    fn into_owned(self) -> Self {
        self
    }
}

/// Reads what is live, and waits for what leptos loads.
fn resolve(piece: Piece) -> Pin<Box<dyn Future<Output = Piece> + Send>> {
    Box::pin(async move {
        match piece {
            Piece::Element(mut element) => {
                element.0.children = resolve_all(element.0.children).await;
                Piece::Element(element)
            }
            Piece::Live(mut live) => resolve(live.read()).await,
            Piece::Many(pieces) => Piece::Many(resolve_all(pieces).await),
            Piece::Any(view) => Piece::Any(Box::new(view.resolve().await)),
            plain @ (Piece::Nothing | Piece::Text(_)) => plain,
        }
    })
}

async fn resolve_all(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut resolved = Vec::with_capacity(pieces.len());
    for piece in pieces {
        resolved.push(resolve(piece).await);
    }
    resolved
}

impl AddAnyAttr for Piece {
    type Output<Added: Attribute> = <AnyView as AddAnyAttr>::Output<Added>;

    fn add_any_attr<Added: Attribute>(self, attribute: Added) -> Self::Output<Added>
    where
        Self::Output<Added>: RenderHtml,
    {
        self.into_any().add_any_attr(attribute)
    }
}

/// Keeps a place.
fn mark(html: &mut String, position: &mut Position) {
    html.push_str("<!>");
    *position = Position::NextChild;
}

/// Writes the opening tag. Gives the tag, the children, and what stands instead of them unescaped.
fn open(parts: Parts, extra: Vec<AnyAttribute>, html: &mut String) -> (&'static str, Vec<Piece>, String) {
    let Parts { shape, values, children } = parts;
    let (mut classes, mut inner) = (String::new(), String::new());
    html.push('<');
    html.push_str(shape.tag);
    for (name, text) in shape.fixed {
        match *name {
            "class" => add_class(&mut classes, text),
            name if text.is_empty() => attribute(html, name, &Value::Flag(true)),
            name => attribute(html, name, &Value::Text(Cow::Borrowed(text))),
        }
    }
    for ((kind, name), value) in shape.named.iter().zip(values) {
        match (kind, name, read(value)) {
            (Kind::Attribute, &"class", Value::Text(text)) => add_class(&mut classes, &text),
            (Kind::Attribute, name, value) => attribute(html, name, &value),
            (Kind::Class, name, Value::Flag(true)) => add_class(&mut classes, name),
            #[cfg(feature = "ssr")]
            (Kind::Html, _, Value::Text(text)) => inner.push_str(&text),
            _ => {}
        }
    }
    if !classes.is_empty() {
        attribute(html, "class", &Value::Text(classes.into()));
    }
    inner.push_str(&attributes_to_html(extra, html));
    html.push('>');
    (shape.tag, children, inner)
}

fn close(tag: &'static str, html: &mut String) {
    if !VOID.contains(&tag) {
        html.push_str("</");
        html.push_str(tag);
        html.push('>');
    }
}

fn add_class(classes: &mut String, class: &str) {
    if !classes.is_empty() && !class.is_empty() {
        classes.push(' ');
    }
    classes.push_str(class);
}

fn attribute(html: &mut String, name: &str, value: &Value) {
    use leptos::tachys::html::attribute::AttributeValue;
    match value {
        Value::Flag(on) => AttributeValue::to_html(*on, name, html),
        Value::Text(text) => AttributeValue::to_html(&**text, name, html),
        _ => {}
    }
}

fn read(value: Value) -> Value {
    match value {
        Value::Live(mut live) => live.read(),
        value => value,
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use leptos::prelude::*;
    use madang_view::view;

    #[test]
    fn what_people_wrote_stays_text() {
        let said = "<b>\"&".to_owned();
        let html = view! { <p title=said.clone()>{said}</p> }.to_html();
        assert_eq!(html, r#"<p title="&lt;b&gt;&quot;&amp;">&lt;b&gt;"&amp;</p>"#);
    }

    #[test]
    fn texts_beside_each_other_stay_apart() {
        let html = view! { <p>"one"{"two"}<i></i>"three"</p> }.to_html();
        assert_eq!(html, "<p>one<!>two<i></i>three</p>");
    }

    #[test]
    fn classes_flags_and_what_is_absent() {
        let nothing = None::<String>;
        let html = view! { <input type="checkbox" class="a" class:b=true class:c=false checked=true disabled=false lang=nothing /> };
        assert_eq!(html.to_html(), r#"<input type="checkbox" checked class="a b">"#);
    }

    #[test]
    fn what_shows_nothing_keeps_its_place() {
        let html = view! { <ul>{None::<String>}{vec!["a".to_owned()]}</ul> }.to_html();
        assert_eq!(html, "<ul><!>a<!></ul>");
    }

    #[test]
    fn what_is_live_is_read_once() {
        let html = view! { <p lang=|| "ko">{|| view! { <b>"x"</b> }}</p> }.to_html();
        assert_eq!(html, r#"<p lang="ko"><b>x</b></p>"#);
    }
}
