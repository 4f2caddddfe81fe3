//! Rooms: making, reading, changing and deleting them, and the directory.

use super::{
    Domain,
    admin::{Entry, bar, by_operator},
    managed, names,
};
use crate::{
    clock,
    error::{Error, Limit},
    key::StreamKey,
    on_air::{CutReason, OnAirStatus},
    permit::{Permit, Shown},
    person::{Actor, Person, PersonKind},
    random,
    room::{DomainChange, Room},
    rules::{MakeRooms, Registration},
    site::Class,
    store::{ListedRoom, NewKey, Store},
};
use madang_protocol::{
    KeyId, PersonId, RoomCard, RoomDraft, RoomId, RoomPage, RoomSlug, Visibility,
    studio::{StreamKeyInfo, StudioStatus},
};
use std::{cmp::Reverse, collections::HashMap, net::IpAddr, sync::Arc};

/// The name of the key that a room is made with.
const FIRST_KEY: &str = "default";

impl Domain {
    /// Makes a room, on the operator's authority, and its first key, named `default`; the owner is shown as the draft says from now on,
    /// in all their rooms. The key is in this answer and nowhere else.
    ///
    /// # Errors
    /// [`Error::Invalid`] (slug taken, an owner's name that looks like a reserved one or an account's), [`Error::LimitReached`]
    /// ([`Limit::RoomsPerPerson`]); [`Error::Busy`], [`Error::Storage`].
    pub async fn create_room(&self, owner: PersonId, draft: RoomDraft) -> Result<(Room, StreamKey), Error> {
        self.new_room(owner, draft, None).await
    }

    /// [`Domain::create_room`] for a person who asks, if the rules let them.
    ///
    /// # Errors
    /// As [`Domain::create_room`]; [`Error::Forbidden`] for who may not make rooms, [`Error::Barred`] for who is banned from the site.
    pub async fn make_room(&self, person: PersonId, draft: RoomDraft) -> Result<(Room, StreamKey), Error> {
        self.new_room(person, draft, Some(self.make_rooms())).await
    }

    /// Whether the rules let somebody make rooms.
    pub fn may_make_rooms(&self, person: Option<&Person>) -> bool {
        let kind = person.map_or(&PersonKind::Guest, |person| &person.kind);
        self.make_rooms().allows(kind)
    }

    /// Whether an account is enough to make rooms.
    pub fn accounts_make_rooms(&self) -> bool {
        self.make_rooms() != MakeRooms::Administrators
    }

    /// Who makes rooms: as administrators decided, or else as configured.
    pub fn make_rooms(&self) -> MakeRooms {
        self.0.shared.site().make_rooms.unwrap_or(self.0.limits.accounts.make_rooms)
    }

    /// How somebody gets an account: as administrators decided, or else as configured.
    pub fn registration(&self) -> Registration {
        self.0.shared.site().registration.unwrap_or(self.0.limits.accounts.registration)
    }

    /// `who` are the rules for one who asks; the operator has none.
    async fn new_room(
        &self,
        owner: PersonId,
        draft: RoomDraft,
        who: Option<MakeRooms>,
    ) -> Result<(Room, StreamKey), Error> {
        let key = StreamKey::generate()?;
        let (room_id, key_id) = (RoomId::from_random(random::bits()?), KeyId::from_random(random::bits()?));
        let (hash, max) = (key.hash(), self.0.limits.rooms_per_person);
        let keep = self.0.limits.chat.kept_names;
        let (shared, known) = (Arc::clone(&self.0.shared), Arc::clone(&self.0.shared));
        let work = move |store: &mut dyn Store| {
            // A visitor's first act may be this one.
            store.ensure_guest(owner, clock::now())?;
            let person = store.person(owner)?.ok_or(Error::NotFound)?;
            if let Some(who) = who {
                if !who.allows(&person.kind) {
                    return Err(Error::Forbidden);
                }
                bar(&known.site(), Some(owner), Class::of(&person.kind), None)?;
            }
            let mut touched = store.rooms_of(owner)?;
            if touched.len() >= max {
                return Err(Error::LimitReached { limit: Limit::RoomsPerPerson, max });
            }
            names::check_owner(store, owner, &person.name, &draft.owner_name)?;
            let room = Room::from_draft(room_id, owner, draft, clock::now());
            store.add_room(&room)?;
            let name = FIRST_KEY.to_owned();
            store.add_stream_key(&NewKey { id: key_id, room: room_id, name, hash, created: room.created })?;
            if person.name == room.owner_name {
                touched.clear();
            } else {
                names::change(store, owner, &room.owner_name, keep)?;
            }
            Ok((room, touched))
        };
        let after = move |(room, touched): &(Room, Vec<Room>)| {
            shared.tell_rooms(touched.iter().chain([room]).map(|room| room.id));
        };
        let (room, _) = self.0.desk.write(work, after).await?;
        tracing::info!(room = %room.id, slug = %room.slug, "room created");
        Ok((room, key))
    }

    /// The room with this slug, unlisted ones included.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn room(&self, slug: &RoomSlug) -> Result<Option<Room>, Error> {
        let slug = slug.clone();
        self.0.desk.read(move |store| store.room_by_slug(&slug)).await
    }

    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn room_by_id(&self, room: RoomId) -> Result<Option<Room>, Error> {
        self.0.desk.read(move |store| store.room(room)).await
    }

    /// Every room, oldest first; for the operator.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn rooms(&self) -> Result<Vec<Room>, Error> {
        self.0.desk.read(|store| store.rooms()).await
    }

    /// The person's own rooms, unlisted ones included, oldest first.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn rooms_of(&self, person: PersonId) -> Result<Vec<RoomCard>, Error> {
        let rooms = self.0.desk.read(move |store| store.rooms_of(person)).await?;
        let on_air = self.0.shared.on_air();
        Ok(rooms.iter().map(|room| room.card(&on_air.status(room.id))).collect())
    }

    /// The room as its page shows it to whoever shows this, unlisted ones included.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] for who is not let in; [`Error::Busy`], [`Error::Storage`].
    pub async fn room_page(&self, slug: &RoomSlug, shown: &Shown) -> Result<(RoomPage, Permit), Error> {
        let (room, permit) = self.admit(slug, shown).await?;
        let status = self.0.shared.on_air().status(room.id);
        let mut page = room.page(&status, shown.person.map(Actor::Person));
        if let Some(token) = self.play_token(&permit) {
            page.play_token = token.expose().to_owned();
        }
        Ok((page, permit))
    }

    /// The room's card, unlisted ones included: for those who have joined the room.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn card(&self, room: RoomId) -> Result<Option<RoomCard>, Error> {
        let found = self.room_by_id(room).await?;
        Ok(found.map(|found| found.card(&self.0.shared.on_air().status(room))))
    }

    /// The room's card if the directory may show it: `None` for any that is not public.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn directory_card(&self, room: RoomId) -> Result<Option<RoomCard>, Error> {
        let found = self.room_by_id(room).await?.filter(|found| found.visibility == Visibility::Public);
        Ok(found.map(|found| found.card(&self.0.shared.on_air().status(room))))
    }

    /// Public rooms: live ones by viewers, then those that start, then the others by newest last broadcast;
    /// [`crate::DomainLimits::directory`] in all. One query.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn directory(&self) -> Result<Vec<RoomCard>, Error> {
        let on_air = self.0.shared.on_air();
        let statuses: HashMap<RoomId, OnAirStatus> =
            on_air.on_air().into_iter().map(|room| (room, on_air.status(room))).collect();
        let mut ranked: Vec<_> = statuses.iter().filter(|(_, s)| s.live.is_some() || s.starting.is_some()).collect();
        // The id last, so that two rooms alike do not change places from one call to the next.
        ranked.sort_by_key(|(room, status)| (status.live.is_none(), Reverse(status.watching), **room));
        let ranked: Vec<RoomId> = ranked.into_iter().map(|(room, _)| *room).collect();
        let limit = self.0.limits.directory;
        let rooms = self.0.desk.read(move |store| store.directory(&ranked, limit)).await?;
        let nothing = OnAirStatus::default();
        Ok(rooms
            .into_iter()
            .map(|room| {
                let status = statuses.get(&room.id).unwrap_or(&nothing);
                listed_card(room, status)
            })
            .collect())
    }

    /// Whether a room may have this slug. Another may take it before it is used.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn slug_free(&self, slug: &RoomSlug) -> Result<bool, Error> {
        Ok(self.room(slug).await?.is_none())
    }

    /// Changes what the form can change. A new slug keeps the room's id, its keys and its stream. The owner's name is not changed here: the
    /// draft may be older than it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`], [`Error::Invalid`] (as [`Domain::create_room`]); [`Error::Busy`],
    /// [`Error::Storage`].
    pub async fn edit_room(&self, who: impl Into<Actor>, slug: &RoomSlug, draft: RoomDraft) -> Result<Room, Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let work = move |store: &mut dyn Store| {
            let before = managed(store, who, &slug)?;
            let room = before.edited(draft);
            store.change_room(&room)?;
            Ok((room, before.slug))
        };
        let after = move |(room, from): &(Room, RoomSlug)| {
            if *from != room.slug {
                shared.tell(DomainChange::RoomMoved { id: room.id, from: from.clone(), to: room.slug.clone() });
            }
            shared.tell_rooms([room.id]);
        };
        let (room, _) = self.0.desk.write(work, after).await?;
        Ok(room)
    }

    /// Deletes the room with its keys and the record of its broadcasts, and ends its stream.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn delete_room(&self, who: impl Into<Actor>, slug: &RoomSlug) -> Result<(), Error> {
        let (who, slug, shared) = (who.into(), slug.clone(), Arc::clone(&self.0.shared));
        let keep = self.0.limits.site_actions;
        let work = move |store: &mut dyn Store| {
            let room = managed(store, who, &slug)?;
            store.remove_room(room.id)?;
            if who == Actor::Operator {
                by_operator(store, Entry::new("delete-room", room.slug.as_str()), keep)?;
            }
            Ok(room)
        };
        let after = move |room: &Room| {
            shared.on_air().cut_room(room.id, CutReason::RoomDeleted);
            shared.tell(DomainChange::RoomDeleted { id: room.id, slug: room.slug.clone() });
        };
        let room = self.0.desk.write(work, after).await?;
        tracing::info!(room = %room.id, slug = %room.slug, "room deleted");
        Ok(())
    }

    /// The studio: the room, its keys (without the keys themselves), what the encoder does, and which were turned away; those for no known
    /// room too that came from the address `near`.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn studio(
        &self,
        who: impl Into<Actor>,
        slug: &RoomSlug,
        near: Option<IpAddr>,
    ) -> Result<(RoomPage, Vec<StreamKeyInfo>, StudioStatus), Error> {
        let (who, slug) = (who.into(), slug.clone());
        let read = move |store: &dyn Store| {
            let room = managed(store, who, &slug)?;
            let keys = store.stream_keys(room.id)?;
            Ok((room, keys))
        };
        let (room, keys) = self.0.desk.read::<_, Error>(read).await?;
        let on_air = self.0.shared.on_air();
        let (status, attempts) = (on_air.status(room.id), on_air.attempts(room.id, near));
        let page = room.page(&status, Some(who));
        let live = status.live_state(room.last_live);
        Ok((page, keys, status.studio(live, attempts)))
    }

    /// Ends the room's stream; the key stays good, and the encoder may come back.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Forbidden`]; [`Error::Busy`], [`Error::Storage`].
    pub async fn end_stream(&self, who: impl Into<Actor>, slug: &RoomSlug) -> Result<(), Error> {
        let (who, slug) = (who.into(), slug.clone());
        let room = self.0.desk.read::<_, Error>(move |store| managed(store, who, &slug)).await?;
        self.0.shared.on_air().cut_room(room.id, CutReason::ByOwner);
        Ok(())
    }
}

fn listed_card(room: ListedRoom, status: &OnAirStatus) -> RoomCard {
    RoomCard {
        live: status.live_state(room.last_live),
        watching: status.watching,
        slug: room.slug,
        title: room.title,
        owner: room.owner_name,
        category: room.category,
        tags: room.tags,
        language: room.language,
    }
}
