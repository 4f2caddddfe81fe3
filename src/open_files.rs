//! How many files the system lets this process have open: each connection takes one, and the usual soft limit is 1,024.

#[cfg(unix)]
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Where the system names no limit of its own.
#[cfg(unix)]
const ENOUGH: u64 = 1 << 20;

/// The most that the system lets this user's processes raise their limit to; `None` without a limit.
#[cfg(unix)]
pub fn most() -> Option<u64> {
    getrlimit(Resource::Nofile).maximum
}

/// Raises this process' limit to [`most`].
#[cfg(unix)]
pub fn raise() {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.unwrap_or(ENOUGH);
    if let Some(before) = current.filter(|current| *current < wanted)
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum })
    {
        tracing::warn!(%error, before, "the limit of open files could not be raised; each viewer takes one");
    }
}

#[cfg(not(unix))]
pub fn most() -> Option<u64> {
    None
}

#[cfg(not(unix))]
pub fn raise() {}
