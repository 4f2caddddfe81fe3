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
    let raised = |wanted| setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum }).is_ok();
    let wanted = maximum.map_or_else(|| ENOUGH.to_vec(), |maximum| vec![maximum]);
    let more: Vec<u64> = wanted.into_iter().filter(|wanted| *wanted > before).collect();
    if !more.is_empty() && !more.into_iter().any(raised) {
        tracing::warn!(before, "the limit of open files could not be raised; each viewer takes one");
    }
}

#[cfg(not(unix))]
pub fn most() -> Option<u64> {
    None
}

#[cfg(not(unix))]
pub fn raise() {}
