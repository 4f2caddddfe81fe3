//! The browser's side of a [`Place`]: links, the history, and the parts that pages are in.

use super::{Page, Place, address};
use crate::{App, hydration::Given, listen::on_window, piece::any};
use any_spawner::Executor;
use leptos::{
    prelude::*,
    tachys::{hydration::Cursor, view::PositionState},
};
use std::{mem, sync::Arc};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

/// What the history has of a step.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Record {
    Push,
    Replace,
    /// It is the history's own.
    Keep,
}

/// Hydrates the document, once the part that its page is in is there. `<html data-awake>` says that it is done: from then on what is
/// pressed is answered in place. A page whose part cannot be had stays as the server wrote it.
pub async fn wake() {
    let part = Page::of(&address().0).and_then(Page::part);
    if let Some(part) = part
        && part.load().await.is_err()
    {
        // Nobody will take the stream that the page has asked for.
        madang_player::web::forget_early();
        return;
    }
    hydrate();
    if let Some(page) = document().document_element() {
        // An attribute of this name can always be set.
        let _ = page.set_attribute("data-awake", "");
    }
}

fn hydrate() {
    let Some(body) = document().body() else { return };
    // Refused only where there is one already.
    let _ = Executor::init_wasm_bindgen();
    let given = Arc::new(Given::default());
    let owner = Owner::new_root(Some(Arc::clone(&given) as _));
    let state =
        owner.with(|| any(App()).hydrate::<true>(&Cursor::new(body.unchecked_into()), &PositionState::default()));
    hydration_context::SharedContext::hydration_complete(&*given);
    // They stand for as long as the document does.
    mem::forget((owner, state));
}

/// Hears links and the history's buttons, for as long as the app lives.
pub fn follow(place: Place) {
    on_window("click", move |event| {
        let _ = clicked(place, event.unchecked_ref());
    });
    on_window("popstate", move |_| {
        let (path, search) = address();
        step(place, path, search, String::new(), Record::Keep, false);
    });
}

/// Follows a link to a page of ours. All others are the browser's.
fn clicked(place: Place, event: &MouseEvent) -> Option<()> {
    let modified = event.meta_key() || event.alt_key() || event.ctrl_key() || event.shift_key();
    if event.default_prevented() || event.button() != 0 || modified {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let link = target.closest("a[href]").ok()??.dyn_into::<HtmlAnchorElement>().ok()?;
    let elsewhere = !link.target().is_empty()
        || link.has_attribute("download")
        || link.rel().split(' ').any(|word| word == "external")
        || window().location().origin().ok()? != link.origin();
    let (path, search, hash) = (link.pathname(), link.search(), link.hash());
    let search = search.trim_start_matches('?').to_owned();
    let here = place.path.get_untracked() == path && place.search.get_untracked() == search;
    // A place within this page is the browser's to go to.
    if elsewhere || Page::of(&path).is_none() || (here && !hash.is_empty()) {
        return None;
    }
    event.prevent_default();
    let record = if here { Record::Replace } else { Record::Push };
    step(place, path, search, hash, record, !link.has_attribute("data-noscroll"));
    Some(())
}

/// Goes to an address of this site.
pub fn go(place: Place, address: &str, replace: bool) {
    let (path, search) = address.split_once('?').unwrap_or((address, ""));
    let record = if replace { Record::Replace } else { Record::Push };
    step(place, path.to_owned(), search.to_owned(), String::new(), record, false);
}

fn step(place: Place, path: String, search: String, hash: String, record: Record, scrolls: bool) {
    let Some(this) = place.steps.try_update_value(|steps| {
        *steps += 1;
        *steps
    }) else {
        return;
    };
    let mut address = path.clone();
    if !search.is_empty() {
        address.push('?');
        address.push_str(&search);
    }
    address.push_str(&hash);
    let Some(page) = Page::of(&path) else {
        // The server's own.
        let _ = window().location().assign(&address);
        return;
    };
    let there = address.clone();
    let arrive = move || {
        if let Ok(history) = window().history() {
            let _ = match record {
                Record::Push => history.push_state_with_url(&JsValue::NULL, "", Some(&there)),
                Record::Replace => history.replace_state_with_url(&JsValue::NULL, "", Some(&there)),
                Record::Keep => Ok(()),
            };
        }
        // The page first: one that is left need not follow its own search.
        place.path.set_if_new(path);
        place.search.set_if_new(search);
        if scrolls {
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    };
    let Some(part) = page.part().filter(|part| !part.is_loaded()) else { return arrive() };
    leptos::task::spawn_local(async move {
        let loaded = part.load().await.is_ok();
        if place.steps.try_get_value() != Some(this) {
            return;
        }
        if loaded {
            arrive();
        } else {
            // The browser says what is wrong, or the server's page comes after all.
            let _ = window().location().assign(&address);
        }
    });
}
