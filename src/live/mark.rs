//! What viewers are told between the tags: script tags of Madang's own ([`flv::MARK`]).

use bytes::{Bytes, BytesMut};
use madang_media::{
    amf0::{self, Value},
    flv,
};
use madang_protocol::UnixMillis;
use std::time::Duration;

/// What stands before a tag: a seam, where the publisher's clock does not lead from the tags before to this one though the room's does;
/// and, for a key frame, when it was received. `None` when there is nothing to say.
pub(super) fn before(jumped: bool, received: Option<UnixMillis>) -> Option<Bytes> {
    let mut fields = Vec::new();
    if jumped {
        fields.push(("discontinuity", Value::Boolean(true)));
    }
    if let Some(UnixMillis(received)) = received {
        // Milliseconds since 1970 are whole numbers in a double for another 285,000 years.
        fields.push(("clock", Value::Number(received as f64)));
    }
    (!fields.is_empty()).then(|| body(fields))
}

/// The publisher is gone, and is waited for so long.
pub(super) fn away(left: Duration) -> Bytes {
    // Whole seconds, up: they are for people.
    body(vec![("away", Value::Number(left.as_millis().div_ceil(1000) as f64))])
}

fn body(fields: Vec<(&str, Value)>) -> Bytes {
    let mut body = BytesMut::new();
    amf0::write(&Value::String(flv::MARK.to_owned()), &mut body);
    amf0::write(&Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()), &mut body);
    body.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_a_script_tag_that_any_player_may_pass_over() {
        let values = amf0::read_all(&away(Duration::from_millis(11_001)), &amf0::Limits::default()).expect("AMF0");
        let [name, value] = values.as_slice() else { panic!("{values:?}") };
        assert_eq!(name.as_str(), Some("madang"));
        assert_eq!(value.get("away").and_then(Value::as_f64), Some(12.0));
    }
}
