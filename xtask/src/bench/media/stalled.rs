//! Viewers who stop reading: what they cost, and what the others notice.

use super::{Run, Side, WARM, answer, load, watched, window_s};
use crate::{
    bench::{
        Plan,
        report::{circumstances, number},
        rig::{LOAD_CORE, Rig, SERVER_CORE},
    },
    failure::{Failure, Result},
};
use std::fmt::Write as _;

/// Every second one of them stops.
const VIEWERS: u32 = 200;
/// How far the server's memory may go from where it is when the buffers of those who stopped are full.
const FLAT: f64 = 0.05;
/// Seconds after which they are.
const FULL_S: f64 = 20.0;
/// Rows of a table, about.
const ROWS: usize = 10;

/// Both ways of the deadline for viewers who take nothing: off, so that all are held, and as it is by itself.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let mut text = format!("{}\n\n", circumstances());
    let (seconds, half) = (plan.stalled_seconds, VIEWERS / 2);
    let _ = writeln!(
        text,
        "{VIEWERS} viewers of a stream of {:.2} Mbit/s, of whom {half} read nothing for {seconds} s.\n",
        rig.file_bps / 1e6
    );
    text += "With `http_stalled_s` so long that every one of them is held:\n\n";
    let sizes = held(rig, plan, &[("MADANG_LIMITS_HTTP_STALLED_S", "86400")], seconds, &mut text)?;
    let (least, most) =
        (sizes.iter().copied().fold(f64::INFINITY, f64::min), sizes.iter().copied().fold(0.0, f64::max));
    let first = sizes.first().copied().unwrap_or(f64::NAN);
    let _ = writeln!(
        text,
        "\nFrom {FULL_S:.0} s on, when the buffers of those who stopped are full, memory stays within {:.1} % of what it was then; {:.0} % is the goal.",
        (most - first).max(first - least) / first * 100.0,
        FLAT * 100.0
    );
    let soon = seconds.min(120);
    let _ = writeln!(text, "\nAs it is by itself: who takes nothing for 30 s is closed ({soon} s of it):\n");
    held(rig, plan, &[], soon, &mut text)?;
    Ok(text)
}

/// Has half of them stop for so long, and tells what came of it; gives the server's sizes in KB from [`FULL_S`] on.
fn held(rig: &Rig, plan: Plan, options: &[(&str, &str)], seconds: u32, text: &mut String) -> Result<Vec<f64>> {
    let server = rig.madang_with(Some(SERVER_CORE), options)?;
    let _publisher = rig.publish(&server, Some(LOAD_CORE))?;
    std::thread::sleep(WARM);
    let mut viewers = load(&rig.tool("flvload"));
    viewers.args([&server.port.to_string(), &server.flv, &VIEWERS.to_string(), &window_s(plan).to_string()]);
    viewers.arg(server.pid().to_string()).arg(format!("stop={seconds}"));
    let (samples, last) = answer(&mut viewers)?;
    println!("    {last}");
    let run: Run = watched(Side::Madang, last, rig.file_bps);
    let before = run.figure("mbit_per_viewer").ok_or_else(|| Failure::new("the load did not say what viewers got"))?;
    if !run.faults.is_empty() {
        let _ = writeln!(text, "Does not count: before anybody stopped, {}.\n", run.faults);
    }
    *text += "| stopped for, s | memory, MB | the others get, of before | the least of them, of the median | of them closed |\n|---|---|---|---|---|\n";
    let field = |line: &str, name: &str| number(line, name).unwrap_or(f64::NAN);
    let every = samples.len().div_ceil(ROWS).max(1);
    for (number, line) in samples.iter().enumerate() {
        println!("    {line}");
        if (number + 1) % every != 0 && number + 1 != samples.len() {
            continue;
        }
        let _ = writeln!(
            text,
            "| {:.0} | {:.1} | {:.1} % | {:.3} | {:.0} |",
            field(line, "stopped_s"),
            field(line, "rss_kb") / 1024.0,
            field(line, "mbit_per_viewer") / before * 100.0,
            field(line, "min_over_median"),
            field(line, "closed")
        );
    }
    let full = samples.iter().filter(|line| field(line, "stopped_s") >= FULL_S - 1.0);
    Ok(full.map(|line| field(line, "rss_kb")).collect())
}
