//! Who sent a request: the address that limits count, and the origin that links and cookies use.

use crate::config::{Public, origin_of};
use axum::http::{HeaderMap, header};
use madang_app::i18n::Locale;
use std::net::IpAddr;

/// The address of the person behind a request. `X-Forwarded-For` counts only when `peer` is a trusted proxy: then the
/// nearest address in it that is not one too.
pub fn address(peer: IpAddr, headers: &HeaderMap, public: &Public) -> IpAddr {
    let mut client = peer.to_canonical();
    let trusted = |address: &IpAddr| public.trusted_proxies.iter().any(|proxy| proxy.to_canonical() == *address);
    let lists = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    while trusted(&client) {
        let Some(next) = hops.pop().and_then(|hop| hop.parse::<IpAddr>().ok()) else { break };
        client = next.to_canonical();
    }
    client
}

/// `scheme://host` as the browser sees it: configured, or plain HTTP to the host that was asked for.
pub fn origin(headers: &HeaderMap, public: &Public) -> String {
    if let Some(configured) = origin_of(&public.url) {
        return configured.to_owned();
    }
    format!("http://{}", host(headers).unwrap_or("localhost"))
}

/// The host that was asked for, with its port; `None` for anything that cannot be a host.
fn host(headers: &HeaderMap) -> Option<&str> {
    let host = headers.get(header::HOST)?.to_str().ok()?;
    let plain = !host.is_empty()
        && host.len() <= 255
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    plain.then_some(host)
}

/// Whether a request that changes something, or opens the channel, comes from a page of this site. Browsers send `Origin` with each of
/// those, and `Sec-Fetch-Site`; a request with neither is from no page, and is let through where it shows no cookie: there is nobody
/// in whose name it could do something.
pub fn same_origin(headers: &HeaderMap, public: &Public) -> bool {
    let by_page = headers.get("sec-fetch-site").map(|site| site == "same-origin" || site == "none");
    let Some(origin) = headers.get(header::ORIGIN) else {
        return by_page.unwrap_or(!headers.contains_key(header::COOKIE));
    };
    let Ok(origin) = origin.to_str() else { return false };
    if by_page == Some(false) {
        return false;
    }
    if origin_of(&public.url) == Some(origin) {
        return true;
    }
    let without_scheme = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    without_scheme.is_some() && without_scheme == host(headers)
}

/// The value of the first cookie of that name (RFC 6265 §5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v))
}

/// The language that a request is to be answered in: the one chosen, or the browser's.
pub fn locale(headers: &HeaderMap) -> Locale {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Locale::negotiate(text(header::COOKIE), text(header::ACCEPT_LANGUAGE))
}

/// Where encoders publish, as the studio shows it.
pub fn rtmp_url(headers: &HeaderMap, public: &Public, rtmp_port: u16) -> String {
    if !public.rtmp_url.is_empty() {
        return public.rtmp_url.clone();
    }
    let origin = origin(headers, public);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    // A port follows the last colon, unless that one is inside an IPv6 address.
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    if rtmp_port == 1935 { format!("rtmp://{name}/live") } else { format!("rtmp://{name}:{rtmp_port}/live") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_static(v))).collect()
    }

    fn behind(proxy: &str) -> Public {
        Public { trusted_proxies: vec![proxy.parse().expect("an address")], ..Public::default() }
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        let forged = headers(&[("x-forwarded-for", "1.1.1.1, 2.2.2.2")]);
        let peer: IpAddr = "10.0.0.1".parse().expect("an address");
        assert_eq!(address(peer, &forged, &Public::default()), peer);
        assert_eq!(address(peer, &forged, &behind("10.0.0.1")).to_string(), "2.2.2.2");
        assert_eq!(
            address("::ffff:10.0.0.1".parse().expect("an address"), &forged, &behind("10.0.0.1")).to_string(),
            "2.2.2.2"
        );
        assert_eq!(address(peer, &headers(&[("x-forwarded-for", "junk")]), &behind("10.0.0.1")), peer);
    }

    #[test]
    fn another_site_is_another_origin() {
        let public = Public::default();
        assert!(same_origin(&headers(&[("host", "a.example:3000"), ("origin", "http://a.example:3000")]), &public));
        assert!(!same_origin(&headers(&[("host", "a.example"), ("origin", "https://b.example")]), &public));
        assert!(!same_origin(&headers(&[("host", "a.example"), ("origin", "null")]), &public));
        assert!(!same_origin(&headers(&[("host", "a.example"), ("sec-fetch-site", "cross-site")]), &public));
        assert!(same_origin(
            &headers(&[("host", "a.example"), ("sec-fetch-site", "same-origin"), ("cookie", "a=b")]),
            &public
        ));
        let lied = [("host", "a.example"), ("origin", "https://a.example"), ("sec-fetch-site", "same-site")];
        assert!(!same_origin(&headers(&lied), &public), "a neighbouring host is another site");
        assert!(same_origin(&headers(&[("host", "a.example")]), &public), "a program in nobody's name");
        assert!(!same_origin(&headers(&[("host", "a.example"), ("cookie", "a=b")]), &public), "in whose name?");
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let headers = headers(&[("cookie", "ab=1; a=2; a=3")]);
        assert_eq!(cookie(&headers, "a"), Some("2"));
        assert_eq!(cookie(&headers, "b"), None);
    }

    #[test]
    fn the_rtmp_address_follows_the_web_address() {
        let public = Public::default();
        assert_eq!(rtmp_url(&headers(&[("host", "live.example:3000")]), &public, 1935), "rtmp://live.example/live");
        assert_eq!(rtmp_url(&headers(&[("host", "[::1]:3000")]), &public, 1936), "rtmp://[::1]:1936/live");
        assert_eq!(rtmp_url(&headers(&[("host", "\"><script>")]), &public, 1935), "rtmp://localhost/live");
    }
}
