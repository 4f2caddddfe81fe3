//! What accounts need beside their pages: the end of a session, and the set-up link's way out of the address.

use super::{Shared, client};
use crate::state::{Services, set_cookie};
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use madang_app::{
    ServerContext,
    context::{SETUP_COOKIE, SETUP_COOKIE_MAX_AGE_S, session_cookie},
    i18n::Locale,
};

/// `POST /logout`: ends the browser's session and goes to the directory. Whoever has none is only sent there.
pub async fn log_out(State(services): Shared, headers: HeaderMap) -> Response {
    let asker = match services.asker(&headers).await {
        Ok(asker) => asker,
        Err(error) => return busy(&error),
    };
    if let (Some(person), Some(session)) = (asker.person, asker.session)
        && let Err(error) = services.domain.log_out(person.id, session).await
    {
        return busy(&error);
    }
    let context = context(&services, &headers);
    let mut answer = see_other("/");
    set(&mut answer, &context.cookie(session_cookie(&context.origin), "", 0));
    answer
}

/// The link of the first start, `/register?setup=…`: its code goes into a cookie, so that it is in no history, no `Referer` and in no
/// log of what comes after. `None` for any other address.
pub fn set_up_link(services: &Services, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
    if uri.path() != "/register" {
        return None;
    }
    let code = uri.query()?.split('&').find_map(|pair| pair.strip_prefix("setup="))?;
    // What is no code is none in a cookie either.
    let plain = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let mut answer = see_other("/register");
    if plain {
        set(&mut answer, &context(services, headers).cookie(SETUP_COOKIE, code, SETUP_COOKIE_MAX_AGE_S));
    }
    answer.headers_mut().insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(answer)
}

pub(super) fn context(services: &Services, headers: &HeaderMap) -> ServerContext {
    let origin = client::origin(headers, &services.config.public);
    ServerContext::new(None, Locale::En, origin, String::new())
}

/// Sends the browser on to a path of this site.
pub(super) fn see_other(path: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, path), (header::CACHE_CONTROL, "no-store")]).into_response()
}

/// Sets a cookie with an answer.
pub(super) fn set(answer: &mut Response, cookie: &str) {
    if let Ok(mut cookie) = HeaderValue::from_str(cookie) {
        // `Debug` then does not print it.
        cookie.set_sensitive(true);
        set_cookie(answer, cookie);
    }
}

fn busy(error: &madang_domain::Error) -> Response {
    tracing::warn!(%error, "a log-out was not carried out");
    let words = "You are not logged out: the server is too busy. Try again in a moment.\n";
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], words).into_response()
}
