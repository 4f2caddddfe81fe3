//! The registry, leases and waiting, as publishers and viewers meet them.

use super::{
    testing::{aac_config, avc_config, inter, key, other_avc_config, sound},
    *,
};
use bytes::Bytes;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    task::Context,
    time::Instant,
};

fn room() -> RoomId {
    RoomId::from_random(42)
}

fn who(n: u64) -> PublisherInfo {
    PublisherInfo {
        from: [192, 0, 2, 1].into(),
        encoder: format!("encoder {n}"),
        key: KeyId::from_random(n << 1),
        since: UnixMillis(1_000 + n as i64),
    }
}

/// A flight for each tag; a publisher that goes ends the broadcast.
fn each_tag() -> Arc<Live> {
    Live::new(LiveLimits { flight: Duration::ZERO, grace: Duration::ZERO, ..LiveLimits::default() })
}

/// The same with the usual grace time.
fn patient() -> Arc<Live> {
    Live::new(LiveLimits { flight: Duration::ZERO, ..LiveLimits::default() })
}

fn start(publisher: &mut Publisher) {
    for tag in [avc_config(), aac_config(), key(0, 100)] {
        publisher.push(tag).expect("not cut");
    }
}

async fn next(subscriber: &mut Subscriber) -> Delivery {
    tokio::time::timeout(Duration::from_secs(5), subscriber.next()).await.expect("something comes")
}

/// The stamps delivered up to the end, and the headers as -1 (joining) and -2 (a change).
async fn all(mut subscriber: Subscriber) -> Vec<i64> {
    let mut seen = Vec::new();
    loop {
        match next(&mut subscriber).await {
            Delivery::Headers { joining: true, .. } => seen.push(-1),
            Delivery::Headers { joining: false, .. } => seen.push(-2),
            Delivery::Flight(flight) => seen.push(flight.at.get()),
            Delivery::Skipped(_) => seen.push(-3),
            Delivery::Ended => return seen,
        }
    }
}

fn is_idle(subscriber: &mut Subscriber) -> bool {
    subscriber.poll_next(&mut Context::from_waker(std::task::Waker::noop())).is_pending()
}

#[tokio::test]
async fn a_room_is_off_air_then_starting_then_live_then_off_air() {
    let live = each_tag();
    let mut changes = live.changes();
    assert_eq!(live.subscribe(room()).err(), Some(NotLive::OffAir));
    let mut publisher = live.publish(room(), who(1));
    assert_eq!(live.subscribe(room()).err(), Some(NotLive::Starting { since: UnixMillis(1_001) }));
    assert_eq!(live.status(room()).starting, Some(UnixMillis(1_001)));
    start(&mut publisher);
    let status = live.status(room());
    assert!(status.live.is_some() && status.starting.is_none());
    let encoder = status.encoder.expect("one publishes");
    assert_eq!((encoder.from.as_str(), encoder.encoder.as_str()), ("192.0.2.1", "encoder 1"));
    assert_eq!(encoder.video.map(|video| (video.width, video.height)), Some((640, 360)));
    assert_eq!(encoder.audio.map(|audio| audio.sample_rate_hz), Some(48_000));
    assert_eq!(OnAir::on_air(&*live), [room()]);
    drop(publisher);
    assert_eq!(live.status(room()), OnAirStatus::default());
    let mut told = Vec::new();
    while let Ok(change) = changes.try_recv() {
        told.push(change.what);
    }
    assert_eq!(told, [Change::Starting, Change::Tracks, Change::Tracks, Change::Live, Change::Ended]);
}

#[tokio::test]
async fn viewers_get_the_same_bytes_by_reference() {
    let live = each_tag();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let (mut one, mut two) = (live.subscribe(room()).expect("live"), live.subscribe(room()).expect("live"));
    publisher.push(inter(40, 5000)).expect("not cut");
    for _ in 0..3 {
        let (a, b) = (next(&mut one).await, next(&mut two).await);
        let (a, b): (&Bytes, &Bytes) = (a.flv().expect("bytes"), b.flv().expect("bytes"));
        assert_eq!(a.as_ptr(), b.as_ptr());
    }
    assert!(is_idle(&mut one) && is_idle(&mut two));
}

#[tokio::test]
async fn what_was_sent_before_the_end_still_arrives() {
    let limits = LiveLimits { flight: Duration::from_secs(60), grace: Duration::ZERO, ..LiveLimits::default() };
    let live = Live::new(limits);
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    publisher.flush();
    let subscriber = live.subscribe(room()).expect("live");
    publisher.push(inter(40, 10)).expect("not cut");
    drop(publisher);
    assert_eq!(all(subscriber).await, [-1, 0, 40]);
}

#[tokio::test]
async fn a_waiting_viewer_is_woken_by_each_flight_and_by_the_end() {
    let live = each_tag();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let watching: Vec<_> = (0..50).map(|_| tokio::spawn(all(live.subscribe(room()).expect("live")))).collect();
    for at in [40, 80, 120] {
        tokio::time::sleep(Duration::from_millis(5)).await;
        publisher.push(inter(at, 10)).expect("not cut");
    }
    drop(publisher);
    for viewer in watching {
        assert_eq!(viewer.await.expect("no panic"), [-1, 0, 40, 80, 120]);
    }
    assert!(live.rooms().is_empty());
}

/// Viewers on several threads that go to sleep and are woken as fast as it gets: a lost wake would hang one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_wake_is_lost() {
    let live = each_tag();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let watching: Vec<_> = (0..64).map(|_| tokio::spawn(all(live.subscribe(room()).expect("live")))).collect();
    for n in 1..3000 {
        publisher.push(key(n, 10)).expect("not cut");
        if n % 7 == 0 {
            tokio::task::yield_now().await;
        }
    }
    drop(publisher);
    for viewer in watching {
        let seen = viewer.await.expect("no panic");
        assert_eq!(seen.last(), Some(&2999));
        assert!(seen.is_sorted_by(|a, b| *a < 0 || *b < 0 || a < b));
    }
}

/// One flight at a time, each pushed at another moment of the viewer's falling asleep, and none after it that would wake who
/// missed it.
#[test]
fn a_flight_that_comes_while_a_viewer_falls_asleep_wakes_it() {
    let live = each_tag();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let mut subscriber = live.subscribe(room()).expect("live");
    let seen = Arc::new(AtomicI64::new(-1));
    let viewer = std::thread::spawn({
        let seen = seen.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(async {
                loop {
                    match subscriber.next().await {
                        Delivery::Flight(flight) => {
                            let at = flight.at.get();
                            seen.store(at, Ordering::Release);
                            (0..at % 499).for_each(|_| std::hint::spin_loop());
                        }
                        Delivery::Ended => return,
                        _ => {}
                    }
                }
            });
        }
    });
    for n in 0..20_000 {
        let begun = Instant::now();
        while seen.load(Ordering::Acquire) < n {
            assert!(begun.elapsed() < Duration::from_secs(5), "flight {n} woke nobody");
            std::hint::spin_loop();
        }
        publisher.push(key(n + 1, 10)).expect("not cut");
    }
    drop(publisher);
    viewer.join().expect("no panic");
}

#[tokio::test]
async fn an_open_flight_is_due_at_its_age_and_never_before_one_is_open() {
    let live = Live::new(LiveLimits { flight: Duration::from_millis(30), ..LiveLimits::default() });
    let mut publisher = live.publish(room(), who(1));
    assert!(tokio::time::timeout(Duration::from_millis(60), publisher.due()).await.is_err());
    let opened = Instant::now();
    start(&mut publisher);
    assert_eq!(live.subscribe(room()).err(), Some(NotLive::Starting { since: UnixMillis(1_001) }));
    publisher.due().await;
    assert!(opened.elapsed() >= Duration::from_millis(30));
    publisher.flush();
    assert!(live.subscribe(room()).is_ok());
}

#[tokio::test]
async fn a_newer_publisher_takes_over_and_viewers_go_on() {
    let live = each_tag();
    let mut older = live.publish(room(), who(1));
    start(&mut older);
    older.push(inter(40, 10)).expect("not cut");
    let mut subscriber = live.subscribe(room()).expect("live");
    let mut seen = vec![in_short(next(&mut subscriber).await)];
    let since = live.status(room()).live;
    let cut = older.cut();
    let mut newer = live.publish(room(), who(2));
    assert_eq!(cut.await, Cut::TakenOver);
    assert_eq!(older.push(inter(80, 10)), Err(Cut::TakenOver));
    drop(older);
    for tag in [other_avc_config(), key(7_000_000, 10), inter(7_000_040, 10)] {
        newer.push(tag).expect("not cut");
    }
    let status = live.status(room());
    assert_eq!(status.live, since, "the same broadcast goes on");
    assert_eq!(status.encoder.expect("one publishes").encoder, "encoder 2");
    for _ in 0..5 {
        seen.push(in_short(next(&mut subscriber).await));
    }
    // The first encoder's two frames, then the change, then the second's two on the same timeline.
    assert_eq!(seen, [(-1, 0), (0, 0), (40, 0), (-2, 1), (60, 1), (100, 1)]);
}

#[tokio::test]
async fn a_publisher_that_comes_back_in_time_goes_on_where_it_was() {
    let live = patient();
    let mut changes = live.changes();
    let mut older = live.publish(room(), who(1));
    start(&mut older);
    let since = live.status(room()).live;
    let mut subscriber = live.subscribe(room()).expect("live");
    let mut seen = Vec::new();
    while !is_idle_or(&mut subscriber, |delivery| seen.push(in_short(delivery))) {}
    drop(older);
    let gone = Instant::now();
    let status = live.status(room());
    assert_eq!((status.live, status.encoder), (since, None), "live, and nobody sends");
    live.tend(gone + Duration::from_secs(29));
    let late = live.subscribe(room()).expect("who comes meanwhile waits too");
    let mut newer = live.publish(room(), who(2));
    live.tend(gone + Duration::from_secs(60));
    assert_eq!(live.status(room()).encoder.map(|encoder| encoder.encoder), Some("encoder 2".to_owned()));
    for tag in [other_avc_config(), key(7_000_000, 10), inter(7_000_040, 10)] {
        newer.push(tag).expect("not cut");
    }
    live.tend(gone + Duration::from_secs(61));
    while !is_idle_or(&mut subscriber, |delivery| seen.push(in_short(delivery))) {}
    // Three marks of the absence (at once, after 29 and 60 s), then the change and the second encoder on the same timeline.
    assert_eq!(seen, [(-1, 0), (0, 0), (0, 0), (0, 0), (0, 0), (-2, 1), (20, 1), (60, 1)]);
    drop(subscriber);
    live.shut_down();
    assert_eq!(all(late).await.first(), Some(&-1));
    let mut told = Vec::new();
    while let Ok(change) = changes.try_recv() {
        told.push(change.what);
    }
    let (tracks, watching) = (Change::Tracks, Change::Ended);
    assert_eq!(
        told,
        [Change::Starting, tracks, tracks, Change::Live, Change::Away, Change::Back, tracks, watching],
        "one broadcast"
    );
}

#[tokio::test]
async fn a_publisher_that_does_not_come_back_ends_the_broadcast() {
    let live = patient();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let subscriber = live.subscribe(room()).expect("live");
    drop(publisher);
    let gone = Instant::now();
    live.tend(gone + Duration::from_secs(29));
    assert!(live.status(room()).live.is_some());
    // Somebody who connects and sends nothing gains no time.
    drop(live.publish(room(), who(2)));
    live.tend(gone + Duration::from_secs(31));
    assert_eq!(live.status(room()), OnAirStatus::default());
    assert_eq!(all(subscriber).await.first(), Some(&-1));
    // A room that was never live is not waited in.
    drop(live.publish(room(), who(3)));
    assert_eq!(live.status(room()), OnAirStatus::default());
    // What ends a broadcast with its publisher ends it without one too.
    for end in [0, 1] {
        let mut publisher = live.publish(room(), who(1));
        start(&mut publisher);
        drop(publisher);
        match end {
            0 => OnAir::cut_key(&*live, who(1).key, CutReason::KeyRevoked),
            _ => OnAir::cut_room(&*live, room(), CutReason::ByOwner),
        }
        assert_eq!(live.status(room()), OnAirStatus::default());
    }
}

#[test]
fn encoders_that_fight_are_told_apart_from_one_that_comes_back() {
    let live = patient();
    let mut publishers = vec![live.publish(room(), who(0))];
    start(&mut publishers[0]);
    for n in 1..=3 {
        assert!(!live.status(room()).fought_over, "{n}");
        publishers.push(live.publish(room(), who(n)));
    }
    assert!(live.status(room()).fought_over);
    let live = patient();
    for n in 0..9 {
        let mut publisher = live.publish(room(), who(n));
        start(&mut publisher);
        assert!(!live.status(room()).fought_over);
    }
}

/// What came by its time (-1: headers on joining, -2: a change of headers), and its epoch.
fn in_short(delivery: Delivery) -> (i64, u64) {
    match delivery {
        Delivery::Headers { headers, joining } => (i64::from(joining) - 2, headers.epoch),
        Delivery::Flight(flight) => (flight.at.get(), flight.headers.epoch),
        Delivery::Skipped(_) | Delivery::Ended => panic!("{delivery:?}"),
    }
}

#[tokio::test]
async fn a_publisher_can_be_cut_by_room_by_key_and_by_the_end_of_the_server() {
    for (n, expected) in [Cut::ByOwner, Cut::KeyRevoked, Cut::Shutdown].into_iter().enumerate() {
        let live = each_tag();
        let mut publisher = live.publish(room(), who(1));
        start(&mut publisher);
        let subscriber = live.subscribe(room()).expect("live");
        let cut = publisher.cut();
        OnAir::cut_key(&*live, KeyId::from_random(99), CutReason::KeyRevoked);
        OnAir::cut_room(&*live, RoomId::from_random(7), CutReason::ByOwner);
        assert_eq!(publisher.push(inter(1, 1)), Ok(()));
        match n {
            0 => OnAir::cut_room(&*live, room(), CutReason::ByOwner),
            1 => OnAir::cut_key(&*live, who(1).key, CutReason::KeyRevoked),
            _ => live.shut_down(),
        }
        assert_eq!(cut.await, expected);
        assert_eq!(publisher.push(inter(40, 10)), Err(expected));
        assert_eq!(all(subscriber).await, [-1, 0, 1]);
        assert_eq!(live.status(room()), OnAirStatus::default());
        // The room is free at once, and the old publisher's end does not touch the new one's broadcast.
        let _newer = live.publish(room(), who(2));
        drop(publisher);
        assert!(live.status(room()).starting.is_some());
    }
}

#[tokio::test]
async fn viewers_are_counted_and_who_watches_is_told_when_it_changes() {
    let live = each_tag();
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let mut changes = live.changes();
    let mut viewers = Vec::new();
    for n in 0..99 {
        let watcher = live.presence().enter(room(), Browser::Stranger(n % 33)).expect("counted");
        watcher.took(Instant::now());
        viewers.push((live.subscribe(room()).expect("live"), watcher));
    }
    assert_eq!(live.statistics(room()).map(|s| s.viewers), Some(99));
    live.count_audience(Instant::now());
    live.count_audience(Instant::now());
    assert_eq!(live.status(room()).watching, 33);
    assert_eq!(changes.try_recv().map(|change| change.what), Ok(Change::Watching));
    assert!(changes.try_recv().is_err());
    viewers.clear();
    live.count_audience(Instant::now() + Duration::from_secs(3));
    assert_eq!((live.status(room()).watching, live.statistics(room()).map(|s| s.viewers)), (0, Some(0)));
    assert_eq!(changes.try_recv().map(|change| change.what), Ok(Change::Watching));
}

#[tokio::test]
async fn a_slow_viewer_is_skipped_and_counted_while_another_goes_on() {
    let live = Live::new(LiveLimits { flight: Duration::ZERO, max_skips: 2, ..LiveLimits::default() });
    let mut publisher = live.publish(room(), who(1));
    start(&mut publisher);
    let (mut slow, mut quick) = (live.subscribe(room()).expect("live"), live.subscribe(room()).expect("live"));
    assert!(matches!(next(&mut slow).await, Delivery::Headers { .. }));
    assert!(matches!(next(&mut slow).await, Delivery::Flight(_)));
    let (mut skips, mut delivered) = (0, 0);
    for n in 1..=500 {
        let at = n * 40;
        publisher.push(if n % 25 == 0 { key(at, 10) } else { inter(at, 10) }).expect("not cut");
        publisher.push(sound(at)).expect("not cut");
        while !is_idle_or(&mut quick, |delivery| match delivery {
            Delivery::Skipped(_) => skips += 1,
            Delivery::Flight(_) => delivered += 1,
            _ => {}
        }) {}
    }
    assert_eq!((skips, delivered), (0, 1001));
    let Delivery::Skipped(skip) = next(&mut slow).await else { panic!("20 s behind") };
    assert!(skip.flights > 900, "{skip:?}");
    assert_eq!(live.statistics(room()).map(|s| (s.skips, s.viewers, s.flights)), Some((1, 2, 1001)));
}

/// Polls once; hands on what came. True when nothing did.
fn is_idle_or(subscriber: &mut Subscriber, mut seen: impl FnMut(Delivery)) -> bool {
    match subscriber.poll_next(&mut Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(delivery) => {
            seen(delivery);
            false
        }
        std::task::Poll::Pending => true,
    }
}

#[test]
fn a_viewer_is_small() {
    assert!(size_of::<Subscriber>() <= 96, "{} bytes", size_of::<Subscriber>());
}
