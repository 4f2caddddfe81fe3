//! `madang doctor`: what would keep the server from working, each with what to do.

use crate::Config;
use anyhow::bail;
use std::net::{SocketAddr, TcpListener};

/// Below this, a thousand viewers meet the system's limit before ours.
const OPEN_FILES_WANTED: u64 = 4_096;

/// One finding: what was looked at, and what is wrong with it.
struct Finding {
    what: String,
    trouble: Option<String>,
}

pub async fn run(config: &Config) -> anyhow::Result<()> {
    let findings =
        [storage(config).await, port("http", config.http), port("rtmp", config.rtmp), open_files(), public(config)];
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

fn port(name: &str, address: SocketAddr) -> Finding {
    let trouble = TcpListener::bind(address).err().map(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => "in use; by Madang itself, if it is running".to_owned(),
        _ => error.to_string(),
    });
    Finding { what: format!("{name} address {address}"), trouble }
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
