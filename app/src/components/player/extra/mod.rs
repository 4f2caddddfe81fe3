//! What a player has beyond its first picture: a bar to go back by, settings, shortcuts, statistics, the system's media controls, a
//! screen that stays on, a level meter for streams of sound, and reports of how the picture does. A download of its own, fetched when
//! the picture moves or when something of it is pressed: the first picture waits for none of it.

mod figures;
mod meter;
mod panels;
mod report;
mod seek;
mod session;
mod wake;

use super::deck::{Deck, Extra};
use crate::{piece::Piece, reactive::effect};
use leptos::prelude::*;
use madang_view::view;
use std::time::Duration;

/// How often the statistics are read while they are open.
const FIGURES_EVERY: Duration = Duration::from_millis(500);

/// Fetches this part, once.
#[cfg(feature = "split")]
#[lazy]
pub fn load() -> Extra {
    extra
}

/// This part, where the build does not take the program apart.
#[cfg(not(feature = "split"))]
pub async fn load() -> Extra {
    extra
}

/// Starts what runs, and gives what is seen. Both end with the current owner.
fn extra(deck: Deck) -> Piece {
    session::run(deck);
    wake::run(deck);
    report::run(deck);
    effect(move || {
        if deck.stats_open.get() {
            figures::read(deck);
            if let Ok(handle) = set_interval_with_handle(move || figures::read(deck), FIGURES_EVERY) {
                on_cleanup(move || handle.clear());
            }
        }
    });
    view! {
        {meter::cover(deck)}
        {panels::stats(deck)}
        {panels::panel(deck)}
        {seek::bar(deck)}
    }
}
