//! Delay from the encoder's input to the screen, and minutes of steady watching, in a real browser.

use super::{
    Plan,
    report::{caveat, circumstances, median, number, spread},
    rig::{Rig, Running},
};
use crate::{
    failure::{Context, Failure, Result},
    guard::{self, Guarded},
    process::on_path,
    setup,
};
use std::{
    fmt::Write as _,
    process::{Command, Stdio},
};

/// Who shows the stream.
const SIDES: [(&str, &str, &str); 3] = [
    ("madang, room page, as it comes", "clock", "/rooms/bench"),
    ("madang, room page, lowest delay", "clock", "/rooms/bench?delay=lowest"),
    ("flv.js 1.6.2, bare page", "clock-flvjs", "/live/bench.flv"),
];

/// All sides in turn on one stream: our room page, and flv.js at the same address.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let seconds = plan.seconds + plan.seconds / 2;
    let server = rig.madang(None)?;
    let _publisher = publish_clock(rig, &server)?;
    server.wait_until_delivered()?;
    let mut runs: Vec<Vec<String>> = vec![Vec::new(); SIDES.len()];
    for pair in 0..plan.pairs {
        let mut order: Vec<usize> = (0..SIDES.len()).collect();
        if pair % 2 == 1 {
            order.reverse();
        }
        for side in order {
            let (Some((name, mode, path)), Some(runs)) = (SIDES.get(side), runs.get_mut(side)) else { continue };
            let answer = browser(rig, mode, &server.url(path), seconds)?;
            println!("  {name:34} {answer}");
            runs.push(answer);
        }
    }
    let mut text = format!("{}{}\n\n", circumstances(), caveat(plan.pairs));
    let _ = writeln!(
        text,
        "640x360 at 30 frames a second, x264 zerolatency, a key frame each second, AAC; server, encoder and headless Chromium on one machine; \
         {seconds} s a run, {} runs each, in turn on one stream. Medians (least to greatest); stalls are gaps over 300 ms between shown frames, all runs together.\n",
        plan.pairs
    );
    text +=
        "| player | delay p50, ms | delay p95, ms | stalls | page open to first frame, ms |\n|---|---|---|---|---|\n";
    let figure =
        |runs: &[String], name: &str| -> Vec<f64> { runs.iter().filter_map(|run| number(run, name)).collect() };
    for ((name, ..), runs) in SIDES.iter().zip(&runs) {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {:.0} | {} |",
            spread(&figure(runs, "p50"), 0),
            spread(&figure(runs, "p95"), 0),
            figure(runs, "stalls").iter().sum::<f64>(),
            spread(&figure(runs, "join_ms"), 0)
        );
    }
    let p50 = |side: usize| runs.get(side).and_then(|runs| median(&figure(runs, "p50")));
    if let (Some(ours), Some(theirs)) = (p50(0), p50(2)) {
        let _ = writeln!(text, "\nThe room page is {:.2} times as late as flv.js.", ours / theirs);
    }
    Ok(text)
}

/// The issue's own measure: a file published with `-c copy`, watched for five minutes.
pub fn steady(rig: &Rig, plan: Plan) -> Result<String> {
    let server = rig.madang(None)?;
    let _publisher = rig.publish(&server, None)?;
    let answer = browser(rig, "steady", &server.url("/rooms/bench"), plan.steady_seconds)?;
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

/// One page, watched for `seconds`; glass.mjs' answer.
fn browser(rig: &Rig, mode: &str, url: &str, seconds: u32) -> Result<String> {
    let mut glass = Command::new("node");
    glass.arg(rig.project.root.join("benches/glass.mjs")).args([mode, url, &seconds.to_string()]);
    if let Some(browser) = setup::browser() {
        glass.env("CHROMIUM", browser);
    }
    let output = glass.stderr(Stdio::inherit()).output().cannot("start node")?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && text.starts_with('{') {
        Ok(text)
    } else {
        Err(Failure::new(format!("nothing was shown at {url}")))
    }
}

/// Publishes frames that carry their own clock. The frames' maker ends with the encoder.
fn publish_clock(rig: &Rig, server: &Running) -> Result<(Guarded, Guarded)> {
    let mut frames = Command::new(rig.tool("clocksrc"));
    frames.args(["640", "360", "30", "86400"]).stdout(Stdio::piped());
    let mut frames = guard::spawn(&mut frames).cannot("start clocksrc")?;
    let pipe = frames.child.stdout.take().ok_or_else(|| Failure::new("clocksrc has no output"))?;
    let mut ffmpeg = Command::new(on_path("ffmpeg").ok_or_else(|| Failure::new("ffmpeg is not on PATH"))?);
    // Without a look ahead: half a second of frames read before the start would put the picture so far ahead of its sound.
    ffmpeg.args(["-v", "quiet", "-probesize", "32", "-analyzeduration", "0", "-fflags", "nobuffer"]);
    ffmpeg.args(["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "640x360", "-r", "30", "-i", "-"]);
    // Sound is made as the picture needs it. Paced by a clock of its own (`-re`) it holds each frame back until its time has come.
    ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=330:sample_rate=48000"]);
    ffmpeg.args([
        "-c:v",
        "libx264",
        "-preset",
        "veryfast",
        "-tune",
        "zerolatency",
        "-b:v",
        "1500k",
        "-g",
        "30",
        "-sc_threshold",
        "0",
    ]);
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
