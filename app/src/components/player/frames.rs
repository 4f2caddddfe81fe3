//! Frames shown one by one, for the lowest delay: a download of its own, for those who ask for that.

use madang_player::web::frames::{Opening, opening};
use madang_view::part;

/// This part's beginning.
#[part]
pub fn player_frames() -> Opening {
    opening()
}
