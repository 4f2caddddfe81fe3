//! What a player has beyond its first picture: a bar to go back by, settings, shortcuts, statistics, the system's media controls, a
//! screen that stays on, a level meter for streams of sound, and reports of how the picture does. A download of its own, fetched when
//! the picture moves or when something of it is pressed: the first picture waits for none of it.

mod figures;
mod meter;
mod panels;
mod report;
mod seek;
mod session;
mod step;
mod wake;

use super::deck::{Deck, Extra};
use crate::{listen::on_clock, piece::Piece, reactive::effect};
use madang_view::{part, view};

/// How often the statistics are read while they are open.
const FIGURES_EVERY_MS: i32 = 500;

/// This part's beginning.
#[part]
pub fn player_extra() -> Extra {
    extra
}

/// Starts what runs, and gives what is seen. Both end with the current owner.
fn extra(deck: Deck) -> Piece {
    session::run(deck);
    wake::run(deck);
    report::run(deck);
    step::run(deck);
    effect(move || {
        if deck.stats_open.get() {
            figures::read(deck);
            on_clock(FIGURES_EVERY_MS, move |_| figures::read(deck));
        }
    });
    view! {
        {meter::cover(deck)}
        {panels::stats(deck)}
        {panels::panel(deck)}
        {seek::bar(deck)}
    }
}
