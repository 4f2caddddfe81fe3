//! What an encoder's or a player's messages mean: the state machine of a connection, without sockets.
//!
//! Messages go in by [`Session::receive`]; what is to be done comes out of [`Session::next_action`], what is to be sent out of
//! [`Session::take_output`]. The connection carries both out in that order and reports back what the gate said.

use super::{
    codecs::CodecCheck,
    command::{self, Command, Connect},
    data,
    error::{End, Refused},
    gate::{PlayRequest, PublishRequest, Refusal, StreamName},
    limits::{Budget, RtmpLimits},
    message::{Message, kind, leading_u32},
    outbound::{self, Outbound},
    words::{self, Status},
};
use crate::live::Cut;
use bytes::Bytes;
use madang_media::{
    amf0::Value,
    codec,
    flv::{Tag, TagKind},
    time::StampExtender,
};
use std::{collections::VecDeque, net::SocketAddr, time::Instant};

/// The only application there is.
const APP: &str = "live";
/// What we announce, in bytes.
const ACKNOWLEDGEMENT_WINDOW: u32 = 2_500_000;
/// A smaller window would have us answer nearly every read.
const MIN_ACKNOWLEDGEMENT_WINDOW: u32 = 4_096;
/// Message streams that one connection may create.
const MAX_STREAMS: u32 = 16;

/// What the connection has to do.
#[derive(Debug)]
pub enum Action {
    /// Ask the gate; then call [`Session::granted`] or [`Session::refuse`].
    Ask(PublishRequest),
    /// Hand to the outlet.
    Tag(Tag),
    /// The encoder ended its stream and stays connected: drop the outlet.
    Unpublish,
    /// Ask the gate for a program; then call [`Session::playing`] or [`Session::refuse`].
    Play(PlayRequest),
    /// The player wants nothing for a while (true), or goes on.
    Pause(bool),
    /// The player has seen enough and stays connected: drop the program.
    Leave,
    /// Send what is to be sent, then close.
    Close(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Fresh,
    Connected,
    Asking { stream: u32, shape: Shape },
    Publishing { stream: u32 },
    Choosing { stream: u32 },
    Playing { stream: u32 },
    Over,
}

/// What stands in the key's place at first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Empty,
    Url,
    Other,
}

impl Shape {
    fn of(name: &StreamName) -> Self {
        match name.expose() {
            text if text.trim().is_empty() => Self::Empty,
            text if text.contains("://") => Self::Url,
            _ => Self::Other,
        }
    }
}

/// One connection's state. See the module page.
pub struct Session {
    from: SocketAddr,
    stage: Stage,
    app: String,
    /// A name that says what is wrong with what was refused.
    detail: String,
    encoder: String,
    streams: u32,
    stamps: StampExtender,
    codecs: CodecCheck,
    commands_per_second: u32,
    budget: Budget,
    /// The peer's, in bytes; `None` until it announces one, and nothing is acknowledged then: an encoder that does not expect
    /// acknowledgements does not read them either, and resets the connection when it closes, which loses its last frames.
    window: Option<u32>,
    acknowledged: u64,
    actions: VecDeque<Action>,
    out: Outbound,
}

impl Session {
    pub fn new(from: SocketAddr, limits: &RtmpLimits, now: Instant) -> Self {
        Self {
            from,
            stage: Stage::Fresh,
            app: String::new(),
            detail: String::new(),
            encoder: String::new(),
            streams: 0,
            stamps: StampExtender::new(),
            codecs: CodecCheck::default(),
            commands_per_second: limits.commands_per_second,
            budget: Budget::new(limits.commands_per_second, now),
            window: None,
            acknowledged: 0,
            actions: VecDeque::new(),
            out: Outbound::new(),
        }
    }

    /// What the encoder calls itself; empty until `connect`.
    pub fn encoder(&self) -> &str {
        &self.encoder
    }

    /// What the encoder sent that was refused, where a name says it: an application, a codec. Empty otherwise; never a key.
    pub fn detail(&self) -> &str {
        &self.detail
    }

    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    pub fn take_output(&mut self) -> Vec<u8> {
        self.out.take()
    }

    /// Takes the next message. An error ends the connection without a word to the peer: it does not speak RTMP well enough.
    pub fn receive(&mut self, message: Message, now: Instant) -> Result<(), End> {
        match message.kind {
            kind::AUDIO => self.media(&message, TagKind::Audio, message.at, message.body.clone()),
            kind::VIDEO => self.media(&message, TagKind::Video, message.at, message.body.clone()),
            kind::AGGREGATE => {
                for part in data::aggregate(&message) {
                    self.media(&message, part.kind, part.at, part.body);
                }
            }
            kind::DATA_AMF0 | kind::DATA_AMF3 => {
                if self.publishes(&message)
                    && let Some(body) = data::script(message.kind, &message.body)
                {
                    self.media(&message, TagKind::Script, message.at, body);
                }
            }
            kind::COMMAND_AMF0 | kind::COMMAND_AMF3 => {
                self.spend(now)?;
                let command = command::parse(message.kind, &message.body)?;
                tracing::trace!(from = %self.from, ?command, "RTMP command");
                self.command(command, message.stream);
            }
            kind::USER_CONTROL => {
                // §7.1.7: event type 6 is a ping request, answered with its own stamp.
                if let Some(rest) = message.body.strip_prefix(&[0, 6])
                    && let Some(stamp) = leading_u32(rest)
                {
                    self.spend(now)?;
                    self.out.ping_response(stamp);
                }
            }
            kind::WINDOW_ACKNOWLEDGEMENT_SIZE => {
                if let Some(size) = leading_u32(&message.body).filter(|size| *size > 0) {
                    self.window = Some(size.max(MIN_ACKNOWLEDGEMENT_WINDOW));
                }
            }
            // Acknowledgements of the little we send, bandwidth wishes, shared objects: nothing depends on them.
            _ => {}
        }
        Ok(())
    }

    /// Says how many bytes arrived in all; acknowledges them when a window is full (§5.4.3).
    pub fn received(&mut self, total: u64) {
        let Some(window) = self.window else { return };
        if total.saturating_sub(self.acknowledged) >= u64::from(window) {
            self.acknowledged = total;
            let [_, _, _, _, low @ ..] = total.to_be_bytes();
            self.out.acknowledgement(u32::from_be_bytes(low));
        }
    }

    /// The gate gave an outlet.
    pub fn granted(&mut self) {
        let Stage::Asking { stream, .. } = self.stage else { return };
        self.stage = Stage::Publishing { stream };
        self.stamps = StampExtender::new();
        self.codecs = CodecCheck::default();
        self.out.stream_begin(stream);
        self.out.on_status(stream, &Status::ok("NetStream.Publish.Start", "You are on air as soon as media arrives."));
    }

    /// The gate gave a program.
    pub fn playing(&mut self) {
        let Stage::Choosing { stream } = self.stage else { return };
        self.stage = Stage::Playing { stream };
        self.out.stream_begin(stream);
        self.out.on_status(stream, &words::play_start());
        self.out.sample_access(stream);
    }

    /// What the player is shown next.
    pub fn show(&mut self, tag: &Tag) {
        let Stage::Playing { stream } = self.stage else { return };
        self.out.media(stream, tag);
    }

    /// The broadcast is over.
    pub fn played(&mut self) {
        let Stage::Playing { stream } = self.stage else { return };
        self.out.on_status(stream, &words::play_over());
        self.out.stream_eof(stream);
        self.stage = Stage::Over;
    }

    /// Refuses what was asked for and closes. `wait_s` is for the words of [`Refused::Locked`].
    pub fn refuse(&mut self, refused: Refused, wait_s: u64) {
        let refused = match (refused, self.stage) {
            (Refused::Key(Refusal::NotAKey), Stage::Asking { shape: Shape::Empty, .. }) => Refused::EmptyKey,
            (Refused::Key(Refusal::NotAKey), Stage::Asking { shape: Shape::Url, .. }) => Refused::UrlAsKey,
            (refused, _) => refused,
        };
        self.tell(&words::refusal(refused, wait_s));
        self.close(End::Refused(refused));
    }

    /// Somebody ended the publisher.
    pub fn cut(&mut self, cut: Cut) {
        if let Stage::Publishing { stream } = self.stage {
            self.out.on_status(stream, &words::cut(cut));
            self.out.stream_eof(stream);
        }
        self.stage = Stage::Over;
    }

    /// Gives notice of an end that is not the encoder's doing, if it has come far enough to understand.
    pub fn tell(&mut self, status: &Status) {
        match self.stage {
            Stage::Asking { stream, .. }
            | Stage::Publishing { stream }
            | Stage::Choosing { stream }
            | Stage::Playing { stream } => self.out.on_status(stream, status),
            Stage::Connected => self.out.on_status(0, status),
            Stage::Fresh | Stage::Over => {}
        }
    }

    fn close(&mut self, end: End) {
        self.stage = Stage::Over;
        self.actions.push_back(Action::Close(end));
    }

    fn spend(&mut self, now: Instant) -> Result<(), End> {
        if self.budget.take(now) { Ok(()) } else { Err(End::TooManyCommands(self.commands_per_second)) }
    }

    /// Whether the message belongs to the published stream. With one stream there is no doubt, whatever its number says.
    fn publishes(&self, message: &Message) -> bool {
        matches!(self.stage, Stage::Publishing { stream } if stream == message.stream || self.streams <= 1)
    }

    fn media(&mut self, message: &Message, tag_kind: TagKind, at: u32, body: Bytes) {
        // Some encoders send empty messages to keep a connection warm.
        if body.is_empty() || !self.publishes(message) {
            return;
        }
        // A script's stamp may be 0 at any time and says nothing about where the media are.
        let at = if tag_kind == TagKind::Script { self.stamps.peek(at) } else { self.stamps.extend(at) };
        let tag = Tag { kind: tag_kind, at, body };
        match self.codecs.look(&tag) {
            Ok(()) => self.actions.push_back(Action::Tag(tag)),
            Err((refused, codec)) => {
                tracing::info!(from = %self.from, codec, "an encoder sends a codec that browsers are not given");
                self.detail = codec;
                self.refuse(refused, 0);
            }
        }
    }

    fn command(&mut self, command: Command, stream: u32) {
        match (self.stage, command) {
            (Stage::Over, _) | (_, Command::Answer) => {}
            (Stage::Fresh, Command::Connect(connect)) => self.connect(connect),
            (Stage::Fresh, _) => {
                self.out.on_status(0, &words::refusal(Refused::NotConnected, 0));
                self.close(End::Refused(Refused::NotConnected));
            }
            (_, Command::Connect(connect)) => self.out.error(connect.transaction, &words::unknown_command()),
            (_, Command::ReleaseStream { transaction } | Command::FcPublish { transaction }) => self.done(transaction),
            (_, Command::FcUnpublish { transaction }) => {
                self.done(transaction);
                self.unpublish();
            }
            (_, Command::CreateStream { transaction }) => self.create_stream(transaction),
            (Stage::Connected, Command::Publish { name, .. }) => {
                self.stage = Stage::Asking { stream, shape: Shape::of(&name) };
                let (app, encoder) = (self.app.clone(), self.encoder.clone());
                self.actions.push_back(Action::Ask(PublishRequest { app, key: name, from: self.from, encoder }));
            }
            (Stage::Connected, Command::Play { name }) => {
                self.stage = Stage::Choosing { stream };
                let (from, program) = (self.from, self.encoder.clone());
                self.actions.push_back(Action::Play(PlayRequest { name, from, program }));
            }
            (_, Command::Publish { .. } | Command::Play { .. }) => {
                self.out.on_status(stream, &words::refusal(Refused::SecondStream, 0));
            }
            (Stage::Playing { stream: played }, Command::Pause { on }) => {
                self.out.on_status(played, &words::paused(on));
                self.actions.push_back(Action::Pause(on));
            }
            (_, Command::GetStreamLength { transaction }) => {
                self.out.result(transaction, Value::Null, Value::Number(0.0));
            }
            (_, Command::CheckBandwidth { transaction }) => self.done(transaction),
            (Stage::Publishing { stream: published }, Command::DeleteStream { stream: deleted }) => {
                if deleted.is_none_or(|deleted| deleted == published) {
                    self.unpublish();
                }
            }
            (Stage::Publishing { stream: published }, Command::CloseStream) if stream == published => self.unpublish(),
            (Stage::Playing { stream: played }, Command::DeleteStream { stream: deleted }) => {
                if deleted.is_none_or(|deleted| deleted == played) {
                    self.leave();
                }
            }
            (Stage::Playing { stream: played }, Command::CloseStream) if stream == played => self.leave(),
            (_, Command::DeleteStream { .. } | Command::CloseStream | Command::Pause { .. }) => {}
            (_, Command::Unknown { transaction }) => {
                if transaction > 0.0 {
                    self.out.error(transaction, &words::unknown_command());
                }
            }
        }
    }

    fn connect(&mut self, connect: Connect) {
        self.stage = Stage::Connected;
        self.encoder = connect.encoder;
        self.out.window_acknowledgement_size(ACKNOWLEDGEMENT_WINDOW);
        self.out.peer_bandwidth(ACKNOWLEDGEMENT_WINDOW);
        self.out.set_chunk_size();
        if connect.app.normal() != APP {
            self.detail = connect.app.plain().to_owned();
            tracing::info!(from = %self.from, app = connect.app.shown(), "an encoder asked for an application that is not `live`");
            self.out.error(connect.transaction, &words::refusal(Refused::App, 0));
            // librtmp reads no error to connect, but this.
            self.refuse(Refused::App, 0);
            return;
        }
        self.app = APP.to_owned();
        let mut server = vec![
            ("fmsVer".into(), outbound::text("FMS/3,5,7,7009")),
            ("capabilities".into(), Value::Number(31.0)),
            ("mode".into(), Value::Number(1.0)),
        ];
        if connect.enhanced {
            server.extend(abilities());
        }
        let success = Status::ok("NetConnection.Connect.Success", "Connection succeeded.");
        let information = outbound::information(&success, &[("objectEncoding", Value::Number(0.0))]);
        self.out.result(connect.transaction, Value::Object(server), information);
    }

    fn create_stream(&mut self, transaction: f64) {
        if self.streams >= MAX_STREAMS {
            let status = Status::error("NetConnection.Call.Failed", "Too many streams in one connection.");
            self.out.error(transaction, &status);
            return;
        }
        self.streams += 1;
        self.out.result(transaction, Value::Null, Value::Number(f64::from(self.streams)));
    }

    /// An answer with nothing in it, where encoders wait for one.
    fn done(&mut self, transaction: f64) {
        self.out.result(transaction, Value::Null, Value::Undefined);
    }

    fn leave(&mut self) {
        self.stage = Stage::Connected;
        self.actions.push_back(Action::Leave);
    }

    fn unpublish(&mut self) {
        if let Stage::Publishing { stream } = self.stage {
            self.stage = Stage::Connected;
            self.actions.push_back(Action::Unpublish);
            self.out.on_status(stream, &Status::ok("NetStream.Unpublish.Success", "The stream has ended."));
        }
    }
}

/// What we say of Enhanced RTMP (v2 §Enhancing NetConnection connect Command): the codecs, all of which we pass on (4); several tracks (2)
/// and extensions of the header (4) are understood.
fn abilities() -> [(String, Value); 4] {
    let map = |codecs: &mut dyn Iterator<Item = &'static str>| {
        Value::Object(codecs.map(|four_cc| (four_cc.to_owned(), Value::Number(4.0))).collect())
    };
    let list = codec::four_ccs().map(outbound::text).collect();
    [
        ("fourCcList".into(), Value::StrictArray(list)),
        ("videoFourCcInfoMap".into(), map(&mut codec::video_four_ccs())),
        ("audioFourCcInfoMap".into(), map(&mut codec::audio_four_ccs())),
        ("capsEx".into(), Value::Number(6.0)),
    ]
}

#[cfg(test)]
mod tests;
