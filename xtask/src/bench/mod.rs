//! Measurements beside other programs, in the same run and in turn. Ratios are what counts; absolute figures inform.

mod chat;
mod glass;
mod media;
mod plot;
mod remux;
mod report;
mod rig;

use crate::{
    build, fail,
    failure::Result,
    project::Project,
    setup::{self, Folder},
};
use rig::Rig;
use std::path::PathBuf;

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
    /// Seconds of the run over a bad link.
    hour_seconds: u32,
    /// Seconds for which viewers stop reading.
    stalled_seconds: u32,
    /// Whether the tables in docs/PERFORMANCE.md are written anew.
    keep: bool,
}

impl Plan {
    const FULL: Self = Self {
        pairs: 8,
        seconds: 20,
        glass_seconds: 60,
        steady_seconds: 300,
        hour_seconds: 3_600,
        stalled_seconds: 600,
        keep: true,
    };
    const QUICK: Self = Self {
        pairs: 1,
        seconds: 8,
        glass_seconds: 12,
        steady_seconds: 40,
        hour_seconds: 90,
        stalled_seconds: 40,
        keep: false,
    };
}

/// A part of docs/PERFORMANCE.md, between markers of its name.
struct Part {
    name: &'static str,
    /// Whether `media` measures it.
    of_media: bool,
    measure: fn(&Rig, Plan) -> Result<String>,
}

/// Too long to be measured without being asked for.
const HOURS: [&str; 2] = ["memory", "hour"];

/// In the order in which they are measured.
const PARTS: [Part; 17] = [
    Part { name: "fan-out", of_media: true, measure: media::fan_out::measure },
    Part { name: "writes", of_media: true, measure: media::writes::measure },
    Part { name: "transports", of_media: true, measure: media::transports::measure },
    Part { name: "ingest", of_media: true, measure: media::ingest::measure },
    Part { name: "micro", of_media: true, measure: media::micro::measure },
    Part { name: "stalled", of_media: false, measure: media::stalled::measure },
    Part { name: "chat", of_media: false, measure: chat::measure },
    Part { name: "glass", of_media: false, measure: |rig, plan| glass::measure(rig, plan, glass::QUIET) },
    Part { name: "glass-busy", of_media: false, measure: |rig, plan| glass::measure(rig, plan, glass::BUSY) },
    Part { name: "glass-720p", of_media: false, measure: |rig, plan| glass::measure(rig, plan, glass::LARGE) },
    Part { name: "flights", of_media: false, measure: glass::flights },
    Part { name: "join", of_media: false, measure: glass::join },
    Part { name: "work", of_media: false, measure: glass::work },
    Part { name: "remux", of_media: false, measure: remux::measure },
    Part { name: "steady", of_media: false, measure: glass::steady },
    Part { name: "memory", of_media: false, measure: glass::memory },
    Part { name: "hour", of_media: false, measure: glass::hour },
];

/// # Errors
/// When something cannot be measured, after everything else was; a run that does not count is told in the table instead.
pub fn bench(project: &Project, arguments: &[String]) -> Result<()> {
    let mut plan = Plan::FULL;
    let mut wanted: Vec<&str> = Vec::new();
    let (mut as_built, mut pairs, mut other) = (false, None, None);
    for word in arguments {
        let value = |option: &str| word.strip_prefix(option)?.strip_prefix('=');
        if word == "--as-built" {
            as_built = true;
        } else if word == "--quick" {
            plan = Plan::QUICK;
        } else if let Some(number) =
            value("--pairs").and_then(|text| text.parse::<usize>().ok()).filter(|number| *number > 0)
        {
            pairs = Some(number);
        } else if let Some(path) = value("--other") {
            other = Some(PathBuf::from(path));
        } else if word == "media" || PARTS.iter().any(|part| part.name == word) {
            wanted.push(word);
        } else {
            fail!("`{word}` is not understood here; --help says what is");
        }
    }
    plan.pairs = pairs.unwrap_or(plan.pairs);
    let tools = setup::for_tests(project)?;
    setup::npm_install(project, Folder::Benches)?;
    if as_built {
        build::require_binary(project)?;
    } else {
        build::release(project, &tools)?;
    }
    let rig = Rig::prepare(project, tools, other)?;
    let is_wanted = |part: &&Part| {
        (wanted.is_empty() && !HOURS.contains(&part.name))
            || wanted.contains(&part.name)
            || (part.of_media && wanted.contains(&"media"))
    };
    let mut lost = Vec::new();
    for part in PARTS.iter().filter(is_wanted) {
        println!("\n{}", part.name);
        let done = (part.measure)(&rig, plan).and_then(|table| {
            println!("\n{table}");
            if plan.keep { report::write(&project.root.join("docs/PERFORMANCE.md"), part.name, &table) } else { Ok(()) }
        });
        if let Err(failure) = done {
            println!("  {} could not be measured: {failure}", part.name);
            lost.push(part.name);
        }
    }
    if lost.is_empty() { Ok(()) } else { fail!("not measured: {}; the reasons stand above", lost.join(", ")) }
}
