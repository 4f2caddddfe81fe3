//! What stands before every request that changes something: it comes from this site, and not too often.

use super::{
    client,
    refusals::{Refusal, is_function},
};
use crate::{addresses::household, state::Services};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

/// Most addresses that are remembered; past it, those with nothing to remember are forgotten.
const REMEMBERED_MAX: usize = 100_000;

/// Counts the changes that each address asks for.
pub struct Changes {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
}

impl Changes {
    pub fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { limiter: RateLimiter::keyed(quota) }
    }

    /// # Errors
    /// How long to wait.
    fn check(&self, address: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() > REMEMBERED_MAX {
            self.limiter.retain_recent();
        }
        let outcome = self.limiter.check_key(&household(address));
        outcome.map_err(|not_until| not_until.wait_time_from(self.limiter.clock().now()))
    }
}

/// The middleware: reads pass, changes are checked. A form that came too soon goes on to its page with the [`Refusal`] beside it: the
/// page keeps what was typed. One from another site does not: what it says would be in our page, ready to be sent.
pub async fn guard(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let Some(peer) = peer else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let path = request.uri().path();
    match check(&services, peer, request.headers()) {
        Ok(()) => {}
        Err(refusal @ Refusal::TooMany { .. }) if !is_function(path) => drop(request.extensions_mut().insert(refusal)),
        Err(refusal) => return refusal.answer(path, request.headers()),
    }
    next.run(request).await
}

fn check(services: &Services, peer: IpAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    let (public, limits) = (&services.config.public, &services.config.limits);
    if !client::same_origin(headers, public) {
        return Err(Refusal::OtherSite);
    }
    // A body whose length is not announced is counted while it is read.
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limits.http_body_bytes) {
        return Err(Refusal::TooLarge);
    }
    services.changes.check(client::address(peer, headers, public)).map_err(|wait| Refusal::TooMany {
        retry_after_s: u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_stopped_at_its_limit_and_another_is_not() {
        let changes = Changes::new(3);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..3 {
            assert!(changes.check(address("2001:db8::1")).is_ok());
        }
        let wait = changes.check(address("2001:db8::ffff")).expect_err("the same /64");
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert!(changes.check(address("192.0.2.1")).is_ok());
    }
}
