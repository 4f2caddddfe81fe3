//! What administrators page through: the rooms on the air, people, rooms, bans, the log.

use super::{act, encoded, how_long, name, reason};
use crate::{
    components::time::Ago,
    i18n::{Messages, grouped},
    pages::studio::{from_text, mishap_text},
    piece::Piece,
    plain::date,
};
use madang_domain::{LiveRoom, Page, PersonKind, Room, SiteAction, SiteBan, StoredPerson};
use madang_protocol::{UnixMillis, studio::Attempt};
use madang_view::view;

/// The rooms on the air, each with its end.
pub fn live(m: Messages, rooms: Vec<LiveRoom>) -> Piece {
    let none = rooms.is_empty();
    let rows: Vec<Piece> = rooms.into_iter().map(|live| live_row(m, live)).collect();
    view! {
        <section class="panel">
            <h2>{m.admin_live()}</h2>
            <p class="hint">{m.admin_live_lead()}</p>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_live_none()}</p>
        </section>
    }
}

fn live_row(m: Messages, LiveRoom { room, status }: LiveRoom) -> Piece {
    let since = status.live.or(status.starting);
    let mut facts = vec![m.watch_watching(status.watching.into())];
    if status.live.is_none() {
        facts.push(m.admin_starting().to_owned());
    }
    if let Some(encoder) = &status.encoder {
        let program = if encoder.encoder.is_empty() { m.studio_some_encoder() } else { encoder.encoder.as_str() };
        facts.push(m.admin_live_from(program, &encoder.from));
        if encoder.bitrate_bps > 0 {
            let tenths = encoder.bitrate_bps / 100_000;
            facts.push(m.admin_live_rate(format!("{}.{}", tenths / 10, tenths % 10)));
        }
    }
    let end = act("/admin", "end-stream", &[("room", room.id.to_string())], m.admin_live_end(), "btn small danger");
    view! {
        <li>
            <div>
                <b><a href=format!("/rooms/{}", room.slug)>{room.title}</a></b>
                <small>
                    <a href=format!("/admin/people/{}", room.owner)>{m.admin_live_by(name(m, &room.owner_name))}</a>
                    " · "{facts.join(" · ")}" · "{since.map(|at| view! { <Ago at=at /> })}
                </small>
            </div>
            {end}
        </li>
    }
}

/// Encoders that were turned away and belong to no room.
pub fn attempts(m: Messages, attempts: Vec<Attempt>) -> Piece {
    let none = attempts.is_empty();
    let rows: Vec<Piece> = attempts
        .into_iter()
        .map(|attempt| {
            let (words, from, at) = (mishap_text(m, &attempt, UnixMillis::utc), from_text(m, &attempt), attempt.at);
            view! { <li><b>{words}</b><small><Ago at=at />" · "{from}</small></li> }
        })
        .collect();
    view! {
        <section class="panel studio-attempts">
            <h2>{m.admin_attempts()}</h2>
            <p class="hint">{m.admin_attempts_lead()}</p>
            <ul>{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_none()}</p>
        </section>
    }
}

/// People by name.
pub fn people(m: Messages, people: Page<StoredPerson>, query: &str, guests: bool) -> Piece {
    let kind = if guests { "guests" } else { "accounts" };
    let link = |kind: &str, number: usize| {
        format!("/admin/people?q={}&kind={kind}&page={}", encoded(query), number.saturating_add(1))
    };
    let kinds = [("accounts", m.admin_people_accounts()), ("guests", m.admin_people_guests())];
    let tabs: Vec<Piece> = kinds
        .into_iter()
        .map(|(code, words)| {
            view! { <a href=link(code, 0) aria-current=(code == kind).then_some("true")>{words}</a> }
        })
        .collect();
    let (number, more, none) = (people.number, people.more, people.rows.is_empty());
    let rows: Vec<Piece> = people
        .rows
        .into_iter()
        .map(|listed| {
            let facts = facts(m, &listed);
            view! {
                <li>
                    <div>
                        <b><a href=format!("/admin/people/{}", listed.person.id)>{name(m, &listed.person.name)}</a></b>
                        <small>{facts}" · "{m.admin_since()}" "<Ago at=listed.since /></small>
                    </div>
                </li>
            }
        })
        .collect();
    view! {
        <section class="panel">
            <h2>{m.admin_people()}</h2>
            {search(m, "/admin/people", query, Some(kind))}
            <nav class="admin-menu small">{tabs}</nav>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_none()}</p>
            {pages(m, number, more, |number| link(kind, number))}
        </section>
    }
}

/// What a person is, in a line.
pub fn facts(m: Messages, listed: &StoredPerson) -> String {
    let mut facts = Vec::new();
    match &listed.person.kind {
        PersonKind::Guest => facts.push(m.admin_is_guest().to_owned()),
        PersonKind::Account { login, admin } => {
            facts.push(format!("@{login}"));
            if *admin {
                facts.push(m.admin_is_admin().to_owned());
            }
            facts.push(m.admin_count_browsers(listed.sessions.into()));
        }
    }
    if listed.locked.is_some() {
        facts.push(m.admin_is_locked().to_owned());
    }
    facts.push(m.admin_count_rooms(listed.rooms.into()));
    facts.join(" · ")
}

/// Rooms by name, each with its end.
pub fn rooms(m: Messages, rooms: Page<Room>, query: &str) -> Piece {
    let (number, more, none) = (rooms.number, rooms.more, rooms.rows.is_empty());
    let rows: Vec<Piece> = rooms.rows.into_iter().map(|room| room_row(m, room)).collect();
    let link = |number: usize| format!("/admin/rooms?q={}&page={}", encoded(query), number.saturating_add(1));
    view! {
        <section class="panel">
            <h2>{m.admin_rooms()}</h2>
            {search(m, "/admin/rooms", query, None)}
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_none()}</p>
            {pages(m, number, more, link)}
        </section>
    }
}

/// A room, with the way to delete it.
pub fn room_row(m: Messages, room: Room) -> Piece {
    let path = format!("/rooms/{}", room.slug);
    view! {
        <li>
            <div>
                <b><a href=path.clone()>{room.title}</a></b>
                <small>
                    {path}" · "<a href=format!("/admin/people/{}", room.owner)>{name(m, &room.owner_name)}</a>
                    " · "{room.visibility.as_str()}" · "{m.admin_since()}" "<Ago at=room.created />
                </small>
            </div>
            <details class="admin-danger">
                <summary class="btn small ghost">{m.admin_delete_room()}</summary>
                <form method="post" action="/admin/rooms">
                    <input type="hidden" name="do" value="delete-room" />
                    <input type="hidden" name="room" value=room.id.to_string() />
                    <p>{m.admin_delete_room_next()}</p>
                    <div class="moderation-line">
                        <div class="field">
                            <label for=format!("why-{}", room.id)>{m.admin_reason()}</label>
                            <input id=format!("why-{}", room.id) name="reason" type="text" autocomplete="off" />
                        </div>
                        <button type="submit" class="btn danger">{m.admin_delete_room()}</button>
                    </div>
                </form>
            </details>
        </li>
    }
}

/// Who is banned, and the form for an address.
pub fn bans(m: Messages, bans: Vec<SiteBan>) -> Piece {
    let none = bans.is_empty();
    let rows: Vec<Piece> = bans.into_iter().map(|ban| ban_row(m, ban, "/admin/bans")).collect();
    view! {
        <div class="admin-pair">
            <section class="panel">
                <h2>{m.admin_bans()}</h2>
                <p class="hint">{m.admin_ban_lead()}</p>
                <ul class="studio-keys">{rows}</ul>
                <p class="hint" hidden=!none>{m.admin_bans_none()}</p>
            </section>
            <section class="panel">
                <h2>{m.admin_ban()}</h2>
                <form class="form" method="post" action="/admin/bans">
                    <input type="hidden" name="do" value="ban-network" />
                    <div class="field">
                        <label for="network">{m.admin_ban_network()}</label>
                        <input id="network" name="network" type="text" required=true autocomplete="off" autocapitalize="none" spellcheck="false" />
                        <p class="hint">{m.admin_ban_network_hint()}</p>
                    </div>
                    {how_long(m, "network-for")}
                    {reason(m, "network-why")}
                    <div class="form-foot"><button type="submit" class="btn danger">{m.admin_ban()}</button></div>
                </form>
            </section>
        </div>
    }
}

/// A ban, with the way to lift it.
pub fn ban_row(m: Messages, ban: SiteBan, path: &str) -> Piece {
    let networks: Vec<String> = ban.networks.iter().map(ToString::to_string).collect();
    let networks = networks.join(", ");
    let whom = match ban.person {
        Some(person) => {
            view! { <a href=format!("/admin/people/{person}")>{name(m, &ban.name)}</a> }
        }
        None => view! { <span>{networks.clone()}</span> },
    };
    let mut facts = vec![ban.until.map_or_else(|| m.admin_ban_ever().to_owned(), |at| m.admin_until(date(at)))];
    if ban.person.is_some() && !networks.is_empty() {
        facts.push(networks);
    }
    if !ban.reason.is_empty() {
        facts.push(ban.reason);
    }
    facts.push(m.mod_by(ban.by));
    let lift = act(path, "unban", &[("ban", ban.id.to_string())], m.admin_unban(), "btn small ghost");
    view! {
        <li>
            <div><b>{whom}</b><small>{facts.join(" · ")}" · "<Ago at=ban.at /></small></div>
            {lift}
        </li>
    }
}

/// What was done, the newest first.
pub fn log(m: Messages, actions: Vec<SiteAction>, kept: u64) -> Piece {
    let none = actions.is_empty();
    let rows: Vec<Piece> = actions
        .into_iter()
        .map(|action| {
            let by = if action.by_id.is_some() { action.by.as_str() } else { m.admin_operator() };
            let said = format!("{by} {} {}", did(m, &action.act), whom(m, &action));
            let until = action.until.map(|at| format!("{} · ", m.admin_until(date(at))));
            let why = (!action.reason.is_empty()).then(|| view! { <q>{action.reason.clone()}</q> });
            view! { <li><div><span>{said}</span>" "{why}<small>{until}<Ago at=action.at /></small></div></li> }
        })
        .collect();
    view! {
        <section class="panel moderation-log">
            <h2>
                {m.admin_log()}
                <a class="btn small ghost" href="/admin/log.csv" download="">{m.admin_export()}</a>
            </h2>
            <p class="hint">{m.admin_log_lead(grouped(kept))}</p>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=!none>{m.admin_none()}</p>
        </section>
    }
}

/// What was done, between who and whom. A code from a newer server is shown as it is.
fn did(m: Messages, act: &str) -> &str {
    match act {
        "promote" => m.admin_act_promote(),
        "demote" => m.admin_act_demote(),
        "log-out" => m.admin_act_log_out(),
        "end-session" => m.admin_act_end_session(),
        "lock" => m.admin_act_lock(),
        "unlock" => m.admin_act_unlock(),
        "reset-password" => m.admin_act_reset_password(),
        "set-password" => m.admin_act_set_password(),
        "create-account" => m.admin_act_create_account(),
        "first-administrator" => m.admin_act_first_administrator(),
        "delete-account" => m.admin_act_delete_account(),
        "delete-room" => m.admin_act_delete_room(),
        "end-stream" => m.admin_act_end_stream(),
        "ban" | "ban-network" => m.admin_act_ban(),
        "unban" => m.admin_act_unban(),
        "registration" => m.admin_act_registration(),
        "make-rooms" => m.admin_act_make_rooms(),
        "invite" => m.admin_act_invite(),
        "revoke-invitation" => m.admin_act_revoke_invitation(),
        unknown => unknown,
    }
}

/// Whom or what it was about, in words.
fn whom(m: Messages, action: &SiteAction) -> String {
    match (action.act.as_str(), action.whom.as_str()) {
        ("registration" | "make-rooms", rule) => super::policy::rule(m, rule).to_owned(),
        ("ban" | "unban", whom) => name(m, whom),
        (_, whom) => whom.to_owned(),
    }
}

/// The field that a list is searched by.
fn search(m: Messages, path: &'static str, query: &str, kind: Option<&str>) -> Piece {
    let kind = kind.map(|kind| view! { <input type="hidden" name="kind" value=kind.to_owned() /> });
    view! {
        <form class="moderation-line" method="get" action=path role="search">
            {kind}
            <div class="field">
                <label for="admin-search">{m.admin_search()}</label>
                <input id="admin-search" name="q" type="search" value=query.to_owned() autocomplete="off" />
            </div>
            <button type="submit" class="btn">{m.admin_search_go()}</button>
        </form>
    }
}

/// The ways to the pages before and after.
fn pages(m: Messages, number: usize, more: bool, link: impl Fn(usize) -> String) -> Piece {
    let earlier = number.checked_sub(1).map(|before| {
        view! { <a class="btn small ghost" href=link(before) rel="prev">{m.admin_earlier()}</a> }
    });
    let later = more.then(|| {
        view! { <a class="btn small ghost" href=link(number.saturating_add(1)) rel="next">{m.admin_later()}</a> }
    });
    view! { <div class="form-foot">{earlier}{later}</div> }
}
