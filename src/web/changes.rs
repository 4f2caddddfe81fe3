//! What stands before every request that changes something: it comes from this site, and not too often.

use super::{
    client,
    refusals::{Refusal, is_function},
};
use crate::{recent::Recent, state::Services};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Addresses that are remembered at least; twice as many at most.
const REMEMBERED: usize = 50_000;

/// Counts the changes that each address asks for.
///
/// The kind of lock: a `std` mutex for a map look-up and a comparison, for requests that change something.
pub struct Changes {
    quota: Quota,
    clock: DefaultClock,
    addresses: Mutex<Recent<DefaultDirectRateLimiter>>,
}

impl Changes {
    pub fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { quota, clock: DefaultClock::default(), addresses: Mutex::new(Recent::new(REMEMBERED)) }
    }

    /// # Errors
    /// How long to wait.
    fn check(&self, address: IpAddr) -> Result<(), Duration> {
        // What is remembered is whole at every step.
        let mut addresses = self.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = addresses.of(address, || RateLimiter::direct_with_clock(self.quota, self.clock.clone()));
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
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
    #[test]
    fn a_hundred_thousand_addresses_cost_what_is_granted_and_no_more() {
        let changes = Changes::new(1);
        let mut refused = 0;
        for number in 0..100_000_u32 {
            let network = u128::from(0x2001_0db8_u32) << 96 | u128::from(number) << 64;
            let address = IpAddr::from(std::net::Ipv6Addr::from(network));
            assert!(changes.check(address).is_ok(), "each has its own");
            refused += u32::from(changes.check(address).is_err());
        }
        assert_eq!(refused, 100_000);
        let remembered = changes.addresses.lock().expect("whole").len();
        assert!((REMEMBERED..=2 * REMEMBERED).contains(&remembered), "{remembered}");
    }
}
