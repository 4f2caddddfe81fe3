//! What stands before every request that changes something: it comes from this site, and not too often.

use super::client;
use crate::{addresses::household, state::Services};
use axum::{
    extract::{Request, State},
    http::{Method, StatusCode, header},
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

/// The middleware: reads pass, changes are checked.
pub async fn guard(State(services): State<Services>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let public = &services.config.public;
    if !client::same_origin(request.headers(), public) {
        return (StatusCode::FORBIDDEN, "This request came from another site, and was not carried out.\n")
            .into_response();
    }
    let peer = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let Some(peer) = peer else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if let Err(wait) = services.changes.check(client::address(peer, request.headers(), public)) {
        let seconds = wait.as_secs().saturating_add(1);
        let words = format!("Too many changes from your address. Try again in {seconds} s.\n");
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, seconds.to_string())], words).into_response();
    }
    next.run(request).await
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
