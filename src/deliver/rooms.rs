//! How the media routes find a room: a port, so that they can be tested without storage.

use futures_util::future::BoxFuture;
use madang_domain::Domain;
use madang_protocol::{PersonId, RoomId, RoomSlug, UnixMillis};

/// A room that exists and may be watched by whoever has its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FoundRoom {
    pub id: RoomId,
    pub owner: PersonId,
    /// When its last broadcast ended; none if there never was one.
    pub last_live: Option<UnixMillis>,
}

/// The rooms cannot be asked now; the cause is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unavailable;

/// Finds rooms by their slug.
pub trait Rooms: Send + Sync {
    /// `None` for a room that does not exist or is not the asker's to see.
    ///
    /// # Errors
    /// [`Unavailable`] when storage does not answer.
    fn find<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Result<Option<FoundRoom>, Unavailable>>;
}

impl Rooms for Domain {
    fn find<'a>(&'a self, slug: &'a RoomSlug) -> BoxFuture<'a, Result<Option<FoundRoom>, Unavailable>> {
        Box::pin(async move {
            match self.room(slug).await {
                Ok(room) => {
                    Ok(room.map(|room| FoundRoom { id: room.id, owner: room.owner, last_live: room.last_live }))
                }
                Err(error) => {
                    tracing::warn!(%slug, %error, "a viewer's room cannot be looked up");
                    Err(Unavailable)
                }
            }
        })
    }
}
