//! What is a secret cannot be printed: neither for people (`Display`), nor for a log (`Debug` shows nothing of it), nor into an answer
//! (`Serialize`), but for the two answers that are there to show a key once.

use crate::house::House;
use axum::http::HeaderMap;
use madang::{
    config::{Metrics, Secret},
    rtmp::StreamName,
};
use madang_app::{server::rooms::CreatedRoom, server::studio::FreshKey};
use madang_domain::{CookieValue, KeyHash, PasswordDigest, PermitCookie, PlayToken, Shown, StreamKey};
use serde::Serialize;
use std::fmt::Display;

/// Does not compile when the type has the trait: then there are two ways to read `check`.
macro_rules! has_no {
    ($bound:path: $($secret:ty),+) => {$(
        const _: fn() = || {
            trait Ambiguous<Way> {
                fn check() {}
            }
            struct Has;
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + $bound> Ambiguous<Has> for T {}
            let _ = <$secret as Ambiguous<_>>::check;
        };
    )+};
}

has_no!(Display: StreamKey, KeyHash, CookieValue, PasswordDigest, StreamName, Secret, Metrics, CreatedRoom, FreshKey, PermitCookie, PlayToken, Shown);
has_no!(Serialize: StreamKey, KeyHash, CookieValue, PasswordDigest, StreamName, PermitCookie, PlayToken, Shown);

#[tokio::test]
async fn a_cookie_is_not_printed_with_its_header() {
    let house = House::open().await;
    let (_person, cookie) = house.services.visitor(&HeaderMap::new()).expect("a visitor");
    assert_eq!(format!("{cookie:?}"), "Sensitive");
    assert!(cookie.to_str().is_ok_and(|text| text.contains("HttpOnly")), "it is sent all the same");
}
