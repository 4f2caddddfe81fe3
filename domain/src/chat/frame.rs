//! Events as they cross a connection: encoded once, whoever many are told.

use bytes::Bytes;
use madang_protocol::realtime::ServerEvent;
use std::fmt;

/// The longest head of a WebSocket frame that is not masked (RFC 6455 §5.2).
const HEAD_MAX: usize = 10;
/// A whole text message (RFC 6455 §5.2: FIN, opcode 1).
const TEXT: u8 = 0x81;

/// Some events as one JSON array, with the head of a WebSocket text message before it. Shared by everyone they are for: cloning
/// copies no bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Frame {
    message: Bytes,
    head: usize,
}

impl Frame {
    /// Encodes events; `None` for no events.
    pub fn encode(events: &[ServerEvent]) -> Option<Self> {
        if events.is_empty() {
            return None;
        }
        let mut bytes = vec![0; HEAD_MAX];
        match serde_json::to_writer(&mut bytes, events) {
            Ok(()) => Some(Self::headed(bytes)),
            Err(cause) => {
                tracing::error!(%cause, "events could not be encoded");
                None
            }
        }
    }

    /// As many of the first `frames` as fit into `bytes_max` as one, or the first alone however large it is; and how many they
    /// are. `None` for no frames.
    pub fn join(frames: &[Self], bytes_max: usize) -> Option<(Self, usize)> {
        let mut bytes = 1;
        let fitting = frames.iter().take_while(|frame| {
            bytes += frame.size();
            bytes <= bytes_max
        });
        let count = fitting.count().max(1);
        let (first, others) = frames.get(..count)?.split_first()?;
        if others.is_empty() {
            return Some((first.clone(), 1));
        }
        let mut array = Vec::with_capacity(HEAD_MAX + bytes.min(bytes_max));
        array.resize(HEAD_MAX, 0);
        array.push(b'[');
        array.extend_from_slice(first.events());
        for frame in others {
            array.push(b',');
            array.extend_from_slice(frame.events());
        }
        array.push(b']');
        Some((Self::headed(array), count))
    }

    /// The payload after [`HEAD_MAX`] bytes of room for its head.
    fn headed(mut bytes: Vec<u8>) -> Self {
        let length = bytes.len().saturating_sub(HEAD_MAX);
        let mut head = vec![TEXT];
        match (u8::try_from(length), u16::try_from(length)) {
            (Ok(length @ ..=125), _) => head.push(length),
            (_, Ok(length)) => {
                head.push(126);
                head.extend(length.to_be_bytes());
            }
            _ => {
                head.push(127);
                head.extend((length as u64).to_be_bytes());
            }
        }
        let start = HEAD_MAX - head.len();
        if let Some(room) = bytes.get_mut(start..HEAD_MAX) {
            room.copy_from_slice(&head);
        }
        Self { message: Bytes::from(bytes).slice(start..), head: head.len() }
    }

    /// The whole WebSocket message, as the server writes it.
    pub fn message(&self) -> &Bytes {
        &self.message
    }

    /// The JSON array of the events. Shares its bytes; valid UTF-8.
    pub fn array(&self) -> Bytes {
        self.message.slice(self.head..)
    }

    /// The events joined by commas, without the brackets of an array.
    fn events(&self) -> &[u8] {
        self.message.get(self.head + 1..self.message.len().saturating_sub(1)).unwrap_or_default()
    }

    /// Bytes of the array.
    pub fn size(&self) -> usize {
        self.message.len() - self.head
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.array()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BYTES_MAX: usize = 64 * 1024;

    fn pongs(count: usize) -> Frame {
        Frame::encode(&vec![ServerEvent::Pong; count]).expect("events")
    }

    #[test]
    fn a_frame_is_an_array_with_the_head_of_a_message() {
        let frame = pongs(2);
        assert_eq!(frame.array(), r#"[{"type":"pong"},{"type":"pong"}]"#);
        assert_eq!(frame.events(), br#"{"type":"pong"},{"type":"pong"}"#);
        assert_eq!(Frame::encode(&[]), None);
        // Lengths of one, three and nine bytes, at both sides of their limits; a pong is 15 bytes and its comma or bracket.
        for (count, head) in [(1, 2), (7, 2), (8, 4), (4_095, 4), (4_096, 10), (10_000, 10)] {
            let frame = pongs(count);
            let message = frame.message();
            assert_eq!((message.len() - frame.size(), message[0]), (head, 0x81), "{count}");
            let length = match message[1] {
                126 => u64::from(u16::from_be_bytes([message[2], message[3]])),
                127 => u64::from_be_bytes(message[2..10].try_into().expect("eight bytes")),
                short => u64::from(short),
            };
            assert_eq!(length, frame.size() as u64, "{count}");
        }
    }

    #[test]
    fn frames_are_joined_as_far_as_they_fit() {
        let (joined, count) = Frame::join(&[pongs(1), pongs(1), pongs(1)], BYTES_MAX).expect("frames");
        assert_eq!((joined, count), (pongs(3), 3));
        let big = pongs(3000);
        assert_eq!(Frame::join(&[big.clone(), big.clone()], BYTES_MAX), Some((big, 1)));
        let huge = pongs(10_000);
        assert!(huge.size() > BYTES_MAX);
        assert_eq!(Frame::join(&[huge.clone(), pongs(1)], BYTES_MAX), Some((huge, 1)));
        let many = vec![pongs(1); 5000];
        let (joined, count) = Frame::join(&many, BYTES_MAX).expect("frames");
        assert!(joined.size() <= BYTES_MAX && count > 3500, "{count}");
        assert_eq!(joined, pongs(count));
        assert_eq!(Frame::join(&[], BYTES_MAX), None);
    }
}
