//! The operations of one SourceBuffer: one in flight at a time, the rest in order, appends merged.
//!
//! Merging matters on joining: a GOP is hundreds of one-frame fragments, and each append is a round trip through the
//! browser's event loop.

use bytes::Bytes;
use std::collections::VecDeque;

/// The most that one append carries, if more than one fragment: merging is a copy, and the memory for it is never given back.
const APPEND_MAX: usize = 512 * 1024;

/// Something to do with a SourceBuffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `appendBuffer`.
    Append {
        /// Whole init segments and fragments.
        bytes: Bytes,
        /// `timestampOffset` to set before, in seconds.
        offset_s: f64,
        /// `changeType` to call before.
        change_type: Option<String>,
    },
    /// `remove`, in seconds.
    Remove {
        /// From here.
        start_s: f64,
        /// To here.
        end_s: f64,
    },
}

/// Operations in order. Its owner stops reading from the network while [`Queue::bytes`] is over its limit.
#[derive(Debug, Default)]
pub struct Queue {
    waiting: VecDeque<Op>,
    in_flight: Option<Op>,
    bytes: usize,
}

impl Queue {
    /// Adds an operation behind the others.
    pub fn push(&mut self, op: Op) {
        self.bytes += weight(&op);
        self.waiting.push_back(op);
    }

    /// Adds an operation before the others: room must be made before anything else can be appended.
    pub fn push_first(&mut self, op: Op) {
        self.bytes += weight(&op);
        self.waiting.push_front(op);
    }

    /// The next operation, if none is in flight. It stays in flight until [`Queue::done`] or [`Queue::failed`].
    pub fn start(&mut self) -> Option<Op> {
        if self.in_flight.is_some() {
            return None;
        }
        let mut op = self.waiting.pop_front()?;
        if let Op::Append { bytes, offset_s, .. } = &mut op {
            self.merge(bytes, *offset_s);
        }
        self.in_flight = Some(op.clone());
        Some(op)
    }

    /// The operation in flight has been carried out; gives it back.
    pub fn done(&mut self) -> Option<Op> {
        let op = self.in_flight.take()?;
        self.bytes = self.bytes.saturating_sub(weight(&op));
        Some(op)
    }

    /// The operation in flight was refused and is the next one again.
    pub fn failed(&mut self) {
        if let Some(op) = self.in_flight.take() {
            self.waiting.push_front(op);
        }
    }

    /// Bytes waiting or in flight.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether something waits behind the operation in flight.
    pub fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether an operation is in flight.
    pub fn busy(&self) -> bool {
        self.in_flight.is_some()
    }

    fn merge(&mut self, first: &mut Bytes, offset_s: f64) {
        let (mut size, mut parts) = (first.len(), vec![first.clone()]);
        while let Some(Op::Append { bytes, offset_s: other_s, change_type: None }) = self.waiting.front() {
            size = size.saturating_add(bytes.len());
            if other_s.to_bits() != offset_s.to_bits() || size > APPEND_MAX {
                break;
            }
            parts.push(bytes.clone());
            self.waiting.pop_front();
        }
        if parts.len() > 1 {
            *first = parts.concat().into();
        }
    }
}

fn weight(op: &Op) -> usize {
    match op {
        Op::Append { bytes, .. } => bytes.len(),
        Op::Remove { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn append(bytes: &'static [u8], offset_s: f64) -> Op {
        Op::Append { bytes: Bytes::from_static(bytes), offset_s, change_type: None }
    }

    #[test]
    fn one_operation_is_in_flight() {
        let mut queue = Queue::default();
        queue.push(append(b"ab", 0.0));
        queue.push(Op::Remove { start_s: 0.0, end_s: 1.0 });
        assert_eq!(queue.start(), Some(append(b"ab", 0.0)));
        assert_eq!(queue.start(), None);
        queue.done();
        assert_eq!(queue.bytes(), 0);
        assert_eq!(queue.start(), Some(Op::Remove { start_s: 0.0, end_s: 1.0 }));
    }

    #[test]
    fn appends_merge_up_to_a_change() {
        let mut queue = Queue::default();
        queue.push(append(b"a", 0.0));
        queue.push(append(b"b", 0.0));
        queue.push(append(b"c", 1.0));
        queue.push(Op::Append {
            bytes: Bytes::from_static(b"d"),
            offset_s: 1.0,
            change_type: Some("video/mp4".into()),
        });
        queue.push(append(b"e", 1.0));
        let mut seen = Vec::new();
        while let Some(op) = queue.start() {
            seen.push(op);
            queue.done();
        }
        let changed =
            Op::Append { bytes: Bytes::from_static(b"de"), offset_s: 1.0, change_type: Some("video/mp4".into()) };
        assert_eq!(seen, [append(b"ab", 0.0), append(b"c", 1.0), changed]);
    }

    #[test]
    fn a_refused_append_comes_again_after_room_is_made() {
        let mut queue = Queue::default();
        queue.push(append(b"a", 0.0));
        queue.start();
        queue.failed();
        queue.push_first(Op::Remove { start_s: 0.0, end_s: 9.0 });
        assert!(matches!(queue.start(), Some(Op::Remove { .. })));
        queue.done();
        assert_eq!(queue.start(), Some(append(b"a", 0.0)));
        assert_eq!(queue.bytes(), 1);
    }

    proptest! {
        #[test]
        fn every_byte_comes_out_once_and_in_order(sizes in prop::collection::vec(0_usize..400_000, 0..20)) {
            let mut queue = Queue::default();
            let mut sent = Vec::new();
            for (number, size) in sizes.iter().enumerate() {
                let bytes = vec![number as u8; *size];
                sent.extend_from_slice(&bytes);
                queue.push(Op::Append { bytes: bytes.into(), offset_s: 0.0, change_type: None });
            }
            let mut got = Vec::new();
            while let Some(op) = queue.start() {
                if let Op::Append { bytes, .. } = op {
                    prop_assert!(bytes.len() <= APPEND_MAX || sizes.contains(&bytes.len()));
                    got.extend_from_slice(&bytes);
                }
                queue.done();
            }
            prop_assert!(got == sent);
            prop_assert_eq!(queue.bytes(), 0);
        }
    }
}
