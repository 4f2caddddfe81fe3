//! The few threads that hash passwords. Hashing takes a core and 19 MiB for some 30 ms on purpose: not for an asynchronous thread, and
//! not for as many at once as care to ask.

use crate::{
    error::{Error, StorageFault},
    password::{Password, PasswordDigest},
    queue::{Queue, Taken},
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// The threads, and the queue before them. Dropping it does what waits, then ends and joins them.
pub(crate) struct Hashers {
    jobs: Arc<Queue<Job>>,
    threads: Vec<JoinHandle<()>>,
    /// Passwords compared with a digest so far, right, wrong and for nobody alike.
    compared: Arc<AtomicU64>,
}

impl Hashers {
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn start(workers: usize, waiting: usize) -> io::Result<Self> {
        let jobs: Arc<Queue<Job>> = Arc::new(Queue::new(waiting));
        let mut threads = Vec::new();
        for _ in 0..workers.max(1) {
            let jobs = Arc::clone(&jobs);
            threads.push(thread::Builder::new().name("passwords".into()).spawn(move || work(&jobs))?);
        }
        Ok(Self { jobs, threads, compared: Arc::default() })
    }

    /// # Errors
    /// [`Error::Busy`] when too many wait; [`Error::Storage`] without randomness or memory.
    pub(crate) async fn digest(&self, password: Password) -> Result<PasswordDigest, Error> {
        self.run(move || password.digest()).await?
    }

    /// Whether the password is the digest's. With no digest (there is no such account) the same work is done on one that nobody has the
    /// password of, and the answer is no.
    ///
    /// # Errors
    /// [`Error::Busy`] when too many wait.
    pub(crate) async fn fits(&self, password: Password, digest: Option<PasswordDigest>) -> Result<bool, Error> {
        let compared = Arc::clone(&self.compared);
        let compare = move || {
            let known = digest.is_some();
            let fits = password.fits(&digest.unwrap_or_else(PasswordDigest::nobodys));
            compared.fetch_add(1, Ordering::Relaxed);
            fits && known
        };
        self.run(compare).await
    }

    /// How much work was done.
    #[cfg(test)]
    pub(crate) fn compared(&self) -> u64 {
        self.compared.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone.
        let job: Job = Box::new(move || drop(answer.send(job())));
        self.jobs.push(job).map_err(|_| Error::Busy)?;
        answered.await.map_err(|_| Error::Storage(StorageFault::Stopped))
    }
}

impl Drop for Hashers {
    fn drop(&mut self) {
        self.jobs.close();
        let here = thread::current().id();
        for thread in self.threads.drain(..) {
            if thread.thread().id() != here && thread.join().is_err() {
                tracing::error!("a thread that hashes passwords ended by a panic");
            }
        }
    }
}

fn work(jobs: &Queue<Job>) {
    let mut one = Vec::with_capacity(1);
    while jobs.take(&mut one, 1, None) != Taken::Closed {
        for job in one.drain(..) {
            if catch_unwind(AssertUnwindSafe(job)).is_err() {
                tracing::error!("a panic was caught while a password was hashed");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn password(text: &str) -> Password {
        Password::check(text).expect("long enough")
    }

    #[tokio::test]
    async fn a_password_fits_its_digest_only_and_nobodys_costs_the_same() {
        let hashers = Hashers::start(1, 4).expect("starts");
        let digest = hashers.digest(password("correct horse")).await.expect("a digest");
        assert_eq!(hashers.fits(password("correct horse"), Some(digest.clone())).await, Ok(true));
        assert_eq!(hashers.fits(password("correct house"), Some(digest)).await, Ok(false));
        assert_eq!(hashers.fits(password("correct horse"), None).await, Ok(false));
        assert_eq!(hashers.compared(), 3, "each of them was work");
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_told_at_once() {
        let hashers = Hashers::start(1, 1).expect("starts");
        let (hold, held) = mpsc::channel::<()>();
        let (started, begun) = oneshot::channel();
        let busy: Job = Box::new(move || {
            let _ = started.send(());
            let _ = held.recv();
        });
        assert!(hashers.jobs.push(busy).is_ok());
        begun.await.expect("it runs");
        assert!(hashers.jobs.push(Box::new(|| {})).is_ok(), "one may wait");
        assert_eq!(hashers.fits(password("correct horse"), None).await, Err(Error::Busy));
        drop(hold);
    }
}
