//! What a moderator sees of somebody: since when, under which names, what they said, and what was done about it.

use super::{composer::button, desk::Desk, hand::Hand, words};
use crate::{
    clock::use_clock,
    piece::Spot,
    reactive::{effect, memo},
};
use leptos::{ev, prelude::*, wasm_bindgen::JsCast};
use madang_protocol::{
    chat::{PersonCard, Role},
    wire::Later,
};
use madang_view::view;
use web_sys::{Element, HtmlElement};

/// The card, over the log, when one was asked for.
#[component]
pub fn Card(hand: Hand) -> impl IntoView {
    let desk = hand.desk;
    let card = memo(move || desk.talk.with(|talk| talk.card.as_ref().and_then(Later::read)));
    view! { {move || card.get().map(|card| view! { <Open desk card /> })} }
}

#[component]
fn Open(desk: Desk, card: PersonCard) -> impl IntoView {
    let m = desk.words;
    let clock = use_clock();
    let name = words::author(m, &card.author);
    let muted = card.muted.as_ref().map(|muted| words::muted(m, muted, untrack(|| clock.now())));
    let free = card.muted.is_none();
    let always = || false;
    let lines = |title: &'static str, lines: Vec<(bool, String)>| {
        let empty = lines.is_empty().then(|| m.chat_card_none());
        let line = |(gone, text): (bool, String)| view! { <li class:gone=gone>{text}</li> };
        view! {
            <h4>{title}</h4>
            <ul>{lines.into_iter().map(line).collect_view()}</ul>
            {empty}
        }
    };
    let names = card.earlier_names.into_iter().map(|name| (false, name)).collect();
    let messages = card.messages.into_iter().map(|message| (message.deleted, message.text)).collect();
    let actions = card.actions.iter().map(|action| (action.undone, words::action(m, action))).collect();
    let owner = desk.is(|talk| talk.standing.role != Role::Owner);
    let moderator = card.author.role == Role::Moderator;
    let since = untrack(|| m.ago(clock.since(card.first_seen)));
    // Whoever asked for it reads on in it, and Escape leaves it.
    let place = Spot::new();
    effect(move || focus(place.get()));
    let pressed = move |key: ev::KeyboardEvent| {
        if key.key() == "Escape" {
            key.stop_propagation();
            desk.talk.update(|talk| talk.card = None);
            focus(desk.log.get_untracked());
        }
    };
    view! {
        <div class="chat-card" role="dialog" aria-label=m.chat_about() tabindex="-1" node_ref=place on:keydown=pressed>
            <h3>{name}<button type="button" data-do="close-card" aria-label=m.chat_close() title=m.chat_close()>"×"</button></h3>
            <p>{m.chat_card_since(since)}</p>
            {muted.map(|muted| view! { <p>{muted}</p> })}
            <p class="chat-card-acts">
                {button("card-unban", m.chat_unban(), move || free)}
                {button("card-mod", m.chat_make_moderator(), move || owner() || moderator)}
                {button("card-unmod", m.chat_unmake_moderator(), move || owner() || !moderator)}
                {button("close-card", m.chat_close(), always)}
            </p>
            {lines(m.chat_card_names(), names)}
            {lines(m.chat_card_messages(), messages)}
            {lines(m.chat_card_actions(), actions)}
        </div>
    }
}

fn focus(element: Option<Element>) {
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}
