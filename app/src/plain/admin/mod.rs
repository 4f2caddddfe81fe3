//! Administration: runs the posted form, reads what the page at the address shows, and the frame around it.

pub mod form;
mod lists;
mod person;
mod policy;

use super::{Answer, Asked, Explained, Page, Shows, encoded};
use crate::{
    ApiError,
    i18n::{Messages, use_messages},
    piece::Piece,
    posted::Posted,
};
use form::AdminForm;
use leptos::prelude::*;
use madang_domain::{
    AdminAct, Domain, Error, LiveRoom, NotThat, PersonFile, Policy, Room, SiteAction, SiteBan, StoredPerson,
};
use madang_protocol::{PersonId, studio::Attempt};
use madang_view::view;
use std::sync::Arc;

/// Actions on the page of the log; the file has them all.
const ACTIONS_SHOWN: usize = 200;

/// What a page of administration shows.
#[derive(Clone, Debug)]
pub enum View {
    /// What is on the air, and the encoders that were turned away and belong to no room.
    Live(Vec<LiveRoom>, Vec<Attempt>),
    People {
        people: madang_domain::Page<StoredPerson>,
        query: String,
        guests: bool,
    },
    Person(Box<PersonFile>),
    Rooms {
        rooms: madang_domain::Page<Room>,
        query: String,
    },
    Policy(Box<Policy>),
    Bans(Vec<SiteBan>),
    Limits(Vec<Explained>),
    Log {
        actions: Vec<SiteAction>,
        kept: u64,
    },
}

/// Does what the form says, and reads the page.
pub(super) async fn answer(asked: Asked) -> Answer {
    let m = asked.messages();
    let person = asked.context.person.as_ref().filter(|person| Domain::administers(Some(person)));
    let Some(by) = person.map(|person| person.id) else {
        let page = Page { path: asked.path.clone(), shows: Shows::NotYours, ..Page::default() };
        return Answer::page(page).status(&Error::Forbidden);
    };
    let (mut notice, mut once, mut wrong) = (None, None, None);
    let posted = asked.posted.as_ref().and_then(|posted| posted.take_if(|form| matches!(form, Posted::Admin(_))));
    if let Some((Posted::Admin(AdminForm { act, reason }), allowed)) = posted {
        let done = match allowed {
            Ok(()) => asked.domain.administer(by, act.clone(), &reason).await.map_err(|error| {
                let said = why(m, &error);
                (said, error)
            }),
            // The answer gets its status and its time from whoever refused it.
            Err(refused) => Err((m.error(&refused), Error::Busy)),
        };
        match done {
            Ok(done) => match done.code {
                Some(code) => once = Some(shown_once(&asked, &act, code.expose()).await),
                None => return Answer::see_other(after(&asked.path, &act)),
            },
            Err((said, error)) => {
                notice = Some((false, m.admin_failed(said)));
                wrong = Some(error);
            }
        }
    }
    if notice.is_none() && once.is_none() && asked.query("done") == "1" {
        notice = Some((true, m.admin_done().to_owned()));
    }
    let shows = match read(&asked, by).await {
        Ok(view) => Shows::Admin(view),
        Err(error) => {
            let page =
                Page { shows: Shows::Failed(ApiError::from(error.clone())), path: asked.path, ..Page::default() };
            return Answer::page(page).status(&error);
        }
    };
    let answer = Answer::page(Page { path: asked.path, notice, once, shows });
    match wrong {
        // What it was about is not there any more; the page is.
        Some(Error::NotFound) => Answer { status: 409, ..answer },
        Some(Error::NotThat(_)) => Answer { status: 422, ..answer },
        Some(error) => answer.status(&error),
        None => answer,
    }
}

/// Where one is led after something was done: to the page itself, or to the list that what is gone stood in.
fn after(path: &str, act: &AdminAct) -> String {
    let path = match act {
        AdminAct::DeleteAccount { .. } => "/admin/people",
        AdminAct::DeleteRoom { .. } => "/admin/rooms",
        _ => path,
    };
    format!("{path}?done=1")
}

/// An address with a code in it, what it is for, and what to do with it.
async fn shown_once(asked: &Asked, act: &AdminAct, code: &str) -> (String, String, String) {
    let (m, site) = (asked.messages(), &asked.context.origin);
    match act {
        AdminAct::ResetPassword { person } => {
            let known = asked.domain.person(*person).await.ok().flatten();
            let name = known.map(|person| person.name).unwrap_or_default();
            (m.admin_reset_made(name), format!("{site}/reset?code={code}"), m.admin_reset_once().to_owned())
        }
        _ => {
            let address = format!("{site}/register?invite={code}");
            (m.admin_invite_made().to_owned(), address, m.admin_invite_once().to_owned())
        }
    }
}

async fn read(asked: &Asked, by: PersonId) -> Result<View, Error> {
    let domain = &asked.domain;
    let number = asked.query("page").parse::<usize>().unwrap_or(1).saturating_sub(1);
    Ok(match asked.path.as_str() {
        "/admin" => View::Live(domain.admin_live(by).await?, domain.admin_stray_attempts(by).await?),
        "/admin/people" => {
            let (query, guests) = (asked.query("q"), asked.query("kind") == "guests");
            View::People { people: domain.admin_people(by, &query, guests, number).await?, query, guests }
        }
        "/admin/rooms" => {
            let query = asked.query("q");
            View::Rooms { rooms: domain.admin_rooms(by, &query, number).await?, query }
        }
        "/admin/registration" => View::Policy(Box::new(domain.admin_policy(by).await?)),
        "/admin/bans" => View::Bans(domain.admin_bans(by).await?),
        "/admin/limits" => View::Limits((asked.limits)()),
        "/admin/log" => View::Log { actions: domain.admin_log(by, None, ACTIONS_SHOWN).await?, kept: asked.log_kept },
        path => {
            let person = path.strip_prefix("/admin/people/").and_then(|id| id.parse().ok()).ok_or(Error::NotFound)?;
            View::Person(Box::new(domain.admin_person(by, person).await?))
        }
    })
}

/// Why something was not done.
fn why(m: Messages, error: &Error) -> String {
    match error {
        Error::NotThat(NotThat::LastAdministrator) => m.admin_not_last().to_owned(),
        Error::NotThat(NotThat::Administrator) => m.admin_not_administrator().to_owned(),
        Error::NotThat(NotThat::Network) => m.admin_not_network().to_owned(),
        other => m.error(&ApiError::from(other.clone())),
    }
}

/// The frame of every page: where one is, what became of the form, what is shown once.
#[component]
pub fn Administration(page: Arc<Page>) -> impl IntoView {
    let m = use_messages();
    let Shows::Admin(shown) = page.shows.clone() else { return Piece::Nothing };
    let path = page.path.clone();
    let notice = page.notice.clone().map(|(good, said)| {
        let class = if good { "form-note" } else { "form-wrong" };
        view! { <p class=class role="status">{said}</p> }
    });
    let once = page.once.clone().map(|(heading, address, next)| {
        view! {
            <section class="panel fresh" role="status">
                <h2>{heading}</h2>
                <div class="kv"><code class="admin-once" id="shown-once">{address}</code></div>
                <p class="once">{next}</p>
            </section>
        }
    });
    let part = match shown {
        View::Live(rooms, attempts) => view! { {lists::live(m, rooms)} {lists::attempts(m, attempts)} },
        View::People { people, query, guests } => lists::people(m, people, &query, guests),
        View::Person(file) => person::person(m, *file, &path),
        View::Rooms { rooms, query } => lists::rooms(m, rooms, &query),
        View::Policy(policy) => policy::policy(m, *policy),
        View::Bans(bans) => lists::bans(m, bans),
        View::Limits(limits) => policy::limits(m, limits),
        View::Log { actions, kept } => lists::log(m, actions, kept),
    };
    view! {
        <div class="studio-page admin">
            <h1>{m.admin_title()}</h1>
            {menu(m, &page.path)}
            {notice}
            {once}
            {part}
        </div>
    }
}

fn menu(m: Messages, here: &str) -> Piece {
    let parts = [
        ("/admin", m.admin_live()),
        ("/admin/people", m.admin_people()),
        ("/admin/rooms", m.admin_rooms()),
        ("/admin/registration", m.admin_policy()),
        ("/admin/bans", m.admin_bans()),
        ("/admin/limits", m.admin_limits()),
        ("/admin/log", m.admin_log()),
    ];
    let here = if here.starts_with("/admin/people/") { "/admin/people" } else { here };
    let links: Vec<Piece> = parts
        .into_iter()
        .map(|(path, words)| view! { <a href=path aria-current=(path == here).then_some("page")>{words}</a> })
        .collect();
    view! { <nav class="admin-menu" aria-label=m.admin_menu()>{links}</nav> }
}

/// A form of one button.
fn act(
    path: &str,
    does: &'static str,
    fields: &[(&'static str, String)],
    words: &'static str,
    class: &'static str,
) -> Piece {
    let hidden: Vec<Piece> =
        fields.iter().map(|(name, value)| view! { <input type="hidden" name=*name value=value.clone() /> }).collect();
    view! {
        <form method="post" action=path.to_owned()>
            <input type="hidden" name="do" value=does />
            {hidden}
            <button type="submit" class=class>{words}</button>
        </form>
    }
}

/// The field for the reason of something.
fn reason(m: Messages, id: &'static str) -> Piece {
    view! {
        <div class="field">
            <label for=id>{m.admin_reason()}</label>
            <input id=id name="reason" type="text" autocomplete="off" />
            <p class="hint">{m.admin_reason_hint()}</p>
        </div>
    }
}

/// The choice of how long something lasts.
fn how_long(m: Messages, id: &'static str) -> Piece {
    let lengths = [
        ("3600", m.chat_hours(1)),
        ("86400", m.chat_days(1)),
        ("604800", m.chat_days(7)),
        ("2592000", m.chat_days(30)),
    ];
    let options: Vec<Piece> =
        lengths.into_iter().map(|(value, words)| view! { <option value=value>{words}</option> }).collect();
    view! {
        <div class="field">
            <label for=id>{m.admin_ban_for()}</label>
            <select id=id name="seconds">
                <option value="">{m.admin_ban_ever()}</option>
                {options}
            </select>
        </div>
    }
}

/// A person's name, or that there is none.
fn name(m: Messages, name: &str) -> String {
    if name.is_empty() { m.admin_people_nameless().to_owned() } else { name.to_owned() }
}
