//! Who sent a request: the address that limits count, and the origin that links and cookies use.

use crate::config::{Public, origin_of};
use axum::http::{HeaderMap, header};
use madang_app::i18n::Locale;
use std::net::IpAddr;

/// Where a proxy says how the browser reached it. After `front::believe` it is there only where it is true.
pub const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// Whether this peer is a proxy whose word counts.
pub fn is_trusted(peer: IpAddr, public: &Public) -> bool {
    public.trusted_proxies.iter().any(|proxy| proxy.contains(peer))
}

/// Whether `X-Forwarded-Proto` says TLS. Of several, the last is the nearest proxy's.
pub fn forwarded_https(headers: &HeaderMap) -> bool {
    let last = headers.get_all(FORWARDED_PROTO).into_iter().next_back().and_then(|value| value.to_str().ok());
    last.and_then(|list| list.rsplit(',').next()).is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https"))
}

/// The address of the person behind a request. `X-Forwarded-For` counts only when `peer` is a trusted proxy: then the
/// nearest address in it that is not one too.
pub fn address(peer: IpAddr, headers: &HeaderMap, public: &Public) -> IpAddr {
    let mut client = peer.to_canonical();
    let lists = headers.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let mut hops: Vec<&str> = lists.flat_map(|list| list.split(',')).map(str::trim).collect();
    while is_trusted(client, public) {
        let Some(next) = hops.pop().and_then(|hop| hop.parse::<IpAddr>().ok()) else { break };
        client = next.to_canonical();
    }
    client
}

/// `scheme://host` as the browser sees it: configured, or the host that was asked for, over TLS where that is known.
pub fn origin(headers: &HeaderMap, public: &Public) -> String {
    if let Some(configured) = origin_of(&public.url) {
        return configured.to_owned();
    }
    let scheme = if forwarded_https(headers) { "https" } else { "http" };
    format!("{scheme}://{}", host(headers).unwrap_or("localhost"))
}

/// The origin that a plain request is sent on to: configured, or the host that was asked for with the port of HTTPS.
pub fn https_origin(headers: &HeaderMap, public: &Public, port: Option<u16>) -> String {
    if let Some(configured) = origin_of(&public.url).filter(|url| url.starts_with("https://")) {
        return configured.to_owned();
    }
    let name = without_port(host(headers).unwrap_or("localhost"));
    match port {
        None | Some(443) => format!("https://{name}"),
        Some(port) => format!("https://{name}:{port}"),
    }
}

/// A port follows the last colon, unless that one is inside an IPv6 address.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether this machine was asked for by a name or an address that is each machine's own. What a browser is told of it would be about
/// everything that is ever tried there.
pub fn is_loopback(headers: &HeaderMap) -> bool {
    let name = without_port(host(headers).unwrap_or("localhost")).trim_start_matches('[').trim_end_matches(']');
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<IpAddr>().map(|address| address.to_canonical());
    name == "localhost" || name.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
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
    let over_tls = origin.strip_prefix("https://");
    // A page that came in the clear may be anybody's; over TLS it has no say.
    let without_scheme = over_tls.or_else(|| origin.strip_prefix("http://").filter(|_| !forwarded_https(headers)));
    without_scheme.is_some() && without_scheme == host(headers)
}

/// The value of the first cookie of that name (RFC 6265 §5.4).
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().split_once('=').filter(|(n, _)| *n == name).map(|(_, v)| v))
}

/// The values of all cookies whose names begin so.
pub fn cookies<'a>(headers: &'a HeaderMap, begins: &'a str) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(name, _)| name.starts_with(begins)).map(|(_, value)| value)
}

/// The language that a request is to be answered in: the one chosen, or the browser's.
pub fn locale(headers: &HeaderMap) -> Locale {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Locale::negotiate(text(header::COOKIE), text(header::ACCEPT_LANGUAGE))
}

/// The port that encoders are sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EncoderPort {
    Plain(u16),
    Tls(u16),
}

/// Where encoders publish, as the studio shows it.
pub fn rtmp_url(headers: &HeaderMap, public: &Public, encoders: EncoderPort) -> String {
    if !public.rtmp_url.is_empty() {
        return public.rtmp_url.clone();
    }
    let origin = origin(headers, public);
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    let name = without_port(host);
    match encoders {
        EncoderPort::Plain(1935) => format!("rtmp://{name}/live"),
        EncoderPort::Plain(port) => format!("rtmp://{name}:{port}/live"),
        EncoderPort::Tls(port) => format!("rtmps://{name}:{port}/live"),
    }
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
    fn only_hops_that_proxies_wrote_are_passed_over() {
        let public = |proxies: &[&str]| Public {
            trusted_proxies: proxies.iter().map(|proxy| proxy.parse().expect("a network")).collect(),
            ..Public::default()
        };
        let from = |list: &'static str, proxies: &[&str]| {
            let peer = "10.0.0.1".parse().expect("an address");
            address(peer, &headers(&[("x-forwarded-for", list)]), &public(proxies)).to_string()
        };
        // What the client wrote stands first, and is never reached.
        assert_eq!(from("1.1.1.1, 203.0.113.9, 10.2.0.1", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(from("1.1.1.1, 203.0.113.9, 10.2.0.1", &["10.0.0.1"]), "10.2.0.1");
        assert_eq!(from("10.9.9.9, 203.0.113.9", &["10.0.0.0/8"]), "203.0.113.9");
        assert_eq!(from("2001:db8::7, 2001:db8:ffff::1", &["10.0.0.1", "2001:db8:ffff::/48"]), "2001:db8::7");
        // Junk and emptiness end the search at the last that is known.
        assert_eq!(from("1.1.1.1, junk", &["10.0.0.1"]), "10.0.0.1");
        assert_eq!(from("1.1.1.1, junk, 10.2.0.1", &["10.0.0.0/8"]), "10.2.0.1");
        assert_eq!(from(",,,,", &["10.0.0.1"]), "10.0.0.1");
        assert_eq!(from("10.3.0.1, 10.2.0.1", &["10.0.0.0/8"]), "10.3.0.1");
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
        assert_eq!(cookies(&headers, "a").collect::<Vec<_>>(), ["1", "2", "3"]);
    }

    #[test]
    fn the_rtmp_address_follows_the_web_address() {
        let public = Public::default();
        assert_eq!(
            rtmp_url(&headers(&[("host", "live.example:3000")]), &public, EncoderPort::Plain(1935)),
            "rtmp://live.example/live"
        );
        assert_eq!(
            rtmp_url(&headers(&[("host", "[::1]:3000")]), &public, EncoderPort::Plain(1936)),
            "rtmp://[::1]:1936/live"
        );
        assert_eq!(
            rtmp_url(&headers(&[("host", "\"><script>")]), &public, EncoderPort::Plain(1935)),
            "rtmp://localhost/live"
        );
        let over_tls = rtmp_url(&headers(&[("host", "live.example:8443")]), &public, EncoderPort::Tls(1936));
        assert_eq!(over_tls, "rtmps://live.example:1936/live");
    }

    #[test]
    fn a_plain_request_is_sent_to_the_same_host_over_tls() {
        let sent = |host: &'static str, port| https_origin(&headers(&[("host", host)]), &Public::default(), port);
        assert_eq!(sent("live.example:3000", Some(8443)), "https://live.example:8443");
        assert_eq!(sent("live.example", Some(443)), "https://live.example");
        assert_eq!(sent("[2001:db8::1]", Some(8443)), "https://[2001:db8::1]:8443");
        assert_eq!(sent("evil/..", Some(8443)), "https://localhost:8443");
        let public = Public { url: "https://other.example".to_owned(), ..Public::default() };
        assert_eq!(https_origin(&headers(&[("host", "a.example")]), &public, Some(8443)), "https://other.example");
    }

    #[test]
    fn a_machine_asked_for_by_its_own_name_is_known() {
        let asked = |host: &'static str| is_loopback(&headers(&[("host", host)]));
        for own in ["localhost", "LOCALHOST:8443", "a.localhost.", "127.0.0.1:8443", "127.8.8.8", "[::1]:8443", "[::1]"]
        {
            assert!(asked(own), "{own}");
        }
        for other in ["live.example", "localhost.example:8443", "192.0.2.1", "[2001:db8::1]:8443", "notlocalhost"] {
            assert!(!asked(other), "{other}");
        }
    }

    #[test]
    fn over_tls_a_page_that_came_in_the_clear_is_another_origin() {
        let public = Public::default();
        let asked = |origin: &'static str, proto: &'static str| {
            same_origin(&headers(&[("host", "a.example"), ("origin", origin), ("x-forwarded-proto", proto)]), &public)
        };
        assert!(asked("https://a.example", "https"));
        assert!(!asked("http://a.example", "https"));
        assert!(asked("http://a.example", "http"));
    }

    #[test]
    fn the_nearest_proxy_says_the_scheme() {
        assert!(forwarded_https(&headers(&[("x-forwarded-proto", "http, HTTPS")])));
        assert!(!forwarded_https(&headers(&[("x-forwarded-proto", "https, http")])));
        assert!(!forwarded_https(&headers(&[])));
    }
}
