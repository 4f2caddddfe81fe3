//! What is joined, by how many, and what the channel told about it. Knows no socket: it says which message to send.

use super::Topic;
use crate::{chat::talk::Talk, reactive::Shared};
#[cfg(any(test, feature = "hydrate"))]
use madang_protocol::UnixMillis;
#[cfg(any(test, feature = "hydrate"))]
use madang_protocol::realtime::ServerEvent;
use madang_protocol::{RoomCard, RoomSlug, chat::You, realtime::ClientMessage, studio::StudioStatus, wire::Later};

/// Everything joined. Signals in it outlive the components that ask for them.
#[derive(Default)]
pub(super) struct Topics {
    directory_askers: usize,
    directory: Shared<Option<Vec<RoomCard>>>,
    rooms: Vec<RoomTopic>,
    you: You,
}

/// One room, joined or asked for.
pub(super) struct RoomTopic {
    slug: RoomSlug,
    askers: usize,
    pub(super) card: Shared<Option<RoomCard>>,
    pub(super) gone: Shared<bool>,
    pub(super) studio: Shared<Option<Later<StudioStatus>>>,
    pub(super) talk: Shared<Talk>,
}

impl RoomTopic {
    fn new(slug: RoomSlug, you: You) -> Self {
        Self {
            talk: Shared::new(Talk::new(slug.clone(), you)),
            slug,
            askers: 0,
            card: Shared::default(),
            gone: Shared::default(),
            studio: Shared::default(),
        }
    }
}

impl Topics {
    pub(super) fn directory_rooms(&self) -> Shared<Option<Vec<RoomCard>>> {
        self.directory.clone()
    }

    /// The room's signals, made when first asked for.
    pub(super) fn room(&mut self, slug: &RoomSlug) -> &mut RoomTopic {
        let at = self.rooms.iter().position(|r| r.slug == *slug).unwrap_or_else(|| {
            self.rooms.push(RoomTopic::new(slug.clone(), self.you.clone()));
            self.rooms.len() - 1
        });
        &mut self.rooms[at]
    }

    /// Counts one asker in; gives what to send when it is the first.
    pub(super) fn enter(&mut self, topic: &Topic) -> Option<ClientMessage> {
        let askers = match topic {
            Topic::Directory => &mut self.directory_askers,
            Topic::Room(slug) => &mut self.room(slug).askers,
        };
        *askers += 1;
        (*askers == 1).then(|| join(topic))
    }

    /// Counts one asker out; gives what to send when it was the last. What the topic held is forgotten then, since it would
    /// grow old unseen.
    pub(super) fn exit(&mut self, topic: &Topic) -> Option<ClientMessage> {
        match topic {
            Topic::Directory => {
                self.directory_askers = self.directory_askers.saturating_sub(1);
                (self.directory_askers == 0).then(|| {
                    self.directory.set(None);
                    ClientMessage::LeaveDirectory
                })
            }
            Topic::Room(slug) => {
                let at = self.rooms.iter().position(|r| r.slug == *slug)?;
                let room = self.rooms.get_mut(at)?;
                room.askers = room.askers.saturating_sub(1);
                (room.askers == 0).then(|| {
                    self.rooms.swap_remove(at);
                    ClientMessage::Leave { room: slug.clone() }
                })
            }
        }
    }

    /// What to send on a new connection.
    #[cfg(any(test, feature = "hydrate"))]
    pub(super) fn joined(&self) -> Vec<ClientMessage> {
        let directory = (self.directory_askers > 0).then_some(ClientMessage::JoinDirectory);
        let rooms = self.rooms.iter().filter(|r| r.askers > 0).map(|r| r.talk.with_untracked(Talk::join));
        directory.into_iter().chain(rooms).collect()
    }

    /// The chats of all rooms.
    #[cfg(any(test, feature = "hydrate"))]
    pub(super) fn talks(&self) -> Vec<Shared<Talk>> {
        self.rooms.iter().map(|room| room.talk.clone()).collect()
    }

    /// Takes in what the server told. Returns what to do once this is no longer borrowed: setting a signal may run the page's
    /// code, which may ask for topics.
    #[cfg(any(test, feature = "hydrate"))]
    pub(super) fn told(&mut self, event: ServerEvent) -> Option<Change> {
        if let ServerEvent::Hello { you, .. } | ServerEvent::You { you } = &event {
            self.you = you.clone();
        }
        let room = |slug: &RoomSlug| self.rooms.iter().find(|r| r.slug == *slug);
        Some(match event {
            ServerEvent::Directory { .. } | ServerEvent::DirectoryRoom { .. } | ServerEvent::DirectoryGone { .. } => {
                if self.directory_askers == 0 {
                    return None;
                }
                Change::Directory(self.directory.clone(), event)
            }
            ServerEvent::Room { card } => {
                let topic = room(&card.slug)?;
                Change::Room(topic.card.clone(), topic.gone.clone(), card)
            }
            ServerEvent::RoomGone { room: slug } => Change::Gone(room(&slug)?.gone.clone()),
            ServerEvent::Studio { room: slug, status } => Change::Studio(room(&slug)?.studio.clone(), status),
            ServerEvent::Pong => return None,
            // Which room it is for, the chats know.
            event => Change::Talk(self.talks(), event),
        })
    }
}

/// A signal and what it becomes.
#[cfg(any(test, feature = "hydrate"))]
pub(super) enum Change {
    Directory(Shared<Option<Vec<RoomCard>>>, ServerEvent),
    Room(Shared<Option<RoomCard>>, Shared<bool>, RoomCard),
    Gone(Shared<bool>),
    Studio(Shared<Option<Later<StudioStatus>>>, Later<StudioStatus>),
    Talk(Vec<Shared<Talk>>, ServerEvent),
}

#[cfg(any(test, feature = "hydrate"))]
impl Change {
    /// Makes the change at `now` by the page's clock. Returns what to send in answer.
    pub(super) fn apply(self, now: UnixMillis) -> Vec<ClientMessage> {
        match self {
            Self::Talk(talks, event) => {
                let mut answers = Vec::new();
                for talk in talks {
                    talk.update(|talk| answers.extend(talk.told(event.clone(), now)));
                }
                return answers;
            }
            Self::Directory(rooms, event) => rooms.update(|rooms| update_directory(rooms, event)),
            Self::Room(card, gone, told) => {
                gone.set(false);
                card.set(Some(told));
            }
            Self::Gone(gone) => gone.set(true),
            Self::Studio(studio, status) => studio.set(Some(status)),
        }
        Vec::new()
    }
}

/// Changes the list by one event. Changes to a list that was never sent are dropped: the list is on its way.
#[cfg(any(test, feature = "hydrate"))]
fn update_directory(rooms: &mut Option<Vec<RoomCard>>, event: ServerEvent) {
    match (event, rooms) {
        (ServerEvent::Directory { rooms: told }, rooms) => *rooms = Some(told),
        (ServerEvent::DirectoryRoom { card }, Some(rooms)) => match rooms.iter_mut().find(|r| r.slug == card.slug) {
            Some(known) => *known = card,
            None => rooms.push(card),
        },
        (ServerEvent::DirectoryGone { room }, Some(rooms)) => rooms.retain(|r| r.slug != room),
        _ => {}
    }
}

fn join(topic: &Topic) -> ClientMessage {
    match topic {
        Topic::Directory => ClientMessage::JoinDirectory,
        Topic::Room(slug) => ClientMessage::Join { room: slug.clone(), since: None },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::LiveState;

    fn slug(text: &str) -> RoomSlug {
        RoomSlug::parse(text).expect("a valid slug")
    }

    fn card(name: &str) -> RoomCard {
        RoomCard {
            slug: slug(name),
            title: name.to_owned(),
            owner: "Ana".to_owned(),
            category: "games".to_owned(),
            tags: Vec::new(),
            language: "en".to_owned(),
            live: LiveState::Live { since: UnixMillis(1) },
            watching: 1,
        }
    }

    #[test]
    fn the_first_joins_and_the_last_leaves() {
        let mut topics = Topics::default();
        let topic = Topic::Room(slug("one-room"));
        assert_eq!(topics.enter(&topic), Some(ClientMessage::Join { room: slug("one-room"), since: None }));
        assert_eq!(topics.enter(&topic), None);
        assert_eq!(topics.exit(&topic), None);
        assert_eq!(topics.exit(&topic), Some(ClientMessage::Leave { room: slug("one-room") }));
        assert_eq!(topics.exit(&topic), None);
        assert!(topics.joined().is_empty());
    }

    #[test]
    fn a_new_connection_joins_everything_again() {
        let mut topics = Topics::default();
        topics.enter(&Topic::Directory);
        topics.enter(&Topic::Room(slug("one-room")));
        let joins = [ClientMessage::JoinDirectory, ClientMessage::Join { room: slug("one-room"), since: None }];
        assert_eq!(topics.joined(), joins);
    }

    #[test]
    fn the_directory_follows_what_is_told() {
        let mut topics = Topics::default();
        topics.enter(&Topic::Directory);
        let rooms = topics.directory_rooms();
        let now = UnixMillis(0);
        let tell = |topics: &mut Topics, event| topics.told(event).map(|change| change.apply(now));
        tell(&mut topics, ServerEvent::DirectoryRoom { card: card("too-early") });
        assert_eq!(rooms.get_untracked(), None);
        tell(&mut topics, ServerEvent::Directory { rooms: vec![card("first")] });
        tell(&mut topics, ServerEvent::DirectoryRoom { card: card("second") });
        tell(&mut topics, ServerEvent::DirectoryRoom { card: RoomCard { watching: 9, ..card("first") } });
        let seen = rooms.get_untracked().map(|r| r.iter().map(|c| (c.title.clone(), c.watching)).collect::<Vec<_>>());
        assert_eq!(seen, Some(vec![("first".to_owned(), 9), ("second".to_owned(), 1)]));
        tell(&mut topics, ServerEvent::DirectoryGone { room: slug("first") });
        assert_eq!(rooms.get_untracked().map(|r| r.len()), Some(1));
        topics.exit(&Topic::Directory);
        assert_eq!(rooms.get_untracked(), None);
    }

    #[test]
    fn a_room_that_is_not_joined_is_not_kept() {
        let mut topics = Topics::default();
        assert!(topics.told(ServerEvent::Room { card: card("elsewhere") }).is_none());
        topics.enter(&Topic::Room(slug("elsewhere")));
        let signal = topics.room(&slug("elsewhere")).card.clone();
        topics.told(ServerEvent::Room { card: card("elsewhere") }).expect("is joined").apply(UnixMillis(0));
        assert_eq!(signal.get_untracked(), Some(card("elsewhere")));
    }
}
