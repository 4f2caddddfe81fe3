//! How many files the system lets this process have open: each connection takes one, and the usual soft limit is 1,024.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Where the system names no limit of its own: what is tried, one after the other.
#[cfg(unix)]
const ENOUGH: [u64; 3] = [1 << 20, 1 << 16, 10_240];

/// The most that the system lets this user's processes raise their limit to; `None` without a limit.
#[cfg(unix)]
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises this process' limit to [`most`].
#[cfg(unix)]
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let Some(before) = current else { return };
    let wanted = maximum.as_ref().map_or(ENOUGH.as_slice(), std::slice::from_ref);
    let refused = |wanted| setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_err();
    if wanted.iter().all(|wanted| *wanted > before && refused(*wanted)) {
        tracing::warn!(before, "the limit of open files could not be raised; each viewer takes one");
    }
}

#[cfg(not(unix))]
pub fn most() -> Option<u64> {
    None
}

#[cfg(not(unix))]
pub fn raise() {}
