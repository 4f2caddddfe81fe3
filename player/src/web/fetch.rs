//! The request for the stream: its answer, and its bytes as they come.

use super::{
    Inner,
    dom::{self, get},
    feed,
    reader::Reader,
    spawn,
};
use crate::engine::{Answer, Input};
use gloo_timers::future::TimeoutFuture;
use js_sys::{Promise, Reflect};
use std::rc::{Rc, Weak};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortController, RequestCache, RequestInit, Response, Window};

/// A timer that came late is not trusted again for so long.
const RESTLESS_MS: i64 = 10_000;

/// While the buffers are full, room is looked for this often.
const PAUSE_MS: u32 = 25;

/// Where the page's HTML leaves the request that it made.
const EARLY: &str = "madangEarly";

/// A request under way. Dropping it aborts it, answered or not.
pub(super) struct Fetch {
    pub connection: u32,
    controller: AbortController,
}

impl Drop for Fetch {
    fn drop(&mut self) {
        self.controller.abort();
    }
}

/// Whether fetch can stream its answer and be aborted.
pub(super) fn streams(window: &Window) -> bool {
    dom::has(window, "Response", "body") && get(window, "AbortController").is_some_and(|class| class.is_function())
}

/// Asks for the stream. `None` when the request cannot even be made; the engine's deadline deals with that.
pub(super) fn open(inner: &Rc<Inner>, connection: u32) -> Option<Fetch> {
    let (controller, answer) = match early(&inner.window, &inner.url) {
        Some(early) => early,
        None => {
            let controller = AbortController::new().ok()?;
            let init = RequestInit::new();
            init.set_signal(Some(&controller.signal()));
            init.set_cache(RequestCache::NoStore);
            let answer = inner.window.fetch_with_str_and_init(&inner.url, &init);
            (controller, answer)
        }
    };
    let answer = JsFuture::from(answer);
    let weak = Rc::downgrade(inner);
    spawn(async move {
        let clean = match answer.await.ok().and_then(|response| response.dyn_into::<Response>().ok()) {
            Some(response) => take(&weak, connection, &response).await,
            None => Some(false),
        };
        if let Some(clean) = clean {
            feed(&weak, Input::Closed { connection, clean });
        }
    });
    Some(Fetch { connection, controller })
}

/// The request for `url` that the page's HTML made before any of this was there; given once. The page leaves it in the window as
/// `madangEarly`: `{ url, controller, answer }`.
fn early(window: &Window, url: &str) -> Option<(AbortController, Promise)> {
    let early = get(window, EARLY).filter(|early| get(early, "url").is_some_and(|asked| asked == *url))?;
    Reflect::set(window, &JsValue::from_str(EARLY), &JsValue::UNDEFINED).ok()?;
    Some((get(&early, "controller")?.dyn_into().ok()?, get(&early, "answer")?.dyn_into().ok()?))
}

/// Ends that request, if nobody has taken it over.
pub(super) fn forget_early(window: &Window) {
    let controller = get(window, EARLY).and_then(|early| get(&early, "controller"));
    if let Some(controller) = controller.and_then(|controller| controller.dyn_into::<AbortController>().ok()) {
        controller.abort();
    }
}

/// Reports the answer and then its bytes. Gives how it ended; `None` when the answer itself was the end.
async fn take(weak: &Weak<Inner>, connection: u32, response: &Response) -> Option<bool> {
    let answer = read_answer(response).await;
    let stream = answer == Answer::Stream;
    feed(weak, Input::Answered { connection, answer });
    if !stream {
        if let Some(inner) = weak.upgrade() {
            inner.drop_request(connection);
        }
        return None;
    }
    let Some(mut reader) = response.body().and_then(|body| Reader::new(&body)) else { return Some(false) };
    let mut restless_until_ms = i64::MIN;
    loop {
        // Dropped by its owner: the abort may not have reached the stream yet.
        let inner = weak.upgrade()?;
        if inner.request.borrow().as_ref().is_none_or(|request| request.connection() != connection) {
            return None;
        }
        let wants_data = inner.wants_data();
        drop(inner);
        if !wants_data {
            TimeoutFuture::new(PAUSE_MS).await;
            continue;
        }
        match reader.ask().await.and_then(|read| reader.take(read)) {
            Ok(Some(bytes)) => feed(weak, Input::Bytes { connection, bytes }),
            Ok(None) => return Some(true),
            Err(_) => return Some(false),
        }
        let inner = weak.upgrade()?;
        let (rest_ms, now_ms) = (inner.engine.borrow().rest_ms(), inner.now_ms());
        drop(inner);
        if reader.drained && rest_ms > 0 && now_ms > restless_until_ms {
            TimeoutFuture::new(rest_ms).await;
            let woken_ms = weak.upgrade()?.now_ms();
            // A frame out of view, a picture in a window of its own: browsers slow the timers of more pages than they call hidden.
            if woken_ms - now_ms > 2 * i64::from(rest_ms) {
                restless_until_ms = woken_ms + RESTLESS_MS;
            }
        }
    }
}

async fn read_answer(response: &Response) -> Answer {
    let retry_after_ms = response.headers().get("retry-after").ok().flatten().and_then(|text| seconds_ms(&text));
    match response.status() {
        200 => Answer::Stream,
        404 => Answer::NotFound,
        426 => Answer::Socket,
        503 => match state(response).await {
            Some(state) => Answer::NotLive { state, retry_after_ms },
            None => Answer::Refused { retry_after_ms },
        },
        _ => Answer::Refused { retry_after_ms },
    }
}

/// `Retry-After` in its plain form; a date is not what our server sends.
fn seconds_ms(text: &str) -> Option<i64> {
    text.trim().parse::<u32>().ok().map(|seconds| i64::from(seconds) * 1000)
}

/// The `state` of a JSON answer.
async fn state(response: &Response) -> Option<String> {
    let json = JsFuture::from(response.json().ok()?).await.ok()?;
    Reflect::get(&json, &JsValue::from_str("state")).ok()?.as_string()
}
