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
use std::{
    fmt::Write as _,
    io::{BufReader, Read as _},
    path::Path,
    process::Stdio,
    time::Duration,
};

/// People in the room, those who speak, and what they say in a second.
const MEMBERS: u32 = 1_000;
const SPEAKERS: u32 = 50;
const MESSAGES_PER_S: u32 = 50;
/// People who say nothing, for memory.
const IDLE_MEMBERS: u32 = 10_000;
/// A large room, and a small one beside it: people in each, those who speak, what they say in a second.
const LARGE: (u32, u32, &str) = (8_000, 50, "50");
const SMALL: (u32, u32, &str) = (10, 10, "10");
const SMALL_ROOM: &str = "small";
/// Seconds that the large room speaks before and after the small one is measured: its members come, settle and go meanwhile.
const AROUND_S: u32 = 8;
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
    neighbours(rig, plan, &mut text)?;
    memory(rig, idle, &mut text)?;
    Ok(text)
}

/// What a small room notices of a large busy one on the same core. Neither one's load may starve the other's: the large room's is
/// nice.
fn neighbours(rig: &Rig, plan: Plan, text: &mut String) -> Result<()> {
    let members = if plan.keep { LARGE.0 } else { 400 };
    let (small, _, per_second) = SMALL;
    let _ = writeln!(
        text,
        "\nA room of {small} in which {per_second} messages a second are said, alone and beside one of {members} with {} a second:\n",
        LARGE.2
    );
    *text += "| | delay p50, ms | delay p99, ms |\n|---|---|---|\n";
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for pair in 0..plan.pairs.min(3) {
        let order = if pair % 2 == 0 { [0, members] } else { [members, 0] };
        for members in order {
            let run = small_room(rig, plan, members)?;
            println!("  a room of {small} beside {members:5} {run}");
            if members == 0 { &mut alone } else { &mut beside }.push(run);
        }
    }
    let figures = |runs: &[String], field: &str| runs.iter().filter_map(|run| number(run, field)).collect::<Vec<_>>();
    for (name, runs) in [("alone", &alone), ("beside it", &beside)] {
        let (p50, p99) = (figures(runs, "delay_ms_p50"), figures(runs, "delay_ms_p99"));
        let _ = writeln!(text, "| {name} | {} | {} |", spread(&p50, 1), spread(&p99, 1));
    }
    let p99 = |runs: &[String]| median(&figures(runs, "delay_ms_p99"));
    if let (Some(alone), Some(beside)) = (p99(&alone), p99(&beside)) {
        let _ =
            writeln!(text, "\nBeside it the p99 is {:.2} times that of alone; at most 2 is the goal.", beside / alone);
    }
    Ok(())
}

/// Measures the small room with so many members in the large one, which speaks all the while.
fn small_room(rig: &Rig, plan: Plan, members: u32) -> Result<String> {
    let server = Side::Madang("\"auto\"").start(rig)?;
    server.make_room(rig, SMALL_ROOM)?;
    let (_, speakers, per_second) = LARGE;
    let crowd = if members > 0 {
        let mut load = pinned(Some(LOAD_CORE), Path::new("nice"));
        load.args(["-n", "19"]).arg(rig.tool("wsload")).args(["madang", &server.port.to_string(), ROOM]);
        load.args([&members.to_string(), &speakers.min(members).to_string(), per_second]);
        load.args([&(plan.seconds + AROUND_S).to_string(), &server.pid().to_string()]).stdout(Stdio::piped());
        let crowd = guard::spawn(&mut load).cannot("start wsload")?;
        server.wait_for_figure("madang_chat_messages_total")?;
        Some(crowd)
    } else {
        None
    };
    let (small, speakers, per_second) = SMALL;
    let people = Crowd { members: small, speakers, per_second, seconds: plan.seconds };
    let (run, _) = fill(rig, &server, "madang", SMALL_ROOM, &people, None)?;
    if let Some(mut crowd) = crowd {
        let mut told = String::new();
        let output = crowd.child.stdout.take().ok_or_else(|| Failure::new("wsload has no output"))?;
        BufReader::new(output).read_to_string(&mut told).cannot("hear wsload")?;
        println!("  the {members} beside it{:18} {}", "", told.trim());
        if number(&told, "delivered_share").is_none_or(|share| share < 0.9999) {
            return Err(Failure::new(format!("the large room was not served: {}", told.trim())));
        }
    }
    Ok(run)
}

/// Which window a room chooses by itself, and how late its messages are.
fn windows(rig: &Rig, plan: Plan, text: &mut String) -> Result<()> {
    *text += "\nWith the window that follows the room (`auto`):\n\n| members | messages a second | window it chose, ms | delay p50, ms | delay p99, ms |\n|---|---|---|---|---|\n";
    let small = if plan.keep { ROOMS.len() } else { 2 };
    for (members, speakers, per_second) in ROOMS.into_iter().take(small) {
        let crowd = Crowd { members, speakers, per_second, seconds: plan.seconds };
        let server = Side::Madang("\"auto\"").start(rig)?;
        let (run, windows) = fill(rig, &server, "madang", ROOM, &crowd, Some(WINDOW))?;
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
    fill(rig, &server, side.protocol(), ROOM, crowd, None).map(|(run, _)| run)
}

/// Fills a room of `server`; gives what was measured in it, and `metric` as it was each half second.
fn fill(
    rig: &Rig,
    server: &Running,
    protocol: &str,
    room: &str,
    crowd: &Crowd<'_>,
    metric: Option<&str>,
) -> Result<(String, Vec<f64>)> {
    let mut load = pinned(Some(LOAD_CORE), &rig.tool("wsload"));
    load.args([protocol, &server.port.to_string(), room, &crowd.members.to_string()]);
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
