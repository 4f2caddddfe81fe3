//! What pages share. Each component brings its words from the message files and its looks from `style/components.css`.

pub mod account_field;
pub mod arrival;
pub mod avatar;
pub mod badge;
pub mod banner;
pub mod copy;
pub mod copy_row;
pub mod footer;
pub mod form_fields;
pub mod header;
pub mod icons;
pub mod keys;
pub mod log_in_first;
pub mod player;
pub mod room_form;
pub mod search;
pub mod still;
pub mod tile;
pub mod time;
