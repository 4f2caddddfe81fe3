//! Command messages to typed commands (RTMP 1.0 §7.2; the others are what FMLE, librtmp and their heirs send).
//!
//! Only the arguments that are used are read, so that an encoder may put anything behind them. `tcUrl`, `swfUrl` and `pageUrl` are
//! not kept at all: people paste stream keys into addresses.

use super::{gate::StreamName, message::kind};
use madang_media::amf0::{self, Amf0Error, Value};

/// Bounds on the AMF0 of one command.
const LIMITS: amf0::Limits = amf0::Limits { depth: 16, values: 512, string_bytes: 16 * 1024 };
/// Longest text kept of what an encoder says about itself, in characters.
const ENCODER_CHARS: usize = 80;

/// A command that says more than its name.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Connect(Connect),
    /// A name is announced or given up before publishing; nothing is behind it here.
    ReleaseStream {
        transaction: f64,
    },
    FcPublish {
        transaction: f64,
    },
    FcUnpublish {
        transaction: f64,
    },
    CreateStream {
        transaction: f64,
    },
    Publish {
        transaction: f64,
        name: StreamName,
    },
    Play {
        name: StreamName,
    },
    Pause {
        /// Whether to stop, or else to go on.
        on: bool,
    },
    GetStreamLength {
        transaction: f64,
    },
    CheckBandwidth {
        transaction: f64,
    },
    DeleteStream {
        /// The message stream to delete; `None` when it was left out.
        stream: Option<u32>,
    },
    CloseStream,
    /// `_result`, `_error` or `onStatus`: an answer, which asks for none.
    Answer,
    /// The name is not kept: it may be anything, a key too.
    Unknown {
        transaction: f64,
    },
}

/// What is used of `connect` (§7.2.1.1).
#[derive(Clone, Debug, PartialEq)]
pub struct Connect {
    pub transaction: f64,
    pub app: AppName,
    /// `flashVer`, made safe to show.
    pub encoder: String,
    /// It speaks of Enhanced RTMP: then our own abilities are answered.
    pub enhanced: bool,
}

/// What an encoder that knows Enhanced RTMP says one or more of (v2 §Enhancing NetConnection connect Command).
const ENHANCED: [&str; 4] = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"];

/// The application as it came. People paste keys into addresses, so it is shown only where it cannot be one.
#[derive(Clone, PartialEq, Eq)]
pub struct AppName(String);

impl AppName {
    /// The name without its query and the slashes around it: `live/?token=1` is `live`.
    pub fn normal(&self) -> &str {
        self.0.split('?').next().unwrap_or_default().trim_matches('/')
    }

    /// The name where it is short and plain, else nothing.
    pub fn plain(&self) -> &str {
        let name = self.normal();
        let plain = name.len() <= 16 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain { name } else { "" }
    }

    /// For logs: the name when it is short and plain, else a remark.
    pub fn shown(&self) -> &str {
        match (self.normal(), self.plain()) {
            ("", _) => "(empty)",
            (_, "") => "(not shown, it may hold a key)",
            (_, name) => name,
        }
    }
}

impl std::fmt::Debug for AppName {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.shown())
    }
}

/// Why a command message is not one. No text of the peer is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    #[error("{0}")]
    Amf0(#[from] Amf0Error),
    #[error("it is AMF3, which is not read; choose AMF0")]
    Amf3,
    #[error("it does not begin with a name")]
    NoName,
    #[error("{0} lacks an argument")]
    MissingArgument(&'static str),
}

/// Reads a command message of type 20, or of type 17, which is AMF0 behind one byte (§7.1.1).
///
/// # Errors
/// [`CommandError`]; whatever cannot be read of type 17 is taken for AMF3.
pub fn parse(message_kind: u8, body: &[u8]) -> Result<Command, CommandError> {
    match (message_kind, body) {
        (kind::COMMAND_AMF3, [0, rest @ ..]) => read(rest),
        (kind::COMMAND_AMF3, _) => read(body).map_err(|_| CommandError::Amf3),
        _ => read(body),
    }
}

fn read(body: &[u8]) -> Result<Command, CommandError> {
    let mut arguments = Arguments { rest: body };
    let Some(Value::String(name)) = arguments.next()? else { return Err(CommandError::NoName) };
    if matches!(name.as_str(), "_result" | "_error" | "onStatus") {
        return Ok(Command::Answer);
    }
    let transaction = match arguments.next()? {
        Some(Value::Number(number)) => number,
        _ => 0.0,
    };
    Ok(match name.as_str() {
        "connect" => Command::Connect(arguments.connect(transaction)?),
        "releaseStream" => Command::ReleaseStream { transaction },
        "FCPublish" => Command::FcPublish { transaction },
        "FCUnpublish" => Command::FcUnpublish { transaction },
        "createStream" => Command::CreateStream { transaction },
        "publish" => Command::Publish { transaction, name: arguments.stream_name()? },
        "play" => Command::Play { name: arguments.room_name()? },
        "pause" => Command::Pause { on: arguments.flag() },
        "getStreamLength" => Command::GetStreamLength { transaction },
        "_checkbw" => Command::CheckBandwidth { transaction },
        "deleteStream" => Command::DeleteStream { stream: arguments.stream_id() },
        "closeStream" => Command::CloseStream,
        _ => Command::Unknown { transaction },
    })
}

struct Arguments<'a> {
    rest: &'a [u8],
}

impl Arguments<'_> {
    fn next(&mut self) -> Result<Option<Value>, Amf0Error> {
        if self.rest.is_empty() { Ok(None) } else { amf0::read(&mut self.rest, &LIMITS).map(Some) }
    }

    fn connect(&mut self, transaction: f64) -> Result<Connect, CommandError> {
        let Some(Value::Object(fields) | Value::EcmaArray(fields) | Value::Typed { fields, .. }) = self.next()? else {
            return Err(CommandError::MissingArgument("connect"));
        };
        let text = |wanted: &str| {
            fields.iter().find_map(|(name, value)| match value {
                Value::String(text) | Value::LongString(text) if name == wanted => Some(text.as_str()),
                _ => None,
            })
        };
        Ok(Connect {
            transaction,
            app: AppName(text("app").unwrap_or_default().to_owned()),
            encoder: printable(text("flashVer").unwrap_or_default()),
            enhanced: fields.iter().any(|(name, _)| ENHANCED.contains(&name.as_str())),
        })
    }

    /// Behind the command object: the name, which for some encoders carries a query of its own.
    fn stream_name(&mut self) -> Result<StreamName, CommandError> {
        self.next()?;
        match self.next()? {
            Some(Value::String(name) | Value::LongString(name)) => {
                Ok(StreamName::new(name.split('?').next().unwrap_or_default().to_owned()))
            }
            _ => Err(CommandError::MissingArgument("publish")),
        }
    }

    /// Behind the command object: the room, with its query.
    fn room_name(&mut self) -> Result<StreamName, CommandError> {
        self.next()?;
        match self.next()? {
            Some(Value::String(name) | Value::LongString(name)) => Ok(StreamName::new(name)),
            _ => Err(CommandError::MissingArgument("play")),
        }
    }

    /// Behind the command object: a truth; left out, it is true.
    fn flag(&mut self) -> bool {
        let _ = self.next();
        !matches!(self.next(), Ok(Some(Value::Boolean(false))))
    }

    fn stream_id(&mut self) -> Option<u32> {
        self.next().ok()?;
        match self.next().ok()? {
            // The cast saturates; an id that does not exist deletes nothing.
            Some(Value::Number(number)) => Some(number as u32),
            _ => None,
        }
    }
}

/// Printable characters only, and not many: it ends up in logs and on the studio page.
fn printable(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control()).take(ENCODER_CHARS).collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests;
