//! What the media side tells and asks: may this encoder publish, a broadcast began, it ended.

use super::Domain;
use crate::{
    clock,
    error::Error,
    key::{PublishGrant, PublishRefusal, StreamKey},
    room::DomainChange,
    site::{Class, Site},
    store::{NewBroadcast, Store},
};
use madang_protocol::{KeyId, RoomId, UnixMillis, studio::KeyUse};
use std::{net::IpAddr, sync::Arc};

/// Most characters kept of what an encoder calls itself.
const ENCODER_MAX: usize = 128;

impl Domain {
    /// Whether an encoder that came with `key` may publish, and where. Notes the key's last use. `encoder` is what the encoder
    /// calls itself, empty if it did not say.
    ///
    /// # Errors
    /// A [`PublishRefusal`]; nothing in it, and nothing logged, tells what the key was.
    pub async fn authorize_publish(
        &self,
        key: &str,
        from: IpAddr,
        encoder: &str,
    ) -> Result<PublishGrant, PublishRefusal> {
        let hash = StreamKey::parse(key).ok_or(PublishRefusal::NotAKey)?.hash();
        // A reader looks first: a flood of wrong keys never reaches the writer.
        let found = self.0.desk.read(move |store| store.find_stream_key(&hash)).await.map_err(unavailable)?;
        // The index found it by its SHA-256, about which timing tells nothing of use; equality is still decided in constant time.
        let found = found.filter(|found| found.hash == hash).ok_or(PublishRefusal::UnknownKey)?;
        if let Some(at) = found.revoked {
            return Err(PublishRefusal::Revoked { at, room: found.room });
        }
        let usage = KeyUse { at: clock::now(), from: from.to_canonical().to_string(), encoder: encoder_name(encoder) };
        let (room, id, shared) = (found.room, found.id, Arc::clone(&self.0.shared));
        let known = Arc::clone(&shared);
        let work = move |store: &mut dyn Store| {
            // Asked again where writes are in order: it may have been revoked since.
            let Some(key) = store.stream_key(room, id)? else { return Ok(Err(PublishRefusal::UnknownKey)) };
            if let Some(at) = key.revoked {
                return Ok(Err(PublishRefusal::Revoked { at, room }));
            }
            if owner_banned(store, &known.site(), room, Some(from))? {
                return Ok(Err(PublishRefusal::Banned));
            }
            store.stream_key_used(id, &usage)?;
            Ok(Ok(()))
        };
        let after = move |used: &Result<(), PublishRefusal>| {
            if used.is_ok() {
                shared.tell(DomainChange::Room(room));
            }
        };
        self.0.desk.write(work, after).await.map_err(unavailable)??;
        Ok(PublishGrant { room, slug: found.slug, key: id })
    }

    /// Whether a room's key is still in force, and its owner not banned from the site. To be asked once more right after the publisher is on the air (a key revoked between
    /// [`Domain::authorize_publish`] and that moment found nobody to cut), and after another process wrote.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn key_stands(&self, room: RoomId, key: KeyId, from: Option<IpAddr>) -> Result<bool, Error> {
        let known = Arc::clone(&self.0.shared);
        let read = move |store: &dyn Store| {
            let stands = store.stream_key(room, key)?.is_some_and(|key| key.revoked.is_none());
            Ok(stands && !owner_banned(store, &known.site(), room, from)?)
        };
        self.0.desk.read(read).await
    }

    /// A broadcast began: its record is opened, with the key and the encoder that [`crate::OnAir::status`] names. One that is
    /// open goes on, so an encoder that takes over does not make a second.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a room deleted meanwhile; [`Error::Busy`], [`Error::Storage`].
    pub async fn broadcast_started(&self, room: RoomId, at: UnixMillis) -> Result<(), Error> {
        let encoder = self.0.shared.on_air().status(room).encoder;
        let key = encoder.as_ref().map(|encoder| encoder.key);
        let encoder = encoder_name(encoder.as_ref().map_or("", |encoder| &encoder.encoder));
        let shared = Arc::clone(&self.0.shared);
        let work =
            move |store: &mut dyn Store| store.start_broadcast(&NewBroadcast { room, key, started: at, encoder });
        self.0.desk.write(work, move |()| shared.tell(DomainChange::Room(room))).await
    }

    /// The room's broadcast ended then. Nothing happens when none is open.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn broadcast_ended(&self, room: RoomId, at: UnixMillis) -> Result<(), Error> {
        let shared = Arc::clone(&self.0.shared);
        let after = move |ended: &bool| {
            if *ended {
                shared.tell(DomainChange::Room(room));
            }
        };
        self.0.desk.write(move |store| store.end_broadcast(room, at), after).await.map(drop)
    }
}

/// Whether nothing is sent to the room because of who owns it, or of where it would come from.
pub(super) fn owner_banned(store: &dyn Store, site: &Site, room: RoomId, from: Option<IpAddr>) -> Result<bool, Error> {
    let Some(room) = store.room(room)? else { return Ok(false) };
    let class = store.person(room.owner)?.map_or(Class::Guest, |owner| Class::of(&owner.kind));
    Ok(site.banned(Some(room.owner), class, from, clock::now()).is_some())
}

/// The name comes from the network: no control characters, and bounded.
fn encoder_name(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(ENCODER_MAX).collect::<String>().trim().to_owned()
}

fn unavailable(error: Error) -> PublishRefusal {
    match error {
        // Deleted between the two looks.
        Error::NotFound => PublishRefusal::UnknownKey,
        _ => PublishRefusal::Unavailable,
    }
}
