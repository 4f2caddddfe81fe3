//! The connection behind [`Realtime`]: opens it, keeps it alive, opens it again. Browser only.

use super::{Connection, Realtime, topics::Topics};
use crate::{
    chat::talk::Talk,
    clock::browser_now,
    listen::{Listening, Ticking, every, listen, on_window, sleep},
    reactive::Kept,
};
use leptos::prelude::*;
use madang_protocol::{
    PROTOCOL_VERSION, UnixMillis,
    realtime::{ClientMessage, Refusal, ServerEvent},
    wire::{self, Json, Wire},
};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::{Future, poll_fn},
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, WebSocket};

/// Least and most time between two attempts.
const RETRY_MIN_MS: u32 = 500;
const RETRY_MAX_MS: u32 = 20_000;
/// How often the connection is looked after.
const TICK_MS: i32 = 1_000;
/// How often a ping asks whether the server is there: a dead path is otherwise noticed only by the next thing said.
const PING_EVERY_MS: i64 = 20_000;
/// How long the first message, and the answer to a ping, may take.
const ANSWER_WITHIN_MS: i64 = 10_000;
/// Where the tab remembers for which build of the server it has reloaded last, so that it does so once for each.
const RELOADED: &str = "madang.reloaded";

/// The open socket, for whoever has something to say.
#[derive(Clone, Copy)]
pub(super) struct Handle(Kept<Option<Rc<Open>>>);

/// A socket, and what came of it and was not yet looked at.
struct Open {
    socket: WebSocket,
    inputs: RefCell<VecDeque<Input>>,
    waker: Cell<Option<Waker>>,
    kept: RefCell<Option<([Listening; 3], Ticking)>>,
}

impl Handle {
    pub(super) fn new() -> Self {
        Self(Kept::new(None))
    }

    /// Sends when connected; otherwise drops it (see [`Realtime::say`]).
    pub(super) fn say(self, message: &ClientMessage) {
        if let Some(open) = self.0.try_get_value().flatten() {
            // A browser's socket takes text at once. A failure is a closing socket, which the reading side notices.
            let _ = open.socket.send_with_str(&wire::to_text(message));
        }
    }

    /// Ends the connection that stands, if any; the next one is opened at once.
    pub(super) fn close(self) {
        if let Some(open) = self.0.try_get_value().flatten() {
            open.put(Input::Over);
        }
    }
}

/// Connects, for as long as the tab lives.
pub(super) fn start(realtime: Realtime) {
    let nudge = Rc::new(Nudge::default());
    let online = Rc::clone(&nudge);
    on_window("online", move |_| online.give());
    let shown = Rc::clone(&nudge);
    on_window("visibilitychange", move |_| {
        if !document().hidden() {
            shown.give();
        }
    });
    leptos::task::spawn_local(async move {
        let mut heard = browser_now();
        let mut attempt = 0;
        loop {
            let end = serve(realtime, &mut heard).await;
            realtime.socket.0.set_value(None);
            for talk in realtime.topics.try_with_untracked(Topics::talks).unwrap_or_default() {
                talk.update(Talk::lost);
            }
            match end {
                End::Asked => continue,
                End::Stood => attempt = 0,
                End::Failed => {}
            }
            let since = match realtime.connection.get_untracked() {
                Connection::Lost { since, .. } => since,
                _ => browser_now(),
            };
            realtime.connection.set(Connection::Lost { since, heard });
            let mut pause = Box::pin(sleep(pause_ms(attempt, js_sys::Math::random()) as i32));
            attempt += 1;
            nudge.forget();
            let nudged = poll_fn(|cx| match nudge.poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => pause.as_mut().poll(cx).map(|()| false),
            });
            if nudged.await {
                attempt = 0;
            }
        }
    });
}

/// How long to wait before the attempt after `attempt` failed ones: full jitter between the least pause and a ceiling that doubles,
/// so that a server's restart does not bring every tab back in the same instant. `random` is in 0..1.
fn pause_ms(attempt: u32, random: f64) -> u32 {
    let ceiling = RETRY_MIN_MS.saturating_mul(2 << attempt.min(10)).min(RETRY_MAX_MS);
    RETRY_MIN_MS + (f64::from(ceiling - RETRY_MIN_MS) * random) as u32
}

enum Input {
    /// A message: text, or `None` for what is none.
    Heard(Option<String>),
    Broken,
    Tick,
    Over,
}

/// How a connection went.
enum End {
    /// It never stood.
    Failed,
    /// It stood, and broke.
    Stood,
    /// This page ended it.
    Asked,
}

/// One connection, from opening to its end. `heard` is when the last message came.
async fn serve(realtime: Realtime, heard: &mut UnixMillis) -> End {
    let Some(open) = address().and_then(|url| Open::new(&url)) else { return End::Failed };
    let now = browser_now();
    let mut line = Line { realtime, open, opened: now, heard: *heard, asked: now, stands: false, build: String::new() };
    let end = loop {
        // By hand: streams and the combinators of `futures` for the same are many times as large in the browser.
        let input = poll_fn(|cx| line.open.poll(cx)).await;
        if let Some(end) = line.handle(input) {
            break end;
        }
    };
    *heard = line.heard;
    end
}

impl Open {
    fn new(url: &str) -> Option<Rc<Self>> {
        let socket = WebSocket::new(url).ok()?;
        let (inputs, waker, kept) = (RefCell::default(), Cell::default(), RefCell::default());
        let open = Rc::new(Self { socket, inputs, waker, kept });
        let hear = |name, read: fn(JsValue) -> Input| {
            let open = Rc::downgrade(&open);
            let put = move |event| put(&open, read(event));
            (name, put)
        };
        let text = |event: JsValue| Input::Heard(event.unchecked_ref::<MessageEvent>().data().as_string());
        let heard = [hear("message", text), hear("close", |_| Input::Broken), hear("error", |_| Input::Broken)];
        let heard = heard.map(|(name, put)| listen(&open.socket, name, Box::new(put)));
        let ticks = hear("", |_| Input::Tick).1;
        open.kept.replace(Some((heard, every(TICK_MS, Box::new(ticks)))));
        Some(open)
    }

    fn put(&self, input: Input) {
        self.inputs.borrow_mut().push_back(input);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    fn poll(&self, cx: &Context<'_>) -> Poll<Input> {
        let input = self.inputs.borrow_mut().pop_front();
        if input.is_none() {
            self.waker.set(Some(cx.waker().clone()));
        }
        input.map_or(Poll::Pending, Poll::Ready)
    }
}

fn put(open: &Weak<Open>, input: Input) {
    if let Some(open) = open.upgrade() {
        open.put(input);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // Of a socket that is closed already nothing more comes of it.
        let _ = self.socket.close();
    }
}

/// What is known of a connection.
struct Line {
    realtime: Realtime,
    open: Rc<Open>,
    opened: UnixMillis,
    /// When the last message came, on this connection or an earlier one.
    heard: UnixMillis,
    /// When the last ping was sent.
    asked: UnixMillis,
    /// Whether the server has said hello.
    stands: bool,
    /// The server's build, by its hello.
    build: String,
}

impl Line {
    /// Gives how the connection ended, if it has.
    fn handle(&mut self, input: Input) -> Option<End> {
        let broken = Some(if self.stands { End::Stood } else { End::Failed });
        let now = browser_now();
        match input {
            Input::Heard(message) => {
                self.heard = now;
                let text = message?;
                let Some(Json::List(told)) = wire::parse(&text) else { return broken };
                let events: Vec<ServerEvent> = told.iter().filter_map(ServerEvent::read).collect();
                if events.len() < told.len() {
                    // Words this page does not know: the server is newer. What it does know goes on.
                    reload_for(self.realtime, &self.build);
                }
                events.into_iter().find_map(|event| self.told(event, now))
            }
            Input::Broken => broken,
            Input::Over => Some(End::Asked),
            Input::Tick if !self.stands => broken.filter(|_| now.since(self.opened) > ANSWER_WITHIN_MS),
            Input::Tick if self.asked > self.heard && now.since(self.asked) > ANSWER_WITHIN_MS => broken,
            Input::Tick => {
                if now.since(self.asked) >= PING_EVERY_MS {
                    self.asked = now;
                    self.realtime.say(&ClientMessage::Ping);
                }
                None
            }
        }
    }

    fn told(&mut self, event: ServerEvent, now: UnixMillis) -> Option<End> {
        let realtime = self.realtime;
        let mut stood = false;
        if let ServerEvent::Hello { protocol, build, .. } = &event {
            self.build.clone_from(build);
            if *protocol != PROTOCOL_VERSION {
                reload_for(realtime, build);
                return Some(End::Failed);
            }
            (self.stands, stood) = (true, true);
            note_build(realtime, build);
            realtime.socket.0.set_value(Some(Rc::clone(&self.open)));
            realtime.connection.set(Connection::Open);
        }
        if matches!(event, ServerEvent::Refused { reason: Refusal::NotLetIn }) {
            // What let this browser into the room is over: the server has the page that says so.
            let _ = window().location().reload();
        }
        let change = realtime.topics.try_update_untracked(|topics| topics.told(event)).flatten();
        let mut answers = change.map(|change| change.apply(now)).unwrap_or_default();
        if stood {
            answers = realtime.topics.try_with_untracked(Topics::joined).unwrap_or_default();
        }
        for message in answers {
            realtime.say(&message);
        }
        None
    }
}

/// The first build that a page meets is the one that made it; another one later means that the server was updated.
fn note_build(realtime: Realtime, build: &str) {
    let known = realtime.build.get_untracked();
    if known.is_empty() {
        realtime.build.set(build.to_owned());
    } else if known != build {
        realtime.outdated.set(true);
    }
}

/// Where the channel is, seen from this page.
fn address() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws", location.host().ok()?))
}

/// Loads the page anew, to get the program that fits the server. Once for each of the server's builds, lest it never stop: where
/// that did not help, people are told.
fn reload_for(realtime: Realtime, build: &str) {
    realtime.outdated.set(true);
    let Ok(Some(storage)) = window().session_storage() else { return };
    let last = storage.get_item(RELOADED).ok().flatten();
    if last.as_deref() != Some(build) && storage.set_item(RELOADED, build).is_ok() {
        let _ = window().location().reload();
    }
}

/// A reason not to wait any longer: the network is back, or the tab is looked at.
#[derive(Default)]
struct Nudge {
    given: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl Nudge {
    fn give(&self) {
        self.given.set(true);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }

    /// What was given before is old.
    fn forget(&self) {
        self.given.set(false);
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        if self.given.take() {
            return Poll::Ready(());
        }
        self.waker.replace(Some(cx.waker().clone()));
        Poll::Pending
    }
}
