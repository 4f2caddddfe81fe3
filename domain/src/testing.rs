//! What the tests of this crate share: a media side that records what it is told, drafts, and a house on a new folder.

use crate::{
    CookieValue, CutReason, Domain, DomainChange, DomainLimits, OnAir, OnAirStatus, Person, Room, StreamKey,
    cookie::CookieSigner,
};
use madang_protocol::{
    KeyId, RoomDraft, RoomId, RoomSlug, UnixMillis, Visibility,
    studio::{Attempt, EncoderInfo},
};
use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{sync::broadcast, time::timeout};

pub(crate) fn slug(text: &str) -> RoomSlug {
    RoomSlug::parse(text).expect("a slug")
}

/// A signer with a secret of its own, in a folder that goes with the test.
pub(crate) fn signer() -> (tempfile::TempDir, CookieSigner) {
    let dir = tempfile::tempdir().expect("a folder");
    let signer = CookieSigner::open(&dir.path().join("cookie.key")).expect("a signer");
    (dir, signer)
}

/// A public room by Ana.
pub(crate) fn draft(slug_text: &str) -> RoomDraft {
    RoomDraft {
        owner_name: "Ana".into(),
        slug: slug(slug_text),
        title: format!("The room {slug_text}"),
        description: "Two\nlines".into(),
        category: "games".into(),
        tags: vec!["speedrun".into(), "한국어".into()],
        language: "ko".into(),
        visibility: Visibility::Public,
    }
}

/// What the media side was told to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    Room(RoomId, CutReason),
    Key(KeyId, CutReason),
}

/// A media side of which the test says what is on the air, and which writes down what it is told.
#[derive(Default)]
pub(crate) struct RecordingOnAir {
    statuses: Mutex<HashMap<RoomId, OnAirStatus>>,
    cuts: Mutex<Vec<Cut>>,
}

impl RecordingOnAir {
    pub(crate) fn put(&self, room: RoomId, status: OnAirStatus) {
        self.statuses.lock().expect("no panic").insert(room, status);
    }

    pub(crate) fn live(&self, room: RoomId, since: i64, watching: u32) {
        self.put(room, OnAirStatus { live: Some(UnixMillis(since)), watching, ..OnAirStatus::default() });
    }

    pub(crate) fn off(&self, room: RoomId) {
        self.statuses.lock().expect("no panic").remove(&room);
    }

    pub(crate) fn cuts(&self) -> Vec<Cut> {
        self.cuts.lock().expect("no panic").clone()
    }
}

impl OnAir for RecordingOnAir {
    fn status(&self, room: RoomId) -> OnAirStatus {
        self.statuses.lock().expect("no panic").get(&room).cloned().unwrap_or_default()
    }

    fn attempts(&self, _: RoomId, _: Option<IpAddr>) -> Vec<Attempt> {
        Vec::new()
    }

    fn stray_attempts(&self) -> Vec<Attempt> {
        Vec::new()
    }

    fn on_air(&self) -> Vec<RoomId> {
        self.statuses.lock().expect("no panic").keys().copied().collect()
    }

    fn cut_room(&self, room: RoomId, why: CutReason) {
        self.cuts.lock().expect("no panic").push(Cut::Room(room, why));
    }

    fn cut_key(&self, key: KeyId, why: CutReason) {
        self.cuts.lock().expect("no panic").push(Cut::Key(key, why));
    }
}

pub(crate) fn encoder(key: KeyId) -> EncoderInfo {
    EncoderInfo {
        since: UnixMillis(1),
        from: "192.0.2.1".into(),
        encoder: "obs-output 31".into(),
        key,
        video: None,
        audio: None,
        bitrate_bps: 0,
        health: None,
    }
}

/// A domain on a new folder, as the server has it.
pub(crate) struct House {
    pub(crate) domain: Domain,
    pub(crate) air: Arc<RecordingOnAir>,
    pub(crate) dir: tempfile::TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(DomainLimits::default())
    }

    pub(crate) fn with(limits: DomainLimits) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let domain = Domain::open_with(dir.path(), limits).expect("opens");
        let air = Arc::new(RecordingOnAir::default());
        domain.set_on_air(Arc::clone(&air) as Arc<dyn OnAir>);
        Self { domain, air, dir }
    }

    pub(crate) async fn guest(&self) -> (Person, CookieValue) {
        self.domain.guest().await.expect("a guest")
    }

    /// A room of a new guest.
    pub(crate) async fn room(&self, slug: &str) -> (Person, Room, StreamKey) {
        let (owner, _) = self.guest().await;
        let (room, key) = self.domain.create_room(owner.id, draft(slug)).await.expect("a room");
        (owner, room, key)
    }

    /// One number from the database, by a connection of its own.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let db = rusqlite::Connection::open(self.dir.path().join("madang.sqlite3")).expect("opens");
        db.query_row(sql, [], |row| row.get(0)).expect("a number")
    }

    /// Whether any file of the data directory has these bytes.
    pub(crate) fn files_have(&self, text: &str) -> bool {
        let files = std::fs::read_dir(self.dir.path()).expect("a folder");
        files.into_iter().any(|file| {
            let bytes = std::fs::read(file.expect("a file").path()).expect("read");
            bytes.windows(text.len()).any(|window| window == text.as_bytes())
        })
    }
}

/// The next change, within two seconds.
pub(crate) async fn next(changes: &mut broadcast::Receiver<DomainChange>) -> DomainChange {
    timeout(Duration::from_secs(10), changes.recv()).await.expect("in time").expect("a change")
}
