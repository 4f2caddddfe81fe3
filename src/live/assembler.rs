//! From one publisher's tags to flights: which tags are worth sending, where a flight is closed, when an epoch begins.
//!
//! Pure: it is given the time and gives back drafts; [`super::publisher`] puts them into the ring.

use super::{
    LiveLimits,
    flight::{Draft, Headers},
    health::{Key, Meter},
    mark,
    timeline::{Place, Timeline, Track},
    tracks::{Change, Tracks},
};
use bytes::BytesMut;
use madang_media::{
    Millis,
    codec::{AudioCodec, VideoCodec},
    flv::{self, Tag, TagKind, audio, video},
};
use madang_protocol::{UnixMillis, studio::Health};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Without a picture for this long, viewers may begin at the sound, and the picture goes on at its next key frame.
const PICTURE_LAPSE: Duration = Duration::from_secs(10);

/// Pictures further apart than this have no pace that the next could be expected by.
const PACE_MAX: Duration = Duration::from_millis(250);

/// Flights are cut from allocations of at least this, in bytes.
const BUFFER: usize = 64 * 1024;

/// Why a tag goes to nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// Before the first key frame, or after a change and before its key frame.
    NotYet,
    /// A codec that no browser is given.
    Codec,
    /// Nothing in it to send: empty, broken, or script data that is not passed on.
    Nothing,
}

/// The picture as viewers have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Picture {
    /// None, or none any more: the sound stands alone.
    Absent,
    /// Announced by a configuration at this time; frames before the next key frame decode to nothing.
    AwaitingKey(Instant),
    /// The last frame came then.
    Running(Instant),
}

/// How far the stamps of pictures lie apart.
#[derive(Clone, Copy, Debug, Default)]
struct Pace {
    last: Option<Millis>,
    /// As of the newest two; zero until there are two, and after a pause that says nothing of the next.
    gap: Duration,
}

impl Pace {
    fn saw(&mut self, at: Millis) {
        let gap_ms = self.last.replace(at).map_or(0, |last| (at - last).0);
        self.gap = Duration::from_millis(u64::try_from(gap_ms).unwrap_or(0));
        if self.gap > PACE_MAX {
            self.gap = Duration::ZERO;
        }
    }
}

struct Open {
    since: Instant,
    headers: Arc<Headers>,
    at: Millis,
    end: Millis,
    starts_with_keyframe: bool,
    joinable: bool,
}

/// Where the room stood when this publisher took it over.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Continues {
    pub edge: Option<Millis>,
    pub epoch: Option<u64>,
}

pub(super) struct Assembler {
    flight: Duration,
    flight_bytes: usize,
    sound_alone_after: Duration,
    timeline: Timeline,
    tracks: Tracks,
    headers: Option<Arc<Headers>>,
    /// Of the current headers, or of the next ones while there are none.
    epoch: u64,
    compatible_from: u64,
    picture: Picture,
    pace: Pace,
    first_sound: Option<Instant>,
    started: bool,
    /// The tracks are not what they were when that was last asked.
    news: bool,
    /// Fed with every frame, at the stamp that the encoder gave it.
    health: Meter,
    /// When the tag at hand came, by the clock on the wall.
    received: UnixMillis,
    open: Option<Open>,
    /// One allocation serves several flights: each is split off in turn, and the rest goes on.
    buffer: BytesMut,
}

impl Assembler {
    pub(super) fn new(limits: &LiveLimits, continues: Continues) -> Self {
        let epoch = continues.epoch.map_or(0, |epoch| epoch + 1);
        Self {
            flight: limits.flight,
            flight_bytes: limits.flight_bytes,
            sound_alone_after: limits.sound_alone_after,
            timeline: Timeline::from_edge(continues.edge),
            tracks: Tracks::default(),
            headers: None,
            epoch,
            compatible_from: epoch,
            picture: Picture::Absent,
            pace: Pace::default(),
            first_sound: None,
            started: false,
            news: false,
            health: Meter::new(limits.plan_bps),
            received: UnixMillis(0),
            open: None,
            buffer: BytesMut::with_capacity(BUFFER),
        }
    }

    pub(super) fn tracks(&self) -> &Tracks {
        &self.tracks
    }

    /// How the stream comes in.
    pub(super) fn health(&self, now: Instant) -> Option<Health> {
        self.health.read(now)
    }

    /// Whether the tracks have changed since this was last asked.
    pub(super) fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    /// When the open flight is old enough to be closed.
    pub(super) fn due(&self) -> Option<Instant> {
        self.open.as_ref().map(|open| open.since + self.flight)
    }

    /// Takes one tag; flights that it closes are put into `closed`, in order.
    ///
    /// # Errors
    /// Says why the tag goes to nobody. The publisher goes on.
    pub(super) fn push(
        &mut self,
        tag: &Tag,
        now: Instant,
        received: UnixMillis,
        closed: &mut Vec<Draft>,
    ) -> Result<(), Dropped> {
        self.received = received;
        if tag.body.len() > flv::MAX_BODY {
            return Err(Dropped::Nothing);
        }
        match tag.kind {
            TagKind::Script => self.script(tag, now, closed),
            TagKind::Video => match video::parse(&tag.body) {
                Ok(video::Packet::Config(codec, config)) => {
                    let change = self.tracks.set_video(&tag.body, codec, &config);
                    self.configured(change, closed);
                    if change != Change::Same {
                        self.picture = Picture::AwaitingKey(now);
                    }
                    Ok(())
                }
                Ok(video::Packet::Frame { codec, keyframe, composition, data, .. }) => {
                    let key = match keyframe {
                        false => Key::No,
                        true if codec == VideoCodec::Avc && self.tracks.is_open(&data) => Key::Open,
                        true => Key::Alone,
                    };
                    self.health.picture(now, tag.at, tag.body.len(), key, composition);
                    // A frame of another codec than the last configuration's cannot be decoded with it.
                    if self.tracks.video_codec() != Some(codec) {
                        return Err(Dropped::NotYet);
                    }
                    self.picture_frame(tag, keyframe, now, closed)
                }
                Ok(video::Packet::Unsupported(_)) => Err(Dropped::Codec),
                // An end of sequence is left out: the room goes on, and a player that is told of an end stops.
                Ok(video::Packet::EndOfSequence | video::Packet::Nothing) | Err(_) => Err(Dropped::Nothing),
            },
            TagKind::Audio => match audio::parse(&tag.body) {
                Ok(audio::Packet::Config(codec, config)) => {
                    let change = self.tracks.set_audio(&tag.body, codec, &config);
                    self.configured(change, closed);
                    Ok(())
                }
                Ok(audio::Packet::Frame(codec, frame)) => {
                    self.health.sound(now, tag.at, tag.body.len());
                    if codec == AudioCodec::Mp3 {
                        let change = self.tracks.see_mp3(&frame);
                        self.configured(change, closed);
                    }
                    if self.tracks.audio_codec() != Some(codec) {
                        return Err(Dropped::NotYet);
                    }
                    self.sound_frame(tag, now, closed)
                }
                Ok(audio::Packet::Unsupported(_)) => Err(Dropped::Codec),
                Ok(audio::Packet::Nothing) | Err(_) => Err(Dropped::Nothing),
            },
        }
    }

    /// Closes the open flight, if there is one.
    pub(super) fn close(&mut self, closed: &mut Vec<Draft>) {
        let Some(open) = self.open.take() else { return };
        let Open { headers, at, end, starts_with_keyframe, joinable, .. } = open;
        closed.push(Draft { bytes: self.buffer.split().freeze(), at, end, starts_with_keyframe, joinable, headers });
    }

    fn configured(&mut self, change: Change, closed: &mut Vec<Draft>) {
        if change == Change::Same {
            return;
        }
        self.news = true;
        // What is open decodes with what was before.
        self.close(closed);
        if self.headers.take().is_some() {
            self.epoch += 1;
        }
        if change == Change::Replaced {
            self.compatible_from = self.epoch;
        }
    }

    fn script(&mut self, tag: &Tag, now: Instant, closed: &mut Vec<Draft>) -> Result<(), Dropped> {
        if !self.tracks.set_metadata(&tag.body) {
            return Err(Dropped::Nothing);
        }
        self.news = true;
        if let Some(headers) = &self.headers {
            // Words change, decoders do not: those who are watching get the tag in its place, those who come get it first.
            let at = self.timeline.edge();
            self.headers = Some(Arc::new(self.tracks.headers(headers.epoch, headers.compatible_from, at)));
            self.close(closed);
            let body = self.tracks.script();
            self.write(TagKind::Script, Place { at, jumped: false }, &body, false, now, closed);
        }
        Ok(())
    }

    fn picture_frame(
        &mut self,
        tag: &Tag,
        keyframe: bool,
        now: Instant,
        closed: &mut Vec<Draft>,
    ) -> Result<(), Dropped> {
        let running = matches!(self.picture, Picture::Running(since) if now.duration_since(since) < PICTURE_LAPSE);
        if !self.tracks.has_video() || !(keyframe || running) {
            return Err(Dropped::NotYet);
        }
        if keyframe {
            self.close(closed);
        }
        self.picture = Picture::Running(now);
        self.started = true;
        let place = self.timeline.place(Track::Video, tag.at);
        self.pace.saw(place.at);
        self.write(TagKind::Video, place, &tag.body, keyframe, now, closed);
        // A flight that the next picture would find closed has nothing to wait for: this picture is on its way now.
        if self.open.as_ref().is_some_and(|open| now.duration_since(open.since) + self.pace.gap > self.flight) {
            self.close(closed);
        }
        Ok(())
    }

    fn sound_frame(&mut self, tag: &Tag, now: Instant, closed: &mut Vec<Draft>) -> Result<(), Dropped> {
        if !self.tracks.has_audio() {
            return Err(Dropped::NotYet);
        }
        if !self.started {
            let since = *self.first_sound.get_or_insert(now);
            let expected =
                matches!(self.picture, Picture::AwaitingKey(told) if now.duration_since(told) < PICTURE_LAPSE);
            if expected || now.duration_since(since) < self.sound_alone_after {
                return Err(Dropped::NotYet);
            }
            self.started = true;
        }
        if let Picture::AwaitingKey(since) | Picture::Running(since) = self.picture
            && now.duration_since(since) >= PICTURE_LAPSE
        {
            self.close(closed);
            self.picture = Picture::Absent;
        }
        let place = self.timeline.place(Track::Audio, tag.at);
        self.write(TagKind::Audio, place, &tag.body, false, now, closed);
        Ok(())
    }

    fn write(
        &mut self,
        kind: TagKind,
        place: Place,
        body: &[u8],
        keyframe: bool,
        now: Instant,
        closed: &mut Vec<Draft>,
    ) {
        let Place { at, jumped } = place;
        if jumped {
            self.close(closed);
        }
        let headers = self.current_headers(at);
        let joinable = keyframe || self.picture == Picture::Absent;
        let open = self.open.get_or_insert(Open {
            since: now,
            headers,
            at,
            end: at,
            starts_with_keyframe: keyframe,
            joinable,
        });
        open.end = open.end.max(at);
        let old = now.duration_since(open.since) >= self.flight;
        if let Some(mark) = mark::before(jumped, keyframe.then_some(self.received)) {
            flv::write_tag(&mut self.buffer, TagKind::Script, at.to_stamp(), &mark);
        }
        flv::write_tag(&mut self.buffer, kind, at.to_stamp(), body);
        if old || self.buffer.len() >= self.flight_bytes {
            self.close(closed);
        }
    }

    /// The headers of the epoch; written when its first flight is opened, so that they carry its stamp.
    fn current_headers(&mut self, at: Millis) -> Arc<Headers> {
        if let Some(headers) = &self.headers {
            return headers.clone();
        }
        let headers = Arc::new(self.tracks.headers(self.epoch, self.compatible_from, at));
        self.headers = Some(headers.clone());
        headers
    }
}

#[cfg(test)]
#[path = "assembler_tests.rs"]
mod tests;
