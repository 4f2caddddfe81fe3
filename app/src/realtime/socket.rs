//! The connection behind [`Realtime`]: opens it, keeps it alive, opens it again. Browser only.

use super::{Connection, Realtime, topics::Topics};
use crate::{chat::talk::Talk, clock::browser_now};
use futures_util::{Sink, Stream};
use gloo_net::websocket::{Message, futures::WebSocket};
use gloo_timers::future::{IntervalStream, TimeoutFuture};
use leptos::{ev, prelude::*};
use madang_protocol::{
    PROTOCOL_VERSION, UnixMillis,
    realtime::{ClientMessage, Refusal, ServerEvent},
    wire::{self, Json, Wire},
};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

/// Least and most time between two attempts.
const RETRY_MIN_MS: u32 = 500;
const RETRY_MAX_MS: u32 = 20_000;
/// How often the connection is looked after.
const TICK_MS: u32 = 1_000;
/// How often a ping asks whether the server is there: a dead path is otherwise noticed only by the next thing said.
const PING_EVERY_MS: i64 = 20_000;
/// How long the first message, and the answer to a ping, may take.
const ANSWER_WITHIN_MS: i64 = 10_000;
/// Where the tab remembers for which build of the server it has reloaded last, so that it does so once for each.
const RELOADED: &str = "madang.reloaded";

/// The open socket, for whoever has something to say.
#[derive(Clone, Copy)]
pub(super) struct Handle(StoredValue<Option<Rc<Open>>, LocalStorage>);

/// A socket that stands, and the wish that it end.
struct Open {
    socket: RefCell<WebSocket>,
    over: Nudge,
}

impl Handle {
    pub(super) fn new() -> Self {
        Self(StoredValue::new_local(None))
    }

    /// Sends when connected; otherwise drops it (see [`Realtime::say`]).
    pub(super) fn say(self, message: &ClientMessage) {
        if let Some(open) = self.0.try_get_value().flatten() {
            let text = wire::to_text(message);
            // A browser's socket takes text at once. A failure is a closing socket, which the reading side notices.
            let _ = Pin::new(&mut *open.socket.borrow_mut()).start_send(Message::Text(text));
        }
    }

    /// Ends the connection that stands, if any; the next one is opened at once.
    pub(super) fn close(self) {
        if let Some(open) = self.0.try_get_value().flatten() {
            open.over.give();
        }
    }
}

/// Connects, for as long as the tab lives.
pub(super) fn start(realtime: Realtime) {
    let nudge = Rc::new(Nudge::default());
    let online = Rc::clone(&nudge);
    window_event_listener(ev::online, move |_| online.give());
    let shown = Rc::clone(&nudge);
    window_event_listener_untyped("visibilitychange", move |_| {
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
            for talk in realtime.topics.try_with_value(Topics::talks).unwrap_or_default() {
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
            let mut pause = TimeoutFuture::new(pause_ms(attempt, js_sys::Math::random()));
            attempt += 1;
            nudge.forget();
            let nudged = poll_fn(|cx| match nudge.poll(cx) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending => Pin::new(&mut pause).poll(cx).map(|()| false),
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
    Heard(Message),
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
    let Some(socket) = address().and_then(|url| WebSocket::open(&url).ok()) else { return End::Failed };
    let open = Rc::new(Open { socket: RefCell::new(socket), over: Nudge::default() });
    let now = browser_now();
    let mut line = Line { realtime, open, opened: now, heard: *heard, asked: now, stands: false, build: String::new() };
    let mut ticks = IntervalStream::new(TICK_MS);
    let end = loop {
        // By hand: the combinators of `futures` for the same are many times as large in the browser.
        let input = poll_fn(|cx| line.open.poll(cx, &mut ticks)).await;
        if let Some(end) = line.handle(input) {
            break end;
        }
    };
    *heard = line.heard;
    end
}

impl Open {
    fn poll(&self, cx: &mut Context<'_>, ticks: &mut IntervalStream) -> Poll<Input> {
        if self.over.poll(cx).is_ready() {
            return Poll::Ready(Input::Over);
        }
        if let Poll::Ready(message) = Pin::new(&mut *self.socket.borrow_mut()).poll_next(cx) {
            return Poll::Ready(message.and_then(Result::ok).map_or(Input::Broken, Input::Heard));
        }
        Pin::new(ticks).poll_next(cx).map(|_| Input::Tick)
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
                let Message::Text(text) = message else { return None };
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
        let change = realtime.topics.try_update_value(|topics| topics.told(event)).flatten();
        let mut answers = change.map(|change| change.apply(now)).unwrap_or_default();
        if stood {
            answers = realtime.topics.try_with_value(Topics::joined).unwrap_or_default();
        }
        for message in answers {
            realtime.say(&message);
        }
        None
    }
}

/// The first build that a page meets is the one that made it; another one later means that the server was updated.
fn note_build(realtime: Realtime, build: &str) {
    let known = realtime.build.get_value();
    if known.is_empty() {
        realtime.build.set_value(build.to_owned());
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
