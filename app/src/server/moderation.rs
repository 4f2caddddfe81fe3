//! What moderators may see and do. Each function is one call on the domain, which refuses everybody else.

use crate::{codec::Json, error::ApiError};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use madang_protocol::{
    ActionId, RoomSlug,
    chat::{Act, ChatRefusal, ModerationView},
    wire::Wire,
};
use serde::{Deserialize, Serialize};

/// What became of an action: the id to undo it by where it can be undone, or why it was not taken.
pub type Moderated = Result<Option<ActionId>, ChatRefusal>;

/// Everything the moderation page shows of the room at `slug`, as it stands in the address.
///
/// # Errors
/// [`ApiError::NotFound`], [`ApiError::Forbidden`] for who does not moderate there, [`ApiError::Busy`], [`ApiError::Internal`].
#[server(name = ReadModeration, prefix = "/fn", endpoint = "moderation_view", input = GetUrl, output = Json)]
pub async fn moderation_view(slug: String) -> Result<ModerationView, ApiError> {
    let (domain, who) = asked()?;
    let slug = super::rooms::known_slug(&slug)?;
    Ok(domain.moderation_view(who, &slug).await?)
}

/// Does what a moderator does. A refusal by the chat's rules is no error.
///
/// # Errors
/// [`ApiError::Forbidden`] for somebody unknown.
#[server(prefix = "/fn", endpoint = "moderate", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn moderate(slug: RoomSlug, act: Act, reason: String) -> Result<Moderated, ApiError> {
    let (domain, who) = asked()?;
    Ok(domain.moderate(&slug, who, act, &reason).await.map_err(|refused| refused.reason))
}

/// The word of the room's filter that a text would be refused for.
///
/// # Errors
/// Those of [`moderation_view`].
#[server(prefix = "/fn", endpoint = "test_filter", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn test_filter(slug: RoomSlug, text: String) -> Result<Option<String>, ApiError> {
    let (domain, who) = asked()?;
    let view = domain.moderation_view(who, &slug).await?;
    Ok(madang_domain::Domain::test_filter(&view.filter, &text))
}

#[cfg(feature = "ssr")]
fn asked() -> Result<(madang_domain::Domain, madang_protocol::PersonId), ApiError> {
    let context = crate::context::use_server_context()?;
    let domain = crate::context::use_domain()?;
    let person = context.person.as_ref().map(|p| p.id).ok_or_else(|| super::rooms::refused(ApiError::Forbidden))?;
    Ok((domain, person))
}
