//! Serves a connection over HTTP/2, where a stalled viewer does not show at the socket.
//!
//! A viewer there can keep its flow-control window shut (RFC 9113 §5.2): nothing is written then, and the socket takes all that is ever
//! written. What shows is that hyper asks a body for more only when it may send some. A body that is not asked within the connection's
//! limit, while something is to be sent, has its stream reset; the connection's other streams go on, for a browser shares one connection
//! among all its tabs.

use crate::Shutdown;
use axum::{body::Body, response::Response};
use bytes::Bytes;
use http::Request;
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::{body::Incoming, rt::Executor, server::conn::http2, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{
    convert::Infallible,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::{Instant, sleep_until, timeout},
};
use tower::{Service, ServiceExt as _};

/// Longest request head, in bytes (RFC 9113 §6.5.2).
const HEAD_BYTES: u32 = 64 * 1024;
/// Requests that one connection may have at once: a page asks for a dozen files.
const STREAMS: u32 = 100;
/// Bytes that may wait for one stream beyond what its body was asked for.
const SEND_BYTES: usize = 64 * 1024;
/// A connection is asked this often whether its peer is still there, and has as long to answer.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Streams get so long to end after a request to stop.
const FAREWELL: Duration = Duration::from_secs(3);
/// A body's bytes are handed over in pieces of so many: a slow line that takes one within the limit is not a stalled one.
const PIECE_BYTES: usize = 16 * 1024;

/// Serves `io` until it ends, or a while after `shutdown`. A stream that takes nothing for `stalled` is reset.
pub(super) async fn serve<S, T>(io: T, service: S, stalled: Duration, mut shutdown: Shutdown)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    S: Service<Request<Incoming>, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let mut builder = http2::Builder::new(Streams { stalled });
    builder
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(PING_EVERY)
        .max_concurrent_streams(STREAMS)
        .max_send_buf_size(SEND_BYTES)
        .max_header_list_size(HEAD_BYTES);
    let answer = service_fn(move |request| {
        let asked = service.clone().oneshot(request);
        async move { asked.await.map(|response| response.map(Taken::new)) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(io), answer));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = shutdown.requested() => {
            connection.as_mut().graceful_shutdown();
            match timeout(FAREWELL, connection).await {
                Ok(ended) => ended,
                Err(_) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection over HTTP/2 ended");
    }
}

tokio::task_local! {
    /// Of the stream that the task is for.
    static WATCH: Watch;
}

/// Gives each stream a task, and ends it when nothing is taken.
#[derive(Clone)]
struct Streams {
    stalled: Duration,
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        let (watch, stalled) = (Watch::default(), self.stalled);
        tokio::spawn(async move {
            tokio::select! {
                _ = WATCH.scope(watch.clone(), stream) => {}
                // What hyper has of the stream is dropped, and so h2 resets it.
                () = watch.stalls(stalled) => tracing::debug!("a stream over HTTP/2 takes nothing: it is reset"),
            }
        });
    }
}

/// Since when something waits to be taken.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Option<Instant>>>);

impl Watch {
    fn set(&self, waiting: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = waiting;
    }

    /// Ends when something has waited for so long.
    async fn stalls(&self, limit: Duration) {
        loop {
            let now = Instant::now();
            let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // A limit too long for the clock is none.
            let Some(deadline) = since.unwrap_or(now).checked_add(limit) else { return std::future::pending().await };
            if deadline <= now && since.is_some() {
                return;
            }
            sleep_until(deadline).await;
        }
    }
}

/// A body that notes when it is asked, and hands over small pieces.
struct Taken {
    body: Body,
    rest: Bytes,
    watch: Option<Watch>,
}

impl Taken {
    fn new(body: Body) -> Self {
        let watch = WATCH.try_with(Watch::clone).ok();
        if let Some(watch) = &watch {
            // A window that is shut from the beginning keeps hyper from asking even once.
            watch.set(Some(Instant::now()));
        }
        Self { body, rest: Bytes::new(), watch }
    }

    fn note(&self, waiting: Option<Instant>) {
        if let Some(watch) = &self.watch {
            watch.set(waiting);
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(bytes))) => self.rest = bytes,
                Some(Ok(Err(other))) => return Poll::Ready(Some(Ok(other))),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl HttpBody for Taken {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let polled = this.poll_piece(cx);
        let given = matches!(polled, Poll::Ready(Some(_)));
        this.note(given.then(Instant::now));
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, body) = (self.rest.len() as u64, self.body.size_hint());
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower().saturating_add(rest));
        if let Some(upper) = body.upper().and_then(|upper| upper.checked_add(rest)) {
            hint.set_upper(upper);
        }
        hint
    }
}
