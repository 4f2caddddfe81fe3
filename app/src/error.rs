//! What a server function answers when it cannot: a code the page turns into words, never an internal cause.

use crate::codec::JsonText;
use leptos::prelude::*;
use madang_protocol::FieldIssue;
use madang_protocol::wire::Wire;
use serde::{Deserialize, Serialize};

/// When to ask again after [`ApiError::Busy`], in seconds.
#[cfg(feature = "ssr")]
const BUSY_FOR_S: u32 = 2;

/// Why a server function refused. The words are in the message files, see `Messages::error`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire, thiserror::Error)]
#[serde(tag = "error", content = "detail", rename_all = "snake_case")]
pub enum ApiError {
    #[error("not found")]
    NotFound,
    /// Not the owner, or not logged in.
    #[error("not allowed")]
    Forbidden,
    /// Banned from the site, or an account that is locked.
    #[error("barred")]
    Barred,
    /// No such account, or not its password.
    #[error("wrong login")]
    WrongLogin,
    /// What was typed breaks these rules; every broken field is named.
    #[error("invalid: {0:?}")]
    Invalid(Vec<FieldIssue>),
    #[error("too many requests, again in {retry_after_s} s")]
    TooMany { retry_after_s: u32 },
    /// As many as allowed exist already.
    #[error("limit reached: {max}")]
    LimitReached { max: u32 },
    /// The server's queue is full; the same request may work in a moment.
    #[error("busy")]
    Busy,
    /// The server could not be reached. Made in the browser only.
    #[error("unreachable")]
    Unreachable,
    /// The cause is in the server's log.
    #[error("internal error")]
    Internal,
}

impl ApiError {
    /// The HTTP status that goes with it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Forbidden | Self::Barred => 403,
            Self::WrongLogin | Self::Invalid(_) => 422,
            Self::LimitReached { .. } => 409,
            Self::TooMany { .. } => 429,
            Self::Busy | Self::Unreachable => 503,
            Self::Internal => 500,
        }
    }

    /// What is wrong, field by field; empty when it is not about fields.
    pub fn issues(&self) -> &[FieldIssue] {
        match self {
            Self::Invalid(issues) => issues,
            _ => &[],
        }
    }
}

impl FromServerFnError for ApiError {
    type Encoder = JsonText;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        let error = match error {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) => Self::Invalid(Vec::new()),
            // On the server: a body that is no call of the function. In the browser it would be an answer that is none.
            ServerFnErrorErr::Deserialization(_) if cfg!(feature = "ssr") => Self::Invalid(Vec::new()),
            other => {
                #[cfg(feature = "ssr")]
                tracing::warn!(error = %other, "a server function failed");
                let _ = other;
                Self::Internal
            }
        };
        crate::context::set_status(error.status());
        error
    }
}

#[cfg(feature = "ssr")]
impl From<madang_domain::Error> for ApiError {
    /// Drops the cause, which the domain has logged, and sets the answer's status.
    fn from(error: madang_domain::Error) -> Self {
        use madang_domain::Error;
        let error = match error {
            Error::NotFound => Self::NotFound,
            Error::Forbidden | Error::NotThat(_) => Self::Forbidden,
            Error::Barred(_) => Self::Barred,
            Error::WrongLogin => Self::WrongLogin,
            Error::Invalid(issues) => Self::Invalid(issues),
            Error::TooMany { retry_after_s } => Self::TooMany { retry_after_s },
            Error::LimitReached { max, .. } => Self::LimitReached { max: u32::try_from(max).unwrap_or(u32::MAX) },
            Error::Busy => Self::Busy,
            Error::Storage(_) => Self::Internal,
        };
        crate::context::set_status(error.status());
        match error {
            Self::TooMany { retry_after_s } => crate::context::set_retry_after(retry_after_s),
            Self::Busy => crate::context::set_retry_after(BUSY_FOR_S),
            _ => {}
        }
        error
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{Field, Problem};

    #[test]
    fn an_error_survives_the_wire() {
        let error = ApiError::Invalid(vec![FieldIssue::new(Field::Slug, Problem::TooLong { max: 40 })]);
        assert_eq!(ApiError::de(error.ser()), error);
        assert_eq!(ApiError::de(ApiError::NotFound.ser()), ApiError::NotFound);
    }
}
