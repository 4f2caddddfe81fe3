//! Who gets into a room, for its owner: visibility, password, invitation links. Plain forms, which the server runs; it makes the words
//! too, so that next to nothing of this is downloaded.

use crate::{
    ApiError,
    codec::page_data,
    components::{
        account_field::AccountField,
        copy_row::CopyRow,
        log_in_first::LogInFirst,
        room_form::{VisibilityField, Wrong},
    },
    head::{self, page_title},
    i18n::use_messages,
    pages::not_found::NotFoundPage,
    route::use_place,
};
use leptos::{either::EitherOf3, prelude::*};
use leptos_meta::Meta;
use madang_protocol::{Field, FieldIssue, wire::Wire};
use madang_view::view;
use serde::{Deserialize, Serialize};

/// How long a link may be made for, in hours.
pub const LINK_HOURS: [u64; 5] = [1, 24, 7 * 24, 30 * 24, 365 * 24];

/// The page as it opens.
#[derive(Clone, Default, Serialize, Deserialize, Wire)]
struct Opening {
    slug: String,
    /// Why there is nothing to show.
    refused: Option<ApiError>,
    title: String,
    visibility: String,
    password_hint: String,
    links: Vec<LinkRow>,
    made: Option<Made>,
    /// What became of the posted form, in words.
    good: Option<String>,
    wrong: Option<String>,
    issues: Vec<FieldIssue>,
    /// What was typed for a link that was not made.
    name: String,
    uses: String,
}

/// A link that was just made: the only answer its address is in.
#[derive(Clone, Serialize, Deserialize, Wire)]
struct Made {
    name: String,
    address: String,
}

/// A link as the list shows it.
#[derive(Clone, Serialize, Deserialize, Wire)]
struct LinkRow {
    id: String,
    name: String,
    says: String,
    /// Whether there is anything to revoke.
    stands: bool,
}

/// Runs the posted form, if this page is the answer to one, and then reads what there is to show.
async fn open(slug: String) -> Opening {
    let opening = Opening { slug, ..Opening::default() };
    #[cfg(feature = "ssr")]
    return server::read(opening).await;
    #[cfg(not(feature = "ssr"))]
    crate::accounts::from_server(opening).await
}

#[cfg(feature = "ssr")]
mod server {
    use super::{LinkRow, Made, Opening};
    use crate::{
        ApiError,
        access::{AccessAct, Done, run_posted},
        components::room_form::issue_text,
        context::{set_status, use_domain, use_server_context},
        i18n::Messages,
        server::rooms::keep_out_of_caches,
    };
    use madang_protocol::{RoomSlug, UnixMillis, access::LinkInfo};

    pub(super) async fn read(mut opening: Opening) -> Opening {
        if let Err(error) = fill(&mut opening).await {
            set_status(error.status());
            opening.refused = Some(error);
        }
        opening
    }

    async fn fill(opening: &mut Opening) -> Result<(), ApiError> {
        let slug = RoomSlug::parse(&opening.slug).map_err(|_| ApiError::NotFound)?;
        let (context, domain) = (use_server_context()?, use_domain()?);
        let m = Messages::new(context.locale);
        let who = context.person.as_ref().map(|person| person.id).ok_or(ApiError::Forbidden)?;
        // Whose room it is not is told nothing of it, whatever they post.
        domain.access(who, &slug).await?;
        if let Some((act, result)) = run_posted(&slug).await {
            match result {
                Ok(Done::Said) => opening.good = Some(m.access_saved().to_owned()),
                Ok(Done::Revoked) => opening.good = Some(m.access_link_revoked_done().to_owned()),
                Ok(Done::Made { name, address }) => {
                    keep_out_of_caches();
                    opening.made = Some(Made { name, address });
                }
                Err(error) => note(opening, m, act, &error),
            }
        }
        let view = domain.access(who, &slug).await?;
        let first = view.password_since.is_none();
        opening.password_hint = if first { m.access_password_first() } else { m.access_password_hint() }.to_owned();
        if opening.visibility.is_empty() {
            view.visibility.as_str().clone_into(&mut opening.visibility);
        }
        opening.title = view.title;
        opening.links = view.links.into_iter().map(|link| row(m, link, context.now)).collect();
        Ok(())
    }

    /// A refused form keeps what was typed, but for the password.
    fn note(opening: &mut Opening, m: Messages, act: AccessAct, error: &ApiError) {
        opening.issues = error.issues().to_vec();
        let first = opening.issues.first().map(|issue| issue_text(m, *issue));
        opening.wrong = Some(first.unwrap_or_else(|| m.error(error)));
        match act {
            AccessAct::Say { visibility, .. } => opening.visibility = visibility,
            AccessAct::NewLink { name, uses, .. } => (opening.name, opening.uses) = (name, uses),
            AccessAct::RevokeLink { .. } => {}
        }
    }

    fn row(m: Messages, link: LinkInfo, now: UnixMillis) -> LinkRow {
        let stands = link.stands(now);
        let state = match link.revoked {
            Some(_) => m.access_link_revoked().to_owned(),
            None if !stands => m.access_link_over().to_owned(),
            None => m.access_link_left(length(m, link.ends.since(now))),
        };
        let used = match link.uses {
            Some(uses) => m.access_link_used_of(link.used, uses),
            None => m.access_link_used(link.used.into()),
        };
        LinkRow { id: link.id.to_string(), name: link.name, says: format!("{state} · {used}"), stands }
    }

    /// `2 hours`, to the nearest, in the largest unit that has two of it.
    pub(super) fn length(m: Messages, ms: i64) -> String {
        let minutes = (u64::try_from(ms).unwrap_or(0).saturating_add(30_000) / 60_000).max(1);
        match minutes {
            ..120 => m.chat_minutes(minutes),
            120..2880 => m.chat_hours((minutes + 30) / 60),
            _ => m.chat_days((minutes + 12 * 60) / (24 * 60)),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::i18n::Locale;
        use madang_protocol::LinkId;

        #[test]
        fn a_link_says_how_long_it_lasts_and_how_many_came() {
            let m = Messages::new(Locale::En);
            let link = LinkInfo {
                id: LinkId::from_random(2),
                name: "friends".into(),
                created: UnixMillis(0),
                ends: UnixMillis(3_600_000),
                used: 1,
                uses: Some(5),
                revoked: None,
            };
            let says = |link: &LinkInfo, now| row(m, link.clone(), UnixMillis(now)).says;
            assert_eq!(says(&link, 0), "for another 60 minutes · 1 of 5 came in");
            assert_eq!(
                says(&LinkInfo { ends: UnixMillis(86_400_003), ..link.clone() }, 0),
                "for another 24 hours · 1 of 5 came in"
            );
            assert_eq!(says(&link, 3_600_000), "over · 1 of 5 came in");
            let free = LinkInfo { uses: None, ends: UnixMillis(14 * 86_400_000), ..link };
            assert_eq!(says(&free, 0), "for another 14 days · 1 came in");
            assert_eq!(says(&LinkInfo { revoked: Some(UnixMillis(5)), ..free }, 9), "revoked · 1 came in");
        }
    }
}

#[component]
pub fn AccessPage() -> impl IntoView {
    let m = use_messages();
    let place = use_place();
    let opening = page_data(move || place.slug(), open);
    view! {
        {page_title(move || m.access_title().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move {
                let opening = opening.await;
                match opening.refused.clone() {
                    None => EitherOf3::A(view! { <Access opening /> }),
                    Some(ApiError::NotFound) => EitherOf3::B(view! { <NotFoundPage /> }),
                    Some(error) => EitherOf3::C(view! { <Refused error slug=opening.slug /> }),
                }
            })}
        </Suspense>
    }
}

/// Somebody else's room, or one that could not be read.
#[component]
fn Refused(error: ApiError, slug: String) -> impl IntoView {
    let m = use_messages();
    let next = match error {
        ApiError::Forbidden => m.studio_not_yours_next().to_owned(),
        other => m.error(&other),
    };
    view! {
        <section class="wrap empty">
            <h1>{m.access_title()}</h1>
            <p>{next}</p>
            <LogInFirst path=format!("/rooms/{slug}/access") />
        </section>
    }
}

#[component]
fn Access(opening: Opening) -> impl IntoView {
    let m = use_messages();
    let Opening { slug, title, visibility, password_hint, links, made, good, wrong, issues, name, uses, .. } = opening;
    let path = format!("/rooms/{slug}/access");
    let issues = Signal::derive(move || issues.clone());
    let idle = visibility != "invitation";
    let (not_good, not_wrong) = (good.is_none(), wrong.is_none());
    let made = made.map(|Made { name, address }| {
        view! {
            <section class="panel" role="status">
                <h2>{m.access_link_made(name)}</h2>
                <div class="kv">
                    <CopyRow id="invite-link" name=m.access_link_address() text=address copy=m.access_link_copy() />
                </div>
                <p class="once">{m.access_link_once()}</p>
            </section>
        }
    });
    view! {
        <div class="form-page account">
            <h1>{m.access_of(title)}</h1>
            <p class="lead"><a href=format!("/rooms/{slug}/studio")>{m.access_studio()}</a></p>
            <div role="status">
                <p class="form-note" hidden=not_good>{good}</p>
                <p class="form-wrong" hidden=not_wrong>{wrong}</p>
            </div>
            {made}
            <section class="panel">
                <form class="form" method="post" action=path.clone()>
                    <input type="hidden" name="do" value="access" />
                    <VisibilityField wrong=Wrong::new(Field::Visibility, issues) chosen=visibility />
                    <AccountField field=Field::Password issues name="password" label=m.access_password() kind="password" autocomplete="new-password" hint=password_hint optional=true />
                    <div class="form-foot"><button type="submit" class="btn main">{m.access_save()}</button></div>
                </form>
            </section>
            <Links path links idle issues name uses />
        </div>
    }
}

/// The links there are, and the form for a new one.
#[component]
fn Links(
    path: String,
    links: Vec<LinkRow>,
    /// The room asks for something else now.
    idle: bool,
    issues: Signal<Vec<FieldIssue>>,
    name: String,
    uses: String,
) -> impl IntoView {
    let m = use_messages();
    let none = links.is_empty();
    let to = path.clone();
    let row = move |link: LinkRow| {
        let revoke = link.stands.then(|| {
            let label = m.access_link_revoke_label(&link.name);
            view! {
                <form method="post" action=to.clone()>
                    <input type="hidden" name="do" value="revoke-link" />
                    <input type="hidden" name="link" value=link.id />
                    <button type="submit" class="btn small ghost" aria-label=label.clone() title=label>{m.access_link_revoke()}</button>
                </form>
            }
        });
        view! {
            <li class:revoked=!link.stands>
                <div>
                    <b>{link.name}</b>
                    <small>{link.says}</small>
                </div>
                {revoke}
            </li>
        }
    };
    let hours = LINK_HOURS.map(|hours| {
        let words = if hours < 24 { m.chat_hours(hours) } else { m.chat_days(hours / 24) };
        view! { <option value=hours.to_string() selected=hours == 24>{words}</option> }
    });
    view! {
        <section class="panel">
            <h2>{m.access_links()}</h2>
            <p class="hint">{m.access_links_lead()}</p>
            <p class="hint" hidden=!idle>{m.access_links_idle()}</p>
            <ul class="studio-keys" aria-label=m.access_links()>{links.into_iter().map(row).collect_view()}</ul>
            <p class="hint" hidden=!none>{m.access_links_none()}</p>
            <form class="form access-new" method="post" action=path>
                <input type="hidden" name="do" value="new-link" />
                <AccountField field=Field::KeyName issues name="name" label=m.access_link_name() kind="text" autocomplete="off" value=name hint=m.access_link_name_hint() />
                <div class="field-pair">
                    <div class="field">
                        <label for="link-hours">{m.access_link_for()}</label>
                        <select id="link-hours" name="hours">{hours.into_iter().collect_view()}</select>
                    </div>
                    <AccountField field=Field::Invitation issues name="uses" label=m.access_link_uses() kind="number" autocomplete="off" value=uses hint=m.access_link_uses_hint() optional=true />
                </div>
                <div class="form-foot"><button type="submit" class="btn">{m.access_link_make()}</button></div>
            </form>
        </section>
    }
}
