//! The connection: opening, what its answers mean, and when to try again.

use super::{Answer, Engine, Output, View, deck::BUFFER_MAX_S, session::Session};
use crate::{Failure, PlayerEvent, intake::Intake};
use bytes::Bytes;

/// A request that nobody answers is given up after this.
const ANSWER_MS: i64 = 10_000;
/// A request that has no answer yet is given up for a WebSocket after this: over HTTP/1.1 a browser has six connections an origin, and
/// as many tabs may hold them all.
const SOCKET_AFTER_MS: i64 = 3_000;
/// A stream that gives nothing is given up after this: longer than the server waits for a silent encoder (10 s).
const SILENCE_MS: i64 = 12_000;
/// And after this while the machine says that it is offline. It may be wrong, as where the server is near: then something comes.
const OFFLINE_MS: i64 = 2_000;
/// What has been silent for so long when the machine is online again is of the network before.
const STALE_MS: i64 = 1_000;
/// A stream that has flowed for so long was a success, and the next failure the first in its row.
const SUCCESS_MS: i64 = 5_000;

/// Hidden and muted for so long, a tab is forgotten and downloads nothing more.
const FORGOTTEN_MS: i64 = 60_000;
/// And hidden and paused for so long: its place would be given up.
const PAUSED_MS: i64 = (BUFFER_MAX_S * 1000.0) as i64;

/// Where the connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// Nothing is asked for, and nothing will be.
    Idle,
    /// A request has left.
    Opening { since_ms: i64, socket: bool },
    /// Bytes come.
    Flowing { since_ms: i64, heard_ms: i64 },
    /// Until the next attempt. `network`: because of a failure that `online` may end.
    Resting { until_ms: i64, network: bool },
}

impl Engine {
    /// Tries now, unless a connection stands or is being made.
    pub(super) fn restart(&mut self, now_ms: i64) {
        if matches!(self.link, Link::Idle | Link::Resting { .. }) {
            self.open(now_ms, self.socket);
        }
    }

    /// The machine is online again: no need to wait out a failure, nor a connection of the network before.
    pub(super) fn online(&mut self, now_ms: i64) {
        self.offline = false;
        if matches!(self.link, Link::Flowing { heard_ms, .. } if now_ms - heard_ms > STALE_MS) {
            self.give_up(now_ms);
        }
        if matches!(self.link, Link::Resting { network: true, .. }) {
            self.open(now_ms, self.socket);
        }
    }

    /// A tab that is hidden and paused, or muted, stops downloading after a while, and goes on as soon as somebody may notice.
    pub(super) fn rest_unnoticed(&mut self, now_ms: i64, view: &View) {
        // A muted picture may be seen in a window of its own; not every browser tells.
        let muted = view.muted && self.abilities.picture_apart;
        if self.visible || !(muted || view.paused) {
            self.unnoticed_ms = None;
            if std::mem::take(&mut self.asleep) {
                self.restart(now_ms);
            }
            return;
        }
        let since_ms = *self.unnoticed_ms.get_or_insert(now_ms);
        let connected = matches!(self.link, Link::Opening { .. } | Link::Flowing { .. });
        let after_ms = if muted { FORGOTTEN_MS } else { PAUSED_MS };
        if connected && now_ms - since_ms >= after_ms {
            self.asleep = true;
            self.out.push_back(Output::Abort { connection: self.connection });
            self.link = Link::Idle;
            self.end_session();
        }
    }

    pub(super) fn answered(&mut self, now_ms: i64, answer: Answer) {
        let Link::Opening { socket, .. } = self.link else { return };
        match answer {
            Answer::Stream => {
                self.socket = socket;
                self.link = Link::Flowing { since_ms: now_ms, heard_ms: now_ms };
                self.intake = Some(Intake::new());
                self.session = Some(Session::new(now_ms));
            }
            Answer::NotLive { state, retry_after_ms } => {
                let wait_ms = self.retry.not_live(state == "starting", retry_after_ms);
                let over = state != "starting" && !self.wants_play && self.face.playing();
                self.face.show_when_dry(PlayerEvent::NotLive { state });
                if over {
                    // Who has paused what is left is asked first.
                    self.link = Link::Idle;
                } else {
                    self.rest(now_ms, wait_ms, false);
                }
            }
            Answer::Socket if !socket => self.open(now_ms, true),
            Answer::NotFound => {
                self.link = Link::Idle;
                self.face.show(PlayerEvent::NotFound, &mut self.out);
            }
            Answer::Refused { retry_after_ms } => self.lost(now_ms, retry_after_ms),
            Answer::Socket => self.lost(now_ms, None),
        }
    }

    pub(super) fn bytes(&mut self, now_ms: i64, bytes: Bytes) {
        let Link::Flowing { heard_ms, .. } = &mut self.link else { return };
        *heard_ms = now_ms;
        self.received.push_back((now_ms, bytes.len() as u64));
        while self.received.front().is_some_and(|(at_ms, _)| now_ms - at_ms > super::BITRATE_MS) {
            self.received.pop_front();
        }
        // Taken out while it works, so that its items may change everything else, the connection included.
        let connection = self.connection;
        let Some(mut intake) = self.intake.take() else { return };
        intake.push(bytes);
        if self.drain(now_ms, &mut intake) {
            if matches!(self.link, Link::Flowing { .. }) && connection == self.connection {
                self.intake = Some(intake);
            }
        } else {
            self.out.push_back(Output::Abort { connection });
            self.lost(now_ms, None);
        }
    }

    /// Takes what the intake has; false when it is not FLV.
    fn drain(&mut self, now_ms: i64, intake: &mut Intake) -> bool {
        while matches!(self.link, Link::Flowing { .. }) {
            match intake.next_item() {
                Ok(Some(item)) => {
                    let source = self.sources;
                    self.item(now_ms, item);
                    if self.sources != source {
                        intake.begin_here();
                    }
                }
                Ok(None) => break,
                Err(_) => return false,
            }
        }
        true
    }

    pub(super) fn closed(&mut self, now_ms: i64, clean: bool) {
        match self.link {
            Link::Opening { .. } => self.lost(now_ms, None),
            Link::Flowing { .. } => {
                if let Some(mut intake) = self.intake.take() {
                    intake.finish();
                    self.drain(now_ms, &mut intake);
                }
                if clean && self.session.as_ref().is_some_and(|session| session.media) {
                    self.end_session();
                    self.face.show_when_dry(PlayerEvent::Ended);
                    let wait_ms = self.retry.ended();
                    self.rest(now_ms, wait_ms, false);
                } else {
                    self.lost(now_ms, None);
                }
            }
            Link::Idle | Link::Resting { .. } => {}
        }
    }

    /// What the clock alone brings about.
    pub(super) fn deadlines(&mut self, now_ms: i64) {
        let (wants_data, over_socket) = (self.wants_data(), self.socket);
        let silence_ms = if self.offline { OFFLINE_MS } else { SILENCE_MS };
        match &mut self.link {
            Link::Opening { since_ms, socket: false } if now_ms - *since_ms > SOCKET_AFTER_MS => {
                self.out.push_back(Output::Abort { connection: self.connection });
                self.open(now_ms, true);
            }
            Link::Opening { since_ms, .. } if now_ms - *since_ms > ANSWER_MS => self.give_up(now_ms),
            // While reading pauses, silence is our own doing.
            Link::Flowing { heard_ms, .. } if !wants_data => *heard_ms = now_ms,
            Link::Flowing { heard_ms, .. } if now_ms - *heard_ms > silence_ms => {
                let came = self.session.as_ref().is_some_and(|session| session.media);
                self.give_up(now_ms);
                // Answered, and then nothing: something between here and the server waits for the end of the answer.
                if !came && !over_socket {
                    self.open(now_ms, true);
                }
            }
            Link::Flowing { since_ms, .. } if now_ms - *since_ms > SUCCESS_MS => self.retry.succeeded(),
            Link::Resting { until_ms, .. } if now_ms >= *until_ms => self.open(now_ms, self.socket),
            _ => {}
        }
    }

    /// Nothing more can be done without `restart`.
    pub(super) fn fail(&mut self, failure: Failure) {
        if matches!(self.link, Link::Opening { .. } | Link::Flowing { .. }) {
            self.out.push_back(Output::Abort { connection: self.connection });
        }
        self.link = Link::Idle;
        self.session = None;
        self.intake = None;
        self.rebuild = true;
        if let Some(deck) = &mut self.deck {
            deck.broken = true;
        }
        self.breaks.clear();
        self.face.show(PlayerEvent::Failed(failure), &mut self.out);
    }

    fn open(&mut self, now_ms: i64, socket: bool) {
        self.connection = self.connection.wrapping_add(1);
        self.link = Link::Opening { since_ms: now_ms, socket };
        self.out.push_back(Output::Open { connection: self.connection, socket });
        self.face.connecting(&mut self.out);
    }

    fn give_up(&mut self, now_ms: i64) {
        self.out.push_back(Output::Abort { connection: self.connection });
        self.lost(now_ms, None);
    }

    fn lost(&mut self, now_ms: i64, retry_after_ms: Option<i64>) {
        self.end_session();
        // What a WebSocket could not bring is asked for by a request, whose answer says why.
        self.socket = false;
        self.stats.reconnects += 1;
        let wait_ms = self.retry.network(retry_after_ms);
        let retry_in_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
        self.face.show_when_dry(PlayerEvent::Waiting { retry_in_ms, attempt: self.retry.failures() });
        self.rest(now_ms, wait_ms, true);
    }

    fn rest(&mut self, now_ms: i64, wait_ms: i64, network: bool) {
        self.link = Link::Resting { until_ms: now_ms + wait_ms, network };
    }

    fn end_session(&mut self) {
        self.session = None;
        self.intake = None;
    }
}
