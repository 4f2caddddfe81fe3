//! What a room's owner may do. Each function is one call on the domain, which refuses everybody else.

use crate::{codec::Json, error::ApiError};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use madang_protocol::wire::Wire;
use madang_protocol::{
    KeyId, RoomPage, RoomSlug,
    rooms::RoomForm,
    studio::{StreamKeyInfo, StudioStatus},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The studio as it opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct StudioView {
    pub page: RoomPage,
    /// Those in force, oldest first; then the revoked ones, the newest of them first.
    pub keys: Vec<StreamKeyInfo>,
    pub status: StudioStatus,
    /// Where to publish, such as `rtmp://host:1935/live`.
    pub rtmp_url: String,
}

/// A key that was just made: the only answer it is ever in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct FreshKey {
    pub info: StreamKeyInfo,
    /// The secret itself.
    pub stream_key: String,
}

impl fmt::Debug for FreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FreshKey").field("info", &self.info).finish_non_exhaustive()
    }
}

/// Everything the studio shows of the room at `slug`, as it stands in the address.
///
/// # Errors
/// [`ApiError::NotFound`], [`ApiError::Forbidden`] for anyone but the owner, [`ApiError::Busy`], [`ApiError::Internal`].
#[server(name = ReadStudio, prefix = "/fn", endpoint = "studio_view", input = GetUrl, output = Json)]
pub async fn studio_view(slug: String) -> Result<StudioView, ApiError> {
    let asked = Asked::read()?;
    let slug = super::rooms::known_slug(&slug)?;
    let (page, keys, status) = asked.domain.studio(asked.who(), &slug, Some(asked.context.visit.address)).await?;
    Ok(StudioView { page, keys, status, rtmp_url: asked.context.rtmp_url })
}

/// Makes another key.
///
/// # Errors
/// Those of [`studio_view`], and [`ApiError::Invalid`] for its name, [`ApiError::LimitReached`].
#[server(prefix = "/fn", endpoint = "create_key", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn create_key(slug: RoomSlug, name: String) -> Result<FreshKey, ApiError> {
    let asked = Asked::read()?;
    let (info, key) = asked.domain.create_key(asked.who(), &slug, &name).await?;
    Ok(asked.fresh(info, &key))
}

/// Replaces a key by a new one of the same name; the old one stops working, and who streams with it is cut off.
///
/// # Errors
/// Those of [`studio_view`]; [`ApiError::NotFound`] also for a key that is not the room's.
#[server(prefix = "/fn", endpoint = "rotate_key", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn rotate_key(slug: RoomSlug, key: KeyId) -> Result<FreshKey, ApiError> {
    let asked = Asked::read()?;
    let (info, key) = asked.domain.rotate_key(asked.who(), &slug, key).await?;
    Ok(asked.fresh(info, &key))
}

/// Ends a key; who streams with it is cut off.
///
/// # Errors
/// Those of [`rotate_key`].
#[server(prefix = "/fn", endpoint = "revoke_key", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn revoke_key(slug: RoomSlug, key: KeyId) -> Result<(), ApiError> {
    let asked = Asked::read()?;
    asked.domain.revoke_key(asked.who(), &slug, key).await?;
    Ok(())
}

/// Changes what the room says about itself.
///
/// # Errors
/// Those of [`studio_view`], and [`ApiError::Invalid`] with every broken field.
#[server(prefix = "/fn", endpoint = "edit_room", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn edit_room(slug: RoomSlug, form: RoomForm) -> Result<(), ApiError> {
    let asked = Asked::read()?;
    let draft = super::rooms::checked(&form)?;
    asked.domain.edit_room(asked.who(), &slug, draft).await?;
    Ok(())
}

/// Ends the running broadcast.
///
/// # Errors
/// Those of [`studio_view`].
#[server(prefix = "/fn", endpoint = "end_stream", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn end_stream(slug: RoomSlug) -> Result<(), ApiError> {
    let asked = Asked::read()?;
    asked.domain.end_stream(asked.who(), &slug).await?;
    Ok(())
}

/// Deletes the room for good. `confirm` is its slug, typed: anything else changes nothing.
///
/// # Errors
/// Those of [`studio_view`], and [`ApiError::Invalid`] on the slug when `confirm` is not it.
#[server(prefix = "/fn", endpoint = "delete_room", input = Json, input_derive = (Clone, Serialize, Deserialize, Wire), output = Json)]
pub async fn delete_room(slug: RoomSlug, confirm: String) -> Result<(), ApiError> {
    use madang_protocol::{Field, FieldIssue, Problem};
    let asked = Asked::read()?;
    if !confirms(&slug, &confirm) {
        let issue = FieldIssue::new(Field::Slug, Problem::NotAChoice);
        return Err(super::rooms::refused(ApiError::Invalid(vec![issue])));
    }
    asked.domain.delete_room(asked.who(), &slug).await?;
    Ok(())
}

/// Whether what was typed is the room's address.
pub fn confirms(slug: &RoomSlug, typed: &str) -> bool {
    RoomSlug::parse(typed).as_ref() == Ok(slug)
}

/// A request by somebody known: nobody else owns a room.
#[cfg(feature = "ssr")]
struct Asked {
    context: crate::context::ServerContext,
    domain: madang_domain::Domain,
    person: madang_protocol::PersonId,
}

#[cfg(feature = "ssr")]
impl Asked {
    fn read() -> Result<Self, ApiError> {
        let context = crate::context::use_server_context()?;
        let domain = crate::context::use_domain()?;
        let person = context.person.as_ref().map(|p| p.id).ok_or_else(|| super::rooms::refused(ApiError::Forbidden))?;
        Ok(Self { context, domain, person })
    }

    const fn who(&self) -> madang_protocol::PersonId {
        self.person
    }

    fn fresh(&self, info: StreamKeyInfo, key: &madang_domain::StreamKey) -> FreshKey {
        super::rooms::keep_out_of_caches();
        FreshKey { info, stream_key: key.expose().to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::UnixMillis;

    #[test]
    fn a_fresh_key_prints_without_the_key() {
        let info = StreamKeyInfo {
            id: KeyId::from_random(2),
            name: "phone".into(),
            created: UnixMillis(0),
            last_use: None,
            revoked: None,
        };
        let fresh = FreshKey { info, stream_key: "sk_secret".into() };
        assert!(!format!("{fresh:?}").contains("secret"));
    }
}
