//! What the forms of a room's page about who gets in say, and what they do. On the server only: no script reads a password or a link.

use crate::{
    ApiError,
    accounts::form::Secret,
    context::{use_domain, use_server_context},
    pages::access::LINK_HOURS,
    posted::{Posted, PostedForm},
};
use leptos::prelude::use_context;
use madang_protocol::{Field, FieldIssue, LinkId, Problem, RoomSlug, Visibility};
use std::{fmt, time::Duration};

/// A form of the page, filled in: the hidden field `do` names what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessAct {
    /// `access`, with `visibility` and `password`.
    Say { visibility: String, password: Secret },
    /// `new-link`, with `name`, `hours` and `uses`.
    NewLink { name: String, hours: String, uses: String },
    /// `revoke-link`, with `link`.
    RevokeLink { link: LinkId },
}

/// What was done.
#[derive(Clone, PartialEq, Eq)]
pub enum Done {
    Said,
    /// A link was made; this is the one answer it is in.
    Made {
        name: String,
        address: String,
    },
    Revoked,
}

impl fmt::Debug for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Said => "Said",
            Self::Made { .. } => "Made(…)",
            Self::Revoked => "Revoked",
        })
    }
}

impl AccessAct {
    /// Reads a form; `None` for an unknown `do`, and for a link's id that is none.
    pub fn parse<'a>(field: &dyn Fn(&str) -> &'a str) -> Option<Self> {
        let text = |name| field(name).to_owned();
        match field("do") {
            "access" => Some(Self::Say { visibility: text("visibility"), password: Secret::new(text("password")) }),
            "new-link" => Some(Self::NewLink { name: text("name"), hours: text("hours"), uses: text("uses") }),
            "revoke-link" => Some(Self::RevokeLink { link: field("link").parse().ok()? }),
            _ => None,
        }
    }
}

/// Runs the form posted to the page of `slug`, once, if the page being made is the answer to one.
pub async fn run_posted(slug: &RoomSlug) -> Option<(AccessAct, Result<Done, ApiError>)> {
    let fits = |posted: &Posted| matches!(posted, Posted::Access { room, .. } if room == slug);
    let (posted, allowed) = use_context::<PostedForm>()?.take_if(fits)?;
    let Posted::Access { room, act } = posted else { return None };
    let result = match allowed {
        Ok(()) => perform(&room, act.clone()).await,
        Err(refused) => Err(refused),
    };
    Some((act, result))
}

async fn perform(room: &RoomSlug, act: AccessAct) -> Result<Done, ApiError> {
    let (context, domain) = (use_server_context()?, use_domain()?);
    let refuse = |issue| Err(ApiError::from(madang_domain::Error::Invalid(vec![issue])));
    let Some(who) = context.person.as_ref().map(|person| person.id) else {
        return Err(madang_domain::Error::Forbidden.into());
    };
    match act {
        AccessAct::Say { visibility, password } => match Visibility::parse(&visibility) {
            Ok(visibility) => {
                domain.set_access(who, room, visibility, password.expose()).await?;
                Ok(Done::Said)
            }
            Err(issue) => refuse(issue),
        },
        AccessAct::NewLink { name, hours, uses } => {
            let hours = hours.parse().ok().filter(|hours| LINK_HOURS.contains(hours));
            let uses = match uses.trim() {
                "" => Some(None),
                uses => uses.parse().ok().map(Some),
            };
            let (Some(hours), Some(uses)) = (hours, uses) else {
                return refuse(FieldIssue::new(Field::Invitation, Problem::NotAChoice));
            };
            let lasts = Duration::from_secs(hours.saturating_mul(3600));
            let (info, code) = domain.new_link(who, room, &name, lasts, uses).await?;
            let address = format!("{}/rooms/{room}?invite={}", context.origin, code.expose());
            Ok(Done::Made { name: info.name, address })
        }
        AccessAct::RevokeLink { link } => {
            domain.revoke_link(who, room, link).await?;
            Ok(Done::Revoked)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart_by_do_and_print_without_what_is_secret() {
        let act = |pairs: &[(&'static str, &'static str)]| {
            AccessAct::parse(&|name| pairs.iter().find(|(n, _)| *n == name).map_or("", |(_, value)| *value))
        };
        let said = act(&[("do", "access"), ("visibility", "password"), ("password", "hush hush")]);
        let Some(AccessAct::Say { visibility, password }) = &said else { panic!("{said:?}") };
        assert_eq!((visibility.as_str(), password.expose()), ("password", "hush hush"));
        assert!(!format!("{said:?}").contains("hush"));
        assert_eq!(act(&[("do", "revoke-link"), ("link", "../etc")]), None);
        assert_eq!(act(&[("do", "format-disk")]), None);
        let made = Done::Made { name: "Friends".into(), address: "http://x/rooms/y?invite=hush".into() };
        assert!(!format!("{made:?}").contains("hush"));
    }
}
