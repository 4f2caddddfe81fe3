//! What the forms of administration say: the hidden field `do` names the act.

use madang_domain::{AdminAct, MakeRooms, Registration};

/// A form of a page of administration, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminForm {
    pub act: AdminAct,
    pub reason: String,
}

impl AdminForm {
    /// Reads the form of the page at `path`; `None` for another page's, for an unknown `do`, and for what names nobody and nothing.
    pub fn parse(path: &str, fields: &[(String, String)]) -> Option<Self> {
        if path != "/admin" && !path.starts_with("/admin/") {
            return None;
        }
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str().trim());
        let person = || field("person").parse().ok();
        let room = || field("room").parse().ok();
        // A text that is no number is no time at all, and that would be for good.
        let seconds = || match field("seconds") {
            "" => Some(None),
            seconds => seconds.parse().ok().map(Some),
        };
        let act = match field("do") {
            "promote" => AdminAct::Promote { person: person()?, on: true },
            "demote" => AdminAct::Promote { person: person()?, on: false },
            "log-out" => AdminAct::LogOut { person: person()? },
            "end-session" => AdminAct::EndSession { person: person()?, session: field("session").parse().ok()? },
            "lock" => AdminAct::Lock { person: person()?, on: true },
            "unlock" => AdminAct::Lock { person: person()?, on: false },
            "reset-password" => AdminAct::ResetPassword { person: person()? },
            "delete-account" => AdminAct::DeleteAccount { person: person()? },
            "delete-room" => AdminAct::DeleteRoom { room: room()? },
            "end-stream" => AdminAct::EndStream { room: room()? },
            "ban" => {
                let household = !field("household").is_empty();
                AdminAct::Ban { person: person()?, seconds: seconds()?, household }
            }
            "ban-network" => AdminAct::BanNetwork { network: field("network").to_owned(), seconds: seconds()? },
            "unban" => AdminAct::Unban { ban: field("ban").parse().ok()? },
            "registration" => AdminAct::Registration(decided(field("rule"), Registration::parse)?),
            "make-rooms" => AdminAct::MakeRooms(decided(field("rule"), MakeRooms::parse)?),
            "invite" => AdminAct::Invite { uses: field("uses").parse().ok()?, days: field("days").parse().ok()? },
            "revoke-invitation" => AdminAct::RevokeInvitation { invitation: field("invitation").parse().ok()? },
            _ => return None,
        };
        Some(Self { act, reason: field("reason").to_owned() })
    }
}

/// `configured` takes a decision back.
fn decided<T>(rule: &str, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
    if rule == "configured" { Some(None) } else { parse(rule).map(Some) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_name_whom_and_for_how_long_or_are_none() {
        let form = |pairs: &[(&str, &str)]| {
            let fields: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
            AdminForm::parse("/admin/people", &fields).map(|form| form.act)
        };
        let person = "000000000000000a".parse().expect("an id");
        let id = ("person", "000000000000000a");
        assert_eq!(form(&[("do", "demote"), id]), Some(AdminAct::Promote { person, on: false }));
        let ban = |seconds| Some(AdminAct::Ban { person, seconds, household: true });
        assert_eq!(form(&[("do", "ban"), id, ("seconds", ""), ("household", "on")]), ban(None));
        assert_eq!(form(&[("do", "ban"), id, ("seconds", "3600"), ("household", "on")]), ban(Some(3600)));
        assert_eq!(form(&[("do", "ban"), id, ("seconds", "soon")]), None, "that would be for good");
        assert_eq!(form(&[("do", "registration"), ("rule", "configured")]), Some(AdminAct::Registration(None)));
        assert_eq!(form(&[("do", "registration"), ("rule", "everybody")]), None);
        assert_eq!(form(&[("do", "delete-account"), ("person", "ana")]), None);
        assert_eq!(AdminForm::parse("/account", &[("do".into(), "log-out".into())]), None);
    }
}
