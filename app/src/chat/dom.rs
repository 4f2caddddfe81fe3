//! The rows in the page. Built by hand, for there are many and they are alike: elements, classes and text, never markup.

use super::{
    log::{Row, Step, patch},
    look::Reader,
    talk::Talk,
};
use crate::i18n::Messages;
use leptos::prelude::document;
use madang_protocol::{UnixMillis, chat::Seq};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Element;

/// How far from the newest row still counts as being there, in pixels.
const NEAR_END: i32 = 48;
/// Closer to the oldest row than this, older ones are asked for.
const NEAR_START: i32 = 200;

/// The element that holds the rows, and what stands in it. What scrolls around it counts from its lower edge (`column-reverse`), so
/// that it begins at the newest row, and stays there by itself.
pub struct Rows {
    holder: Element,
    scroller: Element,
    standing: Vec<(u32, u32)>,
}

impl Rows {
    pub const fn new(holder: Element, scroller: Element) -> Self {
        Self { holder, scroller, standing: Vec::new() }
    }

    /// Draws what differs. Away from the newest row, what is read stays where it is.
    pub fn draw(&mut self, talk: &Talk, words: Messages) {
        let reader = Reader { words, you: &talk.you, clock };
        let rows = talk.log.rows();
        if self.standing.is_empty() {
            self.adopt(rows, &reader);
        }
        let steps = patch(&self.standing, rows);
        let anchor = if steps.is_empty() || self.is_at_end() { None } else { self.anchor() };
        for step in &steps {
            match *step {
                Step::Remove(place) => {
                    if let Some(element) = self.child(place) {
                        element.remove();
                        self.standing.remove(place);
                    }
                }
                Step::Insert { place, row } => {
                    let Some(row) = rows.get(row) else { continue };
                    let _ = self.holder.insert_before(&draw(row, &reader), self.child(place).as_deref());
                    self.standing.insert(place.min(self.standing.len()), (row.key, row.revision));
                }
                Step::Replace { place, row } => {
                    let (Some(row), Some(old)) = (rows.get(row), self.child(place)) else { continue };
                    let _ = old.replace_with_with_node_1(&draw(row, &reader));
                    if let Some(standing) = self.standing.get_mut(place) {
                        *standing = (row.key, row.revision);
                    }
                }
            }
        }
        if let Some((element, top)) = anchor
            && element.is_connected()
        {
            let moved = element.get_bounding_client_rect().top() - top;
            self.scroller.set_scroll_top(self.scroller.scroll_top() + moved as i32);
        }
    }

    pub fn to_end(&self) {
        self.scroller.set_scroll_top(0);
    }

    /// The element of a row.
    pub fn find(&self, key: u32) -> Option<Element> {
        self.child(self.standing.iter().position(|(standing, _)| *standing == key)?)
    }

    fn is_at_end(&self) -> bool {
        -self.scroller.scroll_top() <= NEAR_END
    }

    /// Looks where the reader is: whether at the newest row, and whether near the oldest.
    pub fn look(&self) -> (bool, bool) {
        let above = self.scroller.scroll_height() - self.scroller.client_height() + self.scroller.scroll_top();
        (self.is_at_end(), above < NEAR_START)
    }

    /// The first row in sight, and where it is.
    fn anchor(&self) -> Option<(Element, f64)> {
        let edge = self.scroller.get_bounding_client_rect().top();
        let rows = (0..self.standing.len()).filter_map(|place| self.child(place));
        let places = rows.map(|row| (row.get_bounding_client_rect(), row));
        places.filter(|(place, _)| place.bottom() > edge).map(|(place, row)| (row, place.top())).next()
    }

    /// Takes over what the server wrote, where it is what would be drawn; the times are the reader's own now.
    fn adopt(&mut self, rows: &[Row], reader: &Reader<'_>) {
        let mut later = rows.iter();
        while let Some(element) = self.child(self.standing.len()) {
            let seq = element.get_attribute("data-seq").and_then(|seq| seq.parse().ok()).map(Seq);
            let known = later.clone().position(|row| seq.is_some() && row.seq == seq);
            let Some(row) = known.and_then(|at| later.nth(at)) else {
                element.remove();
                continue;
            };
            let drawn = draw(row, reader);
            let _ = element.replace_with_with_node_1(&drawn);
            self.standing.push((row.key, row.revision));
        }
    }

    fn child(&self, place: usize) -> Option<Element> {
        self.holder.children().item(u32::try_from(place).ok()?)
    }
}

/// One row.
fn draw(row: &Row, reader: &Reader<'_>) -> Element {
    let (class, pieces) = reader.look(row);
    let element = create("div", &class);
    set(&element, "tabindex", "-1");
    set(&element, "data-key", &row.key.to_string());
    if let Some(seq) = row.seq {
        set(&element, "data-seq", &seq.0.to_string());
    }
    for piece in &pieces {
        if piece.tag.is_empty() {
            let _ = element.append_with_str_1(&piece.text);
            continue;
        }
        let part = create(piece.tag, &piece.class);
        part.set_text_content(Some(&piece.text));
        match piece.tag {
            "a" => {
                set(&part, "href", &piece.note);
                set(&part, "rel", "noopener noreferrer nofollow ugc");
                set(&part, "target", "_blank");
            }
            "button" => {
                set(&part, "type", "button");
                set(&part, "data-do", &piece.class);
            }
            "span" if !piece.note.is_empty() => {
                set(&part, "role", "img");
                set(&part, "aria-label", &piece.note);
                set(&part, "title", &piece.note);
            }
            "i" => set(&part, "title", &piece.note),
            _ => {}
        }
        let _ = element.append_child(&part);
        if piece.is_apart() {
            let _ = element.append_with_str_1(" ");
        }
    }
    element
}

fn create(tag: &str, class: &str) -> Element {
    let element = document().create_element(tag).expect("a valid name");
    if !class.is_empty() {
        element.set_class_name(class);
    }
    element
}

/// An attribute of these names can always be set.
fn set(element: &Element, name: &str, value: &str) {
    let _ = element.set_attribute(name, value);
}

/// Hours and minutes where the reader is.
fn clock(at: UnixMillis) -> String {
    let date = js_sys::Date::new(&JsValue::from_f64(at.0 as f64));
    let figures = |n: u32| if n < 10 { format!("0{n}") } else { n.to_string() };
    format!("{}:{}", figures(date.get_hours()), figures(date.get_minutes()))
}

/// The key of the row that an event happened in.
pub fn row_of(target: Option<web_sys::EventTarget>) -> Option<(Element, u32)> {
    let element = target?.dyn_into::<Element>().ok()?.closest(".msg").ok()??;
    let key = element.get_attribute("data-key")?.parse().ok()?;
    Some((element, key))
}

/// How many characters a reader would count (`Intl.Segmenter`), or an approximation in browsers without.
pub fn graphemes(text: &str) -> u32 {
    let count = || -> Option<u32> {
        let intl = js_sys::Reflect::get(&js_sys::global(), &"Intl".into()).ok()?;
        let class = js_sys::Reflect::get(&intl, &"Segmenter".into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
        let segmenter = js_sys::Reflect::construct(&class, &js_sys::Array::new()).ok()?;
        let segment = js_sys::Reflect::get(&segmenter, &"segment".into()).ok()?.dyn_into::<js_sys::Function>().ok()?;
        let segments = segment.call1(&segmenter, &text.into()).ok()?;
        Some(js_sys::Array::from(&segments).length())
    };
    count().unwrap_or_else(|| u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

/// An id for something sent: nobody else's, and not one of this browser's before.
pub fn new_id(kind: &str) -> String {
    let part = || (js_sys::Math::random() * f64::from(u32::MAX)) as u32;
    format!("{kind}{:08x}{:08x}", part(), part())
}
