//! One's own account: rooms, password, the browsers that are logged in, and its end.

use crate::{
    ApiError,
    codec::page_data,
    components::{account_field::AccountField, time::Ago},
    head::{self, page_title},
    i18n::use_messages,
    route::use_place,
};
use leptos::prelude::*;
use leptos_meta::Meta;
use madang_protocol::{Field, FieldIssue, RoomCard, account::SessionInfo, wire::Wire};
use madang_view::view;
use serde::{Deserialize, Serialize};

/// Which form was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
enum Tried {
    Password,
    Delete,
    Other,
}

/// A form that was refused, and why.
#[derive(Clone, Debug, Serialize, Deserialize, Wire)]
struct Refused {
    tried: Tried,
    why: ApiError,
}

/// The page as it opens. Nothing in it for somebody who is sent to log in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Wire)]
struct Opening {
    name: String,
    admin: bool,
    rooms: Vec<RoomCard>,
    sessions: Vec<SessionInfo>,
    refused: Option<Refused>,
    /// What the last form did, as the address has it.
    done: String,
}

/// Runs the posted form, if this page is the answer to one, and reads what there is to show.
async fn open(done: String) -> Opening {
    #[cfg(feature = "ssr")]
    {
        let opening = read(done).await;
        opening.unwrap_or_else(|error| Opening {
            refused: Some(Refused { tried: Tried::Other, why: error }),
            ..Opening::default()
        })
    }
    #[cfg(not(feature = "ssr"))]
    crate::accounts::from_server(Opening { done, ..Opening::default() }).await
}

#[cfg(feature = "ssr")]
async fn read(done: String) -> Result<Opening, ApiError> {
    use crate::{
        accounts::{
            act,
            form::{AccountAct, AccountForm},
        },
        context::{redirect, use_domain},
    };
    use madang_domain::PersonKind;
    let Some((context, person)) = act::account() else {
        redirect("/login?next=/account");
        return Ok(Opening::default());
    };
    let mut refused = None;
    if let Some((AccountForm::Own(act), allowed)) = act::posted(|form| matches!(form, AccountForm::Own(_))) {
        let tried = match act {
            AccountAct::ChangePassword { .. } => Tried::Password,
            AccountAct::Delete { .. } => Tried::Delete,
            AccountAct::EndSession { .. } | AccountAct::LogOutEverywhere => Tried::Other,
        };
        let result = match allowed {
            Ok(()) => act::own(act).await,
            Err(refused) => Err(refused),
        };
        match result {
            Ok(()) => return Ok(Opening::default()),
            Err(why) => refused = Some(Refused { tried, why }),
        }
    }
    let domain = use_domain()?;
    let mut sessions = domain.sessions(person, context.visit.session).await?;
    for session in &mut sessions {
        session.agent = act::browser_name(&session.agent);
    }
    let admin = context.person.is_some_and(|person| matches!(person.kind, PersonKind::Account { admin: true, .. }));
    let name = domain.person(person).await?.map(|person| person.name).unwrap_or_default();
    Ok(Opening { name, admin, rooms: domain.rooms_of(person).await?, sessions, refused, done })
}

#[component]
pub fn AccountPage() -> impl IntoView {
    let m = use_messages();
    let place = use_place();
    let opening = page_data(move || place.query("done"), open);
    view! {
        {page_title(move || m.account_title().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move { view! { <Account opening=opening.await /> } })}
        </Suspense>
    }
}

#[component]
fn Account(opening: Opening) -> impl IntoView {
    let m = use_messages();
    let Opening { name, admin, rooms, sessions, refused, done } = opening;
    let issues = |which: Tried| {
        let issues: Vec<FieldIssue> = match &refused {
            Some(refused) if refused.tried == which => refused.why.issues().to_vec(),
            _ => Vec::new(),
        };
        Signal::derive(move || issues.clone())
    };
    let (password, delete) = (issues(Tried::Password), issues(Tried::Delete));
    let wrong = refused.as_ref().map(|refused| m.error(&refused.why));
    let right = wrong.is_none();
    let good = match done.as_str() {
        "password" => Some(m.account_password_done()),
        "session" => Some(m.account_session_done()),
        _ => None,
    };
    let role = admin.then(|| view! { <p class="hint">{m.account_admin()}</p> });
    let administers =
        admin.then(|| view! { <a class="btn small ghost" href="/admin" rel="external">{m.admin_open()}</a> });
    view! {
        <div class="form-page account">
            <h1>{name}</h1>
            {role}
            {administers}
            <div role="status">
                <p class="form-note" hidden=good.is_none()>{good}</p>
                <p class="form-wrong" hidden=right>{wrong}</p>
            </div>
            <Rooms rooms />
            <section class="panel">
                <h2>{m.account_new_password()}</h2>
                <form class="form" method="post" action="/account">
                    <input type="hidden" name="do" value="password" />
                    <AccountField field=Field::CurrentPassword issues=password name="current" label=m.account_current_password() kind="password" autocomplete="current-password" />
                    <AccountField field=Field::Password issues=password name="new" label=m.account_new_password() kind="password" autocomplete="new-password" hint=m.account_new_password_hint() />
                    <div class="form-foot"><button type="submit" class="btn main">{m.account_change_password()}</button></div>
                </form>
            </section>
            <Sessions sessions />
            <Danger issues=delete />
        </div>
    }
}

/// One's rooms, with the ways to their studios.
#[component]
fn Rooms(rooms: Vec<RoomCard>) -> impl IntoView {
    let m = use_messages();
    let none = rooms.is_empty();
    let row = |room: RoomCard| {
        let path = format!("/rooms/{}", room.slug);
        let studio = format!("{path}/studio");
        view! {
            <li>
                <div><b><a href=path>{room.title}</a></b></div>
                <a class="btn small ghost" href=studio>{m.watch_studio()}</a>
            </li>
        }
    };
    view! {
        <section class="panel">
            <h2>{m.account_rooms()}</h2>
            <ul class="studio-keys">{rooms.into_iter().map(row).collect_view()}</ul>
            <p class="hint" hidden=!none>{m.account_rooms_none()}</p>
        </section>
    }
}

/// The browsers that are logged in.
#[component]
fn Sessions(sessions: Vec<SessionInfo>) -> impl IntoView {
    let m = use_messages();
    let row = |session: SessionInfo| {
        let name = if session.agent.is_empty() { m.account_some_browser().to_owned() } else { session.agent };
        let here = session.current.then(|| m.account_this_browser());
        let end = (!session.current).then(|| {
            view! {
                <form method="post" action="/account">
                    <input type="hidden" name="do" value="end-session" />
                    <input type="hidden" name="session" value=session.id.to_string() />
                    <button type="submit" class="btn small ghost">{m.account_log_out()}</button>
                </form>
            }
        });
        view! {
            <li>
                <div>
                    <b>{name}</b>
                    <small>{session.from}" · "{m.account_used()}" "<Ago at=session.used />" "{here}</small>
                </div>
                {end}
            </li>
        }
    };
    view! {
        <section class="panel">
            <h2>{m.account_sessions()}</h2>
            <ul class="studio-keys">{sessions.into_iter().map(row).collect_view()}</ul>
            <div class="account-out">
                <form method="post" action="/logout"><button type="submit" class="btn">{m.account_log_out()}</button></form>
                <form method="post" action="/account">
                    <input type="hidden" name="do" value="log-out-everywhere" />
                    <button type="submit" class="btn ghost">{m.account_log_out_everywhere()}</button>
                </form>
            </div>
        </section>
    }
}

/// The account's end, for whoever types its password.
#[component]
fn Danger(issues: Signal<Vec<FieldIssue>>) -> impl IntoView {
    let m = use_messages();
    let wrong = issues.with_untracked(|issues| !issues.is_empty());
    view! {
        <details class="panel studio-danger" open=wrong>
            <summary>{m.account_delete()}</summary>
            <form method="post" action="/account">
                <input type="hidden" name="do" value="delete" />
                <p>{m.account_delete_next()}</p>
                <div class="field">
                    <label for="delete-password">{m.account_current_password()}</label>
                    <input
                        id="delete-password"
                        name="current"
                        type="password"
                        required=true
                        autocomplete="current-password"
                        aria-describedby="delete-password-issue"
                        aria-invalid=wrong.then_some("true")
                    />
                    <p class="issue" id="delete-password-issue" hidden=!wrong>{m.account_issue_password()}</p>
                </div>
                <div class="form-foot"><button type="submit" class="btn danger">{m.account_delete()}</button></div>
            </form>
        </details>
    }
}
