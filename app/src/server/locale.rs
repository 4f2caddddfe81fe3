//! Choosing the language of the interface.

use crate::error::ApiError;
use leptos::prelude::*;

/// Where the footer's form posts.
pub const SET_LANGUAGE: &str = "/fn/set_language";

/// Keeps the reader's language in a cookie for a year. A plain form posts here; the answer sends the browser back to its page,
/// which is then in that language. An unknown language changes nothing.
///
/// # Errors
/// [`ApiError::Internal`] when the request has no context.
#[server(prefix = "/fn", endpoint = "set_language")]
pub async fn set_language(lang: String) -> Result<(), ApiError> {
    use crate::i18n::{LOCALE_COOKIE, Locale};
    let context = crate::context::use_server_context()?;
    if let Some(locale) = Locale::parse(&lang) {
        context.set_cookie(LOCALE_COOKIE, locale.tag(), 365 * 24 * 60 * 60);
    }
    Ok(())
}
