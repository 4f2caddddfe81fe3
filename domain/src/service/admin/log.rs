//! The log of what administrators and the operator did.

use crate::{
    clock,
    error::Error,
    person::Person,
    random,
    store::{SiteAction, Store},
};
use madang_protocol::{ActionId, UnixMillis};

/// What is written down of an action.
#[derive(Clone, Debug)]
pub(in crate::service) struct Entry {
    /// A code, such as `ban`.
    pub(in crate::service) act: &'static str,
    /// Whom or what it was done to.
    pub(in crate::service) whom: String,
    pub(in crate::service) reason: String,
    pub(in crate::service) until: Option<UnixMillis>,
}

impl Entry {
    pub(in crate::service) fn new(act: &'static str, whom: impl Into<String>) -> Self {
        Self { act, whom: whom.into(), reason: String::new(), until: None }
    }
}

/// Writes down what `by` did, or the operator.
pub(in crate::service) fn note(
    store: &mut dyn Store,
    id: ActionId,
    by: Option<&Person>,
    entry: Entry,
    keep: u64,
) -> Result<(), Error> {
    let Entry { act, whom, reason, until } = entry;
    tracing::info!(by = by.map(|by| by.id.to_string()).unwrap_or_default(), act, "the site was administered");
    let (by_id, by) = (by.map(|by| by.id), by.map(|by| by.name.clone()).unwrap_or_default());
    store.add_site_action(
        &SiteAction { id, at: clock::now(), by_id, by, act: act.to_owned(), whom, reason, until },
        keep,
    )
}

/// Writes down what was done on the command line.
pub(in crate::service) fn by_operator(store: &mut dyn Store, entry: Entry, keep: u64) -> Result<(), Error> {
    note(store, ActionId::from_random(random::bits()?), None, entry, keep)
}
