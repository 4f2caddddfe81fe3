//! The rows of a room's chat as a reader sees them: what was said, in order and once, with one's own words before the server has
//! confirmed them. Knows no browser: the view compares rows with what stands in the page ([`patch`]).

use madang_protocol::{
    EpochId, PersonId, UnixMillis,
    chat::{Author, ChatRefusal, ChatState, Entry, Message, QUOTE_MAX, Quote, Restored, Seq, Since, SystemLine, What},
};

/// Most rows in the page.
pub const ROWS_MAX: usize = 300;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Tells rows apart for as long as the page stands.
    pub key: u32,
    /// Raised when the row has to be drawn again.
    pub revision: u32,
    /// `None` for what the server's log does not hold.
    pub seq: Option<Seq>,
    pub at: UnixMillis,
    pub body: Body,
}

/// What a row shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    Said(Message),
    /// One's own words on their way.
    Own {
        id: String,
        text: String,
        reply: Option<Quote>,
        failed: Option<Failure>,
    },
    /// A deleted message's place.
    Gone(Author),
    System(SystemLine),
    People {
        joined: Vec<Author>,
        left: Vec<Author>,
    },
    /// A line for this reader only.
    Note(String),
}

/// Why one's own words were not said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// No answer came.
    Silence,
    Refused(ChatRefusal),
}

/// The log as far as the page holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    since: Option<Since>,
    rows: Vec<Row>,
    last_key: u32,
    /// Whether there are older entries than the first row.
    pub more: bool,
    /// Whether older ones were asked for.
    pub loading: bool,
    at_end: bool,
    /// The reader is far up: newer rows are not kept until they come down.
    behind: bool,
    unseen: u32,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            since: None,
            rows: Vec::new(),
            last_key: 0,
            more: false,
            loading: false,
            at_end: true,
            behind: false,
            unseen: 0,
        }
    }
}

impl Log {
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    pub fn row(&self, key: u32) -> Option<&Row> {
        self.rows.iter().find(|row| row.key == key)
    }

    /// Where to go on from after a lost connection.
    pub const fn since(&self) -> Option<Since> {
        self.since
    }

    /// Messages that came while the reader was further up.
    pub const fn unseen(&self) -> u32 {
        self.unseen
    }

    /// Whether the reader is at the newest row.
    pub const fn is_read_to_end(&self) -> bool {
        self.at_end
    }

    /// Takes in the state on joining: goes on from it, or starts over.
    pub fn open(&mut self, state: ChatState, me: Option<PersonId>) {
        let goes_on = state.resumed && self.since.is_some_and(|since| since.epoch == state.epoch);
        if !goes_on {
            self.rows.retain(|row| matches!(row.body, Body::Own { .. }));
            self.since = Some(Since { epoch: state.epoch, seq: Seq(0) });
            self.more = state.more;
            (self.loading, self.behind) = (false, false);
            self.unseen = 0;
        }
        for entry in state.entries {
            self.append(entry, me);
        }
        self.reached(state.epoch, state.seq);
    }

    /// Takes in new entries. Returns false when some are missing before them: the chat has to be joined again.
    pub fn take(&mut self, entries: Vec<Entry>, me: Option<PersonId>) -> bool {
        for entry in entries {
            let Some(since) = self.since else { return true };
            if entry.seq.0 > since.seq.0.saturating_add(1) {
                return false;
            }
            self.append(entry, me);
        }
        true
    }

    fn reached(&mut self, epoch: EpochId, seq: Seq) {
        let reached = self.since.map_or(seq, |since| since.seq.max(seq));
        self.since = Some(Since { epoch, seq: reached });
    }

    fn append(&mut self, entry: Entry, me: Option<PersonId>) {
        // The answer to what was sent twice carries the place of the first time.
        if let What::Say(message) = &entry.what
            && Some(message.author.id) == me
            && !message.id.is_empty()
        {
            self.rows.retain(|row| !matches!(&row.body, Body::Own { id, .. } if *id == message.id));
        }
        let Some(since) = &mut self.since else { return };
        if entry.seq <= since.seq {
            return;
        }
        since.seq = entry.seq;
        let said = matches!(entry.what, What::Say(_));
        let body = match entry.what {
            What::Say(message) => Body::Said(message),
            What::Stub(author) => Body::Gone(author),
            What::System(line) => Body::System(line),
            What::Delete { targets } => return self.delete(&targets),
            What::Restore { messages } => return messages.into_iter().for_each(|restored| self.restore(restored)),
        };
        self.unseen += u32::from(said && !self.at_end);
        self.push(Some(entry.seq), entry.at, body);
    }

    fn delete(&mut self, targets: &[Seq]) {
        for row in &mut self.rows {
            let Body::Said(message) = &mut row.body else { continue };
            if row.seq.is_some_and(|seq| targets.contains(&seq)) {
                row.body = Body::Gone(message.author.clone());
                row.revision += 1;
            } else if let Some(quote) = &mut message.reply
                && targets.contains(&quote.seq)
            {
                quote.text.clear();
                row.revision += 1;
            }
        }
    }

    /// A message is back, and in the answers to it what they quote.
    fn restore(&mut self, Restored { seq, message, .. }: Restored) {
        for row in &mut self.rows {
            if row.seq == Some(seq) {
                row.body = Body::Said(message.clone());
            } else if let Body::Said(Message { reply: Some(quote), .. }) = &mut row.body
                && quote.seq == seq
            {
                quote.text = message.text.chars().take(QUOTE_MAX).collect();
            } else {
                continue;
            }
            row.revision += 1;
        }
    }

    /// A row after all that is confirmed, before one's own words on their way.
    fn push(&mut self, seq: Option<Seq>, at: UnixMillis, body: Body) {
        let own = matches!(body, Body::Own { .. });
        if self.behind && !own {
            return;
        }
        if !self.at_end && !own && self.rows.len() >= ROWS_MAX {
            self.behind = true;
            return;
        }
        let place = match own {
            true => self.rows.len(),
            false => self.rows.iter().rposition(|row| !matches!(row.body, Body::Own { .. })).map_or(0, |last| last + 1),
        };
        let key = self.new_key();
        self.rows.insert(place, Row { key, revision: 0, seq, at, body });
        let over = self.rows.len().saturating_sub(ROWS_MAX);
        if over > 0 && self.at_end {
            self.rows.drain(..over);
            self.more = true;
        }
    }

    fn new_key(&mut self) -> u32 {
        self.last_key = self.last_key.wrapping_add(1);
        self.last_key
    }

    /// Older entries, in answer to what was asked: before the first row. Newer rows make room for them.
    pub fn older(&mut self, entries: Vec<Entry>, more: bool) {
        self.loading = false;
        self.more = more;
        let first = self.rows.iter().find_map(|row| row.seq);
        let mut older = Self { last_key: self.last_key, ..Self::default() };
        let epoch = self.since.map_or(EpochId::from_random(0), |since| since.epoch);
        older.since = Some(Since { epoch, seq: Seq(0) });
        for entry in entries.into_iter().filter(|entry| first.is_none_or(|first| entry.seq < first)) {
            // The messages come as they are now: what was done to them since then, and perhaps undone, is in them.
            if !matches!(entry.what, What::Delete { .. } | What::Restore { .. }) {
                older.append(entry, None);
            }
        }
        self.last_key = older.last_key;
        self.rows.splice(0..0, older.rows);
        if self.rows.len() > ROWS_MAX {
            let own = |row: &Row| matches!(row.body, Body::Own { .. });
            let kept: Vec<Row> = self.rows.iter().filter(|row| own(row)).cloned().collect();
            self.rows.retain(|row| !own(row));
            self.rows.truncate(ROWS_MAX);
            self.rows.extend(kept);
            self.behind = true;
            self.at_end = false;
        }
    }

    /// What to ask for to show older rows, if there are any and they are not on their way.
    pub fn wants_older(&mut self) -> Option<Seq> {
        let first = self.rows.iter().find_map(|row| row.seq)?;
        if !self.more || self.loading {
            return None;
        }
        self.loading = true;
        Some(first)
    }

    /// The reader is at the newest row, or has scrolled up. Returns true when the newest rows have to be fetched for that.
    pub fn read_to_end(&mut self, at_end: bool) -> bool {
        self.at_end = at_end && !self.behind;
        if self.at_end {
            self.unseen = 0;
            let over = self.rows.len().saturating_sub(ROWS_MAX);
            self.rows.drain(..over);
            self.more |= over > 0;
        }
        at_end && self.behind
    }

    /// Forgets where it is: the next state starts over.
    pub fn start_over(&mut self) {
        self.since = None;
        self.at_end = true;
    }

    /// One's own words, at once.
    pub fn say(&mut self, id: String, at: UnixMillis, text: String, reply: Option<Quote>) {
        self.push(None, at, Body::Own { id, text, reply, failed: None });
    }

    /// Marks one's own words as failed, or as on their way again.
    pub fn mark(&mut self, wanted: &str, why: Option<Failure>) {
        for row in &mut self.rows {
            if let Body::Own { id, failed, .. } = &mut row.body
                && id == wanted
                && *failed != why
            {
                *failed = why;
                row.revision += 1;
            }
        }
    }

    pub fn discard(&mut self, wanted: &str) {
        self.rows.retain(|row| !matches!(&row.body, Body::Own { id, .. } if id == wanted));
    }

    pub fn note(&mut self, at: UnixMillis, text: String) {
        self.push(None, at, Body::Note(text));
    }

    /// Who came and went; joined to the row before it when that tells the same.
    pub fn people(&mut self, at: UnixMillis, joined: Vec<Author>, left: Vec<Author>) {
        if let Some(row) = self.rows.iter_mut().rev().find(|row| !matches!(row.body, Body::Own { .. }))
            && let Body::People { joined: before, left: gone } = &mut row.body
        {
            // Who comes back within one line has not left.
            gone.retain(|author| joined.iter().all(|a| a.id != author.id));
            before.retain(|author| left.iter().all(|a| a.id != author.id));
            before.extend(joined);
            gone.extend(left);
            row.revision += 1;
            return;
        }
        self.push(None, at, Body::People { joined, left });
    }

    /// Everything has to be drawn again: whom it is for is called otherwise now.
    pub fn redraw(&mut self) {
        for row in &mut self.rows {
            row.revision += 1;
        }
    }
}

/// What to do with the page's rows, one after the other, to have them as they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Take the row at this place away.
    Remove(usize),
    /// Draw the new row `row` before what stands at `place`.
    Insert { place: usize, row: usize },
    /// Draw the new row `row` instead of what stands at `place`.
    Replace { place: usize, row: usize },
}

/// The way from what stands in the page, as (key, revision), to `rows`. Rows never change places, so one pass finds it.
pub fn patch(standing: &[(u32, u32)], rows: &[Row]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut left = standing.iter().peekable();
    for (place, row) in rows.iter().enumerate() {
        while let Some((key, _)) = left.peek()
            && *key != row.key
            && !rows.get(place..).unwrap_or_default().iter().any(|later| later.key == *key)
        {
            steps.push(Step::Remove(place));
            left.next();
        }
        match left.peek() {
            Some((key, revision)) if *key == row.key => {
                if *revision != row.revision {
                    steps.push(Step::Replace { place, row: place });
                }
                left.next();
            }
            _ => steps.push(Step::Insert { place, row: place }),
        }
    }
    steps.extend(left.map(|_| Step::Remove(rows.len())));
    steps
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
