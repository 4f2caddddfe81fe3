//! Who is in rooms now, by what they were let in, and their end when that is worth nothing any more: a link that is over or revoked,
//! another password, another visibility. Whoever watches, by whatever way of playing, and whoever is in a chat holds a place here.
//!
//! Nothing polls. The domain tells of a room that changed; then each grant that somebody in that room holds is asked about once, however
//! many hold it. The ends that are known wait in one timer.

use crate::{Shutdown, state::now};
use madang_domain::{Domain, DomainChange, Error, Grant, Outbox, Permit, Room, Shown};
use madang_protocol::{RoomId, RoomPage, RoomSlug, UnixMillis};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::{Notify, broadcast::error::RecvError, oneshot};

/// How often somebody is looked at again who came while their room changed.
const TRIES: usize = 5;
/// The timer looks up at least this often: the clock by which ends are told may be set.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The places that are held. Cheap to clone.
///
/// The kind of lock: a `std` mutex for a few map operations when somebody comes, goes, or a room changes; never while anybody is told.
#[derive(Clone, Default)]
pub struct Permits(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: Mutex<Held>,
    /// An end that comes before the one that is waited for.
    sooner: Notify,
}

#[derive(Default)]
struct Held {
    next: u64,
    /// How often rooms were looked at: who was let in before the last look and holds no place yet has to be looked at again.
    looks: u64,
    rooms: HashMap<RoomId, HashMap<u64, Holder>>,
    ends: BTreeSet<(UnixMillis, RoomId, u64)>,
}

struct Holder {
    grant: Grant,
    ends: Option<UnixMillis>,
    end: End,
}

/// How somebody is ended.
enum End {
    /// Dropping it ends the stream.
    Stream { _alive: oneshot::Sender<Infallible> },
    /// Closing it ends the connection: its browser comes back and is looked at anew.
    Channel(Outbox),
}

/// A moment in the sequence of looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looked(u64);

/// Somebody's place in a room. Dropping it leaves.
pub struct Place {
    permits: Permits,
    room: RoomId,
    number: u64,
}

/// Leave to go on playing.
pub struct Stay {
    /// `None` for ever.
    over: Option<oneshot::Receiver<Infallible>>,
    _place: Option<Place>,
}

impl Stay {
    /// One that nothing ends.
    pub const fn for_ever() -> Self {
        Self { over: None, _place: None }
    }

    /// Ready once playing has to stop, and then always.
    pub fn poll_over(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        match &mut self.over {
            None => Poll::Pending,
            Some(over) => {
                let over = Pin::new(over).poll(cx).map(drop);
                if over.is_ready() {
                    // A channel that has ended must not be polled again; one that is closed says so each time.
                    self.over = Some(oneshot::channel().1);
                }
                over
            }
        }
    }
}

impl Permits {
    /// Lets somebody into a room for playing, and holds their place there.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::Forbidden`] for who is not let in; [`Error::Busy`], [`Error::Storage`].
    pub async fn play(&self, domain: &Domain, slug: &RoomSlug, shown: &Shown) -> Result<(Room, Stay), Error> {
        for _ in 0..TRIES {
            let since = self.looked();
            let (room, permit) = domain.admit(slug, shown).await?;
            let (alive, over) = oneshot::channel();
            if let Some(place) = self.hold(&permit, since, End::Stream { _alive: alive }) {
                return Ok((room, Stay { over: Some(over), _place: Some(place) }));
            }
        }
        Err(Error::Busy)
    }

    /// Lets a connection into a room, and holds its place there; its outbox is closed when that is over.
    ///
    /// # Errors
    /// As [`Permits::play`].
    pub async fn join(
        &self,
        domain: &Domain,
        slug: &RoomSlug,
        shown: &Shown,
        outbox: &Outbox,
    ) -> Result<(RoomPage, Place), Error> {
        for _ in 0..TRIES {
            let since = self.looked();
            let (page, permit) = domain.room_page(slug, shown).await?;
            if let Some(place) = self.hold(&permit, since, End::Channel(outbox.clone())) {
                return Ok((page, place));
            }
        }
        Err(Error::Busy)
    }

    /// To be asked before the domain is.
    fn looked(&self) -> Looked {
        Looked(self.lock().looks)
    }

    /// How many places are held.
    pub fn held(&self) -> usize {
        self.lock().rooms.values().map(HashMap::len).sum()
    }

    /// `None` when rooms were looked at after `since`: the permit may be old.
    fn hold(&self, permit: &Permit, since: Looked, end: End) -> Option<Place> {
        let Permit { room, grant, ends } = *permit;
        let mut held = self.lock();
        if Looked(held.looks) != since {
            return None;
        }
        let number = held.next;
        held.next += 1;
        held.rooms.entry(room).or_default().insert(number, Holder { grant, ends, end });
        let sooner = ends.is_some_and(|ends| held.ends.first().is_none_or(|(first, ..)| ends < *first));
        held.ends.extend(ends.map(|ends| (ends, room, number)));
        drop(held);
        if sooner {
            self.0.sooner.notify_one();
        }
        Some(Place { permits: self.clone(), room, number })
    }

    /// Ends those in the room whose grant does not stand any more.
    async fn look_at(&self, domain: &Domain, room: RoomId) {
        let (grants, before) = {
            let mut held = self.lock();
            held.looks += 1;
            let grants: HashSet<Grant> =
                held.rooms.get(&room).into_iter().flat_map(HashMap::values).map(|holder| holder.grant).collect();
            (grants, held.next)
        };
        if grants.is_empty() {
            return;
        }
        let over = match domain.standing_permits(room, grants.into_iter().collect()).await {
            // Who is in a room that is gone is told so by others; there is nothing in it any more.
            Ok(None) => self.lock().take_due(now()),
            Ok(Some(standing)) => {
                let standing: HashMap<Grant, Option<UnixMillis>> =
                    standing.into_iter().map(|permit| (permit.grant, permit.ends)).collect();
                self.lock().renew(room, before, &standing)
            }
            Err(error) => {
                // The next change asks again; what has ended by the clock has ended all the same.
                tracing::warn!(%room, %error, "whether people may stay in a room cannot be looked up");
                self.lock().take_due(now())
            }
        };
        end(over);
    }

    /// The rooms that somebody is in.
    fn rooms(&self) -> Vec<RoomId> {
        let mut held = self.lock();
        // Whoever is on their way into any other is looked at again too.
        held.looks += 1;
        held.rooms.keys().copied().collect()
    }

    /// The rooms in which somebody's time is up.
    fn due(&self, now: UnixMillis) -> HashSet<RoomId> {
        self.lock().ends.iter().take_while(|(ends, ..)| *ends <= now).map(|(_, room, _)| *room).collect()
    }

    /// How long until somebody's time is up.
    fn wait(&self) -> Duration {
        let first = self.lock().ends.first().map(|(ends, ..)| *ends);
        let left = first.map(|ends| Duration::from_millis(u64::try_from(ends.since(now())).unwrap_or(0)));
        left.unwrap_or(LONGEST_WAIT).min(LONGEST_WAIT)
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        // The maps agree with each other at the end of every operation, and none of them can panic in between.
        self.0.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Takes those of a room out whose grant is not among those that stand, and notes when the others end now. Who came as number
    /// `before` or later, after the question, was let in by an answer as new.
    fn renew(&mut self, room: RoomId, before: u64, standing: &HashMap<Grant, Option<UnixMillis>>) -> Vec<Holder> {
        let Some(holders) = self.rooms.get_mut(&room) else { return Vec::new() };
        let mut over = Vec::new();
        for (number, holder) in holders.iter_mut().filter(|(number, _)| **number < before) {
            let Some(ends) = standing.get(&holder.grant).copied() else {
                over.push(*number);
                continue;
            };
            if let Some(old) = std::mem::replace(&mut holder.ends, ends) {
                self.ends.remove(&(old, room, *number));
            }
            self.ends.extend(ends.map(|ends| (ends, room, *number)));
        }
        over.into_iter().filter_map(|number| self.remove(room, number)).collect()
    }

    /// Takes those out whose time is up.
    fn take_due(&mut self, now: UnixMillis) -> Vec<Holder> {
        let due: Vec<_> = self.ends.iter().take_while(|(ends, ..)| *ends <= now).copied().collect();
        due.into_iter().filter_map(|(_, room, number)| self.remove(room, number)).collect()
    }

    fn remove(&mut self, room: RoomId, number: u64) -> Option<Holder> {
        let holders = self.rooms.get_mut(&room)?;
        let holder = holders.remove(&number);
        if holders.is_empty() {
            self.rooms.remove(&room);
        }
        if let Some(ends) = holder.as_ref().and_then(|holder| holder.ends) {
            self.ends.remove(&(ends, room, number));
        }
        holder
    }
}

/// Tells them, outside the lock: a stream's end wakes its connection's task.
fn end(over: Vec<Holder>) {
    for holder in over {
        if let End::Channel(outbox) = &holder.end {
            outbox.close();
        }
    }
}

impl Place {
    pub const fn room(&self) -> RoomId {
        self.room
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let gone = self.permits.lock().remove(self.room, self.number);
        // The last of an outbox may free what waits in it: not under the lock.
        drop(gone);
    }
}

/// Ends people's stay when what let them in is worth nothing any more, until `shutdown`.
pub async fn keep(domain: Domain, permits: Permits, mut shutdown: Shutdown) {
    let mut changes = domain.changes();
    loop {
        tokio::select! {
            change = changes.recv() => match change {
                Ok(DomainChange::Room(room)) => permits.look_at(&domain, room).await,
                Ok(DomainChange::Anything) | Err(RecvError::Lagged(_)) => {
                    for room in permits.rooms() {
                        permits.look_at(&domain, room).await;
                    }
                }
                Ok(_) => {}
                Err(RecvError::Closed) => return,
            },
            () = tokio::time::sleep(permits.wait()) => {
                for room in permits.due(now()) {
                    permits.look_at(&domain, room).await;
                }
            }
            () = permits.0.sooner.notified() => {}
            () = shutdown.requested() => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use madang_protocol::LinkId;
    use std::future::poll_fn;

    fn room(n: u64) -> RoomId {
        RoomId::from_random(n << 1)
    }

    fn by_link(n: u64, ends: i64) -> Permit {
        Permit { room: room(n), grant: Grant::Link(LinkId::from_random(n << 1)), ends: Some(UnixMillis(ends)) }
    }

    fn stay(permits: &Permits, permit: &Permit) -> Stay {
        let (alive, over) = oneshot::channel();
        let place = permits.hold(permit, permits.looked(), End::Stream { _alive: alive }).expect("nobody looked");
        Stay { over: Some(over), _place: Some(place) }
    }

    fn channel(outbox: &Outbox) -> End {
        End::Channel(outbox.clone())
    }

    fn is_over(stay: &mut Stay) -> bool {
        poll_fn(|cx| stay.poll_over(cx)).now_or_never().is_some()
    }

    #[test]
    fn who_loses_their_grant_is_ended_and_who_has_another_stays() {
        let permits = Permits::default();
        let (mut linked, mut open) = (stay(&permits, &by_link(1, 50)), {
            stay(&permits, &Permit { grant: Grant::Open, ends: None, ..by_link(1, 0) })
        });
        let outbox = Outbox::new(4, 1000);
        let _joined = permits.hold(&by_link(1, 50), permits.looked(), channel(&outbox)).expect("nobody looked");
        assert_eq!((permits.held(), permits.due(UnixMillis(49)).len(), permits.due(UnixMillis(50)).len()), (3, 0, 1));
        let over = permits.lock().renew(room(1), 3, &HashMap::from([(Grant::Open, None)]));
        end(over);
        assert!(is_over(&mut linked) && is_over(&mut linked) && !is_over(&mut open));
        assert!(outbox.take().is_err(), "the channel is closed");
        assert_eq!(permits.held(), 1);
        drop((linked, open));
        assert_eq!(permits.held(), 0);
        assert!(permits.lock().ends.is_empty() && permits.lock().rooms.is_empty());
    }

    #[test]
    fn who_was_let_in_before_a_look_and_comes_after_it_is_looked_at_again() {
        let permits = Permits::default();
        let since = permits.looked();
        permits.rooms();
        let outbox = Outbox::new(4, 1000);
        assert!(permits.hold(&by_link(1, 50), since, channel(&outbox)).is_none());
        assert!(permits.hold(&by_link(1, 50), permits.looked(), channel(&outbox)).is_some());
    }

    #[test]
    fn an_end_that_moves_is_waited_for_where_it_is_now() {
        let permits = Permits::default();
        let mut stays = stay(&permits, &by_link(1, 50));
        let standing = HashMap::from([(by_link(1, 0).grant, Some(UnixMillis(80)))]);
        assert!(permits.lock().renew(room(1), 1, &standing).is_empty());
        assert!(permits.lock().renew(room(1), 0, &HashMap::new()).is_empty(), "who came after the question stays");
        assert!(permits.due(UnixMillis(79)).is_empty() && permits.due(UnixMillis(80)).len() == 1);
        assert_eq!(permits.lock().take_due(UnixMillis(80)).len(), 1);
        assert!(is_over(&mut stays));
        assert!(!is_over(&mut Stay::for_ever()));
    }
}
