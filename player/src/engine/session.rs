//! One connection's stream until the media source for it stands, and what is known of its tracks after that.

use super::{Engine, Output};
use crate::{
    Failure, PlayerEvent,
    intake::{Fragment, Init, Item, Track, codec_of},
};

/// How long a second track that the FLV header promised is waited for.
const SECOND_TRACK_MS: i64 = 500;
/// A track this far behind the other, in media and in time, has ended.
const TRACK_GONE_MS: i64 = 2_000;

/// One value a track.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pair<T> {
    pub audio: T,
    pub video: T,
}

impl<T> Pair<T> {
    pub fn get(&self, track: Track) -> &T {
        match track {
            Track::Audio => &self.audio,
            Track::Video => &self.video,
        }
    }

    pub fn get_mut(&mut self, track: Track) -> &mut T {
        match track {
            Track::Audio => &mut self.audio,
            Track::Video => &mut self.video,
        }
    }
}

/// The other track.
pub(super) const fn other(track: Track) -> Track {
    match track {
        Track::Audio => Track::Video,
        Track::Video => Track::Audio,
    }
}

/// The stream of one connection.
#[derive(Debug)]
pub(super) struct Session {
    /// What the FLV header promised.
    promised: Option<Pair<bool>>,
    first_init_ms: Option<i64>,
    /// Items in order, until the session is bound to a media source.
    held: Vec<Item>,
    /// A media source takes its fragments.
    pub bound: bool,
    /// Media has come, not only configuration.
    pub media: bool,
    /// The publisher is gone: that nothing comes is nobody's lateness.
    pub away: bool,
    /// A place on the connection's timeline, and when the server received what is there, in Unix time by its clock.
    pub clock: Option<(i64, i64)>,
    /// The newest configuration of each track.
    pub inits: Pair<Option<Init>>,
    /// Tracks that stopped while the other went on.
    gone: Pair<bool>,
    heard_ms: Pair<i64>,
}

impl Session {
    pub fn new(now_ms: i64) -> Self {
        Self {
            promised: None,
            first_init_ms: None,
            held: Vec::new(),
            bound: false,
            media: false,
            away: false,
            clock: None,
            inits: Pair::default(),
            gone: Pair::default(),
            heard_ms: Pair { audio: now_ms, video: now_ms },
        }
    }

    /// Bytes of the items that wait for a media source.
    pub fn held_bytes(&self) -> usize {
        let size = |item: &Item| match item {
            Item::Init(init) => init.bytes.len(),
            Item::Fragment(fragment) => fragment.bytes.len(),
            Item::Promise { .. } | Item::Away { .. } | Item::Clock { .. } | Item::Unsupported { .. } => 0,
        };
        self.held.iter().map(size).sum()
    }

    /// Whether the media source should have this track.
    pub fn wants(&self, track: Track) -> bool {
        self.inits.get(track).is_some() && !self.gone.get(track)
    }

    /// The tracks that the media source should have, with their types; video first.
    pub fn wanted(&self) -> Vec<(Track, String)> {
        let of = |track| self.inits.get(track).as_ref().filter(|_| self.wants(track));
        [Track::Video, Track::Audio].into_iter().filter_map(|track| Some((track, of(track)?.mime.clone()))).collect()
    }

    /// Whether a media source may begin with this fragment.
    pub fn leads(&self, fragment: &Fragment) -> bool {
        fragment.keyframe && (fragment.track == Track::Video || !self.wants(Track::Video))
    }

    /// Gives up a picture of which nothing but its configuration has come, while sound comes: its encoder has announced it and sends none,
    /// or has stopped sending it before this viewer came.
    fn give_up_picture(&mut self, now_ms: i64) {
        let came = |track| self.held.iter().any(|item| matches!(item, Item::Fragment(f) if f.track == track));
        if self.first_init_ms.is_some_and(|first_ms| now_ms - first_ms > TRACK_GONE_MS)
            && self.wants(Track::Audio)
            && came(Track::Audio)
            && !came(Track::Video)
        {
            self.gone.video = true;
        }
    }

    /// Whether every promised track is here, or has been waited for long enough.
    fn complete(&self, now_ms: i64) -> bool {
        let Some(first_ms) = self.first_init_ms else { return false };
        let here = |track| self.inits.get(track).is_some();
        let promise = self.promised.unwrap_or(Pair { audio: true, video: true });
        let all = (here(Track::Audio) || !promise.audio) && (here(Track::Video) || !promise.video);
        all || now_ms - first_ms >= SECOND_TRACK_MS
    }
}

impl Engine {
    /// Takes one item of the connection's stream.
    pub(super) fn item(&mut self, now_ms: i64, item: Item) {
        let Some(session) = &mut self.session else { return };
        match item {
            Item::Promise { audio, video } => session.promised = Some(Pair { audio, video }),
            Item::Away { left_s } => {
                session.away = true;
                self.face.show_when_dry(PlayerEvent::Away { left_s });
            }
            Item::Clock { at_ms, unix_ms } => session.clock = Some((at_ms, unix_ms)),
            Item::Unsupported { track: Track::Video, codec } => self.fail(Failure::CodecNotPlayable { mime: codec }),
            Item::Unsupported { track: Track::Audio, codec } => {
                // The picture goes on without sound; the statistics say why.
                session.promised.get_or_insert(Pair { audio: true, video: true }).audio = false;
                self.stats.left_out = Some(codec);
            }
            Item::Init(init) => {
                session.first_init_ms.get_or_insert(now_ms);
                if init.track == Track::Audio {
                    self.stats.left_out = None;
                }
                *session.inits.get_mut(init.track) = Some(init.clone());
                *session.gone.get_mut(init.track) = false;
                if session.bound {
                    self.configure(&init);
                } else {
                    session.held.push(Item::Init(init));
                }
            }
            Item::Fragment(fragment) => {
                session.media = true;
                if std::mem::take(&mut session.away) {
                    self.face.forget();
                }
                *session.heard_ms.get_mut(fragment.track) = now_ms;
                if session.bound {
                    self.fragment(now_ms, &fragment);
                } else {
                    session.held.push(Item::Fragment(fragment));
                    self.bind_when_ready(now_ms);
                }
            }
        }
    }

    /// Gives the session a media source when its tracks are known: the one in place where it fits, so that the last
    /// picture of the stream before stays until the first of this one.
    pub(super) fn bind_when_ready(&mut self, now_ms: i64) {
        // Frames may have decoders of their own.
        let (way, asks) = (self.way(), !self.keeps());
        let Some(session) = &mut self.session else { return };
        if session.bound || !session.complete(now_ms) {
            return;
        }
        session.give_up_picture(now_ms);
        let starts_here = |item: &Item| matches!(item, Item::Fragment(fragment) if session.leads(fragment));
        if !session.held.iter().any(starts_here) {
            return;
        }
        let plays = |init: &Init| !asks || (self.abilities.plays)(&init.mime);
        if session.wants(Track::Video)
            && let Some(silent) = session.inits.audio.take_if(|init| !plays(init))
        {
            self.stats.left_out = Some(silent.codec().to_owned());
        }
        let wanted = session.wanted();
        let first_ms = |track| {
            session.held.iter().find_map(|item| match item {
                Item::Fragment(f) if f.track == track && f.keyframe => Some(f.start_ms),
                _ => None,
            })
        };
        let start_ms = [Track::Video, Track::Audio].into_iter().filter_map(first_ms).min().unwrap_or(0);
        let held = std::mem::take(&mut session.held);
        let kept = Pair { audio: session.wants(Track::Audio), video: session.wants(Track::Video) };
        session.bound = true;
        session.heard_ms = Pair { audio: now_ms, video: now_ms };
        let fits =
            |deck: &super::Deck| !deck.broken && deck.way() == way && deck.takes(&wanted, self.abilities.change_type);
        match self.deck.as_mut().filter(|deck| !self.rebuild && fits(deck)) {
            Some(deck) => deck.go_on(start_ms),
            None => self.build(now_ms, wanted, start_ms, way),
        }
        self.face.forget();
        self.pilot.join(now_ms);
        for item in held {
            match item {
                Item::Init(init) if !*kept.get(init.track) => {}
                Item::Init(init) => self.configure(&init),
                Item::Fragment(fragment) => self.fragment(now_ms, &fragment),
                Item::Promise { .. } | Item::Away { .. } | Item::Clock { .. } | Item::Unsupported { .. } => {}
            }
        }
    }

    /// A track's configuration has come, for the first time or anew.
    fn configure(&mut self, init: &Init) {
        self.past.configured(init);
        if let Some((width, height)) = init.size
            && (width, height) != (self.stats.width, self.stats.height)
        {
            (self.stats.width, self.stats.height) = (width, height);
            self.out.push_back(Output::Event(PlayerEvent::Size { width, height }));
        }
        let taken = self.deck.as_mut().is_some_and(|deck| deck.configure(init, self.abilities.change_type));
        self.rebuild |= !taken;
    }

    /// Leaves out sound that this browser does not play, where there is a picture. False when that is no help.
    pub(super) fn goes_on_without(&mut self, mime: &str) -> bool {
        let Some(session) = &mut self.session else { return false };
        let is = |track| session.inits.get(track).as_ref().is_some_and(|init: &Init| init.mime == *mime);
        if !is(Track::Audio) || !session.wants(Track::Video) {
            return false;
        }
        session.inits.audio = None;
        self.stats.left_out = Some(codec_of(mime).to_owned());
        // The next key frame gets a media source without it.
        if let Some(deck) = &mut self.deck {
            deck.broken = true;
        }
        self.rebuild = true;
        true
    }

    /// Gives a new media source the configurations that hold.
    pub(super) fn configure_all(&mut self, inits: &Pair<Option<Init>>) {
        for init in [&inits.video, &inits.audio].into_iter().flatten() {
            if let Some(deck) = self.deck.as_mut().filter(|deck| deck.has(init.track)) {
                let taken = deck.configure(init, self.abilities.change_type);
                self.rebuild |= !taken;
            }
        }
    }

    fn fragment(&mut self, now_ms: i64, fragment: &Fragment) {
        let turns = self.deck.as_ref().is_some_and(|deck| deck.way() != self.way());
        let Some(session) = &mut self.session else { return };
        let track = fragment.track;
        if std::mem::take(session.gone.get_mut(track)) {
            self.rebuild = true;
        }
        // A track that ends takes the other with it, for the element plays only where both have data.
        let late = other(track);
        let behind =
            session.wants(track) && self.deck.as_ref().is_some_and(|deck| deck.lags(late, track, TRACK_GONE_MS));
        if behind && session.wants(late) && now_ms - session.heard_ms.get(late) > TRACK_GONE_MS {
            *session.gone.get_mut(late) = true;
            self.rebuild = true;
        }
        if (self.rebuild || turns) && session.leads(fragment) {
            let wanted = session.wanted();
            let inits = session.inits.clone();
            let way = self.way();
            self.build(now_ms, wanted, fragment.start_ms, way);
            self.pilot.join(now_ms);
            self.configure_all(&inits);
        }
        if let Some(deck) = &mut self.deck {
            deck.feed(fragment);
        }
        if self.keeps() {
            self.past.keep(fragment, self.connection);
        }
    }
}
