//! Runs the forms of accounts: each is one call on the domain, and the cookies that come of it. On the server only.

use super::{
    form::{AccountAct, AccountForm},
    local_path,
};
use crate::{
    ApiError,
    context::{SETUP_COOKIE, ServerContext, redirect, session_cookie, set_status, use_domain, use_server_context},
    i18n::Messages,
    plain::barred,
    posted::{Posted, PostedForm},
};
use leptos::prelude::use_context;
use madang_domain::{Admission, Error, PersonKind};
use madang_protocol::PersonId;

/// Takes the posted form, if the page being made is the answer to one that `fits`; and whether it may be run.
pub fn posted(fits: fn(&AccountForm) -> bool) -> Option<(AccountForm, Result<(), ApiError>)> {
    let (posted, allowed) = use_context::<PostedForm>()?
        .take_if(|posted| if let Posted::Account(form) = posted { fits(form) } else { false })?;
    if let Posted::Account(form) = posted { Some((form, allowed)) } else { None }
}

/// Logs the browser in and sends it on.
///
/// # Errors
/// With words for whoever is banned or whose account is locked.
pub async fn log_in(name: &str, password: &str, next: &str) -> Result<(), (ApiError, String)> {
    let plain = |error| (error, String::new());
    let context = use_server_context().map_err(plain)?;
    let (_, token) = use_domain().map_err(plain)?.log_in(name, password, &context.visit).await.map_err(|error| {
        let words = match &error {
            Error::Barred(bar) => barred(Messages::new(context.locale), bar),
            _ => String::new(),
        };
        (error.into(), words)
    })?;
    context.set_session(&token);
    redirect(local_path(next));
    Ok(())
}

/// Makes an account, logs the browser in and sends it on.
pub async fn register(name: &str, password: &str, invitation: &str, next: &str) -> Result<(), ApiError> {
    let context = use_server_context()?;
    let admission = match &context.setup {
        Some(code) => Admission::Setup(code.clone()),
        None if invitation.trim().is_empty() => Admission::Policy,
        None => Admission::Invitation(invitation.to_owned()),
    };
    let made = use_domain()?.register(name, password, admission, &context.visit).await;
    if context.setup.is_some() && matches!(made, Ok(_) | Err(Error::Forbidden)) {
        context.forget_cookie(SETUP_COOKIE);
    }
    let (_, token) = made?;
    context.set_session(&token);
    redirect(local_path(next));
    Ok(())
}

/// Does what a form of the account's own page says, and sends the browser on.
pub async fn own(act: AccountAct) -> Result<(), ApiError> {
    let Some((context, person)) = account() else {
        set_status(ApiError::Forbidden.status());
        return Err(ApiError::Forbidden);
    };
    let domain = use_domain()?;
    match act {
        AccountAct::ChangePassword { current, new } => {
            let token = domain.change_password(person, current.expose(), new.expose(), &context.visit).await?;
            context.set_session(&token);
            redirect("/account?done=password");
        }
        AccountAct::EndSession { session } => {
            domain.log_out(person, session).await?;
            redirect("/account?done=session");
        }
        AccountAct::LogOutEverywhere => {
            domain.log_out_everywhere(person).await?;
            context.forget_cookie(session_cookie(&context.origin));
            redirect("/login");
        }
        AccountAct::Delete { current } => {
            domain.delete_account(person, current.expose(), &context.visit).await?;
            context.forget_cookie(session_cookie(&context.origin));
            redirect("/");
        }
    }
    Ok(())
}

/// The account that asks; `None` for a guest.
pub fn account() -> Option<(ServerContext, PersonId)> {
    let context = use_server_context().ok()?;
    let person = context.person.as_ref().filter(|person| matches!(person.kind, PersonKind::Account { .. }))?.id;
    Some((context, person))
}

/// A browser's name and system in two words, of what it calls itself; empty when that says nothing.
pub fn browser_name(agent: &str) -> String {
    // The first that is found counts: browsers name those that they want to be taken for as well.
    const PROGRAMS: [(&str, &str); 6] = [
        ("Firefox/", "Firefox"),
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ];
    const SYSTEMS: [(&str, &str); 6] = [
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    let first =
        |names: &[(&str, &'static str)]| names.iter().find(|(sign, _)| agent.contains(sign)).map(|(_, name)| *name);
    [first(&PROGRAMS), first(&SYSTEMS)].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_are_told_apart() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Version/17.1 Safari/604.1";
        assert_eq!(browser_name(chrome), "Chrome, Linux");
        assert_eq!(browser_name(phone), "Safari, iPhone");
        assert_eq!(browser_name("curl/8"), "");
    }
}
