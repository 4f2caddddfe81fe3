//! The threads that work on the store: one that writes, a few that read. Not for what is written or read.

use crate::{
    error::{Error, StorageFault},
    queue::{Queue, Taken},
    store::Store,
};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Most writes in one transaction: bounds how long the first of them waits for its answer.
const GROUP_MAX: usize = 256;
/// How often the writer looks up from its queue; another process's change is noticed within this time.
pub(crate) const TICK: Duration = Duration::from_millis(500);

/// A write: given the store (or why there is none), it does its work and leaves what is to be done once the outcome of the
/// whole group is known.
type Write = Box<dyn FnOnce(Result<&mut dyn Store, Error>) -> Settle + Send>;
type Settle = Box<dyn FnOnce(Result<(), Error>)>;
type Read = Box<dyn FnOnce(&dyn Store) + Send>;

/// The threads and the queues before them. Dropping it does what waits, then ends and joins every thread.
pub(crate) struct Desk {
    writes: Arc<Queue<Write>>,
    reads: Arc<Queue<Read>>,
    threads: Vec<JoinHandle<()>>,
}

impl Desk {
    /// Starts one thread for `writer` and one for each of `readers`. `tick` runs on the writer's thread every [`TICK`].
    ///
    /// # Errors
    /// When the operating system gives no thread.
    pub(crate) fn start(
        mut writer: Box<dyn Store>,
        readers: Vec<Box<dyn Store>>,
        waiting_writes: usize,
        waiting_reads: usize,
        mut tick: impl FnMut(&mut dyn Store) + Send + 'static,
    ) -> io::Result<Self> {
        let (writes, reads) = (Arc::new(Queue::new(waiting_writes)), Arc::new(Queue::new(waiting_reads)));
        let mut desk = Self { writes: Arc::clone(&writes), reads: Arc::clone(&reads), threads: Vec::new() };
        let write = move || write_all(&writes, writer.as_mut(), &mut tick);
        desk.threads.push(thread::Builder::new().name("store-writer".into()).spawn(write)?);
        for reader in readers {
            let reads = Arc::clone(&reads);
            let read = move || read_all(&reads, reader.as_ref());
            desk.threads.push(thread::Builder::new().name("store-reader".into()).spawn(read)?);
        }
        Ok(desk)
    }

    /// Runs `work` on the writer's thread, all of it or none, in one transaction with whatever else waits; answers once that
    /// is safe on disk. `after` runs then too, on that thread, even if nobody waits for the answer any more: news and cuts
    /// must not depend on a browser that stays.
    ///
    /// # Errors
    /// What `work` gives; [`Error::Busy`] when the queue is full.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Store) -> Result<T, Error> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, Error> {
        let (answer, answered) = oneshot::channel();
        self.post(work, move |result| {
            if let Ok(value) = &result {
                after(value);
            }
            // Whoever asked may have gone; the change stands all the same.
            drop(answer.send(result));
        })?;
        answered.await.unwrap_or(Err(Error::Storage(StorageFault::Stopped)))
    }

    /// [`Desk::write`] for those who do not wait.
    ///
    /// # Errors
    /// [`Error::Busy`] when the queue is full.
    pub(crate) fn post<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Store) -> Result<T, Error> + Send + 'static,
        done: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) -> Result<(), Error> {
        let write: Write = Box::new(move |store| {
            let result = store.and_then(|store| whole(store, work));
            Box::new(move |kept| {
                let result = match (result, kept) {
                    (Ok(value), Ok(())) => Ok(value),
                    (Err(error), _) | (Ok(_), Err(error)) => Err(error),
                };
                survive("after a write", || done(result));
            })
        });
        self.writes.push(write).map_err(|_| Error::Busy)
    }

    /// Runs `work` on a reader's thread.
    ///
    /// # Errors
    /// What `work` gives; [`Error::Busy`] when the queue is full.
    pub(crate) async fn read<T, E>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let read: Read = Box::new(move |store| {
            let result = survive("in a read", || work(store));
            drop(answer.send(result.unwrap_or_else(|| Err(Error::Storage(StorageFault::Stopped).into()))));
        });
        self.reads.push(read).map_err(|_| Error::Busy)?;
        answered.await.unwrap_or_else(|_| Err(Error::Storage(StorageFault::Stopped).into()))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.writes.close();
        self.reads.close();
        let here = thread::current().id();
        for thread in self.threads.drain(..) {
            // The last owner may be dropped by something that runs on one of these threads, which cannot wait for itself.
            if thread.thread().id() != here && thread.join().is_err() {
                tracing::error!("a thread of the store ended by a panic");
            }
        }
    }
}

/// One write inside the group: its own changes are undone when it gives an error or panics, the others' stay.
fn whole<T>(store: &mut dyn Store, work: impl FnOnce(&mut dyn Store) -> Result<T, Error>) -> Result<T, Error> {
    let (mut work, mut value) = (Some(work), None);
    store.together(&mut |store| {
        let broken = Err(Error::Storage(StorageFault::Stopped));
        let Some(work) = work.take() else { return broken };
        value = Some(survive("in a write", || work(store)).unwrap_or(Err(Error::Storage(StorageFault::Stopped)))?);
        Ok(())
    })?;
    value.ok_or(Error::Storage(StorageFault::Stopped))
}

/// One request that panics must not take the thread, and with it every other request.
fn survive<T>(place: &str, work: impl FnOnce() -> T) -> Option<T> {
    let result = catch_unwind(AssertUnwindSafe(work));
    if result.is_err() {
        tracing::error!(place, "a panic was caught on a thread of the store");
    }
    result.ok()
}

fn write_all(queue: &Queue<Write>, store: &mut dyn Store, tick: &mut dyn FnMut(&mut dyn Store)) {
    let mut group = Vec::new();
    let mut last_tick = Instant::now();
    loop {
        let taken = queue.take(&mut group, GROUP_MAX, Some(TICK.saturating_sub(last_tick.elapsed())));
        match taken {
            Taken::Closed => return,
            Taken::Some => write_group(&mut group, store),
            Taken::Nothing => {}
        }
        if last_tick.elapsed() >= TICK {
            survive("in a tick", || tick(store));
            last_tick = Instant::now();
        }
    }
}

/// Group commit: one transaction, so one wait for the disk, for everything that waited.
fn write_group(group: &mut Vec<Write>, store: &mut dyn Store) {
    let mut settles = Vec::with_capacity(group.len());
    let kept = store.together(&mut |store| {
        for write in group.drain(..) {
            settles.push(write(Ok(&mut *store)));
        }
        Ok(())
    });
    if let Err(error) = &kept {
        // Nothing was begun: those still in the group have not run.
        settles.extend(group.drain(..).map(|write| write(Err(error.clone()))));
    }
    for settle in settles {
        settle(kept.clone());
    }
}

fn read_all(queue: &Queue<Read>, store: &dyn Store) {
    let mut one = Vec::with_capacity(1);
    while queue.take(&mut one, 1, None) != Taken::Closed {
        for read in one.drain(..) {
            read(store);
        }
    }
}

#[cfg(test)]
mod tests;
