//! `madang doctor`: what would keep the server from working, each with what to do.

use crate::{
    Config,
    deliver::has_bbr,
    open_files,
    tls::{Validity, acme::Acme, files::Files},
};
use anyhow::bail;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    time::{Duration, SystemTime},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Below this, a thousand viewers meet the system's limit before ours.
const OPEN_FILES_WANTED: u64 = 4_096;

/// How Linux gets BBR.
const BBR_WANTED: &str = "on Linux `modprobe tcp_bbr` as root, and a line `tcp_bbr` in /etc/modules-load.d/madang.conf";

/// A certificate that ends sooner should have been renewed.
const CERTIFICATE_DAYS_WANTED: u64 = 7;

/// Whoever has our HTTP address answers within this time, or is not a Madang in good health.
const HEALTH_PATIENCE: Duration = Duration::from_secs(3);

/// One finding: what was looked at, and what is wrong with it.
struct Finding {
    what: String,
    trouble: Option<String>,
}

pub async fn run(config: &Config) -> anyhow::Result<()> {
    let http = TcpListener::bind(config.http).err();
    let running =
        matches!(&http, Some(error) if error.kind() == io::ErrorKind::AddrInUse) && healthy(config.http).await;
    let rtmp = TcpListener::bind(config.rtmp).err();
    let mut findings =
        vec![storage(config).await, port("http", config.http, http, running), port("rtmp", config.rtmp, rtmp, running)];
    if config.tls.is_on() {
        findings.push(certificate(config));
        findings.push(port("https", config.https, TcpListener::bind(config.https).err(), running));
        let rtmps = config.rtmps.map(|address| port("rtmps", address, TcpListener::bind(address).err(), running));
        findings.extend(rtmps);
    }
    findings.extend([open_files(), public(config), proxies(config)]);
    let mut troubles = 0;
    for Finding { what, trouble } in &findings {
        match trouble {
            None => println!("ok    {what}"),
            Some(trouble) => {
                troubles += 1;
                println!("look  {what}: {trouble}");
            }
        }
    }
    let pace = "pace of streams";
    match has_bbr() {
        true => println!("ok    {pace}"),
        // It works all the same.
        false => println!(
            "note  {pace}: the system lets us have no BBR, without which viewers behind lines that lose wait more; {BBR_WANTED}"
        ),
    }
    if troubles > 0 {
        bail!("{troubles} of {} things need a look", findings.len());
    }
    Ok(())
}

async fn storage(config: &Config) -> Finding {
    let directory = config.data_dir();
    let what = format!("data directory {}", directory.display());
    let trouble = match super::open(config) {
        Err(error) => Some(format!("{error:#}")),
        Ok(domain) => match domain.ready().await {
            Ok(()) => None,
            Err(error) => Some(format!("the database does not answer: {error}")),
        },
    };
    Finding { what, trouble }
}

/// Whether the certificate can be used, and for how long.
fn certificate(config: &Config) -> Finding {
    let tls = &config.tls;
    let ending = |left: Option<Duration>| {
        let days = left?.as_secs() / (24 * 60 * 60);
        (days < CERTIFICATE_DAYS_WANTED).then(|| format!("it ends in {days} days; renew it"))
    };
    if tls.is_automatic() {
        let what = format!("certificate for {} from {}", tls.acme_domains.join(", "), tls.acme_directory);
        let trouble = match Acme::kept(tls, &config.data_dir()) {
            Err(error) => Some(error.to_string()),
            Ok(None) => Some(
                "there is none yet; `madang serve` asks for it, and port 443 of each name must reach the https address"
                    .to_owned(),
            ),
            Ok(Some(validity)) if validity.is_due(SystemTime::now()) => {
                Some("it is due to be renewed; the server's log says why it is not, or it does not run".to_owned())
            }
            Ok(Some(_)) => None,
        };
        return Finding { what, trouble };
    }
    let trouble = match Files::open(&tls.certificate, &tls.key) {
        Err(error) => Some(error.to_string()),
        Ok((certificate, _)) => {
            let validity = certificate.leaf().and_then(|leaf| Validity::of(&leaf));
            ending(validity.map(|validity| validity.left(SystemTime::now())))
        }
    };
    Finding { what: format!("certificate {}", tls.certificate.display()), trouble }
}

/// What came of binding the address. It being in use is right while Madang is `running`.
fn port(name: &str, address: SocketAddr, failed: Option<io::Error>, running: bool) -> Finding {
    let in_use = failed.as_ref().is_some_and(|error| error.kind() == io::ErrorKind::AddrInUse);
    if in_use && running {
        return Finding { what: format!("{name} address {address}, in use by the Madang that runs"), trouble: None };
    }
    let trouble = failed.map(|error| match error.kind() {
        io::ErrorKind::AddrInUse => "in use by another program; choose another address, or end that program".to_owned(),
        _ => error.to_string(),
    });
    Finding { what: format!("{name} address {address}"), trouble }
}

/// Whether a Madang that serves `address` says that it is well.
async fn healthy(address: SocketAddr) -> bool {
    // Any address is no address to connect to.
    let here = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let ask = async {
        let mut socket = TcpStream::connect((here, address.port())).await?;
        socket.write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        socket.take(4 * 1024).read_to_string(&mut answer).await?;
        io::Result::Ok(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok\n"))
    };
    matches!(timeout(HEALTH_PATIENCE, ask).await, Ok(Ok(true)))
}

/// The hard limit of open files: a server raises its own to that.
fn open_files() -> Finding {
    let trouble = open_files::most().filter(|most| *most < OPEN_FILES_WANTED).map(|most| {
        format!("only {most}; each viewer takes one, so raise it (`ulimit -Hn 65536` as root, or LimitNOFILE=65536 in the service's unit)")
    });
    Finding { what: "open files".to_owned(), trouble }
}

fn public(config: &Config) -> Finding {
    let outside = !config.http.ip().is_loopback();
    let trouble = (outside && config.public.url.is_empty()).then(|| {
        "served to other machines without [public] url: links and cookies take each request's own host over HTTP"
            .to_owned()
    });
    Finding { what: "public address".to_owned(), trouble }
}

fn proxies(config: &Config) -> Finding {
    Finding { what: "reverse proxy".to_owned(), trouble: config.untrusted_proxy() }
}
