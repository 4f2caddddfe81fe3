//! Registering: by oneself, by an invitation, or as the first administrator by the link of the first start.

use crate::{
    ApiError,
    accounts::local_path,
    codec::page_data,
    components::account_field::AccountField,
    head::{self, page_title},
    i18n::use_messages,
    route::use_place,
};
use leptos::prelude::*;
use leptos_meta::Meta;
use madang_protocol::{Field, wire::Wire};
use madang_view::view;
use serde::{Deserialize, Serialize};

/// How one comes in here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Wire)]
enum Door {
    #[default]
    Open,
    Invitation,
    Closed,
    /// By the set-up link.
    Setup,
}

/// The page as it opens.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Wire)]
struct Opening {
    door: Door,
    name: String,
    invitation: String,
    /// Where to go then.
    next: String,
    /// Why the last try was refused.
    error: Option<ApiError>,
}

/// Runs the posted form, if this page is the answer to one. Whoever is logged in already is sent on. `query` is the invitation and where to
/// go then, with a space between.
async fn open(query: String) -> Opening {
    let (invitation, next) = query.split_once(' ').unwrap_or_default();
    let opening = Opening { invitation: invitation.to_owned(), next: next.to_owned(), ..Opening::default() };
    #[cfg(feature = "ssr")]
    {
        use crate::{
            accounts::{act, form::AccountForm},
            context::{redirect, set_status, use_domain, use_server_context},
        };
        use madang_domain::Registration;
        let (Ok(domain), Ok(context)) = (use_domain(), use_server_context()) else { return opening };
        let door = match domain.registration() {
            _ if context.setup.is_some() => Door::Setup,
            Registration::Open => Door::Open,
            Registration::Invite => Door::Invitation,
            Registration::Closed => Door::Closed,
        };
        let opening = Opening { door, ..opening };
        if let Some((AccountForm::Register { name, password, invitation, next }, allowed)) =
            act::posted(|form| matches!(form, AccountForm::Register { .. }))
        {
            let result = match allowed {
                Ok(()) => act::register(&name, password.expose(), &invitation, &next).await,
                Err(refused) => Err(refused),
            };
            return Opening { door, name, invitation, next, error: result.err() };
        }
        if act::account().is_some() && door != Door::Setup {
            redirect(local_path(&opening.next));
        } else if door == Door::Closed {
            set_status(403);
        }
        opening
    }
    #[cfg(not(feature = "ssr"))]
    crate::accounts::from_server(opening).await
}

#[component]
pub fn RegisterPage() -> impl IntoView {
    let m = use_messages();
    let place = use_place();
    let asked = move || format!("{} {}", place.query("invite").trim(), place.query("next"));
    let opening = page_data(asked, open);
    view! {
        {page_title(move || m.account_register().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move { view! { <Register opening=opening.await /> } })}
        </Suspense>
    }
}

#[component]
fn Register(opening: Opening) -> impl IntoView {
    let m = use_messages();
    let Opening { door, name, invitation, next, error } = opening;
    let issues = error.as_ref().map(|error| error.issues().to_vec()).unwrap_or_default();
    let said = match &error {
        Some(ApiError::Forbidden) if door == Door::Setup => Some(m.account_setup_void().to_owned()),
        Some(ApiError::Forbidden) => Some(m.account_closed().to_owned()),
        Some(error) => Some(m.error(error)),
        None => None,
    };
    let quiet = said.is_none();
    let issues = Signal::derive(move || issues.clone());
    let next = local_path(&next).to_owned();
    let log_in = format!("/login?next={next}");
    let (title, lead) = match door {
        Door::Setup => (m.account_setup(), m.account_setup_lead()),
        Door::Closed => (m.account_register(), m.account_closed()),
        Door::Invitation => (m.account_register(), m.account_invited_lead()),
        Door::Open => (m.account_register(), m.account_register_lead()),
    };
    let by_invitation = (door == Door::Invitation).then(|| {
        view! {
            <AccountField field=Field::Invitation issues name="invitation" label=m.account_invitation() kind="text" autocomplete="off" value=invitation />
        }
    });
    let form = (door != Door::Closed).then(|| {
        view! {
            <form class="form" method="post" action="/register">
                <p class="form-wrong" role="alert" hidden=quiet>{said}</p>
                <input type="hidden" name="next" value=next />
                {by_invitation}
                <AccountField field=Field::Name issues name="name" label=m.account_name() kind="text" autocomplete="username" value=name hint=m.account_name_hint() first=true />
                <AccountField field=Field::Password issues name="password" label=m.account_password() kind="password" autocomplete="new-password" hint=m.account_password_hint() />
                <div class="form-foot">
                    <button type="submit" class="btn main">{m.account_register_go()}</button>
                </div>
            </form>
        }
    });
    view! {
        <div class="form-page narrow">
            <h1>{title}</h1>
            <p class="lead">{lead}</p>
            {form}
            <p class="form-else">{m.account_have_one()}" "<a href=log_in rel="external">{m.account_log_in()}</a></p>
        </div>
    }
}
