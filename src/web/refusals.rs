//! Requests that are turned away before a page or a function has seen them, in the form that the one who asks can read: a function's
//! error for the script, a short page in the reader's language for a browser without scripts.

use super::client;
use axum::{
    http::{HeaderMap, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use leptos::server_fn::error::{FromServerFnError as _, SERVER_FN_ERROR_HEADER};
use madang_app::{ApiError, i18n::Messages};

/// Why a request is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A page of another site made the browser send it.
    OtherSite,
    TooMany {
        retry_after_s: u32,
    },
    /// Whoever asks is banned from the site.
    Barred,
    /// Who asks cannot be looked up now.
    Busy,
    /// The body is longer than `limits.http_body_bytes`.
    TooLarge,
    /// The body is no form of the page.
    Malformed,
}

impl Refusal {
    /// The same as a server function says it.
    pub const fn error(self) -> ApiError {
        match self {
            Self::OtherSite => ApiError::Forbidden,
            Self::Barred => ApiError::Barred,
            Self::TooMany { retry_after_s } => ApiError::TooMany { retry_after_s },
            Self::Busy => ApiError::Busy,
            Self::TooLarge | Self::Malformed => ApiError::Invalid(Vec::new()),
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::OtherSite | Self::Barred => StatusCode::FORBIDDEN,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// Seconds until it may be tried again.
    const fn retry_after_s(self) -> Option<u32> {
        match self {
            Self::TooMany { retry_after_s } => Some(retry_after_s),
            Self::Busy => Some(2),
            Self::OtherSite | Self::Barred | Self::TooLarge | Self::Malformed => None,
        }
    }

    /// The answer to a request for `path`.
    pub fn answer(self, path: &str, headers: &HeaderMap) -> Response {
        let called_by_script = !headers
            .get(header::ACCEPT)
            .and_then(|accept| accept.to_str().ok())
            .is_some_and(|accept| accept.contains("text/html"));
        if is_function(path) && called_by_script {
            let kind = [(header::CONTENT_TYPE.as_str(), "application/json"), (SERVER_FN_ERROR_HEADER, path)];
            return self.mark((kind, self.error().ser()).into_response());
        }
        let messages = Messages::new(client::locale(headers));
        let words = match self {
            Self::OtherSite => messages.error_other_site().to_owned(),
            Self::TooLarge => messages.error_too_large().to_owned(),
            other => messages.error(&other.error()),
        };
        // Nothing of the request's is in it, so nothing has to be escaped.
        let page = format!(
            "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><meta name=\"color-scheme\" content=\"dark light\"><title>{site}</title></head>\
             <body><h1>{site}</h1><p role=\"alert\">{words}</p><p><a href=\"/\">{}</a></p></body></html>\n",
            messages.locale().tag(),
            messages.home(),
            site = messages.site_name(),
        );
        self.mark(Html(page).into_response())
    }

    /// Gives an answer the status, and when to come back.
    pub fn mark(self, mut answer: Response) -> Response {
        *answer.status_mut() = self.status();
        if let Some(seconds) = self.retry_after_s() {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        answer
    }
}

/// Whether it is a server function's path.
pub fn is_function(path: &str) -> bool {
    path.starts_with("/fn/")
}
