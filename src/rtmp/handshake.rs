//! C0 to S2 (RTMP 1.0 §5.2, and the digest variant that Flash and ffmpeg use), by `rml_rtmp`.
//!
//! The first byte tells whether the peer speaks RTMP at all: browsers, proxies and scanners that do not are sent away at once, with
//! words for the operator.

use super::error::{Deadline, End, Foreign};
use bytes::BytesMut;
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

/// Version 3: RTMP in the clear.
const RTMP: u8 = 3;

/// For whoever points a browser at the port.
const HTTP_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n\
This port takes RTMP from encoders. The web pages are on the HTTP port.\n";

/// Shakes hands as the server within `limit`; gives what the peer sent behind its last handshake packet.
pub async fn accept<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S, limit: Duration) -> Result<BytesMut, End> {
    timeout(limit, shake(socket)).await.unwrap_or(Err(End::TooLate(Deadline::Handshake)))
}

async fn shake<S: AsyncRead + AsyncWrite + Unpin>(socket: &mut S) -> Result<BytesMut, End> {
    let mut handshake = Handshake::new(PeerType::Server);
    // A handshake is 3073 bytes; what follows C2 in the same read is kept.
    let mut buffer = [0; 2048];
    let mut first = true;
    loop {
        let count = socket.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..count).filter(|bytes| !bytes.is_empty()) else { return Err(End::ByEncoder) };
        if first {
            if let Some(what) = not_rtmp(bytes) {
                if what == Foreign::Http {
                    // Best effort: the peer is being sent away, and whether it reads this changes nothing.
                    let _ = socket.write_all(HTTP_ANSWER).await;
                }
                return Err(End::NotRtmp(what));
            }
            first = false;
        }
        match handshake.process_bytes(bytes) {
            Ok(HandshakeProcessResult::InProgress { response_bytes }) => {
                socket.write_all(&response_bytes).await?;
                socket.flush().await?;
            }
            Ok(HandshakeProcessResult::Completed { response_bytes, remaining_bytes }) => {
                socket.write_all(&response_bytes).await?;
                socket.flush().await?;
                return Ok(BytesMut::from(remaining_bytes.as_slice()));
            }
            Err(_) => return Err(End::NotRtmp(Foreign::Garbage)),
        }
    }
}

/// What the first bytes belong to, if not to RTMP.
fn not_rtmp(bytes: &[u8]) -> Option<Foreign> {
    match bytes.first()? {
        &RTMP => None,
        0x16 => Some(Foreign::Tls),
        6 | 8 => Some(Foreign::Encrypted),
        0x0D => Some(Foreign::Proxy),
        b'P' if bytes.starts_with(b"PR") => Some(Foreign::Proxy),
        byte if byte.is_ascii_uppercase() => Some(Foreign::Http),
        _ => Some(Foreign::Garbage),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::duplex;

    async fn answer_to(first: &[u8]) -> (Result<BytesMut, End>, Vec<u8>) {
        let (mut near, mut far) = duplex(8192);
        far.write_all(first).await.expect("the pipe is open");
        let result = accept(&mut near, Duration::from_millis(200)).await;
        drop(near);
        let mut answer = Vec::new();
        far.read_to_end(&mut answer).await.expect("the pipe is readable");
        (result, answer)
    }

    #[tokio::test]
    async fn what_is_not_rtmp_is_named() {
        let (result, answer) = answer_to(b"GET / HTTP/1.1\r\n\r\n").await;
        assert!(matches!(result, Err(End::NotRtmp(Foreign::Http))));
        assert!(answer.starts_with(b"HTTP/1.1 400"));
        for (first, what) in [
            (&b"\x16\x03\x01\x02\x00"[..], Foreign::Tls),
            (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", Foreign::Proxy),
            (b"\x06", Foreign::Encrypted),
            (b"\xFF\xFF", Foreign::Garbage),
        ] {
            let (result, answer) = answer_to(first).await;
            assert!(matches!(result, Err(End::NotRtmp(found)) if found == what), "{what}");
            assert_eq!(answer, b"");
        }
    }

    #[tokio::test]
    async fn a_peer_that_dawdles_is_sent_away() {
        let (result, _) = answer_to(&[RTMP; 100]).await;
        assert!(matches!(result, Err(End::TooLate(Deadline::Handshake))));
    }

    #[tokio::test]
    async fn what_follows_the_handshake_in_the_same_read_is_kept() {
        let (result, answer) = answer_to(&[&[RTMP], &[0; 1536][..], &[1; 1536], b"next"].concat()).await;
        assert_eq!(result.expect("a plain handshake"), &b"next"[..]);
        assert_eq!(answer.len(), 1 + 1536 + 1536);
        assert_eq!(answer.get(1537..), Some(&[0; 1536][..]), "S2 is a copy of C1");
    }
}
