//! The page's clock. Its first value is the server's (`<html data-now>`), so that the server and the hydrating browser render the same
//! words for every age and uptime; once hydrated it follows the browser's clock, second by second.

use crate::{
    context::{around, put_around},
    reactive::Var,
};
use leptos::prelude::*;
use madang_protocol::UnixMillis;

/// The attribute of `<html>` that carries the server's clock at the time of rendering.
pub const NOW_ATTRIBUTE: &str = "data-now";

/// The page's clock in context.
#[derive(Clone, Copy)]
pub struct Clock {
    now: Var<UnixMillis>,
    /// The server's clock when the page was rendered: the same number on both sides for as long as the page stands.
    pub rendered: UnixMillis,
}

impl Clock {
    /// Makes the clock and puts it into context. Called once, by the app.
    pub fn provide() -> Self {
        let rendered = rendered();
        let clock = Self { now: Var::new(rendered), rendered };
        #[cfg(feature = "hydrate")]
        crate::reactive::effect(move || {
            clock.now.set(browser_now());
            crate::listen::on_clock(1_000, move |_| clock.now.set(browser_now()));
        });
        put_around(|around| around.clock = Some(clock));
        clock
    }

    /// The time, to be read where it may change the page: ticks once a second after hydration.
    pub fn now(self) -> UnixMillis {
        self.now.get()
    }

    /// Milliseconds since `past`, never negative; follows the clock.
    pub fn since(self, past: UnixMillis) -> i64 {
        self.now().since(past)
    }
}

/// The page's clock; one that stands still where no app has provided any.
pub fn use_clock() -> Clock {
    around().clock.unwrap_or_else(|| Clock { now: Var::new(UnixMillis::default()), rendered: UnixMillis::default() })
}

/// The browser's clock, for what is measured and not shown.
#[cfg(feature = "hydrate")]
pub fn browser_now() -> UnixMillis {
    UnixMillis(js_sys::Date::now() as i64)
}

/// How far the server's clock is ahead of the browser's, in ms: the page was rendered about halfway between its request and its answer.
#[cfg(feature = "hydrate")]
pub fn server_ahead_ms() -> i64 {
    let Some(timing) = window().performance().map(|performance| performance.timing()) else { return 0 };
    rendered().0 - ((timing.request_start() + timing.response_start()) / 2.0) as i64
}

fn rendered() -> UnixMillis {
    #[cfg(feature = "ssr")]
    return use_context::<crate::context::ServerContext>().map(|c| c.now).unwrap_or_default();
    #[cfg(not(feature = "ssr"))]
    return document()
        .document_element()
        .and_then(|html| html.get_attribute(NOW_ATTRIBUTE))
        .and_then(|text| text.parse().ok())
        .map(UnixMillis)
        .unwrap_or_default();
}
