//! Sessions: whose browser it is, which there are, and their end.

use super::Domain;
use crate::{
    clock,
    error::Error,
    person::Person,
    random,
    room::DomainChange,
    rules::AccountRules,
    service::Visit,
    store::{NewSession, Store},
    token::Token,
};
use madang_protocol::{PersonId, SessionId, UnixMillis, account::SessionInfo};
use std::{sync::Arc, time::Duration};

/// How exactly the last use of a session is known: what is written at each request would be a write at each request.
const USE_KNOWN_TO: Duration = Duration::from_secs(60 * 60);
/// Most characters kept of what a browser calls itself.
const AGENT_MAX: usize = 200;

/// A browser that is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    pub id: SessionId,
    pub person: Person,
}

impl Domain {
    /// Whose browser shows this; `None` for what is no session, or was one. A session that nobody here made is none, whoever set it.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn session(&self, shown: &str) -> Result<Option<Session>, Error> {
        let Some(hash) = Token::parse(shown).map(|token| token.hash()) else { return Ok(None) };
        let found = self.0.desk.read::<_, Error>(move |store| store.find_session(&hash)).await?;
        // The index found it by its SHA-256, about which timing tells nothing of use; equality is still decided in constant time.
        let Some(found) = found.filter(|found| found.hash == hash) else { return Ok(None) };
        let now = clock::now();
        if is_over(&self.0.limits.accounts, found.since, found.used, now) {
            return Ok(None);
        }
        if now.since(found.used) > millis(USE_KNOWN_TO) {
            self.note_use(vec![found.id], now);
        }
        Ok(Some(Session { id: found.id, person: found.person }))
    }

    /// The person's sessions, the one used last first.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn sessions(&self, person: PersonId, current: Option<SessionId>) -> Result<Vec<SessionInfo>, Error> {
        let (rules, now) = (self.0.limits.accounts, clock::now());
        let mut sessions = self.0.desk.read::<_, Error>(move |store| store.sessions(person)).await?;
        sessions.retain(|session| !is_over(&rules, session.since, session.used, now));
        let info = sessions.into_iter().map(|session| SessionInfo {
            current: current == Some(session.id),
            id: session.id,
            since: session.since,
            used: session.used,
            from: session.origin,
            agent: session.agent,
        });
        Ok(info.collect())
    }

    /// Ends a session of the person's. One that is no more is fine.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn log_out(&self, person: PersonId, session: SessionId) -> Result<(), Error> {
        let work = move |store: &mut dyn Store| {
            Ok(if store.remove_session(person, session)? { vec![session] } else { Vec::new() })
        };
        self.end(work).await.map(drop)
    }

    /// Ends every session of the person's; gives how many there were.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn log_out_everywhere(&self, person: PersonId) -> Result<usize, Error> {
        let ended = self.end(move |store: &mut dyn Store| store.remove_sessions(person, 0)).await?;
        tracing::info!(%person, sessions = ended.len(), "logged out everywhere");
        Ok(ended.len())
    }

    async fn end(
        &self,
        work: impl FnOnce(&mut dyn Store) -> Result<Vec<SessionId>, Error> + Send + 'static,
    ) -> Result<Vec<SessionId>, Error> {
        let shared = Arc::clone(&self.0.shared);
        self.0.desk.write(work, move |ended: &Vec<SessionId>| shared.tell_ended(ended)).await
    }

    /// Of these sessions, those that have ended: by a log-out, in another process too, or by their time. The others are in use, which
    /// is noted: a page that stays open for weeks stays logged in.
    ///
    /// # Errors
    /// [`Error::Busy`], [`Error::Storage`].
    pub async fn ended_sessions(&self, sessions: Vec<SessionId>) -> Result<Vec<SessionId>, Error> {
        if sessions.is_empty() {
            return Ok(sessions);
        }
        let (rules, now, asked) = (self.0.limits.accounts, clock::now(), sessions.clone());
        let left = self.0.desk.read::<_, Error>(move |store| store.sessions_left(&asked)).await?;
        let standing: Vec<_> =
            left.into_iter().filter(|(_, since, used)| !is_over(&rules, *since, *used, now)).collect();
        let unnoted = standing.iter().filter(|(_, _, used)| now.since(*used) > millis(USE_KNOWN_TO));
        let unnoted: Vec<SessionId> = unnoted.map(|(id, ..)| *id).collect();
        if !unnoted.is_empty() {
            self.note_use(unnoted, now);
        }
        Ok(sessions.into_iter().filter(|id| !standing.iter().any(|(standing, ..)| standing == id)).collect())
    }

    /// A token for the browser, and what is kept of it; whose it is, is filled in by whoever knows.
    pub(super) fn new_session(&self, visit: &Visit) -> Result<(Token, NewSession), Error> {
        let token = Token::generate()?;
        let agent: String = visit.agent.chars().filter(|c| !c.is_control()).take(AGENT_MAX).collect();
        let session = NewSession {
            id: SessionId::from_random(random::bits()?),
            hash: token.hash(),
            person: PersonId::from_random(0),
            at: clock::now(),
            origin: visit.address.to_canonical().to_string(),
            agent: agent.trim().to_owned(),
        };
        Ok((token, session))
    }

    /// Never waits: a use that is not noted is noted with the next one.
    fn note_use(&self, sessions: Vec<SessionId>, now: UnixMillis) {
        let noted = move |noted: Result<(), Error>| {
            if let Err(error) = noted {
                tracing::warn!(%error, "the use of a session could not be noted");
            }
        };
        if let Err(error) = self.0.desk.post(move |store| store.sessions_used(&sessions, now), noted) {
            tracing::warn!(%error, "the use of a session could not be noted");
        }
    }
}

impl super::Shared {
    pub(super) fn tell_ended(&self, ended: &[SessionId]) {
        if !ended.is_empty() {
            self.tell(DomainChange::SessionsEnded(ended.to_vec()));
        }
    }
}

/// Whether a session's time is up, by its use or by its age.
pub(super) fn is_over(rules: &AccountRules, since: UnixMillis, used: UnixMillis, now: UnixMillis) -> bool {
    now.since(used) >= millis(rules.session_idle) || now.since(since) >= millis(rules.session_life)
}

pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}
