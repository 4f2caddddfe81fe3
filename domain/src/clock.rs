//! The server's clock, read in one place.

use madang_protocol::UnixMillis;
use std::time::{SystemTime, UNIX_EPOCH};

/// Now; 0 on a machine whose clock stands before 1970.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
