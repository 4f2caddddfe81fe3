//! Viewers of one FLV stream over plain HTTP/1.1, HTTP/1.1 over TLS, or HTTP/2 over TLS, who read and decrypt all they are sent.
//!
//! usage: bench-viewers plain|tls|h2 PORT PATH VIEWERS SECONDS SERVER_PID
//!        bench-viewers certificate FOLDER
//!
//! They join 100 a second, each on a connection of its own: a handshake costs both sides. Prints one JSON line of the same figures as
//! `flvload.c` gives. The second form leaves a certificate for 127.0.0.1 and its key in FOLDER.

use anyhow::{Context as _, bail};
use std::{
    cell::Cell,
    fs,
    io::Write as _,
    path::Path,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    task::LocalSet,
    time::sleep,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{
        self, ClientConfig, DigitallySignedStruct, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::{CryptoProvider, ring},
        pki_types::{CertificateDer, ServerName, UnixTime},
    },
};

const JOIN_EVERY: Duration = Duration::from_millis(10);
const SETTLE: Duration = Duration::from_secs(2);
/// What a browser lets a server send ahead over HTTP/2, in bytes.
const WINDOW: u32 = 4 * 1024 * 1024;
const READ_BYTES: usize = 32 * 1024;

/// One viewer's account.
#[derive(Default)]
struct Viewer {
    bytes: Cell<u64>,
    first: Cell<Option<Duration>>,
    ended: Cell<bool>,
}

impl Viewer {
    fn got(&self, bytes: usize, began: Instant) {
        if self.first.get().is_none() && bytes > 0 {
            self.first.set(Some(began.elapsed()));
        }
        self.bytes.set(self.bytes.get() + bytes as u64);
    }
}

/// What all viewers do.
struct Plan {
    way: Way,
    port: u16,
    path: String,
    tls: TlsConnector,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Plain,
    Tls,
    Http2,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words[..] {
        ["certificate", folder] => certificate(Path::new(folder)),
        [way, port, path, viewers, seconds, pid] => {
            let way = match way {
                "plain" => Way::Plain,
                "tls" => Way::Tls,
                "h2" => Way::Http2,
                _ => bail!("the ways are plain, tls and h2"),
            };
            let plan = Plan { way, port: port.parse()?, path: path.to_owned(), tls: connector(way)? };
            let (viewers, seconds, pid) = (viewers.parse()?, seconds.parse()?, pid.parse()?);
            LocalSet::new().run_until(watch(Rc::new(plan), viewers, Duration::from_secs(seconds), pid)).await
        }
        _ => bail!(
            "usage: bench-viewers plain|tls|h2 PORT PATH VIEWERS SECONDS SERVER_PID, or bench-viewers certificate FOLDER"
        ),
    }
}

fn certificate(folder: &Path) -> anyhow::Result<()> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()])?;
    fs::create_dir_all(folder)?;
    fs::write(folder.join("certificate.pem"), made.cert.pem())?;
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem())?;
    Ok(())
}

async fn watch(plan: Rc<Plan>, viewers: usize, window: Duration, pid: u32) -> anyhow::Result<()> {
    let before = resident_kb(pid);
    let all: Vec<Rc<Viewer>> = (0..viewers).map(|_| Rc::default()).collect();
    for viewer in &all {
        let (viewer, plan) = (Rc::clone(viewer), Rc::clone(&plan));
        tokio::task::spawn_local(async move {
            if let Err(error) = play(&plan, &viewer).await {
                eprintln!("{error:#}");
            }
            viewer.ended.set(true);
        });
        sleep(JOIN_EVERY).await;
    }
    sleep(SETTLE).await;
    let bases: Vec<u64> = all.iter().map(|viewer| viewer.bytes.get()).collect();
    let (cpu, opened) = (cpu_seconds(pid), Instant::now());
    let (server, own) = (ticks(core_of(&pid.to_string())), ticks(core_of("self")));
    sleep(window).await;
    let (seconds, cpu) = (opened.elapsed().as_secs_f64(), cpu_seconds(pid) - cpu);
    let server_busy = busy(server, ticks(core_of(&pid.to_string())));
    let own_busy = busy(own, ticks(core_of("self")));
    let mut got: Vec<f64> = all.iter().zip(bases).map(|(viewer, base)| (viewer.bytes.get() - base) as f64).collect();
    got.sort_by(f64::total_cmp);
    let mut firsts: Vec<f64> =
        all.iter().filter_map(|v| v.first.get()).map(|first| first.as_secs_f64() * 1e3).collect();
    firsts.sort_by(f64::total_cmp);
    let at = |values: &[f64], part: f64| values.get((values.len() as f64 * part) as usize).copied().unwrap_or(-1.0);
    let gbit = got.iter().sum::<f64>() * 8.0 / 1e9;
    let closed = all.iter().filter(|viewer| viewer.ended.get()).count();
    println!(
        "{{\"viewers\":{viewers},\"failed\":0,\"closed\":{closed},\"playing\":{},\"gbit\":{gbit:.3},\"mbit_per_viewer\":{:.4},\
         \"min_over_median\":{:.3},\"join_ms_p50\":{:.2},\"join_ms_p99\":{:.2},\"server_cpu_s\":{cpu:.3},\"cpu_s_per_gbit\":{:.4},\
         \"server_core_busy\":{server_busy:.3},\"server_share\":{:.3},\"load_core_busy\":{own_busy:.3},\"rss_kb_before\":{before},\"rss_kb\":{}}}",
        firsts.len(),
        gbit * 1e3 / viewers as f64 / seconds,
        at(&got, 0.0) / at(&got, 0.5),
        at(&firsts, 0.5),
        at(&firsts, 0.99),
        cpu / gbit,
        cpu / seconds,
        resident_kb(pid)
    );
    std::io::stdout().flush()?;
    Ok(())
}

/// Watches until the stream ends.
async fn play(plan: &Plan, viewer: &Viewer) -> anyhow::Result<()> {
    let began = Instant::now();
    let socket = TcpStream::connect(("127.0.0.1", plan.port)).await.context("connects")?;
    socket.set_nodelay(true)?;
    if plan.way == Way::Plain {
        return read_http1(socket, plan, viewer, began).await;
    }
    let socket = plan.tls.connect(ServerName::try_from("localhost")?, socket).await.context("shakes hands")?;
    if plan.way == Way::Tls {
        read_http1(socket, plan, viewer, began).await
    } else {
        read_http2(socket, plan, viewer, began).await
    }
}

async fn read_http1<S>(mut socket: S, plan: &Plan, viewer: &Viewer, began: Instant) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let request = format!("GET {} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n", plan.path, plan.port);
    socket.write_all(request.as_bytes()).await?;
    socket.flush().await?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.context("the answer's head")?);
    }
    anyhow::ensure!(head.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&head));
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match socket.read(&mut buffer).await? {
            0 => return Ok(()),
            count => viewer.got(count, began),
        }
    }
}

async fn read_http2<S>(socket: S, plan: &Plan, viewer: &Viewer, began: Instant) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(WINDOW);
    let (sender, connection) = builder.handshake::<_, bytes::Bytes>(socket).await?;
    tokio::task::spawn_local(connection);
    let mut sender = sender.ready().await?;
    let request = http::Request::get(format!("https://localhost:{}{}", plan.port, plan.path)).body(())?;
    let answer = sender.send_request(request, true)?.0.await?;
    anyhow::ensure!(answer.status() == 200, "{}", answer.status());
    let mut body = answer.into_body();
    while let Some(bytes) = body.data().await {
        let bytes = bytes?;
        viewer.got(bytes.len(), began);
        body.flow_control().release_capacity(bytes.len())?;
    }
    Ok(())
}

/// A client that takes any certificate: it is its own server's.
fn connector(way: Way) -> anyhow::Result<TlsConnector> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(AnyCertificate(Arc::clone(&provider)));
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let mut config = config.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth();
    config.alpn_protocols = vec![if way == Way::Http2 { b"h2".to_vec() } else { b"http/1.1".to_vec() }];
    Ok(TlsConnector::from(Arc::new(config)))
}

#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// CPU seconds of all living threads, as the scheduler counts them.
fn cpu_seconds(pid: u32) -> f64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0.0 };
    let of = |task: fs::DirEntry| fs::read_to_string(task.path().join("schedstat")).ok();
    let nanoseconds = |text: String| text.split(' ').next().and_then(|first| first.parse::<f64>().ok());
    tasks.flatten().filter_map(of).filter_map(nanoseconds).sum::<f64>() / 1e9
}

/// The value behind a name in `/proc/PID/status`, its first number.
fn status(pid: &str, name: &str) -> Option<i64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let value = text.lines().find_map(|line| line.strip_prefix(name))?.trim();
    value.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn resident_kb(pid: u32) -> i64 {
    status(&pid.to_string(), "VmRSS:").unwrap_or(-1)
}

fn core_of(pid: &str) -> i64 {
    status(pid, "Cpus_allowed_list:").unwrap_or(0)
}

/// A core's clock ticks so far, idle and all (proc(5)).
fn ticks(core: i64) -> (f64, f64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cpu{core} "))).unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
    (ticks.iter().skip(3).take(2).sum(), ticks.iter().take(8).sum())
}

fn busy(before: (f64, f64), after: (f64, f64)) -> f64 {
    let all = after.1 - before.1;
    if all > 0.0 { 1.0 - (after.0 - before.0) / all } else { 0.0 }
}
