//! Ways of writing the same bytes to many sockets, by themselves: what a server could save by another one.

use super::{Run, Side, answer, load, watched, window_s};
use crate::{
    bench::{
        Plan,
        report::{caveat, circumstances, median, spread},
        rig::{Rig, SERVER_CORE},
    },
    failure::Result,
};
use std::fmt::Write as _;

const VIEWERS: u32 = 1_000;
const PERIOD_MS: u32 = 40;

/// The floor's ways (benches/floor.c), and what each is; the first is what the others are measured by.
const WAYS: [(&str, &str); 5] = [
    ("send", "one `send` a viewer"),
    ("chunked", "one `sendmsg` of a chunk's head, the bytes, and its end (HTTP/1.1 chunks, as Madang writes them)"),
    ("two", "the chunk's head and the bytes in two `send`s"),
    ("lowat", "one `send`, `TCP_NOTSENT_LOWAT` of 64 KB"),
    ("sendfile", "`sendfile` from a file in memory"),
];

/// All ways in turn, forwards and backwards.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let mut costs: [Vec<f64>; WAYS.len()] = Default::default();
    for pair in 0..plan.pairs {
        let mut order: Vec<usize> = (0..WAYS.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for way in order {
            let (Some((how, _)), Some(costs)) = (WAYS.get(way), costs.get_mut(way)) else { continue };
            let run = one(rig, plan, how)?;
            println!("  {how:10} {} {:?}", run.faults, run.figure("cpu_s_per_gbit"));
            costs.extend(run.figure("cpu_s_per_gbit").filter(|_| run.faults.is_empty()));
        }
    }
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "{:.2} Mbit/s to each of {VIEWERS} viewers each {PERIOD_MS} ms, by a program that does nothing else. Medians (least to greatest) of {} runs, in turn.\n\n\
         | way | CPU s per Gbit | times the first |\n|---|---|---|",
        rig.file_bps / 1e6,
        plan.pairs
    );
    let first = costs.first().and_then(|costs| median(costs));
    for ((_, what), costs) in WAYS.iter().zip(&costs) {
        let times = median(costs).zip(first).map_or(String::new(), |(cost, first)| format!("{:.2}", cost / first));
        let _ = writeln!(text, "| {what} | {} | {times} |", spread(costs, 3));
    }
    Ok(text)
}

fn one(rig: &Rig, plan: Plan, how: &str) -> Result<Run> {
    let server = rig.floor_by(SERVER_CORE, PERIOD_MS, how)?;
    let mut viewers = load(&rig.tool("flvload"));
    viewers.args([&server.port.to_string(), &server.flv, &VIEWERS.to_string(), &window_s(plan).to_string()]);
    let (_, json) = answer(viewers.arg(server.pid().to_string()))?;
    Ok(watched(Side::Floor, json, rig.file_bps))
}
