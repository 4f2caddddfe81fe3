//! CPU seconds for each gigabit delivered to many viewers: madang, node-media-server, and a floor.

use super::{
    Plan,
    report::{caveat, circumstances, median, number, spread},
    rig::{LOAD_CORE, Rig, Running, SERVER_CORE, pinned},
};
use crate::failure::{Failure, Result};
use std::{fmt::Write as _, fs};

const VIEWERS: [u32; 2] = [200, 1_000];
/// The same as madang's flights, so that both write as often.
const FLOOR_PERIOD_MS: u32 = 40;
/// New viewers a second.
const RAMP: &str = "250";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Madang,
    NodeMediaServer,
    Floor,
}

impl Side {
    const ALL: [Self; 3] = [Self::Madang, Self::NodeMediaServer, Self::Floor];

    const fn name(self) -> &'static str {
        match self {
            Self::Madang => "madang",
            Self::NodeMediaServer => "node-media-server 4.4.3",
            Self::Floor => "floor (one write every 40 ms)",
        }
    }
}

/// One side with one number of viewers, measured once.
struct Run {
    cpu_s_per_gbit: f64,
    join_ms_p50: f64,
    join_ms_p99: f64,
    rss_mb: f64,
    /// Why it does not count; empty when it does.
    faults: String,
}

/// Measures all sides in turn, forwards and backwards, and gives the table.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "A stream of {:.2} Mbit/s; each server alone on one core, load and publisher on another; medians of {} runs (least to greatest), in turn.\n",
        rig.file_bps / 1e6,
        plan.pairs
    );
    text += "| viewers | server | CPU s per Gbit | times the floor | join p50 / p99, ms | memory, MB |\n|---|---|---|---|---|---|\n";
    for viewers in VIEWERS {
        let mut runs: Vec<(Side, Run)> = Vec::new();
        for pair in 0..plan.pairs {
            let mut sides = Side::ALL;
            if pair % 2 == 1 {
                sides.reverse();
            }
            for side in sides {
                let run = one(rig, plan, side, viewers)?;
                println!(
                    "  {viewers:>5} viewers  {:32} {:.4} CPU s/Gbit  {}",
                    side.name(),
                    run.cpu_s_per_gbit,
                    if run.faults.is_empty() { "" } else { &run.faults }
                );
                runs.push((side, run));
            }
        }
        let figures = |side: Side, figure: fn(&Run) -> f64| -> Vec<f64> {
            runs.iter().filter(|(s, run)| *s == side && run.faults.is_empty()).map(|(_, run)| figure(run)).collect()
        };
        let floor = median(&figures(Side::Floor, |run| run.cpu_s_per_gbit));
        for side in Side::ALL {
            let cpu = figures(side, |run| run.cpu_s_per_gbit);
            let faults =
                runs.iter().filter(|(s, _)| *s == side).map(|(_, run)| run.faults.as_str()).find(|f| !f.is_empty());
            let Some(middle) = median(&cpu) else {
                let _ =
                    writeln!(text, "| {viewers} | {} | does not count: {} | | | |", side.name(), faults.unwrap_or("?"));
                continue;
            };
            let ratio = floor.map_or("?".to_owned(), |floor| format!("{:.2}", middle / floor));
            let of = |figure| median(&figures(side, figure)).unwrap_or(0.0);
            let _ = writeln!(
                text,
                "| {viewers} | {} | {} | {ratio} | {:.0} / {:.0} | {:.0} |",
                side.name(),
                spread(&cpu, 3),
                of(|run| run.join_ms_p50),
                of(|run| run.join_ms_p99),
                of(|run| run.rss_mb)
            );
        }
    }
    Ok(text)
}

fn one(rig: &Rig, plan: Plan, side: Side, viewers: u32) -> Result<Run> {
    let server = match side {
        Side::Madang => rig.madang(Some(SERVER_CORE))?,
        Side::NodeMediaServer => rig.node_media_server(Some(SERVER_CORE))?,
        Side::Floor => rig.floor(SERVER_CORE, FLOOR_PERIOD_MS)?,
    };
    let _publisher = match side {
        Side::Floor => None,
        _ => Some(rig.publish(&server, Some(LOAD_CORE))?),
    };
    std::thread::sleep(std::time::Duration::from_secs(2));
    let before = core_times();
    let json = load(rig, plan, &server, viewers)?;
    let busy = busy_part(before, core_times());
    let field = |name: &str| number(&json, name).ok_or_else(|| Failure::new(format!("flvload said {json}")));
    let delivered = field("mbit_per_viewer")? * 1e6 / rig.file_bps;
    let mut faults = String::new();
    if field("playing")? < f64::from(viewers) || field("failed")? + field("closed")? > 0.0 {
        let _ = write!(faults, "{} of {viewers} viewers played to the end; ", field("playing")? - field("closed")?);
    }
    if delivered < 0.98 {
        let _ = write!(faults, "{:.0} % of the stream was delivered; ", delivered * 100.0);
    }
    if busy > 0.8 {
        let _ = write!(faults, "the load's core was {:.0} % busy; ", busy * 100.0);
    }
    Ok(Run {
        cpu_s_per_gbit: field("cpu_s_per_gbit")?,
        join_ms_p50: field("join_ms_p50")?,
        join_ms_p99: field("join_ms_p99")?,
        rss_mb: field("server_rss_mb")?,
        faults: faults.trim_end_matches("; ").to_owned(),
    })
}

/// flvload's answer. It ends with an error when viewers were lost, and its answer says so.
fn load(rig: &Rig, plan: Plan, server: &Running, viewers: u32) -> Result<String> {
    let mut load = pinned(Some(LOAD_CORE), &rig.tool("flvload"));
    load.args(["127.0.0.1", &server.port.to_string(), &server.flv, &viewers.to_string(), &plan.seconds.to_string()]);
    load.args([&server.pid().to_string(), RAMP]);
    let output = load.output().map_err(|error| Failure::new(format!("flvload does not run: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if text.starts_with('{') { Ok(text) } else { Err(Failure::new("flvload gave no answer")) }
}

/// Idle and total ticks of the load's core so far (proc(5)).
fn core_times() -> (f64, f64) {
    let text = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("cpu{LOAD_CORE} "))).unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().filter_map(|tick| tick.parse().ok()).collect();
    let idle = ticks.iter().skip(3).take(2).sum();
    (idle, ticks.iter().take(8).sum())
}

fn busy_part(before: (f64, f64), after: (f64, f64)) -> f64 {
    let total = after.1 - before.1;
    if total <= 0.0 { 0.0 } else { 1.0 - (after.0 - before.0) / total }
}
