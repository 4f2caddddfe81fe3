//! The media path: what delivering and taking streams costs, beside others and beside a floor.

pub mod fan_out;
pub mod ingest;
pub mod micro;
pub mod stalled;
pub mod transports;
pub mod writes;

use super::{
    Plan,
    report::{median, number, spread},
    rig::{LOAD_CORE, Rig, Running, SERVER_CORE, pinned},
};
use crate::failure::{Failure, Result};
use std::{path::Path, process::Command, time::Duration};

/// Seconds of a window: nanoseconds are counted, so it need not be long, but whole GOPs, which are 2 s.
const WINDOW_S: u32 = 6;
const QUICK_WINDOW_S: u32 = 4;
/// How often a side is measured that nothing is claimed of.
const LOOKS: usize = 2;
/// Seconds that a stream is on the air before anybody comes.
const WARM: Duration = Duration::from_secs(2);
/// A run counts up to this use of the load's core, and with so much of the stream delivered.
const LOAD_BUSY_MAX: f64 = 0.8;
const DELIVERED_MIN: f64 = 0.98;
/// The part of the server's core that others may take.
const STRANGERS_MAX: f64 = 0.1;

/// Who is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Madang,
    NodeMediaServer,
    /// The server that `--other` names.
    Other,
    Floor,
}

impl Side {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Madang => "madang",
            Self::NodeMediaServer => "node-media-server 4.4.3",
            Self::Other => "the other server",
            Self::Floor => "floor",
        }
    }

    /// Whether it can be measured here.
    pub fn is_here(self, rig: &Rig) -> bool {
        self != Self::Other || rig.other.is_some()
    }

    /// Starts it alone on its core. `flight_ms` is for those that merge; one that does not writes each tag by itself.
    fn start(self, rig: &Rig, flight_ms: u32) -> Result<Running> {
        match self {
            Self::Madang => {
                rig.madang_with(Some(SERVER_CORE), &[("MADANG_MEDIA_FLIGHT_MS", flight_ms.to_string().as_str())])
            }
            Self::NodeMediaServer => rig.node_media_server(Some(SERVER_CORE)),
            Self::Other => rig.other_server(Some(SERVER_CORE), flight_ms),
            Self::Floor => rig.floor(SERVER_CORE, flight_ms),
        }
    }
}

/// One side, measured once.
pub struct Run {
    pub side: Side,
    /// What the load said, a flat JSON object.
    json: String,
    /// Why it does not count; empty when it does.
    faults: String,
}

impl Run {
    /// A run from what the load said, whose faults are yet to be looked for.
    fn of(side: Side, json: String) -> Self {
        Self { side, json, faults: String::new() }
    }

    pub fn figure(&self, name: &str) -> Option<f64> {
        number(&self.json, name)
    }

    /// What a run that counts has to show of both cores.
    fn check_cores(&mut self) {
        let figure = |name| self.figure(name).unwrap_or(f64::NAN);
        let (load, strangers) = (figure("load_core_busy"), figure("server_core_busy") - figure("server_share"));
        self.fault_unless(load <= LOAD_BUSY_MAX, || format!("the load's core was {:.0} % busy", load * 100.0));
        self.fault_unless(strangers <= STRANGERS_MAX, || {
            format!("something else took {:.0} % of the server's core", strangers * 100.0)
        });
    }

    /// Notes a fault unless all is well; a figure that is missing is not well.
    fn fault_unless(&mut self, well: bool, words: impl FnOnce() -> String) {
        if !well {
            if !self.faults.is_empty() {
                self.faults += "; ";
            }
            self.faults += &words();
        }
    }
}

/// Runs of several sides under the same circumstances.
#[derive(Default)]
pub struct Runs(Vec<Run>);

impl Runs {
    /// Measures `sides` so many times, forwards and backwards in turn. One that fails leaves its reason.
    pub fn in_turn(sides: &[Side], pairs: usize, what: &str, mut one: impl FnMut(Side, usize) -> Result<Run>) -> Self {
        let mut runs = Self::default();
        for pair in 0..pairs {
            let mut order = sides.to_vec();
            if pair % 2 == 1 {
                order.reverse();
            }
            for side in order {
                let run = one(side, pair).unwrap_or_else(|failure| {
                    let faults = failure.to_string();
                    Run { side, json: String::new(), faults }
                });
                println!("  {what:30} {:24} {}", side.name(), run.faults);
                println!("    {}", run.json);
                runs.0.push(run);
            }
        }
        runs
    }

    /// A figure of each of a side's runs that count.
    pub fn figures(&self, side: Side, name: &str) -> Vec<f64> {
        let own = self.0.iter().filter(|run| run.side == side && run.faults.is_empty());
        own.filter_map(|run| run.figure(name)).collect()
    }

    pub fn median(&self, side: Side, name: &str) -> Option<f64> {
        median(&self.figures(side, name))
    }

    /// The cell with a figure of a side; empty where no run counts, for then the cost says why.
    pub fn cell(&self, side: Side, name: &str, digits: usize) -> String {
        let figures = self.figures(side, name);
        if figures.is_empty() { String::new() } else { spread(&figures, digits) }
    }

    /// How many of a side's runs count, of how many.
    fn counted(&self, side: Side) -> (usize, usize) {
        let own = || self.0.iter().filter(|run| run.side == side);
        (own().filter(|run| run.faults.is_empty()).count(), own().count())
    }

    /// The cell with a side's cost, or why there is none.
    pub fn cost(&self, side: Side) -> String {
        let cost = self.figures(side, "cpu_s_per_gbit");
        let fault = self.0.iter().find(|run| run.side == side && !run.faults.is_empty());
        match (self.counted(side), fault) {
            ((0, _), fault) => format!("does not count: {}", fault.map_or("not measured", |run| run.faults.as_str())),
            ((counted, all), Some(fault)) => {
                format!("{}; {counted} of {all} runs count, another: {}", spread(&cost, 3), fault.faults)
            }
            (_, None) => spread(&cost, 3),
        }
    }
}

/// The load's answer: a JSON object on the last line of what it prints. It ends with an error when somebody was lost, and says so.
pub fn answer(load: &mut Command) -> Result<(Vec<String>, String)> {
    let output = load.output().map_err(|error| Failure::new(format!("the load does not run: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match lines.pop() {
        Some(last) if last.starts_with('{') => Ok((lines, last)),
        _ => {
            let told = String::from_utf8_lossy(&output.stderr);
            Err(Failure::new(format!("the load gave no answer: {}", told.trim())))
        }
    }
}

/// A load tool on its core.
pub fn load(tool: &Path) -> Command {
    pinned(Some(LOAD_CORE), tool)
}

/// What viewers got, as a run. `bps` is the stream's bitrate.
pub fn watched(side: Side, json: String, bps: f64) -> Run {
    let mut run = Run::of(side, json);
    let figure = |name| run.figure(name).unwrap_or(f64::NAN);
    let (viewers, playing) = (figure("viewers"), figure("playing"));
    let lost = figure("failed") + figure("closed");
    let delivered = figure("mbit_per_viewer") * 1e6 / bps;
    let least = figure("min_over_median");
    run.fault_unless(playing >= viewers && lost <= 0.0, || {
        format!("{:.0} of {viewers:.0} viewers played to the end", playing.min(viewers - lost))
    });
    run.fault_unless(delivered >= DELIVERED_MIN, || format!("{:.0} % of the stream was delivered", delivered * 100.0));
    run.fault_unless(least >= DELIVERED_MIN, || format!("one viewer got {:.0} % of what most got", least * 100.0));
    run.check_cores();
    run
}

/// The measuring window of this plan, in seconds.
pub const fn window_s(plan: Plan) -> u32 {
    if plan.keep { WINDOW_S } else { QUICK_WINDOW_S }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"viewers":10,"failed":0,"closed":0,"playing":10,"mbit_per_viewer":2.65,"min_over_median":0.99,"cpu_s_per_gbit":0.1,"server_core_busy":0.3,"server_share":0.28,"load_core_busy":0.4}"#;

    #[test]
    fn a_run_counts_only_when_all_is_well() {
        let faults = |from: &str, to: &str| watched(Side::Madang, GOOD.replace(from, to), 2.65e6).faults;
        assert_eq!(faults("", ""), "");
        assert_eq!(faults(r#""closed":0"#, r#""closed":1"#), "9 of 10 viewers played to the end");
        assert_eq!(faults("2.65", "2.4"), "91 % of the stream was delivered");
        assert_eq!(faults("0.28", "0.1"), "something else took 20 % of the server's core");
        assert_eq!(faults("0.4}", "0.9}"), "the load's core was 90 % busy");
        assert_ne!(faults("min_over", "x"), "");
    }

    #[test]
    fn sides_go_forwards_and_backwards_and_a_failure_stays_a_row() {
        let mut order = Vec::new();
        let runs = Runs::in_turn(&[Side::Madang, Side::Floor], 2, "test", |side, _| {
            order.push(side.name());
            if side == Side::Floor { Err(Failure::new("no core")) } else { Ok(watched(side, GOOD.to_owned(), 2.65e6)) }
        });
        assert_eq!(order, ["madang", "floor", "floor", "madang"]);
        assert_eq!(runs.cost(Side::Madang), "0.100 (0.100 to 0.100)");
        assert_eq!(runs.cost(Side::Floor), "does not count: no core");
        assert_eq!((runs.median(Side::Floor, "gbit"), runs.cell(Side::Floor, "gbit", 1)), (None, String::new()));
    }
}
