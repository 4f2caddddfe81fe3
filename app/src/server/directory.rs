//! The directory's one question.

use crate::{codec::Json, error::ApiError};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use madang_protocol::RoomCard;

/// Every public room, live ones first, as the domain keeps them (240 at most).
///
/// # Errors
/// [`ApiError::Busy`] or [`ApiError::Internal`].
#[server(prefix = "/fn", endpoint = "list_rooms", input = GetUrl, output = Json)]
pub async fn list_rooms() -> Result<Vec<RoomCard>, ApiError> {
    Ok(crate::context::use_domain()?.directory().await?)
}
