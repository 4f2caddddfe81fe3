//! Why and how a publisher is told that it is over.

use madang_domain::CutReason;
use std::sync::OnceLock;
use tokio::sync::Notify;

/// Why a publisher was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Cut {
    #[error("a newer connection publishes to this room")]
    TakenOver,
    #[error("the owner ended the stream")]
    ByOwner,
    #[error("the stream key was revoked")]
    KeyRevoked,
    #[error("an administrator ended the stream")]
    ByAdministrator,
    #[error("the server stops")]
    Shutdown,
}

impl From<CutReason> for Cut {
    fn from(why: CutReason) -> Self {
        match why {
            CutReason::ByOwner => Self::ByOwner,
            // The keys of a room go with it.
            CutReason::KeyRevoked | CutReason::RoomDeleted => Self::KeyRevoked,
            CutReason::ByAdministrator => Self::ByAdministrator,
            CutReason::Shutdown => Self::Shutdown,
        }
    }
}

/// Set once, by whoever ends the publisher first.
#[derive(Debug, Default)]
pub(super) struct CutSignal {
    why: OnceLock<Cut>,
    told: Notify,
}

impl CutSignal {
    /// Settles the reason; [`CutSignal::tell`] follows, where no lock is held. A second reason comes too late: the encoder is
    /// told the first.
    pub(super) fn settle(&self, why: Cut) {
        let _ = self.why.set(why);
    }

    pub(super) fn tell(&self) {
        self.told.notify_waiters();
    }

    pub(super) fn why(&self) -> Option<Cut> {
        self.why.get().copied()
    }

    pub(super) async fn wait(&self) -> Cut {
        loop {
            // Made before the look, so that a cut between the two is not missed.
            let told = self.told.notified();
            if let Some(why) = self.why() {
                return why;
            }
            told.await;
        }
    }
}
