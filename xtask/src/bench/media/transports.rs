//! What the same stream costs over TLS and over HTTP/2.

use super::{LOOKS, Run, Runs, Side, WARM, answer, load, watched, window_s};
use crate::{
    bench::{
        Plan,
        report::{caveat, circumstances},
        rig::{LOAD_CORE, Rig, SERVER_CORE},
    },
    failure::{Failure, Result},
    process::run,
};
use std::{fmt::Write as _, path::Path, process::Command};

const VIEWERS: u32 = 300;

/// What viewers watch over: a name, and what the load is told.
const WAYS: [(&str, &str); 3] =
    [("HTTP/1.1, plain", "plain"), ("HTTP/1.1 over TLS", "tls"), ("HTTP/2 over TLS, a connection each", "h2")];

/// Measures every way in turn and gives the table.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let tool = rig.compiled("bench-viewers")?;
    let certificate = rig.folder().join("certificate");
    run(Command::new(&tool).arg("certificate").arg(&certificate))?;
    let pairs = plan.pairs.min(LOOKS);
    let mut text = format!("{}{}\n\n", circumstances(), caveat(pairs));
    let _ = writeln!(
        text,
        "{VIEWERS} viewers of a stream of {:.2} Mbit/s, flights of 40 ms, the server on one core. One load for all of them, which reads and \
         decrypts everything. Medians of {pairs} runs, in turn.\n",
        rig.file_bps / 1e6
    );
    text += "| viewers over | CPU s per Gbit | times plain | join p50, ms | join p99, ms | KB a viewer |\n|---|---|---|---|---|---|\n";
    let mut ways: Vec<Runs> = WAYS.iter().map(|_| Runs::default()).collect();
    for pair in 0..pairs {
        let mut order: Vec<usize> = (0..WAYS.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for way in order {
            let (Some((name, told)), Some(runs)) = (WAYS.get(way), ways.get_mut(way)) else { continue };
            let measured = Runs::in_turn(&[Side::Madang], 1, name, |_, _| one(rig, plan, &tool, &certificate, told));
            runs.0.extend(measured.0);
        }
    }
    let plain = ways.first().and_then(|plain| plain.median(Side::Madang, "cpu_s_per_gbit"));
    for ((name, _), runs) in WAYS.iter().zip(&ways) {
        let times = plain.zip(runs.median(Side::Madang, "cpu_s_per_gbit"));
        let times = times.map_or(String::new(), |(plain, this)| format!("{:.2}", this / plain));
        let grown = runs.median(Side::Madang, "rss_kb").zip(runs.median(Side::Madang, "rss_kb_before"));
        let each =
            grown.map_or(String::new(), |(after, before)| format!("{:.0}", (after - before) / f64::from(VIEWERS)));
        let (p50, p99) = (runs.cell(Side::Madang, "join_ms_p50", 1), runs.cell(Side::Madang, "join_ms_p99", 1));
        let _ = writeln!(text, "| {name} | {} | {times} | {p50} | {p99} | {each} |", runs.cost(Side::Madang));
    }
    text += "\nMemory here is growth over one run, the stream's own ring with it, and no slope.\n";
    Ok(text)
}

fn one(rig: &Rig, plan: Plan, tool: &Path, certificate: &Path, way: &str) -> Result<Run> {
    let path = |file: &str| certificate.join(file).display().to_string();
    let (chain, key) = (path("certificate.pem"), path("key.pem"));
    let options = [
        ("MADANG_TLS_CERTIFICATE", chain.as_str()),
        ("MADANG_TLS_KEY", key.as_str()),
        ("MADANG_MEDIA_FLIGHT_MS", "40"),
    ];
    let server = rig.madang_with(Some(SERVER_CORE), &options)?;
    let _publisher = rig.publish(&server, Some(LOAD_CORE))?;
    std::thread::sleep(WARM);
    let https = server.https.ok_or_else(|| Failure::new("madang is not served over TLS"))?;
    let port = if way == "plain" { server.port } else { https };
    let mut viewers = load(tool);
    viewers.args([way, &port.to_string(), &server.flv, &VIEWERS.to_string(), &window_s(plan).to_string()]);
    let (_, json) = answer(viewers.arg(server.pid().to_string()))?;
    Ok(watched(Side::Madang, json, rig.file_bps))
}
