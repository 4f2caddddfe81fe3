//! CPU seconds for each gigabit delivered to many viewers, the memory of each, and how fast they join.

use super::{LOOKS, Run, Runs, Side, WARM, answer, load, watched, window_s};
use crate::{
    bench::{
        Plan,
        plot::{Plot, Series},
        report::{caveat, circumstances, slope},
        rig::{LOAD_CORE, Rig},
    },
    failure::{Context as _, Result},
};
use std::{fmt::Write as _, fs, time::Instant};

/// A row of viewers and flights, with those who are measured in it.
struct Case {
    viewers: u32,
    flight_ms: u32,
    sides: &'static [Side],
    /// Whether something is claimed of it: then it is measured as often as claims are.
    claim: bool,
}

const fn case(viewers: u32, flight_ms: u32, sides: &'static [Side], claim: bool) -> Case {
    Case { viewers, flight_ms, sides, claim }
}

use Side::{Floor, Madang, NodeMediaServer, Other};

const CASES: [Case; 9] = [
    case(100, 40, &[Madang, NodeMediaServer, Other, Floor], false),
    case(500, 40, &[Madang, NodeMediaServer, Other, Floor], false),
    case(1_000, 40, &[Madang, NodeMediaServer, Other, Floor], true),
    case(2_000, 40, &[Madang, Other, Floor], false),
    case(1_000, 100, &[Madang, Floor], true),
    case(3_000, 100, &[Madang, Other, Floor], false),
    case(1_000, 0, &[Madang], false),
    case(1_000, 20, &[Madang, Floor], false),
    case(1_000, 350, &[Madang, Floor], false),
];
/// The flights at which memory is looked at, over all numbers of viewers; and the viewers with whom flights are compared.
const USUAL_FLIGHT_MS: u32 = 40;
const USUAL_VIEWERS: u32 = 1_000;
/// What a claim is: how many times the floor madang may cost.
const FLOOR_TIMES: f64 = 1.4;
/// Seconds after all have left before the memory is looked at again.
const LEAVE_S: u32 = 4;
/// Flights put into rings so far.
const FLIGHTS: &str = "madang_live_flights_total ";

/// Measures all sides in turn, forwards and backwards, and gives the tables. The plots are written beside them.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "A stream of {:.2} Mbit/s; each server alone on one core, load and publisher on another; viewers join 500 a second. Medians (least to \
         greatest) of {} runs with {USUAL_VIEWERS} viewers at 40 and 100 ms, of {} elsewhere, in turn.\n",
        rig.file_bps / 1e6,
        plan.pairs,
        plan.pairs.min(LOOKS)
    );
    let done: Vec<(&Case, Runs)> = CASES.iter().map(|case| (case, all(rig, plan, case))).collect();
    table(&done, &mut text);
    verdict(&done, &mut text);
    flights(&done, &mut text);
    memory(&done, &mut text);
    plots(rig, plan, &done, &mut text)?;
    Ok(text)
}

fn all(rig: &Rig, plan: Plan, case: &Case) -> Runs {
    let sides: Vec<Side> = case.sides.iter().copied().filter(|side| side.is_here(rig)).collect();
    let pairs = if case.claim { plan.pairs } else { plan.pairs.min(LOOKS) };
    let what = format!("{} viewers, flights {} ms", case.viewers, case.flight_ms);
    Runs::in_turn(&sides, pairs, &what, |side, pair| one(rig, plan, case, side, pair == 0))
}

/// One side once; `leave` has everybody leave while the server is looked at.
fn one(rig: &Rig, plan: Plan, case: &Case, side: Side, leave: bool) -> Result<Run> {
    let server = side.start(rig, case.flight_ms)?;
    let publisher = if side == Floor { None } else { Some(rig.publish(&server, Some(LOAD_CORE))?) };
    std::thread::sleep(WARM);
    let mut viewers = load(&rig.tool("flvload"));
    viewers.args([&server.port.to_string(), &server.flv, &case.viewers.to_string(), &window_s(plan).to_string()]);
    viewers.arg(server.pid().to_string());
    if leave && case.flight_ms == USUAL_FLIGHT_MS && side != Floor {
        viewers.arg(format!("leave={LEAVE_S}"));
    }
    // Nobody else has the figure, and the floor would answer without an end.
    let flights = || if side == Madang { server.metric(FLIGHTS) } else { None };
    let (before, began) = (flights(), Instant::now());
    let (_, mut json) = answer(&mut viewers)?;
    if let (Some(before), Some(after)) = (before, flights()) {
        let rate = (after - before) / began.elapsed().as_secs_f64();
        json = json.replacen('{', &format!("{{\"flights_per_s\":{rate:.1},"), 1);
    }
    drop(publisher);
    Ok(watched(side, json, rig.file_bps))
}

fn table(done: &[(&Case, Runs)], text: &mut String) {
    *text += "| viewers | flights, ms | server | CPU s per Gbit | times the floor | join p50, ms | join p99, ms | least bytes over median |\n";
    *text += "|---|---|---|---|---|---|---|---|\n";
    for (case, runs) in done {
        for side in case.sides.iter().copied().filter(|side| runs.counted(*side).1 > 0) {
            let flight = if side == NodeMediaServer { "each tag".to_owned() } else { case.flight_ms.to_string() };
            let ratio = times_the_floor(runs, side).map_or(String::new(), |ratio| format!("{ratio:.2}"));
            // The floor answers nothing: its first byte is the next period's.
            let join = |name| if side == Floor { String::new() } else { runs.cell(side, name, 1) };
            let _ = writeln!(
                text,
                "| {} | {flight} | {} | {} | {ratio} | {} | {} | {} |",
                case.viewers,
                side.name(),
                runs.cost(side),
                join("join_ms_p50"),
                join("join_ms_p99"),
                runs.cell(side, "min_over_median", 3)
            );
        }
    }
}

fn times_the_floor(runs: &Runs, side: Side) -> Option<f64> {
    Some(runs.median(side, "cpu_s_per_gbit")? / runs.median(Floor, "cpu_s_per_gbit")?)
}

fn verdict(done: &[(&Case, Runs)], text: &mut String) {
    for (case, runs) in done.iter().filter(|(case, _)| case.claim) {
        let Some(times) = times_the_floor(runs, Madang) else { continue };
        let _ = write!(
            text,
            "\nWith {} viewers and flights of {} ms madang costs {times:.2} times the floor; at most {FLOOR_TIMES} is the goal.",
            case.viewers, case.flight_ms
        );
    }
    *text += "\n";
}

fn flights(done: &[(&Case, Runs)], text: &mut String) {
    let _ = writeln!(text, "\nWhat flights are worth, with {USUAL_VIEWERS} viewers of madang:\n");
    *text += "| `flight_ms` | flights a second | CPU s per Gbit | join p99, ms |\n|---|---|---|---|\n";
    for (case, runs) in by_flight(done) {
        let (rate, join) = (runs.cell(Madang, "flights_per_s", 1), runs.cell(Madang, "join_ms_p99", 1));
        let _ = writeln!(text, "| {} | {rate} | {} | {join} |", case.flight_ms, runs.cost(Madang));
    }
}

/// The cases with the usual number of viewers, by their flights.
fn by_flight<'a>(done: &'a [(&'a Case, Runs)]) -> Vec<(&'a Case, &'a Runs)> {
    let mut cases: Vec<_> =
        done.iter().filter(|(case, _)| case.viewers == USUAL_VIEWERS).map(|(case, runs)| (*case, runs)).collect();
    cases.sort_by_key(|(case, _)| case.flight_ms);
    cases
}

/// The cases with the usual flights.
fn by_viewers<'a>(done: &'a [(&'a Case, Runs)]) -> impl Iterator<Item = (&'a Case, &'a Runs)> {
    done.iter().filter(|(case, _)| case.flight_ms == USUAL_FLIGHT_MS).map(|(case, runs)| (*case, runs))
}

/// A side's figure over the number of viewers.
fn over_viewers(done: &[(&Case, Runs)], side: Side, name: &str) -> Vec<(f64, f64)> {
    by_viewers(done)
        .filter_map(|(case, runs)| {
            let values: Vec<f64> = runs.figures(side, name).into_iter().filter(|value| *value > 0.0).collect();
            Some((f64::from(case.viewers), crate::bench::report::median(&values)?))
        })
        .collect()
}

/// The slopes of resident memory over viewers, while they watch and after they have left.
fn memory(done: &[(&Case, Runs)], text: &mut String) {
    let _ = writeln!(
        text,
        "\nMemory: how the resident size of a server that was started anew grows with viewers who join 500 a second, and {LEAVE_S} s after all \
         have left (slopes over the rows at {USUAL_FLIGHT_MS} ms).\n"
    );
    *text += "| server | KB a viewer | KB a viewer, after they left | size after the most left, of that after the fewest |\n|---|---|---|---|\n";
    for side in [Madang, NodeMediaServer, Other] {
        let Some(each) = slope(&over_viewers(done, side, "rss_kb")) else { continue };
        let sizes = over_viewers(done, side, "rss_kb_left");
        let left = slope(&sizes).map_or("not measured".to_owned(), |left| format!("{left:.1}"));
        let ends = sizes.first().zip(sizes.last()).filter(|_| sizes.len() > 1);
        let ratio = ends.map_or(String::new(), |(fewest, most)| format!("{:.2}", most.1 / fewest.1));
        let _ = writeln!(text, "| {} | {each:.1} | {left} | {ratio} |", side.name());
    }
}

fn plots(rig: &Rig, plan: Plan, done: &[(&Case, Runs)], text: &mut String) -> Result<()> {
    let cost = "cpu_s_per_gbit";
    let over_flights = |side: Side| -> Vec<(f64, f64)> {
        let cases = by_flight(done).into_iter();
        cases.filter_map(|(case, runs)| Some((f64::from(case.flight_ms), runs.median(side, cost)?))).collect()
    };
    let series = |points: &dyn Fn(Side) -> Vec<(f64, f64)>, sides: &[Side]| -> Vec<Series> {
        let of = |side: &Side| Series { name: side.name().to_owned(), look: *side as usize, points: points(*side) };
        sides.iter().map(of).filter(|series| !series.points.is_empty()).collect()
    };
    let viewers = Plot {
        title: format!("CPU for each gigabit delivered, flights of {USUAL_FLIGHT_MS} ms"),
        x: "viewers".to_owned(),
        y: "CPU seconds per gigabit".to_owned(),
        series: series(&|side| over_viewers(done, side, cost), &[Madang, NodeMediaServer, Other, Floor]),
    };
    let flights = Plot {
        title: format!("What flights are worth, {USUAL_VIEWERS} viewers"),
        x: "flight_ms".to_owned(),
        y: "CPU seconds per gigabit".to_owned(),
        series: series(&over_flights, &[Madang, Floor]),
    };
    let folder = if plan.keep { rig.project.root.join("docs") } else { rig.folder().to_path_buf() };
    for (name, plot) in [("fan-out.svg", viewers), ("flights.svg", flights)] {
        let file = folder.join(name);
        fs::write(&file, plot.svg()).cannot(format!("write {}", file.display()))?;
        let _ = write!(text, "\n![{}: {} over {}]({name})\n", plot.title, plot.y, plot.x);
    }
    Ok(())
}
