//! What an action does to what is stored: all of it in one transaction, with its row in the action log.

use crate::{
    chat::{ChatLimits, ChatRefused, filter, tag::tag},
    error::Error,
    person::{Person, PersonKind},
    store::{Ban, NewEntry, NewWhat, Store, StoredAction},
};
use madang_protocol::{
    ActionId, PersonId, RoomId, UnixMillis,
    chat::{Act, ActionRecord, ChatRefusal, Modes, Muted, Role, SLOW_MAX_S, Seq, SystemLine, TIMEOUT_MAX_S, UNDO_MS},
};

/// An action, and what the room's task knows that bears on it.
pub(super) struct Plan {
    pub(super) action: ActionId,
    pub(super) at: UnixMillis,
    pub(super) by: PersonId,
    pub(super) role: Role,
    pub(super) owner: PersonId,
    pub(super) moderators: Vec<PersonId>,
    /// Of the site.
    pub(super) administrators: Vec<PersonId>,
    pub(super) modes: Modes,
    pub(super) words: Vec<String>,
    /// How many are in force.
    pub(super) bans: usize,
    pub(super) limits: ChatLimits,
    pub(super) act: Act,
    pub(super) reason: String,
    pub(super) target: Option<Target>,
    /// The bans that an unban lifts.
    pub(super) belonging: Vec<ActionId>,
}

/// Whom an action is about, as far as the task knows.
pub(super) struct Target {
    pub(super) id: Option<PersonId>,
    pub(super) folded: String,
    pub(super) tag: Option<String>,
    /// Where they are now.
    pub(super) prefixes: Vec<String>,
}

/// What was done.
pub(super) struct Done {
    /// `None` for what cannot be undone.
    pub(super) undo_by: Option<ActionId>,
    /// Messages were deleted, or are back.
    pub(super) messages_changed: bool,
}

/// The person an action is about, found.
struct Found {
    id: PersonId,
    name: String,
    tag: String,
    prefixes: Vec<String>,
}

/// A person's name as action logs and system lines write it: with the tag of a guest.
fn target_name(name: &str, tag: &str) -> String {
    if tag.is_empty() { name.to_owned() } else { format!("{name}#{tag}") }
}

impl Found {
    fn shown(&self) -> String {
        target_name(&self.name, &self.tag)
    }
}

/// The two kinds of failure: a refusal is an answer, after which nothing has been written.
type Answer<T> = Result<Result<T, ChatRefused>, Error>;

/// Gives up with a refusal unless there is a value.
macro_rules! or_refuse {
    ($answer:expr) => {
        match $answer {
            Ok(value) => value,
            Err(refused) => return Ok(Err(ChatRefused::from(refused))),
        }
    };
}

pub(super) fn apply(store: &mut dyn Store, room: RoomId, plan: &Plan) -> Answer<Done> {
    let by = store.person(plan.by)?;
    let mut work = Work {
        room,
        plan,
        by: by.map_or_else(|| target_name("", &tag(plan.by)), |by| person_name(&by)),
        record: ActionRecord {
            id: plan.action,
            at: plan.at,
            by: String::new(),
            act: String::new(),
            whom: String::new(),
            whom_id: None,
            reason: plan.reason.clone(),
            message: String::new(),
            until: None,
            undone: false,
        },
        before: String::new(),
        entries: Vec::new(),
        messages_changed: false,
    };
    work.record.by = work.by.clone();
    let undoing = matches!(plan.act, Act::Undo { .. });
    or_refuse!(work.run(store)?);
    let Work { record, before, entries, messages_changed, .. } = work;
    if !entries.is_empty() {
        let entries: Vec<NewEntry> = entries.into_iter().map(|what| NewEntry { at: plan.at, what }).collect();
        store.append_chat(room, &entries)?;
    }
    store.add_action(room, &StoredAction { record, by_id: plan.by, before }, plan.limits.kept_actions)?;
    Ok(Ok(Done { undo_by: (!undoing).then_some(plan.action), messages_changed }))
}

fn person_name(person: &Person) -> String {
    match person.kind {
        PersonKind::Account { .. } => person.name.clone(),
        PersonKind::Guest => target_name(&person.name, &tag(person.id)),
    }
}

struct Work<'a> {
    room: RoomId,
    plan: &'a Plan,
    by: String,
    record: ActionRecord,
    before: String,
    entries: Vec<NewWhat>,
    messages_changed: bool,
}

impl Work<'_> {
    fn run(&mut self, store: &mut dyn Store) -> Answer<()> {
        let plan = self.plan;
        match &plan.act {
            Act::Delete { seq } => self.delete(store, *seq),
            Act::DeleteLast { .. } => {
                let found = or_refuse!(self.find(store)?);
                let messages = store.messages_of(self.room, found.id, plan.limits.purge_messages)?;
                let last = messages.iter().find(|message| !message.deleted).map(|message| message.seq);
                self.delete(store, or_refuse!(last.ok_or(ChatRefusal::NotFound)))
            }
            Act::Timeout { seconds, .. } => {
                if *seconds == 0 || *seconds > TIMEOUT_MAX_S {
                    return Ok(Err(ChatRefusal::TooLong.into()));
                }
                self.mute(store, "timeout", Some(*seconds))
            }
            Act::Ban { seconds, .. } if *seconds == Some(0) => Ok(Err(ChatRefusal::TooLong.into())),
            Act::Ban { seconds, .. } => self.mute(store, "ban", *seconds),
            Act::Unban { .. } => self.unban(store),
            Act::SetModerator { on, .. } => {
                let found = or_refuse!(self.find(store)?);
                self.set_moderator(store, &found, *on)
            }
            Act::SetModes { modes } => self.set_modes(store, *modes),
            Act::SetMode { mode } => self.set_modes(store, mode.apply(plan.modes)),
            Act::SetFilter { words } => self.set_filter(store, words.clone()),
            Act::FilterWord { word, on } => {
                let mut words = plan.words.clone();
                let length = words.len();
                let same = |kept: &String| kept.trim().eq_ignore_ascii_case(word.trim());
                if *on && !words.iter().any(same) {
                    words.push(word.clone());
                } else if !*on {
                    words.retain(|kept| !same(kept));
                }
                if words.len() == length {
                    return Ok(Err(ChatRefusal::NotFound.into()));
                }
                self.set_filter(store, words)
            }
            Act::Undo { action } => self.undo(store, *action),
        }
    }

    /// Nobody acts on the owner, and only the owner on moderators and on the site's administrators; on one's own messages everyone may.
    fn may_act_on(&self, whom: PersonId) -> Result<(), ChatRefusal> {
        let moderates = self.plan.moderators.contains(&whom) || self.plan.administrators.contains(&whom);
        let above = whom == self.plan.owner || moderates;
        let owner = self.plan.role == Role::Owner && whom != self.plan.owner;
        if above && !owner { Err(ChatRefusal::NotAllowed) } else { Ok(()) }
    }

    fn find(&mut self, store: &mut dyn Store) -> Answer<Found> {
        let target = or_refuse!(self.plan.target.as_ref().ok_or(ChatRefusal::NotFound));
        let writer = match target.id {
            Some(id) => store.writer(self.room, id)?,
            None => store.writer_named(self.room, &target.folded, target.tag.as_deref())?,
        };
        let id = or_refuse!(target.id.or(writer.as_ref().map(|writer| writer.person)).ok_or(ChatRefusal::NotFound));
        let person = store.person(id)?;
        // Somebody who has never been here and is nobody anywhere.
        if person.is_none() && writer.is_none() && target.prefixes.is_empty() && self.plan.belonging.is_empty() {
            return Ok(Err(ChatRefusal::NotFound.into()));
        }
        let mut prefixes = target.prefixes.clone();
        if let Some(writer) = &writer
            && !writer.prefix.is_empty()
            && !prefixes.contains(&writer.prefix)
        {
            prefixes.push(writer.prefix.clone());
        }
        let account = person.as_ref().is_some_and(|person| matches!(person.kind, PersonKind::Account { .. }));
        let found = Found {
            id,
            name: person.map(|person| person.name).or(writer.map(|writer| writer.name)).unwrap_or_default(),
            tag: if account { String::new() } else { tag(id) },
            prefixes,
        };
        self.record.whom = found.shown();
        self.record.whom_id = Some(id);
        Ok(Ok(found))
    }

    fn delete(&mut self, store: &mut dyn Store, seq: Seq) -> Answer<()> {
        let message = store.chat_message(self.room, seq)?.filter(|message| !message.deleted);
        let message = or_refuse!(message.ok_or(ChatRefusal::NotFound));
        if message.author.id != self.plan.by {
            or_refuse!(self.may_act_on(message.author.id));
        }
        self.record.act = "delete".into();
        self.record.whom = target_name(&message.author.name, &message.author.tag);
        self.record.whom_id = Some(message.author.id);
        self.record.message = message.text;
        self.remove(store, vec![seq])?;
        Ok(Ok(()))
    }

    fn remove(&mut self, store: &mut dyn Store, seqs: Vec<Seq>) -> Result<(), Error> {
        if seqs.is_empty() {
            return Ok(());
        }
        store.delete_messages(self.room, &seqs, self.plan.action, self.plan.at)?;
        self.entries.push(NewWhat::Delete(seqs));
        self.messages_changed = true;
        Ok(())
    }

    fn mute(&mut self, store: &mut dyn Store, word: &str, seconds: Option<u32>) -> Answer<()> {
        let found = or_refuse!(self.find(store)?);
        or_refuse!(self.may_act_on(found.id));
        if self.plan.bans >= self.plan.limits.bans {
            return Ok(Err(ChatRefusal::Busy.into()));
        }
        let until = seconds.map(|seconds| UnixMillis(self.plan.at.0.saturating_add(i64::from(seconds) * 1000)));
        let banned = word == "ban";
        let ban = Ban {
            id: self.plan.action,
            person: found.id,
            name: found.name,
            tag: found.tag,
            at: self.plan.at,
            by: self.by.clone(),
            muted: Muted { banned, until, reason: self.plan.reason.clone() },
            // A timeout holds as a ban does: without its address, clearing cookies would end it.
            prefixes: found.prefixes,
        };
        store.add_ban(self.room, &ban)?;
        self.record.act = word.to_owned();
        self.record.until = until;
        let age = i64::try_from(self.plan.limits.purge_age.as_millis()).unwrap_or(i64::MAX);
        let mut messages = store.messages_of(self.room, found.id, self.plan.limits.purge_messages)?;
        messages.retain(|message| !message.deleted && self.plan.at.since(message.at) <= age);
        self.record.message = messages.first().map(|message| message.text.clone()).unwrap_or_default();
        self.remove(store, messages.iter().rev().map(|message| message.seq).collect())?;
        Ok(Ok(()))
    }

    fn unban(&mut self, store: &mut dyn Store) -> Answer<()> {
        let found = or_refuse!(self.find(store)?);
        let mut bans = self.plan.belonging.clone();
        if bans.is_empty() {
            // Known to the database only: somebody who is not here.
            bans = store
                .bans(self.room, Some(found.id), self.plan.at, self.plan.limits.bans)?
                .iter()
                .map(|ban| ban.id)
                .collect();
        }
        if bans.is_empty() {
            return Ok(Err(ChatRefusal::NotFound.into()));
        }
        store.lift_bans(self.room, &bans, self.plan.action, self.plan.at)?;
        self.record.act = "unban".into();
        Ok(Ok(()))
    }

    fn set_moderator(&mut self, store: &mut dyn Store, found: &Found, on: bool) -> Answer<()> {
        let may = self.plan.role == Role::Owner && found.id != self.plan.owner;
        or_refuse!(may.then_some(()).ok_or(ChatRefusal::NotAllowed));
        let is = self.plan.moderators.contains(&found.id);
        if is == on {
            return Ok(Err(ChatRefusal::NotFound.into()));
        }
        if on && self.plan.moderators.len() >= self.plan.limits.moderators {
            return Ok(Err(ChatRefusal::Busy.into()));
        }
        store.ensure_guest(found.id, self.plan.at)?;
        store.set_moderator(self.room, found.id, on, self.plan.at)?;
        self.record.act = "set_moderator".into();
        self.before = (!on).to_string();
        self.entries.push(NewWhat::System(SystemLine::Moderator { name: found.shown(), on }));
        Ok(Ok(()))
    }

    fn set_modes(&mut self, store: &mut dyn Store, modes: Modes) -> Answer<()> {
        if modes.slow_s > SLOW_MAX_S {
            return Ok(Err(ChatRefusal::TooLong.into()));
        }
        self.before = json(&self.plan.modes)?;
        self.record.act = "set_modes".into();
        self.record.message = json(&modes)?;
        store.set_modes(self.room, &modes)?;
        self.entries.push(NewWhat::System(SystemLine::Modes { by: self.by.clone(), modes }));
        Ok(Ok(()))
    }

    fn set_filter(&mut self, store: &mut dyn Store, words: Vec<String>) -> Answer<()> {
        let words = or_refuse!(filter::checked(&words).ok_or(ChatRefusal::TooLong));
        self.before = json(&self.plan.words)?;
        self.record.act = "set_filter".into();
        self.record.message = words.join(", ");
        store.set_filter(self.room, &words)?;
        Ok(Ok(()))
    }

    fn undo(&mut self, store: &mut dyn Store, id: ActionId) -> Answer<()> {
        let found = store.action(self.room, id)?.filter(|action| !action.record.undone && action.record.act != "undo");
        let StoredAction { record, by_id, before } = or_refuse!(found.ok_or(ChatRefusal::NotFound));
        if self.plan.at.since(record.at) > UNDO_MS {
            return Ok(Err(ChatRefusal::NotFound.into()));
        }
        if by_id != self.plan.by && self.plan.role != Role::Owner {
            return Ok(Err(ChatRefusal::NotAllowed.into()));
        }
        let restored = store.restore_messages(self.room, id)?;
        if !restored.is_empty() {
            self.entries.push(NewWhat::Restore(restored));
            self.messages_changed = true;
        }
        match record.act.as_str() {
            "timeout" | "ban" => store.lift_bans(self.room, &[id], self.plan.action, self.plan.at)?,
            "unban" => store.unlift_bans(self.room, id)?,
            "set_moderator" => {
                let on = before == "true";
                if let Some(whom) = record.whom_id {
                    store.set_moderator(self.room, whom, on, self.plan.at)?;
                }
                self.entries.push(NewWhat::System(SystemLine::Moderator { name: record.whom.clone(), on }));
            }
            "set_modes" => {
                let modes: Modes = read_json(&before)?;
                store.set_modes(self.room, &modes)?;
                self.entries.push(NewWhat::System(SystemLine::Modes { by: self.by.clone(), modes }));
            }
            "set_filter" => store.set_filter(self.room, &read_json::<Vec<String>>(&before)?)?,
            _ => {}
        }
        store.action_undone(self.room, id)?;
        self.record.act = "undo".into();
        self.record.whom = record.whom;
        self.record.whom_id = record.whom_id;
        self.record.message = record.message;
        Ok(Ok(()))
    }
}

fn json(value: &impl serde::Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(unreadable)
}

fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(unreadable)
}

fn unreadable(cause: serde_json::Error) -> Error {
    tracing::error!(%cause, "what stood before an action cannot be read or written");
    Error::Storage(crate::error::StorageFault::Database)
}
