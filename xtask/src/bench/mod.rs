//! Measurements beside other programs, in the same run and in turn. Ratios are what counts; absolute figures inform.

mod chat;
mod fan_out;
mod glass;
mod report;
mod rig;

use crate::{
    build, fail,
    failure::Result,
    project::Project,
    setup::{self, Folder},
};
use rig::Rig;

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan {
    /// How often each side is measured.
    pairs: usize,
    /// Seconds of a measuring window.
    seconds: u32,
    /// Seconds of one look at a player's delay, after it has settled.
    glass_seconds: u32,
    /// Seconds of the steady run.
    steady_seconds: u32,
    /// Whether the tables in docs/PERFORMANCE.md are written anew.
    keep: bool,
}

/// # Errors
/// When something cannot be measured; a run that does not count is told in the table instead.
pub fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    let mut plan = Plan { pairs: 8, seconds: 20, glass_seconds: 60, steady_seconds: 300, keep: true };
    let mut parts: Vec<&str> = Vec::new();
    let mut as_built = false;
    for word in arguments {
        match (word.as_str(), word.strip_prefix("--pairs=").map(str::parse)) {
            ("--as-built", _) => as_built = true,
            ("--quick", _) => plan = Plan { pairs: 1, seconds: 8, glass_seconds: 12, steady_seconds: 40, keep: false },
            (_, Some(Ok(pairs))) if pairs > 0 => plan.pairs = pairs,
            (part @ ("fan-out" | "glass" | "glass-busy" | "glass-720p" | "join" | "work" | "steady" | "chat"), _) => {
                parts.push(part);
            }
            _ => fail!("`{word}` is not understood here; --help says what is"),
        }
    }
    if parts.is_empty() {
        parts = vec!["fan-out", "chat", "glass", "glass-busy", "glass-720p", "join", "work", "steady"];
    }
    let tools = setup::for_tests(project)?;
    setup::npm_install(project, Folder::Benches)?;
    if as_built {
        build::require_binary(project)?;
    } else {
        build::release(project, &tools)?;
    }
    let rig = Rig::prepare(project)?;
    for part in parts {
        let table = match part {
            "fan-out" => fan_out::measure(&rig, plan)?,
            "chat" => chat::measure(&rig, plan)?,
            "glass" => glass::measure(&rig, plan, glass::QUIET)?,
            "glass-busy" => glass::measure(&rig, plan, glass::BUSY)?,
            "glass-720p" => glass::measure(&rig, plan, glass::LARGE)?,
            "join" => glass::join(&rig, plan)?,
            "work" => glass::work(&rig, plan)?,
            _ => glass::steady(&rig, plan)?,
        };
        println!("\n{table}");
        if plan.keep {
            report::write(&project.root.join("docs/PERFORMANCE.md"), part, &table)?;
        }
    }
    Ok(())
}
