//! CPU seconds for each gigabit taken from many publishers whom nobody watches.

use super::{DELIVERED_MIN, LOOKS, Run, Runs, Side, load, window_s};
use crate::{
    bench::{
        Plan,
        report::{caveat, circumstances},
        rig::{Rig, Running},
    },
    failure::{Context as _, Failure, Result},
    guard,
};
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    process::Stdio,
    time::Duration,
};

const PUBLISHERS: [u32; 2] = [20, 100];
/// A publisher is on time whose bytes are taken within this, 99 of 100 of its frames.
const LATE_MS_MAX: f64 = 50.0;
/// Publishers that hold a room now.
const ON_AIR: &str = "madang_live_publishers ";
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Measures both sides in turn and gives the table.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let file = rig.ingested()?;
    let pairs = plan.pairs.min(LOOKS);
    let mut text = format!("{}{}\n\n", circumstances(), caveat(pairs));
    let _ = writeln!(
        text,
        "Publishers of {:.2} Mbit/s each, who send one recording, cut into chunks beforehand, each in its own time; every one has a room of \
         its own, which nobody watches. The server on one core; medians of {pairs} runs, in turn.\n",
        file.bps / 1e6
    );
    text += "| publishers | server | CPU s per Gbit | of its core | taken late p99, ms | memory a publisher, MB |\n|---|---|---|---|---|---|\n";
    for publishers in PUBLISHERS {
        let what = format!("{publishers} publishers");
        let sides = [Side::Madang, Side::NodeMediaServer, Side::Other];
        let sides: Vec<Side> = sides.into_iter().filter(|side| side.is_here(rig)).collect();
        let runs = Runs::in_turn(&sides, pairs, &what, |side, _| one(rig, plan, side, publishers, file.bps));
        for side in sides {
            let share =
                runs.median(side, "server_share").map_or(String::new(), |share| format!("{:.0} %", share * 100.0));
            let grown = runs.median(side, "rss_kb").zip(runs.median(side, "rss_kb_before"));
            let each = grown.map_or(String::new(), |(after, before)| {
                format!("{:.1}", (after - before) / 1024.0 / f64::from(publishers))
            });
            let (cost, late) = (runs.cost(side), runs.cell(side, "late_ms_p99", 1));
            let _ = writeln!(text, "| {publishers} | {} | {cost} | {share} | {late} | {each} |", side.name());
        }
    }
    text += "\nMemory is the ring of each room: what was sent since its publisher came, up to `ring_s`.\n";
    Ok(text)
}

fn one(rig: &Rig, plan: Plan, side: Side, publishers: u32, bps: f64) -> Result<Run> {
    let server = side.start(rig, 40)?;
    let mut names = String::new();
    for number in 0..publishers {
        let slug = format!("bench-{number}");
        names += &if side == Side::Madang { server.make_room(rig, &slug)? } else { slug };
        names.push('\n');
    }
    let mut encoders = load(&rig.tool("rtmpload"));
    encoders.arg(server.rtmp.to_string()).arg(rig.ingested()?.path).arg(window_s(plan).to_string());
    encoders.arg(server.pid().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut encoders = guard::spawn(&mut encoders).cannot("start rtmpload")?;
    // Dropped at the end of the line: the names are told by then.
    encoders
        .child
        .stdin
        .take()
        .map(|mut input| input.write_all(names.as_bytes()))
        .transpose()
        .cannot("name streams")?;
    let on_air = greatest_while(&server, side, &mut encoders)?;
    let mut json = String::new();
    let output = encoders.child.stdout.take().ok_or_else(|| Failure::new("rtmpload has no output"))?;
    { output }.read_to_string(&mut json).cannot("hear rtmpload")?;
    if !json.starts_with('{') {
        return Err(Failure::new("rtmpload gave no answer"));
    }
    let mut run = Run::of(side, json.trim().to_owned());
    let figure = |name| run.figure(name).unwrap_or(f64::NAN);
    let (lost, least, late) = (figure("lost"), figure("least_mbit") * 1e6 / bps, figure("late_ms_p99"));
    run.fault_unless(lost <= 0.0, || format!("{lost:.0} publishers were refused or closed"));
    run.fault_unless(least >= DELIVERED_MIN, || {
        format!("one publisher got rid of {:.0} % of its stream", least * 100.0)
    });
    run.fault_unless(late <= LATE_MS_MAX, || format!("frames were taken {late:.0} ms late"));
    if side == Side::Madang {
        run.fault_unless(on_air >= f64::from(publishers), || format!("{on_air:.0} of {publishers} were on the air"));
    }
    run.check_cores();
    Ok(run)
}

/// The most publishers that our server told of while the load ran; 0 for a server that does not tell.
fn greatest_while(server: &Running, side: Side, load: &mut guard::Guarded) -> Result<f64> {
    let mut most: f64 = 0.0;
    while load.child.try_wait().cannot("wait for rtmpload")?.is_none() {
        std::thread::sleep(LOOK_EVERY);
        if side == Side::Madang {
            most = most.max(server.metric(ON_AIR).unwrap_or(0.0));
        }
    }
    Ok(most)
}
