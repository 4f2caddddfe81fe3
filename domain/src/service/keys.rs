//! Stream keys: making, rotating and revoking them.

use super::{Domain, managed};
use crate::{
    clock,
    error::{Error, Limit},
    key::StreamKey,
    on_air::CutReason,
    person::Actor,
    random,
    room::DomainChange,
    store::{NewKey, Store},
};
use madang_protocol::{Field, KeyId, RoomId, RoomSlug, studio::StreamKeyInfo, validation};
use std::sync::Arc;

impl Domain {
    /// Makes another key for the room. The key is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] on [`Field::KeyName`] (taken by a key that works),
    /// [`Error::LimitReached`] ([`Limit::KeysPerRoom`]); [`Error::Busy`], [`Error::Storage`].
    pub async fn create_key(
        &self,
        who: impl Into<Actor>,
        slug: &RoomSlug,
        name: &str,
    ) -> Result<(StreamKeyInfo, StreamKey), Error> {
        let name = validation::line(Field::KeyName, name, validation::NAME_MAX)?;
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let key = StreamKey::generate()?;
        let (id, hash) = (KeyId::from_random(random::bits()?), key.hash());
        let max = self.0.limits.keys_per_room;
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?.id;
            let mut good = store.stream_keys(room)?;
            good.retain(|key| key.revoked.is_none());
            if good.len() >= max {
                return Err(Error::LimitReached { limit: Limit::KeysPerRoom, max });
            }
            if good.iter().any(|key| key.name.to_lowercase() == name.to_lowercase()) {
                return Err(Error::taken(Field::KeyName));
            }
            let info = store.add_stream_key(&NewKey { id, room, name, hash, created: clock::now() })?;
            Ok((room, info))
        };
        let after = move |(room, _): &(RoomId, StreamKeyInfo)| shared.tell(DomainChange::Room(*room));
        let (room, info) = self.0.desk.write(work, after).await?;
        tracing::info!(%room, key_id = %info.id, "stream key created");
        Ok((info, key))
    }

    /// Puts a new key in the place of one: same name, the old one is revoked, and a publisher that came with it is cut.
    ///
    /// # Errors
    /// [`Error::NotFound`] (also for a key that is revoked already), [`Error::Forbidden`]; [`Error::Busy`],
    /// [`Error::Storage`].
    pub async fn rotate_key(
        &self,
        who: impl Into<Actor>,
        slug: &RoomSlug,
        old: KeyId,
    ) -> Result<(StreamKeyInfo, StreamKey), Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let key = StreamKey::generate()?;
        let (id, hash) = (KeyId::from_random(random::bits()?), key.hash());
        let keep = self.0.limits.revoked_keys_per_room;
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?.id;
            let name = store.stream_key(room, old)?.ok_or(Error::NotFound)?.name;
            let info = store.rotate_stream_key(old, &NewKey { id, room, name, hash, created: clock::now() })?;
            store.forget_revoked_keys(room, keep)?;
            Ok((room, info))
        };
        let after = move |(room, _): &(RoomId, StreamKeyInfo)| {
            shared.on_air().cut_key(old, CutReason::KeyRevoked);
            shared.tell(DomainChange::Room(*room));
        };
        let (room, info) = self.0.desk.write(work, after).await?;
        tracing::info!(%room, %old, key_id = %info.id, "stream key rotated");
        Ok((info, key))
    }

    /// Revokes a key and cuts a publisher that came with it. Revoking twice is fine.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn revoke_key(&self, who: impl Into<Actor>, slug: &RoomSlug, key: KeyId) -> Result<(), Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let keep = self.0.limits.revoked_keys_per_room;
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?.id;
            store.revoke_stream_key(room, key, clock::now())?;
            store.forget_revoked_keys(room, keep)?;
            Ok(room)
        };
        let after = move |room: &RoomId| {
            shared.on_air().cut_key(key, CutReason::KeyRevoked);
            shared.tell(DomainChange::Room(*room));
        };
        let room = self.0.desk.write(work, after).await?;
        tracing::info!(%room, key_id = %key, "stream key revoked");
        Ok(())
    }

    /// The room's keys: those that work first, oldest first; then the revoked, newest first.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn keys(&self, who: impl Into<Actor>, slug: &RoomSlug) -> Result<Vec<StreamKeyInfo>, Error> {
        let (who, slug) = (who.into(), slug.clone());
        self.0.desk.read(move |store| store.stream_keys(managed(store, who, &slug)?.id)).await
    }
}
