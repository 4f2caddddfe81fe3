//! Gives memory back to the system after many connections have closed.
//!
//! glibc keeps what was freed below anything that is still in use, which after a crowd is nearly all of it: a busy evening would be seen in
//! the resident size until the next start.

use crate::{Shutdown, deliver::MediaAcceptor};
use std::time::Duration;

/// How often it is looked whether many have gone. Giving back takes a millisecond or two of a core for each thousand of them.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Not again before this: while it works, it holds the allocator's locks.
const REST: Duration = Duration::from_secs(30);
/// Fewer are not worth it: 2 MB.
const WORTH: usize = 100;

/// The connections since memory was last given back.
#[derive(Debug, Default)]
struct Crowd {
    most: usize,
}

impl Crowd {
    /// Notes how many there are; says whether enough have gone: [`WORTH`], and a quarter of the crowd.
    fn has_gone(&mut self, now: usize) -> bool {
        self.most = self.most.max(now);
        let gone = self.most - now;
        let worth = gone >= WORTH && gone * 4 >= self.most;
        if worth {
            self.most = now;
        }
        worth
    }
}

/// Works until `shutdown`.
pub async fn give_back(acceptor: MediaAcceptor, mut shutdown: Shutdown) {
    let (mut crowd, mut look) = (Crowd::default(), tokio::time::interval(LOOK_EVERY));
    loop {
        tokio::select! {
            _ = look.tick() => {
                if crowd.has_gone(acceptor.open()) {
                    // A thread of its own: no viewer waits for it. An error means that it panicked, which the log has told.
                    let _ = tokio::task::spawn_blocking(trim).await;
                    look.reset_after(REST);
                }
            }
            () = shutdown.requested() => return,
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "a function of the C library that takes no pointer and changes nothing that is in use")]
fn trim() {
    // SAFETY: see above; it takes the allocator's own locks.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators give back by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}

#[cfg(test)]
mod tests {
    use super::Crowd;

    #[test]
    fn a_crowd_that_leaves_is_noticed_once_and_those_who_come_and_go_are_not() {
        let mut crowd = Crowd::default();
        let noticed: Vec<bool> = [1_000, 950, 900, 100, 90, 80, 150, 60].map(|now| crowd.has_gone(now)).into();
        assert_eq!(noticed, [false, false, false, true, false, false, false, false]);
        let large: Vec<bool> = [10_000, 9_000, 8_000, 7_500, 7_400].map(|now| crowd.has_gone(now)).into();
        assert_eq!(large, [false, false, false, true, false]);
    }
}
