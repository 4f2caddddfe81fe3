//! What a page may ask of its surroundings: the request on the server, the window in the browser.

use crate::{clock::Clock, i18n::Messages, realtime::Realtime, route::Place};

#[cfg(feature = "ssr")]
pub use server::{
    INVITE_COOKIE, INVITE_COOKIE_MAX_AGE_S, PERSON_COOKIE, SETUP_COOKIE, SETUP_COOKIE_MAX_AGE_S, ServerContext,
    redirect, session_cookie, set_retry_after, use_domain, use_server_context,
};

/// What the app puts around its pages. One type in leptos' context: each brings code of its own.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around {
    pub messages: Option<Messages>,
    pub clock: Option<Clock>,
    pub realtime: Option<Realtime>,
    pub place: Option<Place>,
}

/// What is around.
pub(crate) fn around() -> Around {
    leptos::prelude::use_context().unwrap_or_default()
}

/// Puts something around.
pub(crate) fn put_around(put: impl FnOnce(&mut Around)) {
    let mut around = around();
    put(&mut around);
    leptos::prelude::provide_context(around);
}

/// Where the server writes the name of the account that is logged in, on the document's element: the header needs no more.
pub const ME_ATTRIBUTE: &str = "data-me";

/// The shown name of the account that is logged in; `None` for a guest.
pub fn use_me() -> Option<String> {
    #[cfg(feature = "ssr")]
    return leptos::prelude::use_context::<ServerContext>().and_then(|context| context.me());
    #[cfg(not(feature = "ssr"))]
    return leptos::prelude::document().document_element().and_then(|html| html.get_attribute(ME_ATTRIBUTE));
}

/// `scheme://host` of this site, for addresses that leave it (sharing, Open Graph). Empty where there is no request.
pub fn use_origin() -> String {
    #[cfg(feature = "ssr")]
    return leptos::prelude::use_context::<ServerContext>().map(|c| c.origin).unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    return leptos::prelude::window().location().origin().unwrap_or_default();
}

/// Loads a page of this site that only the server makes, in the place of this one. Does nothing on the server.
pub fn load(path: &str) {
    #[cfg(not(feature = "ssr"))]
    let _ = leptos::prelude::window().location().replace(path);
    #[cfg(feature = "ssr")]
    let _ = path;
}

/// Sets the HTTP status of the page or answer being made. Does nothing in the browser.
pub fn set_status(status: u16) {
    #[cfg(feature = "ssr")]
    if let Some(response) = leptos::prelude::use_context::<leptos_axum::ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(status)
    {
        response.set_status(status);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = status;
}

#[cfg(feature = "ssr")]
mod server {
    use super::set_status;
    use crate::{error::ApiError, i18n::Locale};
    use http::{HeaderValue, header};
    use leptos::prelude::*;
    use madang_domain::{Domain, Person, PersonKind, Shown, Token, Visit};
    use madang_protocol::UnixMillis;
    use std::{
        net::{IpAddr, Ipv4Addr},
        time::{SystemTime, UNIX_EPOCH},
    };

    /// The signed cookie by which a guest is known. Its value comes from the domain.
    pub const PERSON_COOKIE: &str = "madang_person";
    /// The cookie that keeps the first administrator's code from the address, once the link was opened.
    pub const SETUP_COOKIE: &str = "madang_setup";
    /// How long that lasts, in seconds: registering takes minutes.
    pub const SETUP_COOKIE_MAX_AGE_S: u32 = 60 * 60;
    /// What the name of the cookie begins with that keeps a room's link from the address, between opening it and going in; the room's slug
    /// follows.
    pub const INVITE_COOKIE: &str = "madang_invite_";
    /// How long that lasts, in seconds.
    pub const INVITE_COOKIE_MAX_AGE_S: u32 = 60 * 60;
    /// How long a browser keeps the cookie of a session, in seconds: longer than any session.
    const SESSION_COOKIE_MAX_AGE_S: u32 = 400 * 24 * 60 * 60;

    /// The name of the cookie by which an account's browser is known, at the site with this origin. Over TLS no other site, and no page of
    /// a neighbouring host, can set it (`__Host-`); without TLS browsers would not take that name.
    pub fn session_cookie(origin: &str) -> &'static str {
        if origin.starts_with("https://") { "__Host-madang_session" } else { "madang_session" }
    }

    /// What the server knows of a request. The server puts it into context beside [`Domain`], for pages and server functions alike.
    #[derive(Clone, Debug)]
    pub struct ServerContext {
        /// Who asks; `None` for someone who never made anything here.
        pub person: Option<Person>,
        pub locale: Locale,
        /// `scheme://host` as the browser sees it, without a slash at the end.
        pub origin: String,
        /// Where encoders publish, such as `rtmp://host:1935/live`.
        pub rtmp_url: String,
        /// Where the request comes from, and what it shows.
        pub visit: Visit,
        /// The first administrator's code, where the browser has opened that link.
        pub setup: Option<String>,
        /// What the request shows to be let into rooms that ask for more than their address.
        pub shown: Shown,
        /// The server's clock at the request; the page's first render tells time by it on both sides.
        pub now: UnixMillis,
    }

    impl ServerContext {
        /// A context for a request that came now.
        pub fn new(person: Option<Person>, locale: Locale, origin: String, rtmp_url: String) -> Self {
            let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
            let visit = Visit { address, agent: String::new(), guest: None, session: None };
            let shown = Shown::person(person.as_ref().map(|person| person.id));
            Self { person, locale, origin, rtmp_url, visit, setup: None, shown, now: now() }
        }

        /// The shown name of the account that asks; `None` for a guest.
        pub fn me(&self) -> Option<String> {
            let person = self.person.as_ref()?;
            matches!(person.kind, PersonKind::Account { .. }).then(|| person.name.clone())
        }

        /// The browser is logged in with this from now on.
        pub fn set_session(&self, token: &Token) {
            self.set_cookie(session_cookie(&self.origin), token.expose(), SESSION_COOKIE_MAX_AGE_S);
        }

        /// The value of the `Set-Cookie` header that says so.
        pub fn session_cookie(&self, token: &Token) -> String {
            self.cookie(session_cookie(&self.origin), token.expose(), SESSION_COOKIE_MAX_AGE_S)
        }

        /// The browser is to forget a cookie.
        pub fn forget_cookie(&self, name: &str) {
            self.set_cookie(name, "", 0);
        }

        /// The value of a `Set-Cookie` header: for the whole site, out of reach of scripts, not sent by other sites' forms,
        /// and over TLS only when the site is.
        pub fn cookie(&self, name: &str, value: &str, max_age_s: u32) -> String {
            let secure = if self.origin.starts_with("https://") { "; Secure" } else { "" };
            format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}{secure}")
        }

        /// Sets a cookie with the answer being made. A value that no header can hold is dropped, with a log line.
        pub fn set_cookie(&self, name: &str, value: &str, max_age_s: u32) {
            match HeaderValue::from_str(&self.cookie(name, value, max_age_s)) {
                Ok(mut header) => {
                    // `Debug` then does not print it.
                    header.set_sensitive(true);
                    if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
                        response.append_header(header::SET_COOKIE, header);
                    }
                }
                Err(_) => tracing::error!(name, "a cookie's value does not fit a header"),
            }
        }
    }

    /// Sends the browser on to a path of this site, by GET (RFC 9110 §15.4.4).
    pub fn redirect(path: &str) {
        if let Some(response) = use_context::<leptos_axum::ResponseOptions>()
            && let Ok(path) = HeaderValue::from_str(path)
        {
            response.set_status(http::StatusCode::SEE_OTHER);
            response.insert_header(header::LOCATION, path);
        }
    }

    /// Says with the answer being made when to try again.
    pub fn set_retry_after(seconds: u32) {
        if let Some(response) = use_context::<leptos_axum::ResponseOptions>() {
            response.insert_header(header::RETRY_AFTER, seconds.into());
        }
    }

    fn now() -> UnixMillis {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    /// The request's context.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the server provided none, which the log tells.
    pub fn use_server_context() -> Result<ServerContext, ApiError> {
        use_context().ok_or_else(|| missing("ServerContext"))
    }

    /// The domain.
    ///
    /// # Errors
    /// [`ApiError::Internal`] when the server provided none, which the log tells.
    pub fn use_domain() -> Result<Domain, ApiError> {
        use_context().ok_or_else(|| missing("Domain"))
    }

    fn missing(what: &str) -> ApiError {
        tracing::error!(what, "missing from the context of a page or a server function");
        set_status(500);
        ApiError::Internal
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_cookie_is_kept_from_scripts_and_from_plain_http() {
            let context =
                |origin: &str| ServerContext::new(None, Locale::En, origin.to_owned(), "rtmp://x:1935/live".to_owned());
            let plain = context("http://127.0.0.1:3000").cookie("a", "b", 60);
            assert_eq!(plain, "a=b; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
            assert!(context("https://live.example.org").cookie("a", "b", 60).ends_with("; Secure"));
        }
    }
}
