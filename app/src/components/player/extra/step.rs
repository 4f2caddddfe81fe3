//! The chat in step with the picture: what others write is shown when the picture is as far as it was when they wrote.

use super::super::deck::Deck;
use crate::{
    chat::talk::Talk,
    listen::on_clock,
    reactive::{Var, effect, memo},
    realtime::use_realtime,
};
use leptos::prelude::*;

/// How often what has waited long enough is looked for.
const LOOK_EVERY_MS: i32 = 200;
/// The picture's delay is followed in steps of this.
const GRAIN_MS: u32 = 200;
/// Who is further behind than this has gone back to see something again: the chat goes on as it comes.
const STEP_MAX_MS: u32 = 8_000;

/// Holds the chat back by as much as the picture is behind, while the viewer wants that. Ends with the current owner.
pub fn run(deck: Deck) {
    let realtime = use_realtime();
    let Some(talk) = realtime.talk(&deck.slug.get_value()).map(Var::<Talk>::from) else { return };
    let hold_ms = memo(move || match deck.behind_ms.get() {
        Some(ms) if deck.in_step.get() && ms <= STEP_MAX_MS => ms.next_multiple_of(GRAIN_MS),
        _ => 0,
    });
    effect(move || {
        let hold_ms = hold_ms.get();
        realtime.change(talk, &mut |talk, now| talk.hold(hold_ms, now));
    });
    on_clock(LOOK_EVERY_MS, move |_| {
        if talk.try_with_untracked(Talk::holds) == Some(true) {
            realtime.change(talk, &mut Talk::show_due);
        }
    });
    on_cleanup(move || realtime.change(talk, &mut |talk, now| talk.hold(0, now)));
}
