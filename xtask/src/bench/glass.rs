//! Delay from the encoder's input to the screen, and minutes of steady watching, in a real browser.

use super::{
    Plan,
    report::{caveat, circumstances, median, number, spread},
    rig::{Rig, Running},
};
use crate::{
    failure::{Context, Failure, Result},
    guard::{self, Guarded},
    process::{LIVE_H264, on_path},
};
use std::{
    fmt::Write as _,
    process::{Command, Stdio},
    thread,
};

/// Who shows the stream, with which of `glass.mjs`' players, at which address.
const SIDES: [(&str, &str, &str); 5] = [
    ("madang, room page, lowest delay", "page", "/rooms/bench?delay=lowest"),
    ("madang, room page, as it comes", "page", "/rooms/bench"),
    ("flv.js 1.6.2, bare page", "flv.js", "/live/bench.flv"),
    ("mpegts.js 1.8.2 at 0.4 s in a worker, bare page", "mpegts.js-0.4", "/live/bench.flv"),
    ("mpegts.js 1.8.2 forced to 0.12 s, bare page", "mpegts.js-0.12", "/live/bench.flv"),
];

/// The others are watched in the first of so many pairs each, ours at its lowest delay in every one: whether that ever stalls is the question.
const OTHERS_EACH: usize = 5;

/// How often and how long delay is looked at for each length of flights.
const FLIGHT_RUNS: usize = 3;
const FLIGHT_SECONDS: u32 = 20;

/// What is published, and what else the machine does.
#[derive(Clone, Copy)]
pub struct Scene {
    width: u32,
    height: u32,
    /// Frames from one key frame to the next, at 30 a second.
    gop: u32,
    /// A loop spins on each core.
    busy: bool,
}

/// 640x360 with a key frame each second, on a machine that does nothing else.
pub const QUIET: Scene = Scene { width: 640, height: 360, gop: 30, busy: false };
/// The same beside a loop on each core.
pub const BUSY: Scene = Scene { busy: true, ..QUIET };
/// 1280x720.
pub const LARGE: Scene = Scene { width: 1280, height: 720, ..QUIET };

/// All sides in turn on one stream: our room page, and the others at the same address.
pub fn measure(rig: &Rig, plan: Plan, scene: Scene) -> Result<String> {
    let seconds = plan.glass_seconds;
    let server = rig.madang(None)?;
    let _publisher = publish_clock(rig, &server, scene)?;
    server.wait_until_delivered()?;
    let _spinning = if scene.busy { spin()? } else { Vec::new() };
    let mut runs: Vec<Vec<String>> = vec![Vec::new(); SIDES.len()];
    for pair in 0..plan.pairs {
        let mut order: Vec<usize> = (0..SIDES.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for side in order.into_iter().filter(|side| *side == 0 || pair % OTHERS_EACH == 0) {
            let (Some((name, player, path)), Some(runs)) = (SIDES.get(side), runs.get_mut(side)) else { continue };
            let answer = browser(rig, "clock", player, &server.url(path), seconds)?;
            println!("  {name:48} {answer}");
            runs.push(answer);
        }
    }
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "{}x{} at 30 frames a second, x264 zerolatency, a key frame each second, AAC; server, encoder and headless Chromium on one machine{}; \
         {seconds} s a run, in turn on one stream; those with few runs are there to compare with, and their stalls are no claim. Medians (least to greatest); stalls are gaps over \
         300 ms between shown frames in all runs of a line.\n",
        scene.width,
        scene.height,
        if scene.busy { ", and a loop that spins on each of its cores" } else { "" },
    );
    text += "| player | runs | delay p50, ms | delay p95, ms | stalls | longest gap, ms | page open to first frame, ms |\n\
             |---|---|---|---|---|---|---|\n";
    for ((name, ..), runs) in SIDES.iter().zip(&runs) {
        let longest = figures(runs, "longest_gap_ms").into_iter().fold(0.0, f64::max);
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {:.0} | {longest:.0} | {} |",
            runs.len(),
            spread(&figures(runs, "p50"), 0),
            spread(&figures(runs, "p95"), 0),
            figures(runs, "stalls").iter().sum::<f64>(),
            spread(&figures(runs, "join_ms"), 0)
        );
    }
    let p50 = |side: usize| runs.get(side).and_then(|runs| median(&figures(runs, "p50")));
    if let (Some(ours), Some(theirs)) = (p50(0), p50(2)) {
        let _ = writeln!(text, "\nAt its lowest delay the room page is {:.2} times as late as flv.js.", ours / theirs);
    }
    Ok(text)
}

/// How late the picture is with longer and longer flights, at both ends of what viewers choose from.
pub fn flights(rig: &Rig, plan: Plan) -> Result<String> {
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs.min(FLIGHT_RUNS)));
    text += "640x360 at 30 frames a second, a key frame each second; the room's page in Chromium, from the encoder's input to the screen. Medians (least to greatest).\n\n\
             | `flight_ms` | lowest delay, p50, ms | p95, ms | as it comes, p50, ms |\n|---|---|---|---|\n";
    for flight_ms in ["0", "20", "40", "100", "350"] {
        let server = rig.madang_with(None, &[("MADANG_MEDIA_FLIGHT_MS", flight_ms)])?;
        let _publisher = publish_clock(rig, &server, QUIET)?;
        server.wait_until_delivered()?;
        let mut runs: [Vec<String>; 2] = Default::default();
        for _ in 0..plan.pairs.min(FLIGHT_RUNS) {
            for ((name, player, path), runs) in SIDES.iter().zip(&mut runs) {
                let answer = browser(rig, "clock", player, &server.url(path), plan.glass_seconds.min(FLIGHT_SECONDS))?;
                println!("  {flight_ms} ms, {name:40} {answer}");
                runs.push(answer);
            }
        }
        let [lowest, usual] = &runs;
        let cell = |runs: &[String], name| spread(&figures(runs, name), 0);
        let _ = writeln!(
            text,
            "| {flight_ms} | {} | {} | {} |",
            cell(lowest, "p50"),
            cell(lowest, "p95"),
            cell(usual, "p50")
        );
    }
    Ok(text)
}

/// From opening the room's page to its first frame, and how late it is 15 s after that, for each distance of key frames.
pub fn join(rig: &Rig, plan: Plan) -> Result<String> {
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    text += "The room's page with all that is on it, in a browser that has been open for 1.5 s and has never seen it; 640x360 at 30 frames a second.\n\n\
             | a key frame every | first frame, ms | mpegts.js 1.8.2, bare page, ms | delay 15 s later, lowest, ms | delay 15 s later, as it comes, ms |\n\
             |---|---|---|---|---|\n";
    // 8.3 s is what an encoder makes that is told nothing.
    for gop in [30, 60, 250] {
        let server = rig.madang(None)?;
        let _publisher = publish_clock(rig, &server, Scene { gop, ..QUIET })?;
        server.wait_until_delivered()?;
        let mut runs: [Vec<String>; 2] = Default::default();
        let mut bare = Vec::new();
        for _ in 0..plan.pairs {
            for ((name, player, path), runs) in SIDES.iter().zip(&mut runs) {
                let answer = browser(rig, "join", player, &server.url(path), 15)?;
                println!("  {:.1} s, {name:40} {answer}", f64::from(gop) / 30.0);
                runs.push(answer);
            }
            bare.push(browser(rig, "join", "mpegts.js", &server.url("/live/bench.flv"), 1)?);
        }
        let [lowest, usual] = &runs;
        let opened: Vec<f64> = runs.iter().flat_map(|runs| figures(runs, "join_ms")).collect();
        let _ = writeln!(
            text,
            "| {:.1} s | {} | {} | {} | {} |",
            f64::from(gop) / 30.0,
            spread(&opened, 0),
            spread(&figures(&bare, "join_ms"), 0),
            spread(&figures(lowest, "end_ms"), 0),
            spread(&figures(usual, "end_ms"), 0)
        );
    }
    Ok(text)
}

fn figures(runs: &[String], name: &str) -> Vec<f64> {
    runs.iter().filter_map(|run| number(run, name)).collect()
}

/// A loop on each core that does nothing and never rests.
fn spin() -> Result<Vec<Guarded>> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (0..cores)
        .map(|core| {
            let mut spin = Command::new("taskset");
            spin.args(["-c", &core.to_string(), "sh", "-c", "while :; do :; done"]);
            guard::spawn(&mut spin).cannot("start a loop")
        })
        .collect()
}

/// What the page's main thread does for a stream of much, and what memory the page holds: ours, and mpegts.js without a worker.
pub fn work(rig: &Rig, plan: Plan) -> Result<String> {
    let file = rig.large()?.path;
    let server = rig.madang(None)?;
    let _publisher = rig.publish_file(&server, None, &file)?;
    let sides = [
        ("madang, room page", "page", "/rooms/bench"),
        ("mpegts.js 1.8.2, bare page", "mpegts.js", "/live/bench.flv"),
        ("mpegts.js 1.8.2 with its own batching (stash), bare page", "mpegts.js-stash", "/live/bench.flv"),
    ];
    let mut runs: [Vec<String>; 3] = Default::default();
    for pair in 0..plan.pairs {
        for turn in 0..sides.len() {
            let side = if pair % 2 == 0 { turn } else { sides.len() - 1 - turn };
            let (Some((name, player, path)), Some(runs)) = (sides.get(side), runs.get_mut(side)) else { continue };
            let answer = browser(rig, "work", player, &server.url(path), plan.glass_seconds)?;
            println!("  {name:30} {answer}");
            runs.push(answer);
        }
    }
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "3840x2160 at 30 frames a second and 20 Mbit/s, published from a file; {} s a run, in turn. Script and all tasks are of the page's main thread; memory is \
         what is left after collecting garbage, without what the browser's own buffers hold.\n\n\
         | page | script, ms a second | all tasks, ms a second | script heap, MB | WebAssembly memory, MB |\n|---|---|---|---|---|",
        plan.glass_seconds
    );
    let each_second = |runs: &[String], name: &str| -> Vec<f64> {
        figures(runs, name).into_iter().map(|ms| ms / f64::from(plan.glass_seconds)).collect()
    };
    for ((name, ..), runs) in sides.iter().zip(&runs) {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} |",
            spread(&each_second(runs, "script_ms"), 1),
            spread(&each_second(runs, "task_ms"), 1),
            spread(&figures(runs, "heap_mb"), 1),
            spread(&figures(runs, "wasm_mb"), 1)
        );
    }
    Ok(text)
}

/// What both pages hold while they play 6 Mbit/s, side by side on one stream.
pub fn memory(rig: &Rig, plan: Plan) -> Result<String> {
    let file = rig.ingested()?.path;
    let server = rig.madang(None)?;
    let _publisher = rig.publish_file(&server, None, &file)?;
    let sides =
        [("madang, room page", "page", "/rooms/bench"), ("mpegts.js 1.8.2, bare page", "mpegts.js", "/live/bench.flv")];
    let answers: Vec<Result<String>> = thread::scope(|scope| {
        let looks = sides.map(|(_, player, path)| {
            let url = server.url(path);
            scope.spawn(move || browser(rig, "memory", player, &url, plan.hour_seconds))
        });
        looks
            .into_iter()
            .map(|look| look.join().unwrap_or_else(|_| Err(Failure::new("a look was broken off"))))
            .collect()
    });
    let mut text = format!(
        "{}{}\n\n1920x1080 at 30 frames a second and 6 Mbit/s, published from a file, watched for {} s, side by side. Script heap, buffers of scripts and WebAssembly's \
         memory together, sampled each 10 s, garbage included; then what is left of each after collecting it. What the browser's own buffers hold is not in it.\n\n\
         | page | all, MB: mean (most) | first and last five minutes, MB | collected: script heap, MB | buffers, MB | WebAssembly, MB |\n|---|---|---|---|---|---|\n",
        circumstances(),
        caveat(1),
        plan.hour_seconds
    );
    let mut means = Vec::new();
    for ((name, ..), answer) in sides.iter().zip(answers) {
        let answer = answer?;
        println!("  {name:30} {answer}");
        let field = |name: &str| number(&answer, name).unwrap_or(f64::NAN);
        if field("played_s") < 0.95 * f64::from(plan.hour_seconds) {
            return Err(Failure::new(format!("{name} stopped after {} s", field("played_s"))));
        }
        means.push(field("mean_mb"));
        let _ = writeln!(
            text,
            "| {name} | {:.1} ({:.1}) | {:.1}, {:.1} | {:.1} | {:.1} | {:.1} |",
            field("mean_mb"),
            field("most_mb"),
            field("first_mb"),
            field("last_mb"),
            field("heap_mb"),
            field("buffers_mb"),
            field("wasm_mb")
        );
    }
    if let [ours, theirs] = means[..] {
        let _ = writeln!(text, "\nThe room page holds {:.2} times as much as mpegts.js' page.", ours / theirs);
    }
    Ok(text)
}

/// The issue's own measure: a file published with `-c copy`, watched for five minutes.
pub fn steady(rig: &Rig, plan: Plan) -> Result<String> {
    let server = rig.madang(None)?;
    let _publisher = rig.publish(&server, None)?;
    let answer = browser(rig, "steady", "page", &server.url("/rooms/bench"), plan.steady_seconds)?;
    println!("  {answer}");
    let field = |name: &str| number(&answer, name).unwrap_or(f64::NAN);
    Ok(format!(
        "{}\n\n| watched, s | frames shown | gaps over 300 ms | longest gap, ms | delay of the last 10 s against seconds 10 to 20, ms | script heap, MB |\n\
         |---|---|---|---|---|---|\n| {} | {} | {} | {} | {:+} | {} |\n",
        circumstances(),
        plan.steady_seconds,
        field("frames"),
        field("stalls"),
        field("longest_gap_ms"),
        field("drift_ms"),
        field("heap_mb")
    ))
}

/// An hour over a link that is slow, late and at times silent; half of a core is enough for it, so other work beside it does no harm.
pub fn hour(rig: &Rig, plan: Plan) -> Result<String> {
    let server = rig.madang(None)?;
    let _publisher = publish_clock(rig, &server, QUIET)?;
    server.wait_until_delivered()?;
    let (port, _link) = rig.link(&server, &["delay=20", "jitter=10", "rate=8000", "stall=300:5000"])?;
    let answer = browser(rig, "long", "page", &format!("http://127.0.0.1:{port}/rooms/bench"), plan.hour_seconds)?;
    println!("  {answer}");
    let field = |name: &str| number(&answer, name).unwrap_or(f64::NAN);
    Ok(format!(
        "{}\n\nThe room's page over `benches/relay.mjs` with 20 ms delay, 10 ms jitter, 8 Mbit/s, and nothing at all for 5 s in each five minutes. Delays are medians of a \
         minute. The script's heap holds what this measurement notes, too. The greatest rate was {:.2} off 1, and preservesPitch was {}.\n\n\
         | watched, s | gaps over 300 ms | longest gap, ms | delay after 20 s, ms | delay at the end, ms | changes of rate | script heap, MB, at 3 min and at the end | \
         WebAssembly memory, MB, at 3 min and at the end |\n|---|---|---|---|---|---|---|---|\n| {} | {} | {} | {} | {} | {} | {}, {} | {}, {} |\n",
        circumstances(),
        field("fastest"),
        if field("pitch") == 1.0 { "on" } else { "off" },
        field("seconds"),
        field("gaps"),
        field("longest_gap_ms"),
        field("before_ms"),
        field("after_ms"),
        field("rates"),
        field("heap_before_mb"),
        field("heap_after_mb"),
        field("wasm_before_mb"),
        field("wasm_after_mb")
    ))
}

/// One page, watched for `seconds`; glass.mjs' answer.
fn browser(rig: &Rig, mode: &str, player: &str, url: &str, seconds: u32) -> Result<String> {
    let seconds = seconds.to_string();
    rig.in_browser("glass.mjs", &[mode.as_ref(), player.as_ref(), url.as_ref(), seconds.as_ref()])
        .cannot(format!("watch {url}"))
}

/// Publishes frames that carry their own clock. The frames' maker ends with the encoder.
fn publish_clock(rig: &Rig, server: &Running, scene: Scene) -> Result<(Guarded, Guarded)> {
    let (width, height, gop) = (scene.width.to_string(), scene.height.to_string(), scene.gop.to_string());
    let mut frames = Command::new(rig.tool("clocksrc"));
    frames.args([&width, &height, "30", "86400"]).stdout(Stdio::piped());
    let mut frames = guard::spawn(&mut frames).cannot("start clocksrc")?;
    let pipe = frames.child.stdout.take().ok_or_else(|| Failure::new("clocksrc has no output"))?;
    let mut ffmpeg = Command::new(on_path("ffmpeg").ok_or_else(|| Failure::new("ffmpeg is not on PATH"))?);
    // Without a look ahead: half a second of frames read before the start would put the picture so far ahead of its sound.
    ffmpeg.args(["-v", "quiet", "-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer"]);
    ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", &format!("{width}x{height}"), "-r", "30", "-i", "-"]);
    // Sound is made as the picture needs it. Paced by a clock of its own (`-re`) it holds each frame back until its time has come.
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"]);
    ffmpeg.args(LIVE_H264).args(["-b:v", "1500k", "-g", &gop, "-sc_threshold", "0"]);
    // Each packet as soon as it is there: what is measured is the way from here on.
    ffmpeg.args([
        "-c:a",
        "aac",
        "-b:a",
        "128k",
        "-max_interleave_delta",
        "1",
        "-flush_packets",
        "1",
        "-f",
        "flv",
        &server.publish_to(),
    ]);
    let encoder = guard::spawn(ffmpeg.stdin(pipe)).cannot("start ffmpeg")?;
    Ok((encoder, frames))
}
