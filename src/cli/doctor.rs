//! `madang doctor`: what would keep the server from working, each with what to do.

use crate::Config;
use anyhow::bail;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// Below this, a thousand viewers meet the system's limit before ours.
const OPEN_FILES_WANTED: u64 = 4_096;

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
    let findings = [
        storage(config).await,
        port("http", config.http, http, running),
        port("rtmp", config.rtmp, rtmp, running),
        open_files(),
        public(config),
        proxies(config),
    ];
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

/// The soft limit of open files, from `/proc/self/limits`.
fn open_files() -> Finding {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|rest| rest.split_whitespace().next()).and_then(|soft| soft.parse::<u64>().ok());
    let trouble = soft.filter(|soft| *soft < OPEN_FILES_WANTED).map(|soft| {
        format!("only {soft}; each viewer takes one, so raise it (`ulimit -n 65536`, or LimitNOFILE=65536 in the service's unit)")
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
