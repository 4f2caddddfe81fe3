//! Logging in: a plain form, which the server runs and answers by sending the browser on.

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

/// The page as it opens.
#[derive(Clone, Debug, Default, Serialize, Deserialize, Wire)]
struct Opening {
    name: String,
    /// Where to go then.
    next: String,
    /// Why the last try was refused.
    error: Option<ApiError>,
    /// The same in words, where somebody is banned or their account is locked: until when, and the reason.
    barred: String,
    /// Whether there is a way to an account from here.
    may_register: bool,
}

/// Runs the posted form, if this page is the answer to one. Whoever is logged in already is sent on.
async fn open(next: String) -> Opening {
    #[cfg(feature = "ssr")]
    {
        use crate::{
            accounts::{act, form::AccountForm},
            context::{redirect, use_domain},
        };
        let may_register =
            use_domain().is_ok_and(|domain| domain.registration() != madang_domain::Registration::Closed);
        if let Some((AccountForm::LogIn { name, password, next }, allowed)) =
            act::posted(|form| matches!(form, AccountForm::LogIn { .. }))
        {
            let tried = match allowed {
                Ok(()) => act::log_in(&name, password.expose(), &next).await,
                Err(refused) => Err((refused, String::new())),
            };
            let (error, barred) = tried.err().unzip();
            return Opening { name, next, error, barred: barred.unwrap_or_default(), may_register };
        }
        if act::account().is_some() {
            redirect(local_path(&next));
        }
        Opening { next, may_register, ..Opening::default() }
    }
    #[cfg(not(feature = "ssr"))]
    crate::accounts::from_server(Opening { next, ..Opening::default() }).await
}

#[component]
pub fn LogInPage() -> impl IntoView {
    let m = use_messages();
    let place = use_place();
    let opening = page_data(move || place.query("next"), open);
    view! {
        {page_title(move || m.account_log_in().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move { view! { <LogIn opening=opening.await /> } })}
        </Suspense>
    }
}

#[component]
fn LogIn(opening: Opening) -> impl IntoView {
    let m = use_messages();
    let Opening { name, next, error, barred, may_register } = opening;
    let said = error.as_ref().map(|error| if barred.is_empty() { m.error(error) } else { barred });
    let quiet = said.is_none();
    let none = Signal::derive(Vec::new);
    let next = local_path(&next).to_owned();
    let typed = !name.is_empty();
    let register = may_register.then(|| {
        let way = format!("/register?next={next}");
        view! { <p class="form-else">{m.account_no_account()}" "<a href=way rel="external">{m.account_register()}</a></p> }
    });
    view! {
        <div class="form-page narrow">
            <h1>{m.account_log_in()}</h1>
            <form class="form" method="post" action="/login">
                <p class="form-wrong" role="alert" hidden=quiet>{said}</p>
                <input type="hidden" name="next" value=next />
                <AccountField field=Field::Name issues=none name="name" label=m.account_name() kind="text" autocomplete="username" value=name first=!typed />
                <AccountField field=Field::Password issues=none name="password" label=m.account_password() kind="password" autocomplete="current-password" first=typed />
                <div class="form-foot">
                    <button type="submit" class="btn main">{m.account_log_in()}</button>
                </div>
            </form>
            {register}
        </div>
    }
}
