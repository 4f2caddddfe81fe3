//! Serves those who watch over plain HTTP/1 without hyper, which holds two buffers of 8 KB for a connection as long as it lasts.
//!
//! A connection that begins with the whole head of a `GET` of a stream is answered here: the same router is asked, its answer written, and
//! the connection closed behind it. Everything else is hyper's: what came was looked at and left in the socket.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Method, Request, Version, header},
    response::Response,
};
use bytes::{Buf, Bytes};
use http_body::{Body as HttpBody, Frame};
use std::{convert::Infallible, future::poll_fn, io, pin::Pin, time::Duration, time::SystemTime};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tower::{Service, ServiceExt as _};

/// Longer heads, and those with more fields, are hyper's.
const HEAD_BYTES: usize = 4 * 1024;
const HEAD_FIELDS: usize = 48;
/// What a peer says while it is answered is read in pieces of so many bytes, and means nothing.
const SCRAP_BYTES: usize = 64;

/// A request for a stream, whole.
#[derive(Debug)]
pub(super) struct Question {
    request: Request<Body>,
    /// Bytes of it that are still in the socket.
    bytes: usize,
}

/// Looks at what the peer says first, and leaves it in the socket.
///
/// # Errors
/// When it says nothing for `opening`, or its socket fails.
pub(super) async fn look(stream: &TcpStream, opening: Duration) -> io::Result<Option<Question>> {
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "the peer has not said anything");
    timeout(opening, stream.readable()).await.map_err(|_| silent())??;
    let mut head = vec![0; HEAD_BYTES];
    let count = timeout(opening, stream.peek(&mut head)).await.map_err(|_| silent())??;
    Ok(question(head.get(..count).unwrap_or_default()))
}

/// What these bytes ask, if they are the head of a `GET` of a stream (RFC 9112 §2.1) and nothing else.
fn question(head: &[u8]) -> Option<Question> {
    let mut fields = [httparse::EMPTY_HEADER; HEAD_FIELDS];
    let mut parsed = httparse::Request::new(&mut fields);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(bytes)) if bytes == head.len() => {}
        _ => return None,
    }
    let target = parsed.path?;
    let path = target.split('?').next().unwrap_or_default();
    if parsed.method != Some(Method::GET.as_str()) || !path.starts_with("/live/") || !path.ends_with(".flv") {
        return None;
    }
    let version = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    let mut request = Request::builder().method(Method::GET).uri(target).version(version).body(Body::empty()).ok()?;
    for field in parsed.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).ok()?;
        if [header::UPGRADE, header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::EXPECT].contains(&name) {
            return None;
        }
        request.headers_mut().append(name, HeaderValue::from_bytes(field.value).ok()?);
    }
    Some(Question { request, bytes: head.len() })
}

/// Answers, until the answer ends or the peer has gone. An answer that is cut has no last chunk, which tells the peer.
///
/// # Errors
/// When the socket fails; a peer that takes nothing for too long makes it fail.
pub(super) async fn serve<T, S>(mut io: T, question: Question, service: S) -> io::Result<()>
where
    T: AsyncRead + AsyncWrite + Unpin,
    S: Service<Request<Body>, Response = Response, Error = Infallible>,
{
    let Question { request, bytes } = question;
    let mut head = vec![0; bytes];
    io.read_exact(&mut head).await?;
    drop(head);
    let version = request.version();
    let Ok(response) = service.oneshot(request).await;
    let chunked = version == Version::HTTP_11 && response.size_hint().exact().is_none();
    let mut head = Bytes::from(head_of(&response, version, chunked));
    io.write_all_buf(&mut head).await?;
    let mut body = response.into_body();
    let (mut scrap, mut heard) = ([0; SCRAP_BYTES], 0);
    loop {
        let frame = tokio::select! {
            frame = next(&mut body) => frame,
            count = io.read(&mut scrap) => match count? {
                0 => return Ok(()),
                count => {
                    heard += count;
                    if heard > HEAD_BYTES {
                        return Err(io::Error::new(io::ErrorKind::InvalidData, "a viewer talks on and on"));
                    }
                    continue;
                }
            },
        };
        let data = match frame {
            None => break,
            Some(Err(error)) => return Err(io::Error::other(error)),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        if data.is_empty() {
            continue;
        }
        if chunked {
            let size = format!("{:x}\r\n", data.len());
            io.write_all_buf(&mut Buf::chain(size.as_bytes(), data).chain(&b"\r\n"[..])).await?;
        } else {
            io.write_all_buf(&mut { data }).await?;
        }
    }
    if chunked {
        io.write_all(b"0\r\n\r\n").await?;
    }
    io.shutdown().await
}

/// What the body gives next. Cancel safe.
async fn next(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
    poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await
}

/// The answer's head (RFC 9112 §4): the router's fields, the date, and what is said of the connection and of its end.
fn head_of(response: &Response, version: Version, chunked: bool) -> Vec<u8> {
    let (number, status) = (if version == Version::HTTP_10 { 0 } else { 1 }, response.status());
    let mut head =
        format!("HTTP/1.{number} {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("-")).into_bytes();
    let mut field = |name: &[u8], value: &[u8]| head.extend([name, b": ", value, b"\r\n"].concat());
    for (name, value) in response.headers() {
        field(name.as_str().as_bytes(), value.as_bytes());
    }
    field(b"date", httpdate::fmt_http_date(SystemTime::now()).as_bytes());
    field(b"connection", b"close");
    if chunked {
        field(b"transfer-encoding", b"chunked");
    } else if let Some(bytes) = response.size_hint().exact()
        && !response.headers().contains_key(header::CONTENT_LENGTH)
    {
        field(b"content-length", bytes.to_string().as_bytes());
    }
    head.extend(b"\r\n");
    head
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::get};
    use futures_util::stream;
    use tokio::io::duplex;

    const WATCH: &str = "GET /live/my-room.flv?preview=1 HTTP/1.1\r\nHost: a\r\nCookie: b=c\r\n\r\n";

    #[test]
    fn only_the_whole_head_of_a_stream_is_answered_here() {
        let asked = question(WATCH.as_bytes()).expect("a stream");
        assert_eq!(asked.request.uri().path(), "/live/my-room.flv");
        assert_eq!(asked.request.headers().get("cookie"), Some(&HeaderValue::from_static("b=c")));
        assert_eq!(asked.bytes, WATCH.len());
        assert!((0..WATCH.len()).all(|cut| question(&WATCH.as_bytes()[..cut]).is_none()));
        for other in [
            WATCH.replace("GET", "HEAD"),
            WATCH.replace(".flv", ".mp4"),
            WATCH.replace("/live/", "/rooms/"),
            WATCH.replace("Cookie: b=c", "Upgrade: websocket"),
            WATCH.replace("Cookie: b=c", "Content-Length: 1"),
            format!("{WATCH}GET / HTTP/1.1\r\n"),
            "PRI * HTTP/2.0\r\n\r\n".to_owned(),
        ] {
            assert!(question(other.as_bytes()).is_none(), "{other}");
        }
    }

    async fn answer(router: Router, request: &str) -> String {
        let (near, mut far) = duplex(64 * 1024);
        far.write_all(request.as_bytes()).await.expect("room enough");
        serve(near, question(request.as_bytes()).expect("a stream"), router).await.expect("it is served");
        let mut text = String::new();
        far.read_to_string(&mut text).await.expect("text");
        text
    }

    #[tokio::test]
    async fn an_answer_of_unknown_length_is_chunked_and_one_of_known_length_is_not() {
        let pieces = || Body::from_stream(stream::iter([Ok::<_, io::Error>("FLV"), Ok("0123456789abcdef")]));
        let router = Router::new().route("/live/{file}", get(move || async move { pieces() }));
        let text = answer(router.clone(), WATCH).await;
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("\r\ntransfer-encoding: chunked"), "{head}");
        assert!(head.contains("\r\nconnection: close") && head.contains("\r\ndate: "), "{head}");
        assert_eq!(body, "3\r\nFLV\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
        let old = answer(router, &WATCH.replace("1.1", "1.0")).await;
        assert!(old.starts_with("HTTP/1.0 200 OK\r\n") && old.ends_with("\r\n\r\nFLV0123456789abcdef"), "{old}");
        let router = Router::new().route("/live/{file}", get(|| async { "gone" }));
        let text = answer(router, WATCH).await;
        assert_eq!(text.matches("content-length: 4\r\n").count(), 1, "{text}");
        assert!(text.ends_with("\r\n\r\ngone"), "{text}");
    }

    #[tokio::test]
    async fn a_peer_that_goes_ends_its_answer() {
        let endless = || async { Body::from_stream(stream::pending::<Result<Bytes, io::Error>>()) };
        let router = Router::new().route("/live/{file}", get(endless));
        let (near, mut far) = duplex(64 * 1024);
        far.write_all(WATCH.as_bytes()).await.expect("room enough");
        let served = tokio::spawn(serve(near, question(WATCH.as_bytes()).expect("a stream"), router));
        let mut head = [0; 12];
        far.read_exact(&mut head).await.expect("an answer");
        drop(far);
        let ended = timeout(Duration::from_secs(30), served).await.expect("it ends").expect("no panic");
        assert!(ended.is_ok(), "{ended:?}");
    }

    #[tokio::test]
    async fn a_viewer_that_talks_on_and_on_is_not_listened_to() {
        let endless = || async { Body::from_stream(stream::pending::<Result<Bytes, io::Error>>()) };
        let router = Router::new().route("/live/{file}", get(endless));
        let (near, mut far) = duplex(64 * 1024);
        far.write_all(WATCH.as_bytes()).await.expect("room enough");
        let served = tokio::spawn(serve(near, question(WATCH.as_bytes()).expect("a stream"), router));
        far.write_all(&[b'x'; 2 * HEAD_BYTES]).await.expect("room enough");
        let ended = timeout(Duration::from_secs(30), served).await.expect("it ends").expect("no panic");
        assert_eq!(ended.expect_err("it is cut").kind(), io::ErrorKind::InvalidData);
    }
}
