//! Slash commands: what people type instead of pressing a moderator's button. Parsed in the browser; the server refuses texts
//! that begin with `/`, so that a mistyped command is never said aloud.

use super::{Act, ModeChange, SLOW_MAX_S, TIMEOUT_DEFAULT_S, TIMEOUT_MAX_S, Whom};

/// A command, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To be sent as it is, with its reason.
    Act { act: Act, reason: String },
    /// Undo the last action that this page was told can be undone.
    Undo,
    /// Show the commands.
    Help,
    /// Be called something else.
    Rename(String),
}

/// Why a text that begins with `/` is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandHint {
    /// There is no such command.
    Unknown,
    /// It is used otherwise: see [`Verb::usage`].
    Usage(Verb),
}

/// A command's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    Name,
    Delete,
    Timeout,
    Ban,
    Unban,
    Slow,
    Accounts,
    Links,
    Unique,
    Close,
    Open,
    Filter,
    Mod,
    Unmod,
    Undo,
    Help,
}

impl Verb {
    /// Every command, in the order in which help lists them.
    pub const ALL: [Self; 16] = [
        Self::Name,
        Self::Delete,
        Self::Timeout,
        Self::Ban,
        Self::Unban,
        Self::Slow,
        Self::Accounts,
        Self::Links,
        Self::Unique,
        Self::Close,
        Self::Open,
        Self::Filter,
        Self::Mod,
        Self::Unmod,
        Self::Undo,
        Self::Help,
    ];

    /// The word after the slash.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Delete => "delete",
            Self::Timeout => "timeout",
            Self::Ban => "ban",
            Self::Unban => "unban",
            Self::Slow => "slow",
            Self::Accounts => "accounts",
            Self::Links => "links",
            Self::Unique => "unique",
            Self::Close => "close",
            Self::Open => "open",
            Self::Filter => "filter",
            Self::Mod => "mod",
            Self::Unmod => "unmod",
            Self::Undo => "undo",
            Self::Help => "help",
        }
    }

    /// How it is written, in signs rather than in a language.
    pub const fn usage(self) -> &'static str {
        match self {
            Self::Name => "/name Ana",
            Self::Delete => "/delete @ana",
            Self::Timeout => "/timeout @ana [10s|5m|1h|1d] […]",
            Self::Ban => "/ban @ana [10s|5m|1h|1d] […]",
            Self::Unban => "/unban @ana",
            Self::Slow => "/slow 5|off",
            Self::Accounts => "/accounts on|off",
            Self::Links => "/links on|off",
            Self::Unique => "/unique on|off",
            Self::Close => "/close",
            Self::Open => "/open",
            Self::Filter => "/filter add|remove …",
            Self::Mod => "/mod @ana",
            Self::Unmod => "/unmod @ana",
            Self::Undo => "/undo",
            Self::Help => "/help",
        }
    }

    /// Whether only moderators can use it.
    pub const fn moderates(self) -> bool {
        !matches!(self, Self::Name | Self::Help)
    }
}

/// Reads a command. `None` for a text that is none: one that does not begin with `/`, or begins with `//`, which is sent as
/// it is and said without its first slash ([`unescaped`]).
pub fn parse_command(text: &str) -> Option<Result<Command, CommandHint>> {
    let text = text.trim();
    let rest = text.strip_prefix('/').filter(|rest| !rest.starts_with('/'))?;
    let (word, rest) = split_word(rest);
    let verb = Verb::ALL.into_iter().find(|verb| verb.word().eq_ignore_ascii_case(word));
    Some(match verb {
        None => Err(CommandHint::Unknown),
        Some(verb) => parse(verb, rest).ok_or(CommandHint::Usage(verb)),
    })
}

/// What a text says in the chat: without the first of two slashes. `None` when it begins with a single one, and so is a
/// command rather than a text.
pub fn unescaped(text: &str) -> Option<&str> {
    match text.strip_prefix('/') {
        None => Some(text),
        Some(rest) => rest.starts_with('/').then_some(rest),
    }
}

fn parse(verb: Verb, rest: &str) -> Option<Command> {
    let act = |act| Some(Command::Act { act, reason: String::new() });
    let mode = |mode| act(Act::SetMode { mode });
    match verb {
        Verb::Name => (!rest.is_empty()).then(|| Command::Rename(rest.to_owned())),
        Verb::Delete => act(Act::DeleteLast { whom: only_whom(rest)? }),
        Verb::Timeout => {
            let (whom, seconds, reason) = whom_for(rest)?;
            let seconds = seconds.unwrap_or(TIMEOUT_DEFAULT_S);
            (seconds <= TIMEOUT_MAX_S).then_some(Command::Act { act: Act::Timeout { whom, seconds }, reason })
        }
        Verb::Ban => {
            let (whom, seconds, reason) = whom_for(rest)?;
            Some(Command::Act { act: Act::Ban { whom, seconds }, reason })
        }
        Verb::Unban => act(Act::Unban { whom: only_whom(rest)? }),
        Verb::Mod | Verb::Unmod => act(Act::SetModerator { whom: only_whom(rest)?, on: verb == Verb::Mod }),
        Verb::Slow => {
            let seconds = if rest.eq_ignore_ascii_case("off") { 0 } else { seconds(rest)? };
            let seconds = u16::try_from(seconds).ok().filter(|seconds| *seconds <= SLOW_MAX_S)?;
            mode(ModeChange::Slow(seconds))
        }
        Verb::Accounts => mode(ModeChange::AccountsOnly(on_off(rest)?)),
        Verb::Links => mode(ModeChange::Links(on_off(rest)?)),
        Verb::Unique => mode(ModeChange::Unique(on_off(rest)?)),
        Verb::Close | Verb::Open if !rest.is_empty() => None,
        Verb::Close | Verb::Open => mode(ModeChange::Closed(verb == Verb::Close)),
        Verb::Filter => {
            let (what, word) = split_word(rest);
            let on = what.eq_ignore_ascii_case("add");
            let known = on || what.eq_ignore_ascii_case("remove");
            if known && !word.is_empty() { act(Act::FilterWord { word: word.to_owned(), on }) } else { None }
        }
        Verb::Undo => rest.is_empty().then_some(Command::Undo),
        Verb::Help => Some(Command::Help),
    }
}

/// The first word, and what follows without the white space between.
fn split_word(text: &str) -> (&str, &str) {
    match text.split_once(char::is_whitespace) {
        Some((word, rest)) => (word, rest.trim_start()),
        None => (text, ""),
    }
}

/// A name as it is typed: one word or in quotation marks, with or without `@` before it.
fn split_whom(text: &str) -> Option<(Whom, &str)> {
    let text = text.strip_prefix('@').unwrap_or(text);
    let (name, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').map(|(name, rest)| (name, rest.trim_start()))?,
        None => split_word(text),
    };
    let name = name.strip_prefix('@').unwrap_or(name);
    if name.is_empty() { None } else { Some((Whom::Name(name.to_owned()), rest)) }
}

fn only_whom(text: &str) -> Option<Whom> {
    split_whom(text).filter(|(_, rest)| rest.is_empty()).map(|(whom, _)| whom)
}

/// Whom, for how long if it is said, and why.
fn whom_for(text: &str) -> Option<(Whom, Option<u32>, String)> {
    let (whom, rest) = split_whom(text)?;
    let (word, reason) = split_word(rest);
    Some(match seconds(word) {
        Some(0) => return None,
        Some(seconds) => (whom, Some(seconds), reason.to_owned()),
        None => (whom, None, rest.to_owned()),
    })
}

/// `10s`, `5m`, `1h`, `1d`, or plain seconds.
fn seconds(text: &str) -> Option<u32> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse::<u32>().ok()?.checked_mul(unit)
}

fn on_off(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("on") {
        Some(true)
    } else if is("off") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
