//! What stands before every request that changes something: it comes from this site, not too often, and from nobody who is banned from it.

use super::{
    client,
    refusals::{Refusal, is_function},
};
use crate::{
    addresses::{AddressLimit, household},
    recent::Recent,
    state::{Asker, Services},
};
use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};
use madang_app::server::locale::SET_LANGUAGE;
use madang_domain::{Person, PersonKind};
use madang_protocol::PersonId;
use std::{
    hash::Hash,
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Addresses, and accounts, that are remembered at least; twice as many at most.
const REMEMBERED: usize = 50_000;
/// Bodies that one address may have on their way at once.
const BODIES: usize = 16;
/// A body may take this many times as long as a head (`limits.http_head_s`).
const BODY_TIMES: u32 = 3;
/// What whoever is banned may ask for: to leave, to read in their own language, and to be told by the domain why they are not let in.
const NEVER_BARRED: [&str; 5] = ["/login", "/logout", "/register", "/reset", SET_LANGUAGE];

/// Counts the changes that each address and each account asks for.
pub struct Changes {
    addresses: Counted<IpAddr>,
    accounts: Counted<PersonId>,
    bodies: AddressLimit,
}

impl Changes {
    /// So many a minute, of each.
    pub fn new(per_address: u32, per_account: u32) -> Self {
        let bodies = AddressLimit::new(BODIES);
        Self { addresses: Counted::new(per_address), accounts: Counted::new(per_account), bodies }
    }

    /// # Errors
    /// How long to wait.
    fn check(&self, address: IpAddr) -> Result<(), Duration> {
        self.addresses.check(household(address))
    }

    /// # Errors
    /// How long to wait.
    fn check_account(&self, account: PersonId) -> Result<(), Duration> {
        self.accounts.check(account)
    }
}

/// How often each of them asked lately.
///
/// The kind of lock: a `std` mutex for a map look-up and a comparison, for requests that change something.
struct Counted<K> {
    quota: Quota,
    clock: DefaultClock,
    recent: Mutex<Recent<K, DefaultDirectRateLimiter>>,
}

impl<K: Eq + Hash> Counted<K> {
    fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { quota, clock: DefaultClock::default(), recent: Mutex::new(Recent::new(REMEMBERED)) }
    }

    fn check(&self, key: K) -> Result<(), Duration> {
        // What is remembered is whole at every step.
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let limiter = recent.of(key, || RateLimiter::direct_with_clock(self.quota, self.clock.clone()));
        limiter.check().map_err(|not_until| not_until.wait_time_from(self.clock.now()))
    }
}

/// The middleware: reads pass, changes are checked. A form that came too soon goes on to its page with the [`Refusal`] beside it: the
/// page keeps what was typed. One from another site does not: what it says would be in our page, ready to be sent.
///
/// The body is read here, within its limit and its time, and nothing after this waits for the one who sends it.
pub async fn guard(State(services): State<Services>, mut request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let peer = request.extensions().get::<axum::extract::ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    let Some(peer) = peer else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let path = request.uri().path().to_owned();
    let address = client::address(peer, request.headers(), &services.config.public);
    let mut checked = check(&services, address, request.headers());
    if checked.is_ok() {
        checked = match services.asker(request.headers()).await {
            Ok(asker) => {
                let checked = check_asker(&services, address, &path, &asker);
                request.extensions_mut().insert(asker);
                checked
            }
            Err(error) => {
                tracing::warn!(%error, "a change was not carried out: who asks cannot be looked up");
                Err(Refusal::Busy)
            }
        };
    }
    match checked {
        Ok(()) => {}
        Err(refusal @ (Refusal::TooMany { .. } | Refusal::Busy)) if !is_function(&path) => {
            request.extensions_mut().insert(refusal);
        }
        Err(refusal) => return refusal.answer(&path, request.headers()),
    }
    let limits = &services.config.limits;
    let Some(seat) = services.changes.bodies.take(address) else {
        return Refusal::TooMany { retry_after_s: 1 }.answer(&path, request.headers());
    };
    let (parts, body) = request.into_parts();
    let body = match tokio::time::timeout(limits.http_head() * BODY_TIMES, read(body, limits.http_body_bytes)).await {
        Ok(Ok(bytes)) => Body::from(bytes),
        Ok(Err(refusal)) => return refusal.answer(&path, &parts.headers),
        Err(_) => return StatusCode::REQUEST_TIMEOUT.into_response(),
    };
    drop(seat);
    next.run(Request::from_parts(parts, body)).await
}

/// A whole body of `most` bytes or less.
async fn read(body: Body, most: usize) -> Result<Bytes, Refusal> {
    let (mut parts, mut whole) = (body.into_data_stream(), BytesMut::new());
    while let Some(part) = parts.next().await {
        // What ends before its end is no form.
        let part = part.map_err(|_| Refusal::Malformed)?;
        if part.len() > most.saturating_sub(whole.len()) {
            return Err(Refusal::TooLarge);
        }
        whole.extend_from_slice(&part);
    }
    Ok(whole.freeze())
}

fn check_asker(services: &Services, address: IpAddr, path: &str, asker: &Asker) -> Result<(), Refusal> {
    let person = asker.person.as_ref();
    if let Some(Person { id, kind: PersonKind::Account { .. }, .. }) = person {
        services.changes.check_account(*id).map_err(too_many)?;
    }
    let barred = services.domain.barred(person, address).is_err() && !NEVER_BARRED.contains(&path);
    if barred { Err(Refusal::Barred) } else { Ok(()) }
}

fn too_many(wait: Duration) -> Refusal {
    Refusal::TooMany { retry_after_s: u32::try_from(wait.as_secs().saturating_add(1)).unwrap_or(u32::MAX) }
}

fn check(services: &Services, address: IpAddr, headers: &HeaderMap) -> Result<(), Refusal> {
    let (public, limits) = (&services.config.public, &services.config.limits);
    if !client::same_origin(headers, public) {
        return Err(Refusal::OtherSite);
    }
    // A body whose length is not announced is counted while it is read.
    let length = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limits.http_body_bytes) {
        return Err(Refusal::TooLarge);
    }
    services.changes.check(address).map_err(too_many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_stopped_at_its_limit_and_another_is_not() {
        let changes = Changes::new(3, 3);
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        for _ in 0..3 {
            assert!(changes.check(address("2001:db8::1")).is_ok());
        }
        let wait = changes.check(address("2001:db8::ffff")).expect_err("the same /64");
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert!(changes.check(address("192.0.2.1")).is_ok());
    }

    #[test]
    fn an_account_is_stopped_at_its_limit_wherever_it_is() {
        let changes = Changes::new(100, 2);
        let account = |n: u64| PersonId::from_random(n << 1);
        assert!(changes.check_account(account(1)).is_ok() && changes.check_account(account(1)).is_ok());
        assert!(changes.check_account(account(1)).is_err());
        assert!(changes.check_account(account(2)).is_ok());
        for n in 0..100_000 {
            let _ = changes.check_account(account(n));
        }
        let remembered = changes.accounts.recent.lock().expect("whole").len();
        assert!((REMEMBERED..=2 * REMEMBERED).contains(&remembered), "{remembered}");
    }

    #[test]
    fn a_hundred_thousand_addresses_cost_what_is_granted_and_no_more() {
        let changes = Changes::new(1, 1);
        let mut refused = 0;
        for number in 0..100_000_u32 {
            let network = u128::from(0x2001_0db8_u32) << 96 | u128::from(number) << 64;
            let address = IpAddr::from(std::net::Ipv6Addr::from(network));
            assert!(changes.check(address).is_ok(), "each has its own");
            refused += u32::from(changes.check(address).is_err());
        }
        assert_eq!(refused, 100_000);
        let remembered = changes.addresses.recent.lock().expect("whole").len();
        assert!((REMEMBERED..=2 * REMEMBERED).contains(&remembered), "{remembered}");
    }
}
