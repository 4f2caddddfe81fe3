//! What one connection has joined, and the events that it is owed.

use super::hub::{Change, encode};
use crate::state::Services;
use axum::extract::ws::Utf8Bytes;
use madang_domain::{Actor, Person};
use madang_protocol::{
    PROTOCOL_VERSION, RoomSlug,
    realtime::{ClientMessage, Refusal, ServerEvent},
    studio::StudioStatus,
};
use std::collections::HashMap;

/// Bytes of events in one frame; a larger batch goes on in the next.
const FRAME_BYTES_MAX: usize = 64 * 1024;

/// One connection's state, without its socket.
pub struct Session {
    services: Services,
    person: Option<Person>,
    directory: bool,
    /// The rooms joined; for the owner's own rooms, what the studio was told last.
    rooms: HashMap<RoomSlug, Option<Studio>>,
    owed: Vec<Utf8Bytes>,
}

#[derive(Default)]
struct Studio {
    told: Option<StudioStatus>,
}

impl Session {
    pub fn new(services: Services, person: Option<Person>) -> Self {
        let hello = ServerEvent::Hello { protocol: PROTOCOL_VERSION, build: env!("MADANG_VERSION").to_owned() };
        Self { services, person, directory: false, rooms: HashMap::new(), owed: vec![encode(&hello)] }
    }

    /// One frame's worth of events as a JSON array; `None` when nothing is owed.
    pub fn frame(&mut self) -> Option<Utf8Bytes> {
        if self.owed.is_empty() {
            return None;
        }
        let mut bytes = 2;
        let fitting = self.owed.iter().take_while(|event| {
            bytes += event.len() + 1;
            bytes <= FRAME_BYTES_MAX
        });
        let count = fitting.count().max(1);
        let mut frame = String::with_capacity(bytes.min(FRAME_BYTES_MAX) + 2);
        for event in self.owed.drain(..count) {
            frame.push(if frame.is_empty() { '[' } else { ',' });
            frame.push_str(&event);
        }
        frame.push(']');
        Some(frame.into())
    }

    pub fn refuse(&mut self, reason: Refusal) {
        self.owe(&ServerEvent::Refused { reason });
    }

    pub async fn message(&mut self, text: &str) {
        let Ok(message) = serde_json::from_str::<ClientMessage>(text) else { return self.refuse(Refusal::Malformed) };
        match message {
            ClientMessage::JoinDirectory => {
                self.directory = true;
                self.owe_directory().await;
            }
            ClientMessage::LeaveDirectory => self.directory = false,
            ClientMessage::Join { room } => {
                let known = self.rooms.contains_key(&room);
                if !known && self.rooms.len() >= self.services.config.limits.ws_rooms {
                    return self.refuse(Refusal::TooManyRooms);
                }
                self.join(room).await;
            }
            ClientMessage::Leave { room } => {
                self.rooms.remove(&room);
            }
            ClientMessage::Ping => self.owe(&ServerEvent::Pong),
        }
    }

    /// A change that everyone is told of, as far as this connection joined it.
    pub async fn change(&mut self, change: &Change) {
        if self.directory
            && let Some(event) = &change.directory
        {
            self.owed.push(event.clone());
        }
        if self.rooms.contains_key(&change.room) {
            self.owed.extend(change.joined.clone());
            self.owe_studio(&change.room).await;
        }
    }

    /// After changes were missed: everything that is joined, anew.
    pub async fn everything(&mut self) {
        if self.directory {
            self.owe_directory().await;
        }
        let rooms: Vec<RoomSlug> = self.rooms.keys().cloned().collect();
        for room in rooms {
            self.join(room).await;
        }
    }

    /// Whether [`Session::studios`] has anything to look at.
    pub fn has_studio(&self) -> bool {
        self.rooms.values().any(Option::is_some)
    }

    /// The encoder's figures change without an event: looked at every few seconds, told when they differ.
    pub async fn studios(&mut self) {
        let rooms: Vec<RoomSlug> =
            self.rooms.iter().filter(|(_, studio)| studio.is_some()).map(|(room, _)| room.clone()).collect();
        for room in rooms {
            self.owe_studio(&room).await;
        }
    }

    async fn join(&mut self, room: RoomSlug) {
        let viewer = self.person.as_ref().map(|person| person.id);
        match self.services.domain.room_page(&room, viewer).await {
            Ok(Some(page)) => {
                self.rooms.insert(room.clone(), page.mine.then(Studio::default));
                self.owe(&ServerEvent::Room { room: page.card });
                self.owe_studio(&room).await;
            }
            Ok(None) => {
                self.rooms.remove(&room);
                self.owe(&ServerEvent::RoomGone { room });
            }
            Err(error) => tracing::warn!(%error, "a room cannot be read"),
        }
    }

    async fn owe_directory(&mut self) {
        match self.services.domain.directory().await {
            Ok(rooms) => self.owe(&ServerEvent::Directory { rooms }),
            Err(error) => tracing::warn!(%error, "the directory cannot be read"),
        }
    }

    async fn owe_studio(&mut self, room: &RoomSlug) {
        let Some(person) = self.person.as_ref().map(|person| person.id) else { return };
        let Some(Some(studio)) = self.rooms.get_mut(room) else { return };
        match self.services.domain.studio(Actor::Person(person), room).await {
            Ok((_, _, status)) if studio.told.as_ref() != Some(&status) => {
                studio.told = Some(status.clone());
                self.owe(&ServerEvent::Studio { room: room.clone(), status });
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "a studio's status cannot be read"),
        }
    }

    fn owe(&mut self, event: &ServerEvent) {
        self.owed.push(encode(event));
    }
}
