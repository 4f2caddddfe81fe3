//! Why something was not taken, as the one who asked is told.

use crate::error::Error;
use madang_protocol::{UnixMillis, chat::ChatRefusal};

/// A message, a name or an action that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("refused: {reason:?}")]
pub struct ChatRefused {
    pub reason: ChatRefusal,
    /// When it may be tried again, where that is known.
    pub until: Option<UnixMillis>,
}

impl From<ChatRefusal> for ChatRefused {
    fn from(reason: ChatRefusal) -> Self {
        Self { reason, until: None }
    }
}

impl From<Error> for ChatRefused {
    fn from(error: Error) -> Self {
        Self::from(match error {
            Error::NotFound => ChatRefusal::NotFound,
            Error::Forbidden | Error::WrongLogin | Error::NotThat(_) => ChatRefusal::NotAllowed,
            Error::Barred(_) => ChatRefusal::Banned,
            Error::Invalid(_) => ChatRefusal::Characters,
            Error::LimitReached { .. } | Error::TooMany { .. } | Error::Busy | Error::Storage(_) => ChatRefusal::Busy,
        })
    }
}
