//! The browser side of the player: carries out the engine's commands on fetch, MediaSource and the video element, and
//! reports their events. Takes no decision.
//!
//! Everything hangs on one [`Player`]; callbacks hold weak references, and dropping it ends them all.

mod dom;
mod fetch;
pub mod frames;
mod reader;
mod screen;
mod socket;
mod source;

use crate::{
    Delay, PlayerEvent, Stats, Unsupported,
    engine::{Abilities, Engine, Input, Output, View, Way},
};
use dom::{Frames, Listener, Picture};
use gloo_timers::callback::Interval;
use source::{Path, Source};
use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    pin::Pin,
    rc::{Rc, Weak},
};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlVideoElement;

/// Pace of the engine's clock while nothing else happens.
const TICK_MS: u32 = 200;

/// Plays one room in one video element, until dropped.
///
/// Dropping it aborts the request (answered or not), takes the media source out of the element, and removes every
/// listener; the element can be used for another player after that.
pub struct Player {
    inner: Rc<Inner>,
}

struct Inner {
    video: HtmlVideoElement,
    url: String,
    window: web_sys::Window,
    clock: web_sys::Performance,
    on_event: Box<dyn Fn(PlayerEvent)>,
    path: Path,
    engine: RefCell<Engine>,
    inputs: RefCell<VecDeque<Input>>,
    /// An input is being handled; others wait their turn.
    busy: Cell<bool>,
    closed: Cell<bool>,
    source: RefCell<Option<Source>>,
    /// How frames are shown one by one, once the page has offered that; and the screen that does, with its number.
    opening: Cell<Option<frames::Opening>>,
    screen: RefCell<Option<(u32, Rc<dyn frames::Screen>)>>,
    request: RefCell<Option<Request>>,
    listeners: RefCell<Vec<Listener>>,
    timer: RefCell<Option<Interval>>,
    picture: Picture,
    frames: Cell<Frames>,
}

/// The stream's connection. Dropping it ends it.
enum Request {
    Fetch(fetch::Fetch),
    Socket(socket::Socket),
}

impl Request {
    const fn connection(&self) -> u32 {
        match self {
            Self::Fetch(fetch) => fetch.connection,
            Self::Socket(socket) => socket.connection,
        }
    }
}

impl Player {
    /// Starts to play `url` (HTTP-FLV) in `video`. The server's clock is `server_ahead_ms` ahead of the browser's. `on_event` is called
    /// from the event loop, never from inside this function, and may drop the player.
    ///
    /// # Errors
    /// When the browser lacks what playing needs; nothing has been touched then.
    pub fn new(
        video: HtmlVideoElement,
        url: String,
        delay: Delay,
        server_ahead_ms: i64,
        on_event: impl Fn(PlayerEvent) + 'static,
    ) -> Result<Self, Unsupported> {
        let window = web_sys::window().ok_or(Unsupported::NoWindow)?;
        let clock = window.performance().ok_or(Unsupported::NoWindow)?;
        let path = match (fetch::streams(&window), Path::find(&window)) {
            (true, Some(path)) => path,
            (streams, _) => {
                fetch::forget_early(&window);
                return Err(if streams { Unsupported::NoMediaSource } else { Unsupported::NoStreamingFetch });
            }
        };
        let document = window.document();
        let picture_apart = document.is_some_and(|document| dom::get(&document, "pictureInPictureEnabled").is_some());
        let abilities = Abilities { plays: source::plays, change_type: path.change_type(&window), picture_apart };
        let seed = (js_sys::Math::random() * 9.0e15) as u64;
        let engine = Engine::new(delay, abilities, seed, clock.now() as i64);
        dom::prepare(&video, path.managed());
        let inner = Rc::new(Inner {
            picture: Picture::default(),
            video,
            url,
            window,
            clock,
            on_event: Box::new(on_event),
            path,
            engine: RefCell::new(engine),
            inputs: RefCell::default(),
            busy: Cell::new(false),
            closed: Cell::new(false),
            source: RefCell::default(),
            opening: Cell::default(),
            screen: RefCell::default(),
            request: RefCell::default(),
            listeners: RefCell::default(),
            timer: RefCell::default(),
            frames: Cell::default(),
        });
        inner.listen(server_ahead_ms);
        inner.feed_soon(Input::Start);
        Ok(Self { inner })
    }

    /// Stands still until the viewer wants it to go on, be it in a tab that nobody looks at, where browsers halt what plays themselves.
    pub fn pause(&self) {
        self.inner.feed(Input::Pause);
        // Nothing to be told: it is paused, or has nothing to play.
        let _ = self.inner.video.pause();
    }

    /// Another delay setting, in force at once.
    pub fn set_delay(&self, delay: Delay) {
        self.inner.feed(Input::SetDelay(delay));
    }

    /// To the live edge, and on if paused.
    pub fn go_live(&self) {
        self.inner.feed(Input::GoLive);
    }

    /// Elsewhere in what is buffered: `by_s` seconds from where the picture is, less than zero back. Stays behind live until
    /// [`Self::go_live`], unless that is near live.
    pub fn rewind(&self, by_s: f64) {
        self.inner.feed(Input::Rewind { by_s });
    }

    /// Frames may be shown one by one from now on, where that is better. Once is enough.
    pub fn offer(&self, opening: frames::Opening) {
        self.inner.opening.set(Some(opening));
        self.inner.feed(Input::Offered);
    }

    /// What one can go back to: its length, and how far into it the picture is, in seconds. `None` without any.
    pub fn reach(&self) -> Option<(f64, f64)> {
        self.inner.engine.borrow().reach(&self.inner.view())
    }

    /// Tries again at once: the room says it is live, or the viewer asks.
    pub fn restart(&self) {
        self.inner.feed(Input::Restart);
    }

    /// Figures for the overlay.
    pub fn stats(&self) -> Stats {
        let inner = &self.inner;
        inner.count_frames();
        let view = inner.view();
        let mut stats = inner.engine.borrow().stats(inner.now_ms(), &view);
        let frames = inner.frames.get();
        stats.fps = frames.fps;
        let screen = inner.screen();
        let passed_over = screen.as_ref().map_or(0, |(_, screen)| screen.passed_over());
        stats.frames_total = frames.total + passed_over;
        stats.frames_dropped = frames.dropped + passed_over;
        stats.path = if screen.is_some() { "WebCodecs" } else { inner.path.name() };
        stats
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// What a video element shows now, on a canvas of at most 960 pixels' width. `None` before there is a picture.
pub fn picture(video: &HtmlVideoElement) -> Option<web_sys::HtmlCanvasElement> {
    dom::capture(video, &web_sys::window()?)
}

/// Ends the request for a stream that the page's HTML made, where no player will take it over.
pub fn forget_early() {
    if let Some(window) = web_sys::window() {
        fetch::forget_early(&window);
    }
}

impl Inner {
    fn now_ms(&self) -> i64 {
        self.clock.now() as i64
    }

    fn view(&self) -> View {
        let view = dom::view(&self.video);
        match &*self.screen.borrow() {
            Some((_, screen)) => {
                let (position_s, ranges) = screen.look();
                View { position_s, ranges, seeking: false, ..view }
            }
            None => view,
        }
    }

    /// Handles an input and everything that follows from it. An input that comes up meanwhile waits.
    fn feed(self: &Rc<Self>, input: Input) {
        if self.closed.get() {
            return;
        }
        self.inputs.borrow_mut().push_back(input);
        if self.busy.replace(true) {
            return;
        }
        loop {
            let next = self.inputs.borrow_mut().pop_front();
            let Some(input) = next else { break };
            if self.engine.borrow_mut().takes_unseen(&input) {
                continue;
            }
            let view = self.view();
            self.engine.borrow_mut().handle(self.now_ms(), input, &view);
            loop {
                let output = self.engine.borrow_mut().poll();
                let Some(output) = output else { break };
                self.carry_out(output);
                // A page may drop its player from an event.
                if self.closed.get() {
                    return;
                }
            }
        }
        self.busy.set(false);
    }

    /// Handles an input from the event loop.
    fn feed_soon(self: &Rc<Self>, input: Input) {
        let weak = Rc::downgrade(self);
        spawn(async move { feed(&weak, input) });
    }

    fn wants_data(&self) -> bool {
        self.engine.borrow().wants_data()
    }

    fn carry_out(self: &Rc<Self>, output: Output) {
        match output {
            Output::Open { connection, socket } => {
                let request = if socket {
                    socket::open(self, connection).map(Request::Socket)
                } else {
                    fetch::open(self, connection).map(Request::Fetch)
                };
                // The request before is aborted by being dropped.
                self.request.replace(request);
            }
            Output::Abort { connection } => self.drop_request(connection),
            Output::Build { source, way: Way::Frames, .. } => self.build_screen(source),
            Output::Build { source, tracks, .. } => self.build(source, tracks),
            Output::Configure { source, init } => self.with_screen(source, |screen| screen.configure(&init)),
            Output::Decode { source, fragment, offset_s } => {
                self.with_screen(source, |screen| screen.decode(&fragment, offset_s));
            }
            Output::Append { source, track, bytes, offset_s, change_type } => {
                let result = self.with_source(source, |s| s.append(track, &bytes, offset_s, change_type.as_deref()));
                match result {
                    Some(Ok(())) | None => {}
                    Some(Err(error)) if is_named(&error, "QuotaExceededError") => {
                        self.feed(Input::Full { source, track });
                    }
                    Some(Err(_)) => self.feed(Input::Broken { source }),
                }
            }
            Output::Remove { source, track, start_s, end_s } => {
                if let Some(Err(_)) = self.with_source(source, |s| s.remove(track, start_s, end_s)) {
                    self.feed(Input::Broken { source });
                }
            }
            Output::Seek { to_s } => match self.screen() {
                Some((_, screen)) => screen.seek(to_s),
                None => self.video.set_current_time(to_s),
            },
            Output::Rate(rate) => match self.screen() {
                Some((_, screen)) => screen.set_rate(rate),
                None => self.video.set_playback_rate(rate),
            },
            Output::Play => self.play(),
            Output::Mute => self.video.set_muted(true),
            Output::Event(event) => (self.on_event)(event),
        }
    }

    fn play(self: &Rc<Self>) {
        let Ok(promise) = self.video.play() else { return };
        let weak = Rc::downgrade(self);
        spawn(async move {
            match JsFuture::from(promise).await {
                Ok(_) => feed(&weak, Input::PlayGranted),
                Err(error) if is_named(&error, "NotAllowedError") => feed(&weak, Input::PlayRefused),
                // A new source or a pause came first.
                Err(_) => {}
            }
        });
    }

    fn build(self: &Rc<Self>, id: u32, tracks: Vec<(crate::intake::Track, String)>) {
        if let Some((_, mime)) = tracks.iter().find(|(_, mime)| !source::plays(mime)) {
            let mime = mime.clone();
            return self.feed(Input::NotPlayable { source: id, mime });
        }
        self.make_way();
        match Source::open(self, id, tracks) {
            Ok(source) => drop(self.source.replace(Some(source))),
            Err(_) => self.feed(Input::Broken { source: id }),
        }
    }

    /// The media source `id` is open: gives it its buffers, all of them before anything is appended.
    fn opened(self: &Rc<Self>, id: u32) {
        let failed = match self.source.borrow_mut().as_mut().filter(|source| source.id == id) {
            Some(source) => source.add_buffers(self).err(),
            None => return,
        };
        self.feed(match failed {
            None => Input::SourceOpen { source: id },
            Some((mime, error)) if is_named(&error, "NotSupportedError") => Input::NotPlayable { source: id, mime },
            Some(_) => Input::Broken { source: id },
        });
    }

    fn with_source<T>(&self, id: u32, act: impl FnOnce(&Source) -> T) -> Option<T> {
        self.source.borrow().as_ref().filter(|source| source.id == id).map(act)
    }

    fn drop_request(&self, connection: u32) {
        let current = self.request.borrow().as_ref().is_some_and(|request| request.connection() == connection);
        if current {
            self.request.replace(None);
        }
    }

    fn listen(self: &Rc<Self>, server_ahead_ms: i64) {
        let mut listeners = Vec::new();
        let video = self.video.as_ref();
        let mut on = |target: &web_sys::EventTarget, name: &'static str, act: fn(&Rc<Inner>)| {
            let weak = Rc::downgrade(self);
            let call = move || {
                if let Some(inner) = weak.upgrade() {
                    act(&inner);
                }
            };
            listeners.push(Listener::new(target, name, call));
        };
        on(video, "playing", |inner| {
            inner.picture.release();
            // A screen says itself what its clock does.
            if inner.screen.borrow().is_none() {
                inner.feed(Input::Playing);
            }
        });
        on(video, "waiting", |inner| {
            if inner.screen.borrow().is_none() {
                inner.feed(Input::Waiting);
            }
        });
        on(video, "pause", |inner| {
            inner.feed(if dom::is_untouched(&inner.window) { Input::Halted } else { Input::Paused });
        });
        on(video, "play", |inner| inner.feed(Input::Resumed));
        on(video, "error", |inner| {
            let current = inner.source.borrow().as_ref().map(|source| source.id);
            // Without an error of its own the element only lost its source.
            if let Some(source) = current.filter(|_| inner.video.error().is_some()) {
                inner.feed(Input::Broken { source });
            }
        });
        for name in ["timeupdate", "seeked", "loadedmetadata", "loadeddata", "stalled"] {
            on(video, name, |inner| inner.feed(Input::Tick));
        }
        on(self.window.as_ref(), "online", |inner| inner.feed(Input::Online));
        on(self.window.as_ref(), "offline", |inner| inner.feed(Input::Offline));
        on(video, "seeked", |inner| {
            // A picture that stands is shown anew, too.
            if inner.video.paused() {
                inner.picture.release();
            }
        });
        for name in ["enterpictureinpicture", "leavepictureinpicture"] {
            on(video, name, |inner| inner.feed(Input::Visible(inner.is_seen())));
        }
        if let Some(document) = self.window.document() {
            on(document.as_ref(), "visibilitychange", |inner| inner.feed(Input::Visible(inner.is_seen())));
            if !self.is_seen() {
                self.inputs.borrow_mut().push_back(Input::Visible(false));
            }
        }
        let weak = Rc::downgrade(self);
        let timer = Interval::new(TICK_MS, move || {
            if let Some(inner) = weak.upgrade() {
                inner.count_frames();
                let server_ms = js_sys::Date::now() as i64 + server_ahead_ms;
                inner.engine.borrow_mut().set_server_time(inner.now_ms(), server_ms);
                inner.feed(Input::Tick);
            }
        });
        self.timer.replace(Some(timer));
        self.listeners.replace(listeners);
    }

    /// Whether the picture may be seen: in its tab, or in a window of its own above others.
    fn is_seen(&self) -> bool {
        let Some(document) = self.window.document() else { return true };
        let video: &JsValue = self.video.as_ref();
        !document.hidden() || dom::get(&document, "pictureInPictureElement").is_some_and(|apart| apart == *video)
    }

    fn count_frames(&self) {
        self.frames.set(self.frames.get().counted(&self.video, self.clock.now()));
    }

    fn close(&self) {
        if self.closed.replace(true) {
            return;
        }
        self.request.replace(None);
        self.timer.replace(None);
        self.listeners.take();
        self.inputs.take();
        let source = self.source.take();
        if let Some(source) = source {
            source.end();
        }
        drop(self.screen.take());
        dom::empty(&self.video);
        self.picture.release();
    }
}

/// Handles an input if its player still exists.
fn feed(weak: &Weak<Inner>, input: Input) {
    if let Some(inner) = weak.upgrade() {
        inner.feed(input);
    }
}

/// Runs a future, behind a pointer: each type of future brings code of its own into the download.
fn spawn(future: impl Future<Output = ()> + 'static) {
    let future: Pin<Box<dyn Future<Output = ()>>> = Box::pin(future);
    wasm_bindgen_futures::spawn_local(future);
}

/// Whether a thrown value is an exception of this name.
fn is_named(error: &JsValue, name: &str) -> bool {
    error.dyn_ref::<web_sys::DomException>().is_some_and(|exception| exception.name() == name)
}
