//! Rooms for everyone: making one, and what its page shows. Each function is one call on the domain; those that only read are
//! `GET`, so that they do not count as changes.

use crate::{codec::Json, error::ApiError};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use madang_protocol::wire::Wire;
use madang_protocol::{RoomPage, RoomSlug, rooms::RoomForm};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How long a guest's cookie lasts, in seconds: a year.
#[cfg(feature = "ssr")]
const GUEST_COOKIE_MAX_AGE_S: u32 = 365 * 24 * 60 * 60;

/// A room that was just made, with its first key: the only answer that key is ever in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct CreatedRoom {
    pub slug: RoomSlug,
    /// Where to publish, such as `rtmp://host:1935/live`.
    pub rtmp_url: String,
    pub key_name: String,
    /// The secret itself.
    pub stream_key: String,
}

impl fmt::Debug for CreatedRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedRoom")
            .field("slug", &self.slug)
            .field("key_name", &self.key_name)
            .finish_non_exhaustive()
    }
}

/// Makes a room for whoever asks, if they may; where guests may, someone unknown becomes one, by a cookie in the same answer.
///
/// # Errors
/// [`ApiError::Forbidden`], [`ApiError::Invalid`] with every broken field, [`ApiError::LimitReached`], [`ApiError::Busy`], [`ApiError::Internal`].
#[server(prefix = "/fn", endpoint = "create_room", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn create_room(form: RoomForm) -> Result<CreatedRoom, ApiError> {
    use crate::context::{use_domain, use_server_context};
    let context = use_server_context()?;
    let domain = use_domain()?;
    if !domain.may_make_rooms(context.person.as_ref()) {
        return Err(refused(ApiError::Forbidden));
    }
    let draft = checked(&form)?;
    let owner = owner(&context, &domain).await?;
    let (room, key) = domain.make_room(owner, draft).await?;
    keep_out_of_caches();
    Ok(CreatedRoom {
        slug: room.slug,
        rtmp_url: context.rtmp_url,
        key_name: "default".to_owned(),
        stream_key: key.expose().to_owned(),
    })
}

/// Whether a valid address is still to be had.
///
/// # Errors
/// [`ApiError::Busy`], [`ApiError::Internal`].
#[server(prefix = "/fn", endpoint = "slug_free", input = GetUrl, output = Json)]
pub async fn slug_free(slug: RoomSlug) -> Result<bool, ApiError> {
    Ok(crate::context::use_domain()?.slug_free(&slug).await?)
}

/// What the page for a new room has to know of whoever asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct RoomMaker {
    /// Their shown name; empty for somebody unknown.
    pub name: String,
    /// Whether they may make rooms.
    pub may: bool,
    /// Whether an account would be enough.
    pub account_may: bool,
}

/// Whether whoever asks may make rooms.
///
/// # Errors
/// [`ApiError::Internal`].
#[server(name = ReadRoomMaker, prefix = "/fn", endpoint = "room_maker", input = GetUrl, output = Json)]
pub async fn room_maker() -> Result<RoomMaker, ApiError> {
    use crate::context::{use_domain, use_server_context};
    let (domain, person) = (use_domain()?, use_server_context()?.person);
    let may = domain.may_make_rooms(person.as_ref());
    Ok(RoomMaker {
        may,
        account_may: domain.accounts_make_rooms(),
        name: person.map(|person| person.name).unwrap_or_default(),
    })
}

/// What the watch page shows of the room at `slug`, as it stands in the address.
///
/// # Errors
/// [`ApiError::NotFound`] also for what is no slug, [`ApiError::Forbidden`] for who is not let in, [`ApiError::Busy`],
/// [`ApiError::Internal`].
#[server(name = ReadRoomPage, prefix = "/fn", endpoint = "room_page", input = GetUrl, output = Json)]
pub async fn room_page(slug: String) -> Result<RoomPage, ApiError> {
    use crate::context::{use_domain, use_server_context};
    let shown = use_server_context()?.shown;
    let domain = use_domain()?;
    let slug = known_slug(&slug)?;
    let (page, _) = domain.room_page(&slug, &shown).await?;
    if !page.play_token.is_empty() {
        keep_out_of_caches();
    }
    Ok(page)
}

/// Reads a slug from an address; what is no slug is no room.
#[cfg(feature = "ssr")]
pub(super) fn known_slug(text: &str) -> Result<RoomSlug, ApiError> {
    RoomSlug::parse(text).map_err(|_| refused(ApiError::NotFound))
}

/// Checks a form by the same rules as the browser did.
#[cfg(feature = "ssr")]
pub(super) fn checked(form: &RoomForm) -> Result<madang_protocol::RoomDraft, ApiError> {
    form.check().map_err(|issues| refused(ApiError::Invalid(issues)))
}

/// Gives the answer being made the status that goes with `error`.
#[cfg(feature = "ssr")]
pub(super) fn refused(error: ApiError) -> ApiError {
    crate::context::set_status(error.status());
    error
}

/// For an answer with a secret in it: no cache, shared or the browser's own, keeps it.
#[cfg(feature = "ssr")]
pub(crate) fn keep_out_of_caches() {
    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
        response.insert_header(http::header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    }
}

/// Who makes the room. A guest comes into being here, at the first need.
#[cfg(feature = "ssr")]
async fn owner(
    context: &crate::context::ServerContext,
    domain: &madang_domain::Domain,
) -> Result<madang_protocol::PersonId, ApiError> {
    if let Some(person) = &context.person {
        return Ok(person.id);
    }
    let (guest, cookie) = domain.guest().await?;
    context.set_cookie(crate::context::PERSON_COOKIE, cookie.as_str(), GUEST_COOKIE_MAX_AGE_S);
    Ok(guest.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_created_room_prints_without_its_key() {
        let created = CreatedRoom {
            slug: RoomSlug::parse("my-room").expect("valid"),
            rtmp_url: "rtmp://x/live".into(),
            key_name: "default".into(),
            stream_key: "sk_secret".into(),
        };
        assert!(!format!("{created:?}").contains("secret"));
    }
}
