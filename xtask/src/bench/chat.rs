//! CPU seconds for each million messages delivered to a room full of people, and memory for each of them: madang and socket.io.

use super::{
    Plan,
    report::{circumstances, median, number, spread},
    rig::{LOAD_CORE, ROOM, Rig, Running, SERVER_CORE, pinned},
};
use crate::{
    failure::{Context as _, Failure, Result},
    guard,
};
use std::{fmt::Write as _, io::Read as _, process::Stdio, time::Duration};

/// People in the room, those who speak, and what they say in a second.
const MEMBERS: u32 = 1_000;
const SPEAKERS: u32 = 50;
const MESSAGES_PER_S: u32 = 50;
/// People who say nothing, for memory.
const IDLE_MEMBERS: u32 = 10_000;
/// Rooms in which the chosen window is looked at: members, speakers, messages a second.
const ROOMS: [(u32, u32, &str); 4] = [(2, 2, "0.5"), (10, 10, "5"), (100, 50, "50"), (1_000, 50, "50")];

/// Where a server says how long it gathers messages now, in seconds.
const WINDOW: &str = "madang_chat_window_seconds ";
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Madang(&'static str),
    SocketIo,
}

impl Side {
    const ALL: [Self; 4] = [Self::Madang("50"), Self::Madang("200"), Self::Madang("\"auto\""), Self::SocketIo];

    fn name(self) -> String {
        match self {
            Self::Madang(window) => format!("madang, window {}", window.trim_matches('"')),
            Self::SocketIo => "socket.io 4.8.4".to_owned(),
        }
    }

    const fn protocol(self) -> &'static str {
        match self {
            Self::Madang(_) => "madang",
            Self::SocketIo => "socketio",
        }
    }

    fn start(self, rig: &Rig) -> Result<Running> {
        match self {
            Self::Madang(window) => rig.madang_with(Some(SERVER_CORE), &[("MADANG_CHAT_WINDOW_MS", window)]),
            Self::SocketIo => rig.socket_io(Some(SERVER_CORE)),
        }
    }
}

/// A room to fill.
struct Crowd<'a> {
    members: u32,
    speakers: u32,
    per_second: &'a str,
    seconds: u32,
}

/// Measures all sides in turn, forwards and backwards, and gives the tables.
pub fn measure(rig: &Rig, plan: Plan) -> Result<String> {
    let members = if plan.keep { MEMBERS } else { 50 };
    let idle = if plan.keep { IDLE_MEMBERS } else { 200 };
    let per_second = MESSAGES_PER_S.to_string();
    let mut text = format!("{}\n\n", circumstances());
    let _ = writeln!(
        text,
        "{members} members of one room, {MESSAGES_PER_S} messages a second; each server alone on one core, the load on another; medians of {} \
         runs (least to greatest), in turn.\n",
        plan.pairs
    );
    text += "| server | CPU s per million deliveries | of socket.io's | delay p50, ms | delay p99, ms |\n|---|---|---|---|---|\n";
    let mut runs: Vec<(Side, String)> = Vec::new();
    for pair in 0..plan.pairs {
        let mut sides = Side::ALL;
        if pair % 2 == 1 {
            sides.reverse();
        }
        for side in sides {
            let crowd =
                Crowd { members, speakers: SPEAKERS.min(members), per_second: &per_second, seconds: plan.seconds };
            let run = one(rig, side, &crowd)?;
            println!("  {:28} {run}", side.name());
            runs.push((side, run));
        }
    }
    let figures = |side: Side, field: &str| -> Vec<f64> {
        let whole = |run: &&String| number(run, "delivered_share").is_some_and(|share| share > 0.9999);
        let own = runs.iter().filter(|(s, _)| *s == side).map(|(_, run)| run);
        own.filter(whole).filter_map(|run| number(run, field)).collect()
    };
    let theirs = median(&figures(Side::SocketIo, "cpu_s_per_million"));
    for side in Side::ALL {
        let cpu = figures(side, "cpu_s_per_million");
        let Some(middle) = median(&cpu) else {
            let _ = writeln!(text, "| {} | does not count: not everything was delivered | | | |", side.name());
            continue;
        };
        let ratio = theirs.map_or("?".to_owned(), |theirs| format!("{:.3}", middle / theirs));
        let _ = writeln!(
            text,
            "| {} | {} | {ratio} | {} | {} |",
            side.name(),
            spread(&cpu, 2),
            spread(&figures(side, "delay_ms_p50"), 1),
            spread(&figures(side, "delay_ms_p99"), 1)
        );
    }
    windows(rig, plan, &mut text)?;
    memory(rig, idle, &mut text)?;
    Ok(text)
}

/// Which window a room chooses by itself, and how late its messages are.
fn windows(rig: &Rig, plan: Plan, text: &mut String) -> Result<()> {
    *text += "\nWith the window that follows the room (`auto`):\n\n| members | messages a second | window it chose, ms | delay p50, ms | delay p99, ms |\n|---|---|---|---|---|\n";
    let small = if plan.keep { ROOMS.len() } else { 2 };
    for (members, speakers, per_second) in ROOMS.into_iter().take(small) {
        let crowd = Crowd { members, speakers, per_second, seconds: plan.seconds };
        let server = Side::Madang("\"auto\"").start(rig)?;
        let (run, windows) = crowded(rig, Side::Madang("\"auto\""), &crowd, &server, Some(WINDOW))?;
        let field = |name: &str| number(&run, name).unwrap_or(f64::NAN);
        let (p50, p99) = (field("delay_ms_p50"), field("delay_ms_p99"));
        // The last of them are from while people spoke.
        let last = windows.get(windows.len().saturating_sub(plan.seconds as usize)..).unwrap_or_default();
        let window = median(last).unwrap_or(f64::NAN) * 1e3;
        let _ = writeln!(text, "| {members} | {per_second} | {window:.0} | {p50:.1} | {p99:.1} |");
    }
    Ok(())
}

/// What a member costs who says nothing.
fn memory(rig: &Rig, members: u32, text: &mut String) -> Result<()> {
    *text += "\n| server | idle members | resident memory each, KB |\n|---|---|---|\n";
    for side in [Side::Madang("\"auto\""), Side::SocketIo] {
        let run = one(rig, side, &Crowd { members, speakers: 1, per_second: "0", seconds: 1 })?;
        let field = |name: &str| number(&run, name).unwrap_or(f64::NAN);
        let each = (field("rss_kb") - field("rss_kb_before")) / f64::from(members);
        println!("  {:28} {each:.1} KB a member", side.name());
        let _ = writeln!(text, "| {} | {members} | {each:.1} |", side.name());
    }
    Ok(())
}

fn one(rig: &Rig, side: Side, crowd: &Crowd<'_>) -> Result<String> {
    let server = side.start(rig)?;
    crowded(rig, side, crowd, &server, None).map(|(run, _)| run)
}

/// Fills a room of `server`; gives what the load says, and `metric` as it was each half second.
fn crowded(
    rig: &Rig,
    side: Side,
    crowd: &Crowd<'_>,
    server: &Running,
    metric: Option<&str>,
) -> Result<(String, Vec<f64>)> {
    let mut load = pinned(Some(LOAD_CORE), &rig.tool("wsload"));
    load.args([side.protocol(), &server.port.to_string(), ROOM, &crowd.members.to_string()]);
    load.args([&crowd.speakers.to_string(), crowd.per_second, &crowd.seconds.to_string(), &server.pid().to_string()]);
    let mut load = guard::spawn(load.stdout(Stdio::piped())).cannot("start wsload")?;
    let mut seen = Vec::new();
    while load.child.try_wait().cannot("wait for wsload")?.is_none() {
        std::thread::sleep(LOOK_EVERY);
        seen.extend(metric.and_then(|metric| server.metric(metric)));
    }
    let mut text = String::new();
    let mut answer = load.child.stdout.take().ok_or_else(|| Failure::new("wsload has no output"))?;
    answer.read_to_string(&mut text).cannot("read what wsload says")?;
    let text = text.trim().to_owned();
    if text.starts_with('{') { Ok((text, seen)) } else { Err(Failure::new("wsload gave no answer")) }
}
