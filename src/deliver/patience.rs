//! Gives up on viewers over HTTP/2 that take nothing.

use super::deadline::Progress;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{
    task::AbortHandle,
    time::{Instant, sleep_until},
};

/// Over HTTP/2 a viewer can keep its flow-control window shut (RFC 9113 §5.2): nothing is written then, so no stalled socket gives it
/// away. What does is that hyper asks the body for more only once it has sent what it has. A viewer for whom it has not asked within
/// the connection's limit is gone, and its connection is closed: one that opens many streams and takes none of them is no browser.
///
/// Dropping it ends the watch.
pub(super) struct Patience {
    /// Since when what was given is waiting to be taken.
    waiting: Arc<Mutex<Option<Instant>>>,
    watch: AbortHandle,
}

impl Patience {
    pub(super) fn new(progress: Progress) -> Self {
        // A window that is shut from the beginning keeps hyper from asking even once.
        let waiting = Arc::new(Mutex::new(Some(Instant::now())));
        let watch = tokio::spawn(give_up(Arc::clone(&waiting), progress)).abort_handle();
        Self { waiting, watch }
    }

    /// Media was given and waits to be taken from now on.
    pub(super) fn given(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// All that was given has been taken.
    pub(super) fn asked(&self) {
        *self.waiting.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl Drop for Patience {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

async fn give_up(waiting: Arc<Mutex<Option<Instant>>>, progress: Progress) {
    loop {
        let since = *waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        // A limit too long for the clock is none.
        let Some(deadline) = since.unwrap_or(now).checked_add(progress.stalled_max()) else { return };
        if since.is_some() && deadline <= now {
            tracing::debug!("a viewer over HTTP/2 takes nothing: its connection is closed");
            return progress.close();
        }
        sleep_until(deadline).await;
    }
}
