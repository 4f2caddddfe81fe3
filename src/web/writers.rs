//! Where pages are written: on threads of their own, and each page on one of them from its beginning to its end.
//!
//! For the parts of a page that wait for something leptos spawns tasks, and takes away what they read when the page is done, or when its
//! reader has gone. With the server's threads that happened on one while a task ran on another: a panic, or a thread that waits for
//! ever for a lock that it holds itself. On one thread nothing comes between, and a page that was begun is finished, whoever has gone.

use axum::{
    body::{Body, to_bytes},
    response::Response,
};
use std::{
    future::Future,
    num::NonZero,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tokio::{
    runtime::Builder,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
    task::LocalSet,
};

/// Pages that may wait for a thread; more wait in the requests that ask for them.
const WAITING_MAX: usize = 64;
/// Pages that a thread writes at one time: while one waits for storage, others are written.
const AT_ONCE: usize = 32;
/// A page that waits for storage for so long is given up.
const DEADLINE: Duration = Duration::from_secs(30);
/// What a page may wait before its own time begins.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest page in bytes.
const PAGE_MAX: usize = 16 * 1024 * 1024;

type Task = Pin<Box<dyn Future<Output = ()>>>;
type Job = Box<dyn FnOnce() -> Task + Send>;

/// The threads; cheap to clone. They end with the last clone.
#[derive(Clone)]
pub struct Writers {
    queues: Arc<[mpsc::Sender<Job>]>,
    next: Arc<AtomicUsize>,
}

impl Writers {
    /// One thread for each core.
    pub fn start() -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get);
        let queues = (0..threads).filter_map(|_| start_thread()).collect();
        Self { queues, next: Arc::default() }
    }

    /// The page that `write` makes, whole. `None` when it cannot be had: it takes too long, is too long, or its writing fails.
    pub async fn write<F>(&self, write: impl FnOnce() -> F + Send + 'static) -> Option<Response>
    where
        F: Future<Output = Response> + 'static,
    {
        let (done, page) = oneshot::channel();
        let job: Job = Box::new(move || {
            Box::pin(async move {
                // Nobody waits for it any more, and it was not begun.
                if done.is_closed() {
                    return;
                }
                // Whoever goes from here on, it is finished.
                let _ = done.send(tokio::time::timeout(DEADLINE, whole(write())).await.ok().flatten());
            })
        });
        let page = async {
            self.hand_over(job).await?;
            page.await.ok().flatten()
        };
        tokio::time::timeout(DEADLINE + PATIENCE, page).await.ok().flatten()
    }

    /// To the thread whose turn it is, or to the next that has room; waits for the first where none has.
    async fn hand_over(&self, mut job: Job) -> Option<()> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed);
        let nth = |step: usize| self.queues.get(turn.wrapping_add(step).checked_rem(self.queues.len())?);
        for step in 0..self.queues.len() {
            match nth(step)?.try_send(job) {
                Ok(()) => return Some(()),
                Err(TrySendError::Full(back) | TrySendError::Closed(back)) => job = back,
            }
        }
        nth(0)?.send(job).await.ok()
    }
}

/// What comes of the body too happens here: the page's parts go with its end.
async fn whole(page: impl Future<Output = Response>) -> Option<Response> {
    let (parts, body) = page.await.into_parts();
    let body = to_bytes(body, PAGE_MAX).await.ok()?;
    Some(Response::from_parts(parts, Body::from(body)))
}

/// `None` (logged) when the system gives no thread.
fn start_thread() -> Option<mpsc::Sender<Job>> {
    let (queue, mut jobs) = mpsc::channel::<Job>(WAITING_MAX);
    let run = move || {
        let runtime = match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "a thread for pages cannot work"),
        };
        let tasks = LocalSet::new();
        tasks.block_on(&runtime, async {
            let places = Arc::new(tokio::sync::Semaphore::new(AT_ONCE));
            while let Some(job) = jobs.recv().await {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                tokio::task::spawn_local(async move {
                    job().await;
                    drop(place);
                });
            }
        });
    };
    let started = thread::Builder::new().name("pages".to_owned()).spawn(run);
    started.map_err(|error| tracing::error!(%error, "no thread for pages")).ok()?;
    Some(queue)
}
