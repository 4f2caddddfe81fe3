//! HTTPS: who gets what over it, with which certificate, and for how long nobody is waited for.

use crate::{
    house::{House, PATIENCE, request, until},
    stream::{Encoder, Viewer, live},
    tls_media::{browser, get as get_over_http2},
};
use futures_util::{SinkExt as _, StreamExt as _};
use madang::Config;
use madang_domain::OnAir as _;
use std::{net::SocketAddr, path::PathBuf, process::Stdio, sync::Arc};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer},
};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest as _};

/// A certificate for `localhost` and its key, in files.
pub struct Files {
    folder: TempDir,
    /// Who trusts this trusts the certificate in the files.
    pub root: CertificateDer<'static>,
}

impl Files {
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let root = write_pair(&folder.path().join("site.pem"), &folder.path().join("site.key"));
        Self { folder, root }
    }

    fn paths(&self) -> (PathBuf, PathBuf) {
        (self.folder.path().join("site.pem"), self.folder.path().join("site.key"))
    }

    /// Another certificate in the place of this one; gives what trusts it.
    fn renew(&self) -> CertificateDer<'static> {
        let (certificate, key) = self.paths();
        write_pair(&certificate, &key)
    }

    /// Configures a server to use them.
    pub fn set(&self, config: &mut Config) {
        config.https = SocketAddr::from(([127, 0, 0, 1], 0));
        (config.tls.certificate, config.tls.key) = self.paths();
    }
}

fn write_pair(certificate: &std::path::Path, key: &std::path::Path) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(certificate, made.cert.pem()).expect("written");
    std::fs::write(key, made.signing_key.serialize_pem()).expect("written");
    made.cert.der().clone()
}

/// A connection to `localhost` of somebody who trusts `root` only and speaks `protocol`.
pub async fn connect(
    address: SocketAddr,
    root: &CertificateDer<'static>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    connect_to(address, "localhost", root, protocol).await
}

/// The same to another name.
pub async fn connect_to(
    address: SocketAddr,
    name: &'static str,
    root: &CertificateDer<'static>,
    protocol: &[u8],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).expect("a certificate");
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![protocol.to_vec()];
    let socket = TcpStream::connect(address).await?;
    TlsConnector::from(Arc::new(config)).connect(name.try_into().expect("a name"), socket).await
}

pub fn https(house: &House) -> SocketAddr {
    house.addresses.https.expect("HTTPS is on")
}

async fn get(house: &House, root: &CertificateDer<'static>, path: &str) -> String {
    let mut socket = connect(https(house), root, b"http/1.1").await.expect("encrypted");
    let text = format!("GET {path} HTTP/1.1\r\nhost: live.example:8443\r\nconnection: close\r\n\r\n");
    socket.write_all(text.as_bytes()).await.expect("is sent");
    let mut answer = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("in time").expect("is answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn pages_come_over_tls_and_say_so() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    let answer = get(&house, &files.root, "/").await;
    let head = answer.split("\r\n\r\n").next().expect("a head").to_ascii_lowercase();
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert!(head.contains("strict-transport-security: max-age=31536000"), "{head}");
    assert!(head.lines().any(|line| line.starts_with("set-cookie") && line.contains("; secure")), "{head}");
    let plain = house.get("/").await;
    assert_eq!((plain.status, plain.header("strict-transport-security")), (200, None));
    assert!(!plain.header("set-cookie").expect("a cookie").contains("Secure"), "a browser would drop it");
}

#[tokio::test]
async fn pages_come_over_http2_when_the_browser_speaks_it() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    let requests = browser(&house, &files, 1 << 20).await;
    let (head, mut body) = get_over_http2(&requests, "/rooms/new").await;
    assert_eq!((head.status.as_u16(), head.version), (200, http::Version::HTTP_2));
    assert_eq!(head.headers["strict-transport-security"], "max-age=31536000");
    assert!(head.headers["set-cookie"].to_str().expect("text").contains("; Secure"));
    let mut page = Vec::new();
    while let Some(bytes) = timeout(PATIENCE, body.data()).await.expect("in time") {
        let bytes = bytes.expect("no reset");
        body.flow_control().release_capacity(bytes.len()).expect("it was taken");
        page.extend_from_slice(&bytes);
    }
    assert!(String::from_utf8_lossy(&page).contains("</html>"), "the whole page");
}

/// What the browser asked for is the host, and a form of that origin is taken.
#[tokio::test]
async fn a_form_is_posted_over_http2() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    let requests = browser(&house, &files, 1 << 20).await;
    for (origin, status) in
        [("https://live.example:8443", 200), ("http://live.example:8443", 403), ("https://b.example", 403)]
    {
        let request = http::Request::post("https://live.example:8443/rooms/new")
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded");
        let mut ready = requests.clone().ready().await.expect("the connection stands");
        let (answer, mut body) = ready.send_request(request.body(()).expect("a request"), false).expect("is sent");
        let form = "owner_name=Ana&title=A+room&slug=my-room&description=&category=software&tags=&language=en&visibility=public";
        body.send_data(form.into(), true).expect("is sent");
        let answer = timeout(PATIENCE, answer).await.expect("in time").expect("an answer");
        assert_eq!(answer.status().as_u16(), status, "{origin}");
    }
}

#[tokio::test]
async fn nobody_holds_a_connection_by_saying_nothing() {
    let files = Files::new();
    let house = House::open_with(|config| {
        files.set(config);
        config.limits.http_head_s = 1;
    })
    .await;
    let mut before = TcpStream::connect(https(&house)).await.expect("connects");
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, before.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a peer that does not shake hands stays");
    for protocol in [&b"h2"[..], b"http/1.1"] {
        let mut after = connect(https(&house), &files.root, protocol).await.expect("encrypted");
        let ended = timeout(PATIENCE, after.read_to_end(&mut rest)).await;
        assert!(ended.is_ok(), "a peer that says nothing after the handshake stays");
    }
}

/// The channel over TLS, where a room cannot write to the socket itself: two people hear each other, and a page of another site nobody.
#[tokio::test]
async fn people_talk_over_tls() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    house.make_room("my-room");
    let open = async |origin: &str, cookie: Option<&str>| {
        let socket = connect(https(&house), &files.root, b"http/1.1").await.expect("encrypted");
        let mut request = "wss://live.example:8443/ws".into_client_request().expect("a request");
        request.headers_mut().insert("origin", origin.parse().expect("a header"));
        if let Some(cookie) = cookie {
            request.headers_mut().insert("cookie", cookie.parse().expect("a header"));
        }
        tokio_tungstenite::client_async(request, socket).await.map(|(socket, _)| socket)
    };
    assert!(open("https://b.example", None).await.is_err());
    let visitor = house.visitor().await;
    let mut ana = open("https://live.example:8443", Some(&visitor)).await.expect("upgrades");
    let mut ben = house.socket().await;
    ben.join("my-room").await;
    for text in [
        r#"{"type":"join","room":"my-room"}"#,
        r#"{"type":"say","room":"my-room","text":"over TLS","id":"00000000-0000-4000-8000-000000000001"}"#,
    ] {
        ana.send(Message::text(text)).await.expect("is sent");
    }
    assert_eq!(ben.messages("my-room", 1).await[0].1, "over TLS");
    let hears = async {
        loop {
            match ana.next().await.expect("it stays open").expect("a message") {
                Message::Text(text) if text.contains("over TLS") => return,
                _ => {}
            }
        }
    };
    timeout(PATIENCE, hears).await.expect("it hears itself");
}

/// Who speaks plain HTTP to the port of HTTPS is told so at once, in TLS's way, and everybody else goes on.
#[tokio::test]
async fn plain_http_at_the_port_of_https_ends_at_once() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    let mut plain = TcpStream::connect(https(&house)).await.expect("connects");
    plain.write_all(b"GET / HTTP/1.1\r\nhost: live.example:8443\r\n\r\n").await.expect("is sent");
    let mut answer = Vec::new();
    // The limit is ten seconds; this is no matter of waiting.
    let ended = timeout(std::time::Duration::from_secs(5), plain.read_to_end(&mut answer)).await;
    assert!(ended.is_ok(), "it stays");
    assert!(!answer.starts_with(b"HTTP/"), "{answer:?}");
    assert!(get(&house, &files.root, "/healthz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn connections_over_tls_and_plain_ones_count_together() {
    let files = Files::new();
    let house = House::open_with(|config| {
        files.set(config);
        config.limits.http_connections_per_address = 1;
    })
    .await;
    let held = connect(https(&house), &files.root, b"http/1.1").await.expect("encrypted");
    let mut plain = TcpStream::connect(house.addresses.http).await.expect("connects");
    let mut rest = Vec::new();
    let _ = timeout(PATIENCE, plain.read_to_end(&mut rest)).await.expect("it is closed");
    assert!(connect(https(&house), &files.root, b"http/1.1").await.is_err());
    drop(held);
    let again = async {
        while connect(https(&house), &files.root, b"http/1.1").await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, again).await.expect("the place is free again");
}

#[tokio::test]
async fn plain_http_is_sent_on_but_for_what_machines_ask() {
    let files = Files::new();
    let house = House::open_with(|config| {
        files.set(config);
        config.tls.redirect = true;
        config.public.trusted_proxies = vec!["127.0.0.1".parse().expect("an address")];
    })
    .await;
    let port = https(&house).port();
    for path in ["/", "/rooms/my-room?delay=lowest", "/live/my-room.flv", "/api/v1/rooms", "/ws"] {
        let answer = house.get(path).await;
        let wanted = format!("https://127.0.0.1:{port}{path}");
        assert_eq!((answer.status, answer.header("location")), (308, Some(wanted.as_str())), "{path}");
    }
    assert_eq!(house.get("/healthz").await.status, 200);
    assert_eq!(house.get("/readyz").await.status, 200);
    let forwarded = house.request("GET", "/", &[("x-forwarded-proto", "https")], "").await;
    assert_eq!(forwarded.status, 200, "the browser speaks TLS to the proxy");
    assert!(forwarded.header("set-cookie").expect("a cookie").contains("; Secure"));
}

#[tokio::test]
async fn a_stranger_does_not_say_that_it_speaks_tls() {
    let house = House::open().await;
    let answer = request(house.addresses.http, "GET", "/", &[("x-forwarded-proto", "https")], "").await;
    assert!(!answer.header("set-cookie").expect("a cookie").contains("Secure"));
}

#[tokio::test]
async fn a_certificate_that_cannot_be_used_keeps_the_server_from_starting() {
    let (files, other) = (Files::new(), Files::new());
    let (handle, shutdown) = madang::Shutdown::new();
    let data = TempDir::new().expect("a folder");
    let mut config = Config { data: data.path().to_owned(), ..Config::default() };
    files.set(&mut config);
    config.tls.key = other.paths().1;
    let error = madang::Server::bind(config, shutdown).await.err().expect("they do not belong together");
    assert!(matches!(error, madang::StartError::Tls(_)), "{error}");
    drop(handle);
}

/// The viewer keeps its stream while the certificate is broken, then replaced, and new connections get the new one.
#[tokio::test]
async fn a_new_certificate_is_taken_up_and_nobody_is_cut() {
    let files = Files::new();
    let house = House::open_with(|config| files.set(config)).await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = connect(https(&house), &files.root, b"http/1.1").await.expect("encrypted");
    viewer.write_all(b"GET /live/my-room.flv HTTP/1.0\r\nhost: x\r\n\r\n").await.expect("is sent");
    let new = files.renew();
    let changed = std::time::Instant::now();
    let mut media = vec![0; 16 * 1024];
    while connect(https(&house), &new, b"http/1.1").await.is_err() {
        assert!(changed.elapsed().as_secs() < 10, "not within ten seconds");
        viewer.read_exact(&mut media).await.expect("the viewer is not cut");
    }
    assert!(connect(https(&house), &files.root, b"http/1.1").await.is_err(), "the old one is gone");
    for _ in 0..20 {
        timeout(PATIENCE, viewer.read_exact(&mut media)).await.expect("in time").expect("the viewer is not cut");
    }
}

/// Ends with the test, however that ends.
struct Ffmpeg(std::process::Child);

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // An error is a process that has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn ffmpeg_publishes_over_rtmps() {
    if std::process::Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).status().is_err() {
        eprintln!("not run: there is no ffmpeg here");
        return;
    }
    let files = Files::new();
    let house = House::open_with(|config| {
        files.set(config);
        config.rtmps = Some(SocketAddr::from(([127, 0, 0, 1], 0)));
        config.limits.rtmp_handshake_s = 3;
    })
    .await;
    let rtmps = house.addresses.rtmps.expect("RTMPS is on");
    let key = house.make_room("my-room");
    let ffmpeg = std::process::Command::new("ffmpeg")
        .args(["-loglevel", "error", "-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=30"])
        .args(["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "30", "-pix_fmt", "yuv420p"])
        .args(["-f", "flv"])
        .arg(format!("rtmps://{rtmps}/live/{key}"))
        .stdin(Stdio::null())
        .spawn()
        .expect("ffmpeg runs");
    let mut encoder = Ffmpeg(ffmpeg);
    live(&house, "my-room").await;
    let mut viewer = Viewer::join(&house, "my-room").await;
    for _ in 0..30 {
        assert!(viewer.media().await.is_some(), "pictures come");
    }
    let mut silent = TcpStream::connect(rtmps).await.expect("connects");
    let mut rest = Vec::new();
    let ended = timeout(PATIENCE, silent.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "a peer that does not shake hands stays");
    assert!(encoder.0.try_wait().expect("known").is_none(), "the encoder goes on");
    drop(encoder);
    until("the broadcast ends", || house.services.live.on_air().is_empty()).await;
}
