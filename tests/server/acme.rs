//! A certificate from an authority, by the real client: Debian's `pebble` looks at us and signs.

use crate::{
    house::{House, PATIENCE},
    stream::{Encoder, Viewer, live},
    tls::{connect_to, https},
};
use std::{
    fs,
    io::Write as _,
    net::{SocketAddr, TcpListener, TcpStream as StdStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UdpSocket,
    task::JoinHandle,
    time::timeout,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject as _};

/// The name that the certificate is for. DNS, as the authority sees it, leads it and every other to this machine.
const NAME: &str = "live.madang.test";
/// How long its certificates hold; renewal is due after two thirds.
const LIFE_S: u64 = 30;

/// An authority of our own, with a root of its own for its own pages. It ends with this.
struct Authority {
    folder: TempDir,
    address: SocketAddr,
    management: SocketAddr,
    own_root: CertificateDer<'static>,
    pebble: Child,
    names: JoinHandle<()>,
}

impl Drop for Authority {
    fn drop(&mut self) {
        // An error is a process that has ended already.
        let _ = self.pebble.kill();
        let _ = self.pebble.wait();
        self.names.abort();
    }
}

impl Authority {
    /// `None` where pebble is not installed. It looks at `https` when it is asked for a certificate.
    async fn start(https: SocketAddr) -> Option<Self> {
        let installed = Command::new("pebble").arg("-h").stderr(Stdio::null()).stdout(Stdio::null()).status();
        if installed.is_err() {
            return None;
        }
        let folder = TempDir::new().expect("a folder");
        let (address, management) = (free(), free());
        let names = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let dns = names.local_addr().expect("bound");
        let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])
            .expect("a certificate");
        let (certificate, key) = (folder.path().join("own.pem"), folder.path().join("own.key"));
        fs::write(&certificate, own.cert.pem()).expect("written");
        fs::write(&key, own.signing_key.serialize_pem()).expect("written");
        let config = serde_json::json!({ "pebble": {
            "listenAddress": address.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": certificate,
            "privateKey": key,
            "httpPort": 0,
            "tlsPort": https.port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired": false,
            "certificateValidityPeriod": LIFE_S,
        }});
        let file = folder.path().join("pebble.json");
        fs::write(&file, config.to_string()).expect("written");
        let mut pebble = Command::new("pebble");
        pebble.arg("-config").arg(&file).arg("-dnsserver").arg(dns.to_string());
        // It would sleep between its looks otherwise; that it refuses one nonce in twenty is left as it is.
        pebble.env("PEBBLE_VA_NOSLEEP", "1");
        pebble.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let (pebble, names) = (pebble.spawn().expect("it runs"), tokio::spawn(lead_here(names)));
        let own_root = own.cert.der().clone();
        Some(Self { folder, address, management, own_root, pebble, names })
    }

    async fn ready(&self) {
        let listens = async {
            while tokio::net::TcpStream::connect(self.address).await.is_err()
                || tokio::net::TcpStream::connect(self.management).await.is_err()
            {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, listens).await.expect("pebble listens");
    }

    fn root_file(&self) -> PathBuf {
        self.folder.path().join("own.pem")
    }

    /// What everybody who trusts this authority trusts.
    async fn root(&self) -> CertificateDer<'static> {
        let mut socket =
            connect_to(self.management, "localhost", &self.own_root, b"http/1.1").await.expect("encrypted");
        socket.write_all(b"GET /roots/0 HTTP/1.0\r\nhost: localhost\r\n\r\n").await.expect("is sent");
        let mut answer = Vec::new();
        // It may end without TLS's goodbye.
        let _ = timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("in time");
        let answer = String::from_utf8(answer).expect("text");
        let (_, pem) = answer.split_once("\r\n\r\n").expect("a body");
        CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
    }
}

/// An address that nobody has now, and that nobody is given who asks for any: below what the system draws from.
fn free() -> SocketAddr {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id() % 10_000;
    let mut ports = std::iter::repeat_with(|| {
        let port = 20_000 + (begin + u32::from(NEXT.fetch_add(1, Ordering::Relaxed))) % 12_000;
        SocketAddr::from(([127, 0, 0, 1], u16::try_from(port).expect("below 32,000")))
    });
    ports.find(|address| TcpListener::bind(address).is_ok()).expect("there is no end of them")
}

/// DNS in which every name leads to 127.0.0.1 and nowhere else (RFC 1035 §4).
async fn lead_here(socket: UdpSocket) {
    let mut buffer = [0; 512];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let Some(question) = buffer.get(12..length) else { continue };
        let Some(name) = question.iter().position(|byte| *byte == 0) else { continue };
        let Some(asked) = question.get(..name + 5) else { continue };
        // Type A, class IN.
        let is_address = asked.ends_with(&[0, 1, 0, 1]);
        // An answer to a question, with one record or none.
        let head = [&buffer[..2], &[0x81, 0x80, 0, 1, 0, u8::from(is_address), 0, 0, 0, 0]].concat();
        let record: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1];
        let answer = [&head[..], asked, if is_address { record } else { &[] }].concat();
        // One that is lost is asked for again.
        let _ = socket.send_to(&answer, from).await;
    }
}

/// The certificate that a new connection gets, if the authority's root leads to it.
async fn given(house: &House, root: &CertificateDer<'static>) -> Option<CertificateDer<'static>> {
    let socket = connect_to(https(house), NAME, root, b"http/1.1").await.ok()?;
    socket.get_ref().1.peer_certificates().and_then(|chain| chain.first()).map(|leaf| leaf.clone().into_owned())
}

async fn until_given(
    house: &House,
    root: &CertificateDer<'static>,
    other_than: Option<&CertificateDer<'static>>,
) -> CertificateDer<'static> {
    let wait = async {
        loop {
            match given(house, root).await {
                Some(given) if Some(&given) != other_than => return given,
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    };
    timeout(PATIENCE * 2, wait).await.expect("a certificate in time")
}

fn secrets(data: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(data.join("acme")).expect("the folder");
    files.map(|file| file.expect("readable").path()).collect()
}

#[tokio::test]
async fn a_certificate_is_obtained_and_renewed_and_nobody_is_cut() {
    let address = free();
    let Some(authority) = Authority::start(address).await else {
        eprintln!("not run: pebble is not installed");
        return;
    };
    authority.ready().await;
    let house = House::open_with(|config| {
        config.https = address;
        config.tls.acme_domains = vec![NAME.to_owned()];
        config.tls.acme_contact = "somebody@madang.test".to_owned();
        config.tls.acme_directory = format!("https://{}/dir", authority.address);
        config.tls.acme_root = authority.root_file();
    })
    .await;
    let root = authority.root().await;
    let first = until_given(&house, &root, None).await;
    let key = house.make_room("my-room");
    let _encoder = Encoder::start(&house, &key).await;
    live(&house, "my-room").await;
    let mut viewer = connect_to(https(&house), NAME, &root, b"http/1.1").await.expect("encrypted");
    viewer.write_all(b"GET /live/my-room.flv HTTP/1.0\r\nhost: x\r\n\r\n").await.expect("is sent");
    let watching = async {
        let mut media = vec![0; 16 * 1024];
        loop {
            timeout(PATIENCE, viewer.read_exact(&mut media)).await.expect("in time").expect("the viewer is not cut");
        }
    };
    let second = tokio::select! {
        second = until_given(&house, &root, Some(&first)) => second,
        () = watching => unreachable!("it watches on"),
    };
    let mut media = vec![0; 256 * 1024];
    timeout(PATIENCE, viewer.read_exact(&mut media)).await.expect("in time").expect("the viewer is not cut");
    // An authority's protocol is for its looks only.
    let look = connect_to(https(&house), NAME, &root, b"acme-tls/1").await;
    assert!(look.is_err(), "nothing is being looked at now");
    let plain = Viewer::join(&house, "my-room").await;
    drop(plain);
    let kept = secrets(house.data());
    assert_eq!(kept.len(), 2, "{kept:?}");
    #[cfg(unix)]
    for file in &kept {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(file).expect("there").permissions().mode() & 0o777, 0o600, "{file:?}");
    }
    // What was kept is what the next start begins with: the authority is not asked again.
    let tls = house.services.config.tls.clone();
    let (certificate, _) = madang::tls::Keeper::open(&tls, house.data()).expect("readable");
    let taken_up = certificate.leaf().expect("it was kept");
    assert!(taken_up != first.as_ref(), "the newest is kept");
    assert_ne!(second, first);
}

/// Nobody is served a wrong certificate while there is none, and the rest of the house works.
#[tokio::test]
async fn without_an_authority_to_be_reached_plain_http_goes_on() {
    // Somebody who takes the question and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let directory = silent.local_addr().expect("bound");
    let house = House::open_with(|config| {
        config.https = SocketAddr::from(([127, 0, 0, 1], 0));
        config.tls.acme_domains = vec![NAME.to_owned()];
        config.tls.acme_directory = format!("https://{directory}/dir");
    })
    .await;
    let other = rcgen::generate_simple_self_signed([NAME.to_owned()]).expect("a certificate");
    assert!(given(&house, other.cert.der()).await.is_none());
    assert_eq!(house.get("/healthz").await.status, 200);
    let mut knock = StdStream::connect(https(&house)).expect("it listens");
    knock.write_all(b"x").expect("is sent");
    house.close().await;
}
