//! One person: what is known, the browsers that are logged in, rooms, bans, and what can be done.

use super::{act, how_long, lists, name, reason};
use crate::{accounts::act::browser_name, components::time::Ago, i18n::Messages, piece::Piece};
use madang_domain::{PersonFile, PersonKind, StoredPerson, StoredSession};
use madang_view::view;

pub fn person(m: Messages, file: PersonFile, path: &str) -> Piece {
    let PersonFile { listed, rooms, sessions, bans } = file;
    let id = listed.person.id.to_string();
    let facts = lists::facts(m, &listed);
    let heading = name(m, &listed.person.name);
    let since = listed.since;
    let account = match &listed.person.kind {
        PersonKind::Guest => None,
        PersonKind::Account { admin, .. } => Some(account(m, &listed, *admin, path)),
    };
    let administers = matches!(listed.person.kind, PersonKind::Account { admin: true, .. });
    let browsers = account.is_some().then(|| browsers(m, &id, sessions, path));
    let (no_rooms, banned) = (rooms.is_empty(), !bans.is_empty());
    let rooms: Vec<Piece> = rooms.into_iter().map(|room| lists::room_row(m, room)).collect();
    let bans: Vec<Piece> = bans.into_iter().map(|ban| lists::ban_row(m, ban, path)).collect();
    let ban = (!administers).then(|| ban_form(m, &id, path));
    let delete = account.is_some().then(|| delete(m, &id, path));
    view! {
        <div class="admin-pair">
            <div>
                <section class="panel">
                    <h2>{heading}</h2>
                    <p class="hint">{facts}" · "{m.admin_since()}" "<Ago at=since /></p>
                    <ul class="studio-keys" hidden=!banned>{bans}</ul>
                    {account}
                </section>
                {browsers}
                <section class="panel">
                    <h2>{m.admin_rooms()}</h2>
                    <ul class="studio-keys">{rooms}</ul>
                    <p class="hint" hidden=!no_rooms>{m.admin_none()}</p>
                </section>
            </div>
            <div>{ban}{delete}</div>
        </div>
    }
}

/// What can be done with an account at once.
fn account(m: Messages, listed: &StoredPerson, admin: bool, path: &str) -> Piece {
    let id = [("person", listed.person.id.to_string())];
    let role = if admin {
        act(path, "demote", &id, m.admin_demote(), "btn small ghost")
    } else {
        act(path, "promote", &id, m.admin_promote(), "btn small ghost")
    };
    let lock = if listed.locked.is_some() {
        Some(act(path, "unlock", &id, m.admin_unlock(), "btn small ghost"))
    } else {
        (!admin).then(|| act(path, "lock", &id, m.admin_lock(), "btn small ghost"))
    };
    view! {
        <div class="account-out">
            {role}
            {lock}
            {act(path, "reset-password", &id, m.admin_reset(), "btn small ghost")}
        </div>
        <p class="hint">{m.admin_lock_hint()}</p>
    }
}

fn browsers(m: Messages, id: &str, sessions: Vec<StoredSession>, path: &str) -> Piece {
    let none = sessions.is_empty();
    let rows: Vec<Piece> = sessions
        .into_iter()
        .map(|session| {
            let browser = browser_name(&session.agent);
            let browser = if browser.is_empty() { m.account_some_browser().to_owned() } else { browser };
            let fields = [("person", id.to_owned()), ("session", session.id.to_string())];
            view! {
                <li>
                    <div>
                        <b>{browser}</b>
                        <small>{session.origin}" · "{m.account_used()}" "<Ago at=session.used /></small>
                    </div>
                    {act(path, "end-session", &fields, m.admin_session_end(), "btn small ghost")}
                </li>
            }
        })
        .collect();
    let all = (!none).then(|| act(path, "log-out", &[("person", id.to_owned())], m.admin_log_out(), "btn small ghost"));
    view! {
        <section class="panel">
            <h2>{m.admin_sessions()}</h2>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_sessions_none()}</p>
            {all}
        </section>
    }
}

fn ban_form(m: Messages, id: &str, path: &str) -> Piece {
    view! {
        <section class="panel">
            <h2>{m.admin_ban()}</h2>
            <p class="hint">{m.admin_ban_lead()}</p>
            <form class="form" method="post" action=path.to_owned()>
                <input type="hidden" name="do" value="ban" />
                <input type="hidden" name="person" value=id.to_owned() />
                {how_long(m, "ban-for")}
                <label class="choice">
                    <input type="checkbox" name="household" value="on" checked=true />
                    <span>{m.admin_ban_household()}</span>
                </label>
                {reason(m, "ban-why")}
                <div class="form-foot"><button type="submit" class="btn danger">{m.admin_ban()}</button></div>
            </form>
        </section>
    }
}

fn delete(m: Messages, id: &str, path: &str) -> Piece {
    view! {
        <details class="panel studio-danger">
            <summary>{m.admin_delete_account()}</summary>
            <form method="post" action=path.to_owned()>
                <input type="hidden" name="do" value="delete-account" />
                <input type="hidden" name="person" value=id.to_owned() />
                <p>{m.admin_delete_account_next()}</p>
                {reason(m, "delete-why")}
                <div class="form-foot">
                    <button type="submit" class="btn danger">{m.admin_delete_account()}</button>
                </div>
            </form>
        </details>
    }
}
