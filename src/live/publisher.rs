//! The lease of whoever publishes to a room.

use super::{
    Change, Live,
    assembler::{Assembler, Dropped},
    cut::{Cut, CutSignal},
    flight::Draft,
    stream::{Granted, LeaseEnded, Scratch, Stream},
};
use madang_media::flv::{Tag, TagKind};
use madang_protocol::{KeyId, RoomId, UnixMillis};
use std::{
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

/// How often the stream's health is looked at: studios are told once a second.
const JUDGE_EVERY: Duration = Duration::from_millis(500);

/// Who publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherInfo {
    pub from: IpAddr,
    /// What the encoder calls itself; empty when it did not say.
    pub encoder: String,
    pub key: KeyId,
    pub since: UnixMillis,
}

/// The right to publish to a room. Dropping it leaves the room waiting for the grace time, and ends the broadcast after that, unless
/// a newer publisher has come.
///
/// All methods return at once but the two that wait, which borrow nothing mutably: a session selects on its socket,
/// [`Publisher::due`] and [`Publisher::cut`] together.
pub struct Publisher {
    live: Arc<Live>,
    stream: Arc<Stream>,
    lease: u64,
    cut: Arc<CutSignal>,
    assembler: Assembler,
    drafts: Vec<Draft>,
    scratch: Scratch,
    told_codec: bool,
    judged: Option<Instant>,
}

impl Publisher {
    pub(super) fn new(live: Arc<Live>, stream: Arc<Stream>, granted: Granted) -> Self {
        let Granted { lease, cut, continues } = granted;
        let assembler = Assembler::new(&live.limits, continues);
        let (drafts, scratch) = Default::default();
        Self { live, stream, lease, cut, assembler, drafts, scratch, told_codec: false, judged: None }
    }

    pub fn room(&self) -> RoomId {
        self.stream.room
    }

    /// Takes the next tag, in order of arrival. Its stamp may be anything: it is put on the room's timeline.
    ///
    /// Tags that nobody could play (other codecs, before the first key frame) are dropped and counted.
    ///
    /// # Errors
    /// The publisher was cut; this and every later tag goes nowhere.
    pub fn push(&mut self, tag: Tag) -> Result<(), Cut> {
        if let Some(why) = self.cut.why() {
            return Err(why);
        }
        let now = Instant::now();
        if let Err(dropped) = self.assembler.push(&tag, now, super::now(), &mut self.drafts) {
            self.note_dropped(dropped, tag.kind);
        }
        self.judge(now);
        if self.assembler.take_news() {
            let tracks = self.assembler.tracks();
            if self.stream.describe(self.lease, tracks.video_info(), tracks.audio_info()) {
                self.live.tell(self.stream.room, Change::Tracks);
            }
        }
        self.send_on()
    }

    /// Resolves when the open flight is old enough to be closed; then call [`Publisher::flush`]. Pending while none is open.
    /// Cancel safe.
    pub async fn due(&self) {
        match self.assembler.due() {
            Some(at) => tokio::time::sleep_until(at.into()).await,
            None => std::future::pending().await,
        }
    }

    /// Closes the open flight and sends it on its way.
    pub fn flush(&mut self) {
        self.assembler.close(&mut self.drafts);
        // A cut is told by the next push, and by `cut`.
        let _ = self.send_on();
    }

    /// Resolves when somebody cuts this publisher. Cancel safe; the future borrows nothing, so it can outlive a loop's turns.
    pub fn cut(&self) -> impl Future<Output = Cut> + Send + use<> {
        let signal = self.cut.clone();
        async move { signal.wait().await }
    }

    fn send_on(&mut self) -> Result<(), Cut> {
        if self.drafts.is_empty() {
            return Ok(());
        }
        let room = self.stream.room;
        match self.stream.append(self.lease, &mut self.drafts, super::now(), &mut self.scratch) {
            Ok(appended) => {
                if appended.went_live.is_some() {
                    self.live.tell(room, Change::Live);
                }
                Ok(())
            }
            // Whoever ends a lease settles the reason under the same lock, so there always is one.
            Err(LeaseEnded) => Err(self.cut.why().unwrap_or(Cut::TakenOver)),
        }
    }

    /// Says how the stream comes in, now and then.
    fn judge(&mut self, now: Instant) {
        if self.judged.is_none_or(|judged| now.saturating_duration_since(judged) >= JUDGE_EVERY) {
            self.judged = Some(now);
            self.stream.judge(self.lease, self.assembler.health(now));
        }
    }

    fn note_dropped(&mut self, dropped: Dropped, kind: TagKind) {
        let meters = &self.live.meters;
        match dropped {
            Dropped::NotYet => meters.dropped_early.increment(1),
            Dropped::Nothing => meters.dropped_empty.increment(1),
            Dropped::Codec => {
                meters.dropped_codec.increment(1);
                if !std::mem::replace(&mut self.told_codec, true) {
                    tracing::warn!(
                        room = %self.stream.room, ?kind,
                        "the encoder sends a codec that is not carried; set it to H.264 and AAC, which every browser plays"
                    );
                }
            }
        }
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.flush();
        self.live.end_lease(&self.stream, self.lease);
    }
}
