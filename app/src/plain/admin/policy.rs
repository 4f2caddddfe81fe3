//! Who may register and make rooms, invitations, and the limits in force.

use super::act;
use crate::{
    components::time::Ago,
    i18n::{Messages, grouped},
    piece::Piece,
    plain::{Explained, date},
};
use madang_domain::{Decided, MakeRooms, Policy, Registration, StoredInvitation};
use madang_view::view;

const PATH: &str = "/admin/registration";

pub fn policy(m: Messages, policy: Policy) -> Piece {
    let Policy { registration, make_rooms, invitations } = policy;
    let registering =
        rules(m, "registration", m.admin_registration(), registration, &Registration::ALL, Registration::as_str);
    let making = rules(m, "make-rooms", m.admin_make_rooms(), make_rooms, &MakeRooms::ALL, MakeRooms::as_str);
    let none = invitations.is_empty();
    let rows: Vec<Piece> = invitations.into_iter().map(|invitation| row(m, &invitation)).collect();
    view! {
        <div class="admin-pair">
            <div>
                {registering}
                {making}
            </div>
            <section class="panel">
                <h2>{m.admin_invitations()}</h2>
                <ul class="studio-keys">{rows}</ul>
                <p class="hint" hidden=!none>{m.admin_invitations_none()}</p>
                <form class="form" method="post" action=PATH>
                    <input type="hidden" name="do" value="invite" />
                    <div class="field-pair">
                        <div class="field">
                            <label for="invite-uses">{m.admin_invite_uses()}</label>
                            <input id="invite-uses" name="uses" type="number" min="1" max="10000" value="1" required=true />
                        </div>
                        <div class="field">
                            <label for="invite-days">{m.admin_invite_days()}</label>
                            <input id="invite-days" name="days" type="number" min="1" max="366" value="7" required=true />
                        </div>
                    </div>
                    <div class="form-foot"><button type="submit" class="btn main">{m.admin_invite()}</button></div>
                </form>
            </section>
        </div>
    }
}

fn row(m: Messages, invitation: &StoredInvitation) -> Piece {
    let id = [("invitation", invitation.id.to_string())];
    let facts = format!(
        "{} · {}",
        m.admin_invite_used(invitation.used, invitation.uses),
        m.admin_invite_ends(date(invitation.ends))
    );
    view! {
        <li>
            <div><b><Ago at=invitation.created /></b><small>{facts}</small></div>
            {act(PATH, "revoke-invitation", &id, m.admin_invite_revoke(), "btn small ghost")}
        </li>
    }
}

/// A rule with its choices: as configured, or as decided here.
fn rules<T: Copy + PartialEq>(
    m: Messages,
    does: &'static str,
    heading: &'static str,
    decided: Decided<T>,
    all: &[T],
    code: fn(T) -> &'static str,
) -> Piece {
    let configured = m.admin_rule_configured(rule(m, code(decided.configured)));
    let choice = |value: &'static str, words: String, on: bool| {
        view! {
            <label class="choice">
                <input type="radio" name="rule" value=value checked=on />
                <span>{words}</span>
            </label>
        }
    };
    let choices: Vec<Piece> = std::iter::once(choice("configured", configured, decided.decided.is_none()))
        .chain(
            all.iter()
                .map(|value| choice(code(*value), rule(m, code(*value)).to_owned(), decided.decided == Some(*value))),
        )
        .collect();
    view! {
        <section class="panel">
            <h2>{heading}</h2>
            <form class="form" method="post" action=PATH>
                <input type="hidden" name="do" value=does />
                <div class="choices">{choices}</div>
                <p class="hint">{m.admin_rule_hint()}</p>
                <div class="form-foot"><button type="submit" class="btn">{m.admin_save()}</button></div>
            </form>
        </section>
    }
}

/// A rule in words, by its code; an empty code is as configured.
pub fn rule(m: Messages, code: &str) -> &str {
    match code {
        "open" => m.admin_rule_open(),
        "invite" => m.admin_rule_invite(),
        "closed" => m.admin_rule_closed(),
        "accounts" => m.admin_rule_accounts(),
        "anyone" => m.admin_rule_anyone(),
        "administrators" => m.admin_rule_administrators(),
        "" => m.admin_rule_taken_back(),
        unknown => unknown,
    }
}

/// Every limit in force. The reasons are the configuration file's own, in its language.
pub fn limits(m: Messages, limits: Vec<Explained>) -> Piece {
    let rows: Vec<Piece> = limits
        .into_iter()
        .map(|(name, value, reason)| {
            let value = value.map_or_else(|| m.admin_limits_no().to_owned(), grouped);
            view! {
                <li>
                    <div><b><code>{name}</code></b><small lang="en">{reason}</small></div>
                    <b class="admin-value">{value}</b>
                </li>
            }
        })
        .collect();
    view! {
        <section class="panel">
            <h2>{m.admin_limits()}</h2>
            <p class="hint">{m.admin_limits_lead()}</p>
            <ul class="studio-keys">{rows}</ul>
        </section>
    }
}
