//! What viewers are told between the tags: script tags of Madang's own ([`flv::MARK`]).

use bytes::{Bytes, BytesMut};
use madang_media::{
    amf0::{self, Value},
    flv,
};
use std::time::Duration;

/// The publisher's clock does not lead from the tags before this to those after it; the room's does.
pub(super) fn discontinuity() -> Bytes {
    body("discontinuity", Value::Boolean(true))
}

/// The publisher is gone, and is waited for so long.
pub(super) fn away(left: Duration) -> Bytes {
    // Whole seconds, up: they are for people.
    body("away", Value::Number(left.as_millis().div_ceil(1000) as f64))
}

fn body(name: &str, value: Value) -> Bytes {
    let mut body = BytesMut::new();
    amf0::write(&Value::String(flv::MARK.to_owned()), &mut body);
    amf0::write(&Value::Object(vec![(name.to_owned(), value)]), &mut body);
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
