//! What the forms of accounts say. On the server only: no script reads a password.

use madang_protocol::SessionId;
use std::fmt;

/// What was typed into a password's field. `Debug` does not print it, and nothing serializes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub const fn new(typed: String) -> Self {
        Self(typed)
    }

    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A form of one of the accounts' pages, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountForm {
    /// `/login`.
    LogIn { name: String, password: Secret, next: String },
    /// `/register`.
    Register { name: String, password: Secret, invitation: String, next: String },
    /// `/reset`.
    Reset { code: Secret, password: Secret },
    /// `/account`: the hidden field `do` names what.
    Own(AccountAct),
}

/// What the account's own page does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountAct {
    /// `password`, with `current` and `new`.
    ChangePassword { current: Secret, new: Secret },
    /// `end-session`, with `session`.
    EndSession { session: SessionId },
    /// `log-out-everywhere`.
    LogOutEverywhere,
    /// `delete`, with `current`.
    Delete { current: Secret },
}

impl AccountForm {
    /// Reads the form of the page at `path`; `None` for another page's, and for an unknown `do`.
    pub fn parse(path: &str, fields: &[(String, String)]) -> Option<Self> {
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        let secret = |name| Secret::new(field(name).to_owned());
        let (name, next) = (field("name").to_owned(), field("next").to_owned());
        match path {
            "/login" => Some(Self::LogIn { name, password: secret("password"), next }),
            "/register" => {
                let invitation = field("invitation").to_owned();
                Some(Self::Register { name, password: secret("password"), invitation, next })
            }
            "/reset" => Some(Self::Reset { code: secret("code"), password: secret("password") }),
            "/account" => Some(Self::Own(match field("do") {
                "password" => AccountAct::ChangePassword { current: secret("current"), new: secret("new") },
                "end-session" => AccountAct::EndSession { session: field("session").parse().ok()? },
                "log-out-everywhere" => AccountAct::LogOutEverywhere,
                "delete" => AccountAct::Delete { current: secret("current") },
                _ => return None,
            })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read_by_their_page_and_print_without_what_is_secret() {
        let fields = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
        };
        let form = AccountForm::parse("/login", &fields(&[("name", "ana"), ("password", "hush hush"), ("next", "/x")]));
        let Some(AccountForm::LogIn { name, password, next }) = &form else { panic!("{form:?}") };
        assert_eq!((name.as_str(), password.expose(), next.as_str()), ("ana", "hush hush", "/x"));
        assert!(!format!("{form:?}").contains("hush"));
        assert_eq!(AccountForm::parse("/account", &fields(&[("do", "format-disk")])), None);
        assert_eq!(AccountForm::parse("/account", &fields(&[("do", "end-session"), ("session", "x")])), None);
        assert_eq!(AccountForm::parse("/", &fields(&[("do", "delete")])), None);
    }
}
