//! The task of one room's chat: everything that happens in it goes through here, one thing after the other.
//!
//! The database counts the entries; the task sends them on once they are kept. While one batch is being written the next one
//! gathers. What moderators do is rare, and is done with nothing else under way.

mod act;
mod apply;
mod bans;
mod broadcast;
mod join;
mod log;
mod people;
mod say;

pub(crate) use say::Said;

use super::{
    ChatLimits,
    filter::Filter,
    registry::{Command, Registered, Shared},
    window::Rate,
};
use crate::{clock, error::Error, person::Person, random, service::Inner, store::Store};
use bans::Bans;
use log::Log;
use madang_protocol::{EpochId, PersonId, RoomId, RoomSlug, chat::Modes};
use people::People;
use say::Flight;
use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};

/// How often those who left are looked through.
const FORGET_EVERY: Duration = Duration::from_secs(10);

struct Room {
    id: RoomId,
    domain: Weak<Inner>,
    shared: Arc<Shared>,
    limits: ChatLimits,
    slug: RoomSlug,
    owner: PersonId,
    log: Log,
    modes: Modes,
    words: Vec<String>,
    filter: Arc<Filter>,
    moderators: Vec<PersonId>,
    administrators: Vec<PersonId>,
    bans: Bans,
    people: People,
    /// Said, checked, and not on its way to the database yet.
    gathering: Vec<say::Pending>,
    flight: Option<Flight>,
    news: broadcast::News,
    rate: Rate,
    /// When the last batch was given to the database.
    last_batch: Option<Instant>,
    started: Instant,
    /// Since when nobody is here.
    empty_since: Instant,
    forget_at: Instant,
    /// What is known here is no longer what is stored, and could not be read anew. The task ends; its members come back to one that
    /// reads everything.
    stale: bool,
}

/// Whether the task goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    On,
    /// The room is gone, or the domain is closed.
    End,
}

/// Runs until nobody has been in the room for [`ChatLimits::idle`], or the room is deleted.
pub(crate) async fn run(
    domain: Weak<Inner>,
    id: RoomId,
    shared: Arc<Shared>,
    mut commands: mpsc::UnboundedReceiver<Command>,
) {
    let registered = Registered { domain: Weak::clone(&domain), room: id, shared: Arc::clone(&shared) };
    match Room::open(domain, id, Arc::clone(&shared)).await {
        Ok(mut room) => room.serve(&mut commands).await,
        Err(error) => tracing::warn!(room = %id, %error, "a chat could not be opened"),
    }
    // Whatever ended it, nobody may come in any more; those who wait at the door see it closed and ask again.
    commands.close();
    if let Some(domain) = registered.domain.upgrade() {
        domain.shared.chats.forget(id, &shared);
        while let Ok(command) = commands.try_recv() {
            if let Command::System(line) = command {
                domain.append_line(id, line);
            }
        }
    }
}

impl Room {
    async fn open(domain: Weak<Inner>, id: RoomId, shared: Arc<Shared>) -> Result<Self, Error> {
        let stopped = Error::Storage(crate::error::StorageFault::Stopped);
        let inner = domain.upgrade().ok_or(stopped)?;
        let limits = inner.limits.chat;
        let opened = inner.desk.read(move |store| store.chat_log(id)).await?.is_some();
        if !opened {
            let epoch = EpochId::from_random(random::bits()?);
            inner.desk.write(move |store| store.open_chat(id, epoch), |()| {}).await?;
        }
        let entries = limits.recovery_entries.max(madang_protocol::chat::HISTORY_ON_JOIN);
        let read =
            move |store: &dyn Store| Ok((Loaded::read(store, id, limits.bans)?, store.chat_before(id, None, entries)?));
        let (loaded, entries) = inner.desk.read::<_, Error>(read).await?;
        drop(inner);
        let now = Instant::now();
        let last = entries.last().map(|entry| entry.seq).unwrap_or_default();
        let log = Log::new(loaded.log.epoch, loaded.log.oldest, last, entries);
        let mut room = Self {
            id,
            domain,
            news: broadcast::News::new(shared.watching.load(Ordering::Acquire)),
            shared,
            limits,
            slug: loaded.room.slug.clone(),
            owner: loaded.room.owner,
            log,
            modes: Modes::default(),
            words: Vec::new(),
            filter: Arc::default(),
            moderators: Vec::new(),
            administrators: Vec::new(),
            bans: Bans::default(),
            people: People::default(),
            gathering: Vec::new(),
            flight: None,
            rate: Rate::default(),
            last_batch: None,
            started: now,
            empty_since: now,
            forget_at: now,
            stale: false,
        };
        room.log.prune(clock::now(), &limits);
        room.take(loaded);
        Ok(room)
    }

    /// What the room asks of its writers and who is who, as the database has it now.
    fn take(&mut self, loaded: Loaded) {
        self.slug = loaded.room.slug.clone();
        self.owner = loaded.room.owner;
        self.modes = loaded.log.modes;
        self.log.oldest = loaded.log.oldest;
        self.moderators = loaded.moderators.iter().map(|moderator| moderator.person).collect();
        self.administrators = loaded.administrators.iter().map(|admin| admin.id).collect();
        self.people.set_badges(loaded.badges());
        // They may have been renamed by a form, or by another process.
        self.people.renamed(loaded.room.owner, &loaded.room.owner_name);
        for moderator in &loaded.moderators {
            self.people.renamed(moderator.person, &moderator.name);
        }
        if self.words != loaded.log.filter {
            self.filter = Arc::new(Filter::new(&loaded.log.filter));
            self.people.set_filter(Arc::clone(&self.filter));
            self.words = loaded.log.filter;
        }
        self.bans = Bans::new(loaded.bans);
    }

    async fn serve(&mut self, commands: &mut mpsc::UnboundedReceiver<Command>) {
        loop {
            let deadline = self.deadline();
            let shared = Arc::clone(&self.shared);
            let mut next = Next::On;
            tokio::select! {
                biased;
                landed = say::landing(&mut self.flight) => self.landed(landed).await,
                () = shared.some.notified() => next = self.signalled().await,
                command = commands.recv() => match command {
                    Some(command) => next = self.obey(command).await,
                    None => next = Next::End,
                },
                () = sleep_until(deadline) => {}
            }
            if next == Next::End || self.stale {
                return;
            }
            self.launch_if_due();
            self.tell_news_if_due().await;
            let now = Instant::now();
            if now >= self.forget_at {
                self.forget_at = now.checked_add(FORGET_EVERY).unwrap_or(now);
                let since_start = self.clock();
                self.people.forget(since_start, self.limits.remembered_persons);
                self.log.prune(clock::now(), &self.limits);
            }
            if self.is_idle(now) && self.retire(commands) {
                return;
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Next {
        match command {
            Command::Join(join) => self.join(*join),
            Command::Leave { seat } => self.leave(seat),
            Command::Say { seat, said } => {
                self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                self.say(seat, said);
            }
            Command::ActHere { seat, act, reason, id } => {
                self.shared.waiting.fetch_sub(1, Ordering::AcqRel);
                self.act_here(seat, act, &reason, id).await;
            }
            Command::Act { by, act, reason, answer } => {
                let done = self.act(by, None, act, &reason).await;
                // Whoever asked may have gone; it is done all the same.
                let _gone = answer.send(done);
            }
            Command::System(line) => self.system(line).await,
            Command::Renamed(person) => self.renamed(&person),
        }
        Next::On
    }

    async fn signalled(&mut self) -> Next {
        if self.shared.gone.load(Ordering::Acquire) {
            // They are told by whoever told this task.
            self.people.seats.clear();
            return Next::End;
        }
        self.news.watch(self.shared.watching.load(Ordering::Acquire));
        let reread = self.shared.reread.swap(false, Ordering::AcqRel);
        if self.shared.reload.swap(false, Ordering::AcqRel) || reread {
            self.settle().await;
            match self.reload(reread).await {
                Err(Error::NotFound) => {
                    self.people.seats.clear();
                    return Next::End;
                }
                Err(error) => self.outdated(&error),
                Ok(()) => self.tell_standings().await,
            }
        }
        if self.shared.catch_up.swap(false, Ordering::AcqRel) {
            self.settle().await;
            self.catch_up().await;
        }
        Next::On
    }

    fn outdated(&mut self, error: &Error) {
        tracing::warn!(room = %self.id, %error, "a chat's settings could not be read; it starts over");
        self.stale = true;
    }

    /// Since the task began: what rates are counted in.
    fn clock(&self) -> Duration {
        self.started.elapsed()
    }

    fn is_idle(&self, now: Instant) -> bool {
        self.people.seats.is_empty()
            && self.gathering.is_empty()
            && self.flight.is_none()
            && now.saturating_duration_since(self.empty_since) >= self.limits.idle
    }

    fn retire(&self, commands: &mut mpsc::UnboundedReceiver<Command>) -> bool {
        let Some(domain) = self.domain.upgrade() else { return true };
        domain.shared.chats.retire(self.id, &self.shared, commands, false)
    }

    /// When something is due even if nothing happens.
    fn deadline(&self) -> Instant {
        let mut next = self.news.due(&self.limits, self.people.seats.len());
        let mut sooner = |at: Instant| next = Some(next.map_or(at, |next| next.min(at)));
        if self.flight.is_none() && !self.gathering.is_empty() {
            sooner(self.batch_due());
        }
        if self.people.seats.is_empty() {
            sooner(self.empty_since.checked_add(self.limits.idle).unwrap_or(self.empty_since));
        }
        if self.people.absent() {
            sooner(self.forget_at);
        }
        // Nothing is due: look up now and then all the same.
        let far = Instant::now().checked_add(Duration::from_secs(60)).unwrap_or_else(Instant::now);
        next.unwrap_or(far)
    }
}

impl Drop for Room {
    /// A task that breaks off leaves nobody waiting for news: their browsers connect again and resume.
    fn drop(&mut self) {
        self.people.seats.values().for_each(|seat| seat.outbox.close());
        self.shared.chatting.store(0, Ordering::Release);
        if let Some(domain) = self.domain.upgrade() {
            self.people.here().for_each(|person| domain.shared.chats.went(person, self.id));
        }
    }
}

/// What is read of a room when its chat begins, and whenever that may have changed.
struct Loaded {
    room: crate::room::Room,
    log: crate::store::ChatLog,
    moderators: Vec<crate::store::StoredModerator>,
    bans: Vec<crate::store::Ban>,
    administrators: Vec<Person>,
}

impl Loaded {
    /// With at most so many bans: as many as there may be.
    fn read(store: &dyn Store, id: RoomId, bans: usize) -> Result<Self, Error> {
        Ok(Self {
            room: store.room(id)?.ok_or(Error::NotFound)?,
            log: store.chat_log(id)?.ok_or(Error::NotFound)?,
            moderators: store.moderators(id)?,
            bans: store.bans(id, None, clock::now(), bans)?,
            administrators: store.administrators()?,
        })
    }

    fn badges(&self) -> Vec<people::Badge> {
        use madang_protocol::chat::Role;
        let owner = people::Badge::new(self.room.owner, Role::Owner, &self.room.owner_name);
        let others = self.moderators.iter().filter(|moderator| moderator.person != self.room.owner);
        let others = others.map(|moderator| people::Badge::new(moderator.person, Role::Moderator, &moderator.name));
        // The site's administrators moderate everywhere.
        let house = self.administrators.iter().filter(|admin| admin.id != self.room.owner);
        let house = house.map(|admin| people::Badge::new(admin.id, Role::Moderator, &admin.name));
        std::iter::once(owner).chain(others).chain(house).collect()
    }
}
