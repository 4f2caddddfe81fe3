//! The chat's sentences that need a choice as well as a message.

use crate::i18n::Messages;
use madang_protocol::{
    UnixMillis,
    chat::{ActionRecord, Author, ChatRefusal, Modes, Muted, Standing, SystemLine, You},
};

/// Most names in a line of who came and went.
const NAMES_MAX: usize = 5;

/// A name as everyone sees it.
pub fn name(m: Messages, name: &str, tag: &str) -> String {
    let name = if name.is_empty() { m.chat_guest() } else { name };
    if tag.is_empty() { name.to_owned() } else { format!("{name}#{tag}") }
}

pub fn author(m: Messages, author: &Author) -> String {
    name(m, &author.name, &author.tag)
}

/// Why something was not taken, and what to do.
pub const fn refusal(m: Messages, reason: ChatRefusal) -> &'static str {
    match reason {
        ChatRefusal::Empty => m.chat_refused_empty(),
        ChatRefusal::TooLong => m.chat_refused_long(),
        ChatRefusal::Characters => m.chat_refused_characters(),
        ChatRefusal::TooFast => m.chat_refused_fast(),
        ChatRefusal::Slow => m.chat_refused_slow(),
        ChatRefusal::TimedOut => m.chat_refused_timeout(),
        ChatRefusal::Banned => m.chat_refused_banned(),
        ChatRefusal::Closed => m.chat_why_closed(),
        ChatRefusal::AccountsOnly => m.chat_why_accounts(),
        ChatRefusal::Links => m.chat_refused_links(),
        ChatRefusal::Repeated => m.chat_refused_repeated(),
        ChatRefusal::Filtered => m.chat_refused_filtered(),
        ChatRefusal::UnknownCommand => m.chat_refused_command(),
        ChatRefusal::NotAllowed => m.chat_refused_not_allowed(),
        ChatRefusal::NotFound => m.chat_refused_not_found(),
        ChatRefusal::NoCookie => m.chat_why_cookie(),
        ChatRefusal::NameTaken => m.chat_refused_name(),
        ChatRefusal::NotJoined | ChatRefusal::Busy => m.chat_refused_busy(),
    }
}

pub fn system(m: Messages, line: &SystemLine) -> String {
    match line {
        SystemLine::StreamStarted => m.chat_started().to_owned(),
        SystemLine::StreamEnded => m.chat_ended().to_owned(),
        SystemLine::Modes { by, modes } => {
            let modes = pills(m, *modes);
            let by = name(m, by, "");
            if modes.is_empty() { m.chat_modes_none(by) } else { m.chat_modes_now(by, modes.join(", ")) }
        }
        SystemLine::Moderator { name: who, on: true } => m.chat_moderates(name(m, who, "")),
        SystemLine::Moderator { name: who, on: false } => m.chat_moderates_not(name(m, who, "")),
    }
}

/// Who came and went.
pub fn people(m: Messages, joined: &[Author], left: &[Author]) -> String {
    let names = |people: &[Author]| {
        let shown: Vec<String> = people.iter().take(NAMES_MAX).map(|person| author(m, person)).collect();
        let more = people.len().saturating_sub(NAMES_MAX);
        let shown = shown.join(", ");
        if more > 0 { m.chat_and_more(shown, more) } else { shown }
    };
    let mut parts = Vec::new();
    if !joined.is_empty() {
        parts.push(m.chat_joined(names(joined)));
    }
    if !left.is_empty() {
        parts.push(m.chat_left(names(left)));
    }
    parts.join(" · ")
}

/// The modes in force, each in a word or two.
pub fn pills(m: Messages, modes: Modes) -> Vec<String> {
    let mut pills = Vec::new();
    if modes.slow_s > 0 {
        pills.push(m.chat_mode_slow(modes.slow_s));
    }
    let plain = [
        (modes.accounts_only, m.chat_mode_accounts()),
        (!modes.links, m.chat_mode_links()),
        (modes.unique, m.chat_mode_unique()),
        (modes.closed, m.chat_mode_closed()),
    ];
    pills.extend(plain.into_iter().filter(|(on, _)| *on).map(|(_, word)| word.to_owned()));
    pills
}

/// Why somebody cannot write now; `None` when they can. `now` is the page's clock.
pub fn why_silent(m: Messages, you: &You, standing: &Standing, modes: Modes, now: UnixMillis) -> Option<String> {
    if let Some(muted) = &standing.muted
        && muted.until.is_none_or(|until| until > now)
    {
        return Some(why_muted(m, muted, now));
    }
    if you.id.is_none() {
        return Some(m.chat_why_cookie().to_owned());
    }
    if standing.role.moderates() {
        return None;
    }
    let guest = !you.tag.is_empty();
    match () {
        () if modes.closed => Some(m.chat_why_closed().to_owned()),
        () if modes.accounts_only && guest => Some(m.chat_why_accounts().to_owned()),
        () => None,
    }
}

/// That somebody is muted, for how much longer, and why.
pub fn why_muted(m: Messages, muted: &Muted, now: UnixMillis) -> String {
    let said = match (muted.banned, muted.until) {
        (true, None) => m.chat_why_banned().to_owned(),
        (true, Some(until)) => m.chat_why_banned_for(length(m, until.since(now))),
        (false, Some(until)) => m.chat_why_timeout(length(m, until.since(now))),
        (false, None) => m.chat_refused_timeout().to_owned(),
    };
    if muted.reason.is_empty() { said } else { format!("{said} {}", m.chat_reason(&muted.reason)) }
}

/// That somebody else is muted, for how much longer, and why.
pub fn muted(m: Messages, muted: &Muted, now: UnixMillis) -> String {
    let what = if muted.banned { m.act_state_banned() } else { m.act_state_muted() };
    let mut said = what.to_owned();
    if let Some(until) = muted.until {
        said = format!("{said} · {}", m.act_still(length(m, until.since(now))));
    }
    if muted.reason.is_empty() { said } else { format!("{said} · {}", muted.reason) }
}

/// An action of the log, in a sentence.
pub fn action(m: Messages, action: &ActionRecord) -> String {
    let by = name(m, &action.by, "");
    let whom = name(m, &action.whom, "");
    let said = match action.act.as_str() {
        "delete" => m.act_delete(by, whom),
        "timeout" => m.act_timeout(by, whom),
        "ban" => m.act_ban(by, whom),
        "unban" => m.act_unban(by, whom),
        "set_moderator" => m.act_moderator(by, whom),
        "set_modes" => m.act_modes(by),
        "set_filter" => m.act_filter(by),
        "undo" => m.act_undo(by),
        other => format!("{by}: {other}"),
    };
    if action.reason.is_empty() { said } else { format!("{said} · {}", action.reason) }
}

/// A length of time, in its largest unit, rounded up.
pub fn length(m: Messages, ms: i64) -> String {
    let seconds = u64::try_from(ms).unwrap_or(0).div_ceil(1_000);
    match seconds {
        ..=90 => m.chat_seconds(seconds),
        91..=5_400 => m.chat_minutes(seconds.div_ceil(60)),
        5_401..=172_800 => m.chat_hours(seconds.div_ceil(3_600)),
        _ => m.chat_days(seconds.div_ceil(86_400)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    #[test]
    fn whoever_cannot_write_is_told_why() {
        let m = Messages::new(Locale::En);
        let you = You { id: Some(madang_protocol::PersonId::from_random(2)), name: String::new(), tag: "9ac".into() };
        let why = |standing: &Standing, modes| why_silent(m, &you, standing, modes, UnixMillis(0));
        let free = Standing::default();
        assert_eq!(why(&free, Modes::default()), None);
        assert!(why(&free, Modes { closed: true, ..Modes::default() }).is_some());
        assert!(why(&free, Modes { accounts_only: true, ..Modes::default() }).is_some());
        let muted = Muted { banned: false, until: Some(UnixMillis(600_000)), reason: "Spam".into() };
        let muted = Standing { muted: Some(muted), ..Standing::default() };
        let said = why(&muted, Modes::default()).unwrap_or_default();
        assert!(said.contains("10 minutes") && said.contains("Spam"), "{said}");
        assert_eq!(why_silent(m, &you, &muted, Modes::default(), UnixMillis(600_001)), None);
        assert!(why_silent(m, &You::default(), &free, Modes::default(), UnixMillis(0)).is_some());
    }

    #[test]
    fn modes_are_told_in_short() {
        let m = Messages::new(Locale::En);
        assert_eq!(pills(m, Modes { slow_s: 5, links: false, ..Modes::default() }), ["slow 5 s", "no links"]);
        let line = SystemLine::Modes { by: "Ana".into(), modes: Modes::default() };
        assert!(system(m, &line).contains("Ana"));
    }
}
