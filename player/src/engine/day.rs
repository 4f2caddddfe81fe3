//! A simulated day: recorded networks and encoders, played for hours at each setting, and judged as a viewer would.
//!
//! A controller that is broken on purpose must be found out, or the judge is of no use.

use super::{
    Input, Way,
    sim::{ALL, World},
    trace::Trace,
};
use crate::{
    Delay,
    delay::{Decision, Reading, decide},
};

/// Each trace at each setting for this long: a day in all.
const RUN_MS: i64 = 24 * 3_600_000 / (TRACES.len() as i64 * 3);

/// A recording, and what it may cost at each setting ([`ALL`]): where the network or the encoder holds still for longer than a
/// setting's buffer may grow to, the picture must stall.
struct Day {
    name: &'static str,
    trace: &'static str,
    stalls_per_hour: [f64; 3],
    behind_s: [f64; 3],
}

const fn day(name: &'static str, trace: &'static str, stalls_per_hour: [f64; 3], behind_s: [f64; 3]) -> Day {
    Day { name, trace, stalls_per_hour, behind_s }
}

const TRACES: [Day; 7] = [
    day("lan", include_str!("../../traces/lan.txt"), [60.0, 2.0, 1.0], [0.45, 1.05, 3.3]),
    day("busy", include_str!("../../traces/busy.txt"), [90.0, 2.0, 1.0], [0.75, 1.1, 3.3]),
    day("far", include_str!("../../traces/far.txt"), [5.0, 1.0, 1.0], [0.45, 1.0, 3.3]),
    day("wireless", include_str!("../../traces/wireless.txt"), [150.0, 40.0, 1.0], [1.6, 1.9, 3.6]),
    day("narrow", include_str!("../../traces/narrow.txt"), [120.0, 60.0, 1.0], [1.5, 2.1, 3.5]),
    day("pauses", include_str!("../../traces/pauses.txt"), [260.0, 45.0, 1.0], [1.5, 1.7, 3.6]),
    day("screen", include_str!("../../traces/screen.txt"), [70.0, 2.0, 1.0], [0.6, 1.05, 3.3]),
];

type Controller = fn(&Reading) -> Decision;

fn watch(trace: &str, delay: Delay, decide: Controller) -> World {
    watch_by(trace, delay, decide, false)
}

/// `frames`: in a browser that can show frames one by one.
fn watch_by(trace: &str, delay: Delay, decide: Controller, frames: bool) -> World {
    let mut world = World::new(delay);
    world.trace = Some(Trace::read(trace));
    world.come(700);
    if frames {
        world.input(Input::Offered);
    }
    world.engine.decide_with(decide);
    world.run_quickly_for(RUN_MS);
    world
}

/// What a viewer would complain of. `setting`: where in [`ALL`].
fn complaints(world: &World, day: &Day, setting: usize) -> Vec<String> {
    let mut found = Vec::new();
    let hours = RUN_MS as f64 / 3_600_000.0;
    let end_ms = world.now_ms;
    let start_ms = end_ms - RUN_MS;
    let stalls = world.stalls.iter().filter(|at_ms| **at_ms > start_ms + 5_000).count() as f64;
    if stalls > day.stalls_per_hour[setting] * hours {
        found.push(format!("{:.1} stalls an hour", stalls / hours));
    }
    // Over whole minutes: a stall in one of them is not drift.
    let begun_s = world.mean_delay_s(start_ms + 60_000, start_ms + 360_000);
    let ended_s = world.mean_delay_s(end_ms - 300_000, end_ms);
    if (ended_s - begun_s).abs() > 0.5 {
        found.push(format!("{begun_s:.2} s behind at first and {ended_s:.2} s at last"));
    }
    if ended_s > day.behind_s[setting] {
        found.push(format!("{ended_s:.2} s behind"));
    }
    let left_one: Vec<i64> =
        world.rates.windows(2).filter(|pair| pair[0].1 == 1.0 && pair[1].1 != 1.0).map(|pair| pair[1].0).collect();
    if let Some(pair) = left_one.windows(2).find(|pair| pair[1] - pair[0] < 10_000) {
        found.push(format!("the rate left 1 at {} and again {} ms later", pair[0] - start_ms, pair[1] - pair[0]));
    }
    found
}

fn judge(name: &str) {
    let day = TRACES.iter().find(|day| day.name == name).expect("a trace");
    for (setting, delay) in ALL.into_iter().enumerate() {
        let found = complaints(&watch(day.trace, delay, decide), day, setting);
        assert!(found.is_empty(), "{name}, {delay:?}: {found:?}");
    }
}

#[test]
fn a_day_on_a_lan() {
    judge("lan");
}

#[test]
fn a_day_on_a_busy_machine() {
    judge("busy");
}

#[test]
fn a_day_far_away() {
    judge("far");
}

#[test]
fn a_day_on_bad_wireless() {
    judge("wireless");
}

#[test]
fn a_day_on_a_line_that_is_hardly_wide_enough() {
    judge("narrow");
}

#[test]
fn a_day_with_an_encoder_that_pauses() {
    judge("pauses");
}

#[test]
fn a_day_of_somebodys_screen() {
    judge("screen");
}

#[test]
fn a_day_of_frames_shown_one_by_one() {
    for day in &TRACES {
        let world = watch_by(day.trace, Delay::Lowest, decide, true);
        assert!(world.ways.contains(&Way::Frames));
        let found = complaints(&world, day, 0);
        assert!(found.is_empty(), "{}: {found:?}", day.name);
    }
}

#[test]
fn controllers_that_are_broken_on_purpose_are_found_out() {
    let broken: [(&str, Controller); 3] = [
        ("never comes closer", |reading| match decide(reading) {
            Decision::Rate(rate) if rate > 1.0 => Decision::Keep,
            Decision::Jump { .. } => Decision::Keep,
            other => other,
        }),
        ("keeps no rest", |reading| decide(&Reading { since_rest_ms: 60_000, since_change_ms: 60_000, ..*reading })),
        ("wants no buffer", |reading| decide(&Reading { target_s: 0.01, since_stall_ms: 60_000, ..*reading })),
    ];
    for (what, decide) in broken {
        for (setting, delay) in ALL.into_iter().enumerate().take(2) {
            let found = TRACES.iter().any(|day| !complaints(&watch(day.trace, delay, decide), day, setting).is_empty());
            assert!(found, "`{what}` passes at {delay:?}");
        }
    }
}
