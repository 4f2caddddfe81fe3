//! The newest entries of a room, in memory: to resume from, and to know repeated ids by.

use crate::{chat::ChatLimits, password::fold};
use madang_protocol::{
    EpochId, PersonId, UnixMillis,
    chat::{Entry, HISTORY_ON_JOIN, Seq, Since, What},
};
use std::{
    collections::{HashMap, VecDeque},
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
};

pub(super) struct Log {
    pub(super) epoch: EpochId,
    /// The newest entry; 0 for none.
    pub(super) last: Seq,
    /// The oldest entry that the database keeps.
    pub(super) oldest: Seq,
    kept: VecDeque<Kept>,
    /// Places of the messages in `kept` by who said them and their browser's id.
    ids: HashMap<(PersonId, String), Seq>,
}

struct Kept {
    entry: Arc<Entry>,
    /// [`likeness`] of a message's text.
    likeness: Option<u64>,
}

/// Where one who joins goes on.
pub(super) struct View {
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) resumed: bool,
    pub(super) more: bool,
}

impl Log {
    pub(super) fn new(epoch: EpochId, oldest: Seq, last: Seq, entries: Vec<Entry>) -> Self {
        let mut log = Self { epoch, last, oldest, kept: VecDeque::new(), ids: HashMap::new() };
        for entry in entries {
            log.push(Arc::new(entry));
        }
        log.last = log.last.max(last);
        log
    }

    /// Adds an entry that everyone is sent. One that is there already is not added.
    pub(super) fn push(&mut self, entry: Arc<Entry>) {
        if self.kept.back().is_some_and(|newest| newest.entry.seq >= entry.seq) {
            return;
        }
        let mut likeness = None;
        if let What::Say(message) = &entry.what {
            likeness = Some(self::likeness(&message.text));
            if !message.id.is_empty() {
                self.ids.insert((message.author.id, message.id.clone()), entry.seq);
            }
        }
        self.last = self.last.max(entry.seq);
        self.kept.push_back(Kept { entry, likeness });
    }

    /// Forgets what is over the limits.
    pub(super) fn prune(&mut self, now: UnixMillis, limits: &ChatLimits) {
        let age = i64::try_from(limits.recovery_age.as_millis()).unwrap_or(i64::MAX);
        while let Some(oldest) = self.kept.front() {
            let old = now.since(oldest.entry.at) > age && self.kept.len() > HISTORY_ON_JOIN;
            if self.kept.len() <= limits.recovery_entries.max(HISTORY_ON_JOIN) && !old {
                return;
            }
            if let Some(Kept { entry, .. }) = self.kept.pop_front()
                && let What::Say(message) = &entry.what
            {
                let id = (message.author.id, message.id.clone());
                if self.ids.get(&id) == Some(&entry.seq) {
                    self.ids.remove(&id);
                }
            }
        }
    }

    /// What one who joins is sent: what came after `since` if all of that is here, else the newest.
    pub(super) fn view(&self, since: Option<Since>) -> View {
        let first = self.kept.front().map_or(self.last.0.saturating_add(1), |kept| kept.entry.seq.0);
        let resumed = since.is_some_and(|since| {
            since.epoch == self.epoch && since.seq <= self.last && since.seq.0.saturating_add(1) >= first
        });
        let entries: Vec<Arc<Entry>> = match since.filter(|_| resumed) {
            Some(since) => {
                let from = self.kept.partition_point(|kept| kept.entry.seq <= since.seq);
                self.kept.range(from..).map(|kept| Arc::clone(&kept.entry)).collect()
            }
            None => {
                let from = self.kept.len().saturating_sub(HISTORY_ON_JOIN);
                self.kept.range(from..).map(|kept| Arc::clone(&kept.entry)).collect()
            }
        };
        let more = entries.first().is_some_and(|entry| entry.seq > self.oldest);
        View { entries, resumed, more }
    }

    pub(super) fn get(&self, seq: Seq) -> Option<&Arc<Entry>> {
        let at = self.kept.binary_search_by_key(&seq, |kept| kept.entry.seq).ok()?;
        self.kept.get(at).map(|kept| &kept.entry)
    }

    /// The entry of a message that this person's browser has named so.
    pub(super) fn said_as(&self, person: PersonId, id: &str) -> Option<&Arc<Entry>> {
        let seq = self.ids.get(&(person, id.to_owned()))?;
        self.get(*seq)
    }

    /// Whether a text like this one was said since then.
    pub(super) fn has_like(&self, likeness: u64, since: UnixMillis) -> bool {
        self.kept.iter().rev().take_while(|kept| kept.entry.at >= since).any(|kept| kept.likeness == Some(likeness))
    }

    /// When this person last said something, as far as it is here.
    pub(super) fn last_said(&self, person: PersonId) -> Option<UnixMillis> {
        let by = |kept: &&Kept| match &kept.entry.what {
            What::Say(message) => message.author.id == person,
            What::Stub(author) => author.id == person,
            _ => false,
        };
        self.kept.iter().rev().find(by).map(|kept| kept.entry.at)
    }
}

/// A number that texts share which differ in case, width and white space only.
pub(super) fn likeness(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    fold(text).split_whitespace().for_each(|word| word.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::chat::{Author, Message, Role};
    use std::time::Duration;

    fn say(seq: u64, at: i64, text: &str) -> Entry {
        let author =
            Author { id: PersonId::from_random(2), name: String::new(), tag: String::new(), role: Role::Viewer };
        let message = Message { author, text: text.into(), reply: None, id: format!("id{seq}") };
        Entry { seq: Seq(seq), at: UnixMillis(at), what: What::Say(message) }
    }

    fn log(to: u64) -> Log {
        let entries = (1..=to).map(|seq| say(seq, i64::try_from(seq).expect("small"), "x")).collect();
        Log::new(EpochId::from_random(2), Seq(1), Seq(to), entries)
    }

    fn seqs(view: &View) -> Vec<u64> {
        view.entries.iter().map(|entry| entry.seq.0).collect()
    }

    #[test]
    fn one_who_was_here_goes_on_and_others_begin_with_the_newest() {
        let log = log(300);
        let at = |seq| Some(Since { epoch: log.epoch, seq: Seq(seq) });
        let view = log.view(at(298));
        assert_eq!((seqs(&view), view.resumed), (vec![299, 300], true));
        assert!(log.view(at(300)).entries.is_empty() && log.view(at(300)).resumed);
        assert_eq!(log.view(at(0)).entries.len(), 300);
        for stale in [None, at(301), Some(Since { epoch: EpochId::from_random(4), seq: Seq(298) })] {
            let view = log.view(stale);
            assert_eq!((view.entries.len(), view.resumed, view.more), (HISTORY_ON_JOIN, false, true));
            assert_eq!(seqs(&view)[0], 101);
        }
    }

    #[test]
    fn what_is_pruned_is_a_gap_that_is_said() {
        let mut log = log(300);
        let limits = ChatLimits { recovery_entries: 250, ..ChatLimits::default() };
        log.prune(UnixMillis(300), &limits);
        let at = |seq| Some(Since { epoch: log.epoch, seq: Seq(seq) });
        assert!(log.view(at(50)).resumed && !log.view(at(49)).resumed);
        assert!(log.said_as(PersonId::from_random(2), "id50").is_none());
        assert_eq!(log.said_as(PersonId::from_random(2), "id51").map(|entry| entry.seq), Some(Seq(51)));
        let aged = ChatLimits { recovery_age: Duration::ZERO, ..limits };
        log.prune(UnixMillis(10_000), &aged);
        assert_eq!(log.view(None).entries.len(), HISTORY_ON_JOIN, "those who join still get history");
    }

    #[test]
    fn likeness_is_blind_to_case_and_space() {
        assert_eq!(likeness("Hello  World"), likeness("ｈｅｌｌｏ world"));
        assert_ne!(likeness("hello world"), likeness("hello worlds"));
    }
}
