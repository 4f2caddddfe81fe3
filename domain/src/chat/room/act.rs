//! What moderators do, and system lines: done one at a time, with no batch on its way.

use super::{
    Room,
    apply::{Plan, Target, apply},
};
use crate::{
    chat::ChatRefused,
    clock,
    error::Error,
    password::fold,
    random,
    room::DomainChange,
    store::{NewEntry, NewWhat, Store},
};
use madang_protocol::{
    ActionId, Field, PersonId,
    chat::{Act, ChatRefusal, NAMELESS, REASON_MAX, Role, SystemLine, Whom},
    realtime::ServerEvent,
    validation,
};
use std::net::IpAddr;

impl Room {
    pub(super) async fn act_here(&mut self, seat: u64, act: Act, reason: &str, id: String) {
        let Some(found) = self.people.seats.get(&seat) else { return };
        let (outbox, person, address) = (found.outbox.clone(), found.person, found.address);
        let done = match person {
            None => Err(ChatRefusal::NoCookie.into()),
            Some(by) => self.act(by, Some(address), act, reason).await,
        };
        outbox.tell(match done {
            Ok(action) => ServerEvent::Done { id, action },
            Err(ChatRefused { reason, until }) => ServerEvent::Rejected { id, reason, until },
        });
    }

    /// Does what a moderator does; gives what it can be undone by. `address` is where they are, unless that was looked at already.
    ///
    /// # Errors
    /// [`ChatRefused`]; nothing has changed then.
    pub(super) async fn act(
        &mut self,
        by: PersonId,
        address: Option<IpAddr>,
        act: Act,
        reason: &str,
    ) -> Result<Option<ActionId>, ChatRefused> {
        let role = self.role_of(by);
        if !role.moderates() || self.banned(by, address, clock::now()).is_some() {
            return Err(ChatRefusal::NotAllowed.into());
        }
        let clock = self.clock();
        let (limits, times) = (self.limits, self.limits.moderator_rate);
        if let Some(somebody) = self.people.get_mut(by)
            && let Err(_wait) = somebody.pace.take(clock, &limits, times)
        {
            return Err(ChatRefusal::TooFast.into());
        }
        let reason = match reason.trim() {
            "" => String::new(),
            reason => validation::line(Field::Description, reason, REASON_MAX).map_err(|_| ChatRefusal::TooLong)?,
        };
        self.settle().await;
        // Who moderates is let into a room that asks for more than its address.
        let lets_in = matches!(act, Act::SetModerator { .. } | Act::Undo { .. });
        let plan = self.plan(by, role, act, reason)?;
        let id = self.id;
        let domain = self.domain.upgrade().ok_or(ChatRefusal::Busy)?;
        let done = domain.desk.write(move |store| apply(store, id, &plan), |_| {}).await??;
        if lets_in {
            domain.shared.tell(DomainChange::Room(id));
        }
        drop(domain);
        // It is stored and holds, whatever comes now.
        if let Err(error) = self.after(done.messages_changed).await {
            self.outdated(&error);
        }
        Ok(done.undo_by)
    }

    /// Everyone sees what has been done.
    async fn after(&mut self, messages_changed: bool) -> Result<(), Error> {
        self.reload(messages_changed).await?;
        self.catch_up().await;
        self.tell_standings().await;
        Ok(())
    }

    /// What is known here and needed there.
    fn plan(&self, by: PersonId, role: Role, act: Act, reason: String) -> Result<Plan, ChatRefused> {
        let action = random::bits().map(ActionId::from_random)?;
        let whom = match &act {
            Act::DeleteLast { whom }
            | Act::Timeout { whom, .. }
            | Act::Ban { whom, .. }
            | Act::Unban { whom }
            | Act::SetModerator { whom, .. } => Some(whom),
            _ => None,
        };
        let target = whom.map(|whom| self.target(whom));
        let belonging = match (&act, &target) {
            (Act::Unban { .. }, Some(Target { id: Some(id), prefixes, .. })) => {
                self.bans.belonging(*id, prefixes).iter().map(|ban| ban.id).collect()
            }
            _ => Vec::new(),
        };
        Ok(Plan {
            action,
            at: clock::now(),
            by,
            role,
            owner: self.owner,
            moderators: self.moderators.clone(),
            administrators: self.administrators.clone(),
            modes: self.modes,
            words: self.words.clone(),
            bans: self.bans.len(),
            limits: self.limits,
            act,
            reason,
            target,
            belonging,
        })
    }

    /// Whom is meant, as far as that is known without the database.
    fn target(&self, whom: &Whom) -> Target {
        let (id, folded, tag) = match whom {
            Whom::Id(id) => (Some(*id), String::new(), None),
            Whom::Name(name) => {
                let (name, tag) = match name.rsplit_once('#') {
                    Some((name, tag)) => (name, Some(tag.to_lowercase())),
                    None => (name.as_str(), None),
                };
                let folded = fold(name.trim().trim_start_matches('@'));
                let known = |folded: &str| {
                    let banned = || self.bans.named(folded, tag.as_deref()).map(|ban| ban.person);
                    self.people.named(folded, tag.as_deref()).or_else(banned)
                };
                let nameless = tag.is_some() && NAMELESS.iter().any(|name| fold(name) == folded);
                match known(&folded) {
                    None if nameless => (known(""), String::new(), tag),
                    id => (id, folded, tag),
                }
            }
        };
        let prefixes = id.map(|id| self.people.prefixes(id)).unwrap_or_default();
        Target { id, folded, tag, prefixes }
    }

    pub(super) async fn system(&mut self, line: SystemLine) {
        self.settle().await;
        let id = self.id;
        let Some(domain) = self.domain.upgrade() else { return };
        let work = move |store: &mut dyn Store| {
            store.append_chat(id, &[NewEntry { at: clock::now(), what: NewWhat::System(line) }]).map(drop)
        };
        let kept = domain.desk.write(work, |()| {}).await;
        drop(domain);
        match kept {
            Ok(()) => self.catch_up().await,
            Err(error) => tracing::warn!(room = %id, %error, "a system line could not be kept"),
        }
    }
}
