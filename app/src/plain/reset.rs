//! `/reset?code=…`: a new password, by the way that an administrator gave.

use super::{Answer, Asked, Page, Shows, barred};
use crate::{
    ApiError, accounts::form::AccountForm, components::account_field::AccountField, i18n::use_messages, posted::Posted,
};
use leptos::prelude::*;
use madang_domain::Error;
use madang_protocol::{Field, FieldIssue};
use madang_view::view;

/// The form.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Whose password it is; `None` where the code is none.
    name: Option<String>,
    code: String,
    /// What is wrong with what was typed.
    issues: Vec<FieldIssue>,
    /// What else is wrong.
    said: Option<String>,
}

/// Sets the password if the form was posted, or shows it.
pub(super) async fn answer(asked: Asked) -> Answer {
    let (domain, context) = (&asked.domain, &asked.context);
    let posted = asked
        .posted
        .as_ref()
        .and_then(|posted| posted.take_if(|form| matches!(form, Posted::Account(AccountForm::Reset { .. }))));
    let (mut code, mut wrong) = (asked.query("code"), None);
    if let Some((Posted::Account(AccountForm::Reset { code: typed, password }), allowed)) = posted {
        typed.expose().clone_into(&mut code);
        let used = match allowed {
            Ok(()) => domain.use_reset(&code, password.expose(), &context.visit).await,
            Err(refused) => {
                let said = asked.messages().error(&refused);
                return shown(View { said: Some(said), ..View::default() }).status(&Error::Busy);
            }
        };
        match used {
            Ok(token) => {
                let cookie = context.session_cookie(&token);
                return Answer { cookie: Some(cookie), ..Answer::see_other("/account".to_owned()) };
            }
            Err(error) => wrong = Some(error),
        }
    }
    let name = match domain.reset_for(&code, &context.visit).await {
        Ok(name) => name,
        Err(error) => return failed(&error),
    };
    let void = name.is_none();
    let mut view = View { name, code, ..View::default() };
    match wrong {
        None if void => shown(view).status(&Error::NotFound),
        None => shown(view),
        Some(error) => {
            match &error {
                Error::Invalid(issues) => view.issues.clone_from(issues),
                Error::Barred(bar) => view.said = Some(barred(asked.messages(), bar)),
                other => view.said = Some(asked.messages().error(&ApiError::from(other.clone()))),
            }
            shown(view).status(&error)
        }
    }
}

fn shown(view: View) -> Answer {
    Answer::page(Page { path: "/reset".to_owned(), shows: Shows::Reset(view), ..Page::default() })
}

fn failed(error: &Error) -> Answer {
    let shows = Shows::Failed(ApiError::from(error.clone()));
    Answer::page(Page { path: "/reset".to_owned(), shows, ..Page::default() }).status(error)
}

#[component]
pub(super) fn Reset(reset: View) -> impl IntoView {
    let m = use_messages();
    let View { name, code, issues, said } = reset;
    let quiet = said.is_none();
    let Some(name) = name else {
        return view! {
            <section class="wrap empty">
                <h1>{m.reset_title()}</h1>
                <p>{said.unwrap_or_else(|| m.reset_void().to_owned())}</p>
                <a class="btn ghost" href="/login">{m.account_log_in()}</a>
            </section>
        };
    };
    let issues = Signal::derive(move || issues.clone());
    view! {
        <div class="form-page narrow">
            <h1>{m.reset_title()}</h1>
            <p class="lead">{m.reset_lead(name)}</p>
            <form class="form" method="post" action="/reset">
                <p class="form-wrong" role="alert" hidden=quiet>{said}</p>
                <input type="hidden" name="code" value=code />
                <AccountField field=Field::Password issues=issues name="password" label=m.account_new_password() kind="password" autocomplete="new-password" hint=m.account_password_hint() first=true />
                <div class="form-foot"><button type="submit" class="btn main">{m.reset_go()}</button></div>
            </form>
        </div>
    }
}
