//! Fragments out of FLV in the browser: our remuxer in WebAssembly, and mpegts.js'.

use super::{
    Plan,
    report::{caveat, circumstances, number},
    rig::Rig,
};
use crate::failure::Result;
use std::fmt::Write as _;

/// Rounds in one browser; one side's pair each.
const ROUNDS: usize = 8;

/// Bytes of FLV a second, in chunks as flights of 20 ms are, and as large reads are.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let file = rig.ingested()?.path;
    let module = rig.remuxer()?;
    let rounds = if plan.keep { ROUNDS } else { 1 };
    let mut text = format!(
        "{}{}\n\n{} rounds in turn in one Chromium, {} of 6 Mbit/s whole in each, on one thread: from chunks to what `appendBuffer` would be given (an append a track), which is not called. \
         Megabytes of FLV a second, medians (least to greatest).\n\n\
         | chunks of | madang, WebAssembly | mpegts.js 1.8.2 | ratio |\n|---|---|---|---|\n",
        circumstances(),
        caveat(rounds),
        rounds,
        file.file_name().unwrap_or_default().to_string_lossy()
    );
    let times = rounds.to_string();
    for chunk in ["16384", "65536"] {
        let answer = rig.in_browser("remux.mjs", &[module.as_ref(), file.as_ref(), chunk.as_ref(), times.as_ref()])?;
        println!("  {chunk} {answer}");
        let field = |name: &str| number(&answer, name).unwrap_or(f64::NAN);
        let cell = |side: &str| {
            let field = |name: &str| field(&format!("{side}_{name}"));
            format!("{:.0} ({:.0} to {:.0})", field("mb_s"), field("least"), field("most"))
        };
        let ratio = field("ours_mb_s") / field("theirs_mb_s");
        let _ = writeln!(text, "| {chunk} bytes | {} | {} | {ratio:.1} |", cell("ours"), cell("theirs"));
    }
    Ok(text)
}
