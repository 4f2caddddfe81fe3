//! The gate of a room that asks for more than its address: a page of its own without scripts, made by the server alone, so that nothing
//! of it is downloaded by those who are in. It says what the room asks for, and nothing else of the room: no title, no description,
//! nobody's name.

use crate::i18n::{Locale, Messages};
use std::fmt::{self, Write as _};

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Password,
    /// A link, and none was opened.
    Link,
    /// The link that was opened lets in whoever presses the button.
    Invited,
    /// The link that was opened lets nobody in.
    LinkOver,
}

/// The page for whoever wants to go on to `next`, a path of this site that needs no escaping.
pub struct Gate<'a> {
    pub asks: Asks,
    /// The room's own path, to which the form is posted.
    pub room: &'a str,
    pub next: &'a str,
    /// Why the last try was refused.
    pub wrong: Option<String>,
    /// The style sheet's name under `/pkg/`.
    pub css: &'a str,
    /// Whether the browser is logged in already.
    pub known: bool,
}

/// The whole document. Everything in it is ours, or a path without a letter to be escaped.
pub fn page(m: Messages, gate: &Gate<'_>) -> String {
    let (title, lead) = match gate.asks {
        Asks::Password => (m.gate_password(), m.gate_password_lead()),
        Asks::Link => (m.gate_invitation(), m.gate_invitation_lead()),
        Asks::Invited => (m.gate_invited(), m.gate_invited_lead()),
        Asks::LinkOver => (m.gate_invitation(), m.gate_over()),
    };
    let mut html = String::with_capacity(4096);
    // Writing to a text cannot fail.
    let _ = head(&mut html, m, title, gate.css)
        .and_then(|()| bar(&mut html, m))
        .and_then(|()| write!(html, r#"<div class="form-page narrow"><h1>{title}</h1><p class="lead">{lead}</p>"#))
        .and_then(|()| form(&mut html, m, gate))
        .and_then(|()| log_in(&mut html, m, gate))
        .and_then(|()| foot(&mut html, m));
    html
}

/// The same in a frame on another site, where no cookie could be kept: only what the room asks for, and the way to its own page.
pub fn framed(m: Messages, gate: &Gate<'_>) -> String {
    let title = match gate.asks {
        Asks::Password => m.gate_password(),
        Asks::Link | Asks::Invited | Asks::LinkOver => m.gate_invitation(),
    };
    let (room, see) = (gate.room, m.studio_see_room());
    let mut html = String::with_capacity(1024);
    // Writing to a text cannot fail.
    let _ = head(&mut html, m, title, gate.css).and_then(|()| {
        write!(
            html,
            r#"<main class="embed-page embed-gate"><p>{title}</p><a class="btn main" href="{room}" target="_blank" rel="noopener">{see}</a></main></body></html>"#
        )
    });
    html
}

fn head(html: &mut String, m: Messages, title: &str, css: &str) -> fmt::Result {
    let (lang, site) = (m.locale().tag(), m.site_name());
    write!(html, r#"<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">"#)?;
    html.push_str(r#"<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">"#);
    html.push_str(r#"<meta name="color-scheme" content="dark light"><meta name="robots" content="noindex">"#);
    write!(html, r#"<title>{title} · {site}</title><link rel="icon" href="/favicon.svg" type="image/svg+xml">"#)?;
    write!(html, r#"<link rel="stylesheet" href="/pkg/{css}"></head><body>"#)
}

/// The bar as other pages have it, with the way home alone.
fn bar(html: &mut String, m: Messages) -> fmt::Result {
    let (skip, home, site) = (m.skip_to_content(), m.home(), m.site_name());
    write!(html, r##"<a class="skip" href="#main">{skip}</a><header class="bar"><a href="/" class="logo""##)?;
    write!(
        html,
        r#" aria-label="{home}"><img class="mark" src="/favicon.svg" alt=""><span>{site}</span></a></header>"#
    )?;
    write!(html, r#"<main id="main" tabindex="-1">"#)
}

/// What was wrong, and the form for what is asked, if there is one.
fn form(html: &mut String, m: Messages, gate: &Gate<'_>) -> fmt::Result {
    let Gate { asks, room, next, wrong, .. } = gate;
    if let Some(wrong) = wrong {
        write!(html, r#"<p class="form-wrong" role="alert" id="gate-wrong">{wrong}</p>"#)?;
    }
    let by = match asks {
        Asks::Password => "password",
        Asks::Invited => "link",
        Asks::Link | Asks::LinkOver => return Ok(()),
    };
    write!(html, r#"<form class="form" method="post" action="{room}"><input type="hidden" name="do" value="{by}">"#)?;
    write!(html, r#"<input type="hidden" name="next" value="{next}">"#)?;
    if *asks == Asks::Password {
        let (id, label) = ("field-password", m.account_password());
        let invalid = if wrong.is_some() { r#" aria-invalid="true" aria-describedby="gate-wrong""# } else { "" };
        write!(html, r#"<div class="field"><label for="{id}">{label}</label><input id="{id}" name="password""#)?;
        html.push_str(r#" type="password" required autofocus autocapitalize="none" spellcheck="false""#);
        write!(html, r#" autocomplete="current-password"{invalid}></div>"#)?;
    }
    let enter = m.gate_enter();
    write!(html, r#"<div class="form-foot"><button type="submit" class="btn main">{enter}</button></div></form>"#)
}

/// For those who need neither password nor link.
fn log_in(html: &mut String, m: Messages, gate: &Gate<'_>) -> fmt::Result {
    if gate.known {
        return Ok(());
    }
    let (yours, next, words) = (m.gate_yours(), gate.next, m.account_log_in());
    write!(html, r#"<p class="form-else">{yours} <a href="/login?next={next}">{words}</a></p>"#)
}

/// The languages, as at the foot of every page.
fn foot(html: &mut String, m: Messages) -> fmt::Result {
    let (to, label) = (crate::server::locale::SET_LANGUAGE, m.language_choose());
    write!(
        html,
        r#"</div></main><footer class="foot"><form class="languages" method="post" action="{to}" role="group""#
    )?;
    write!(html, r#" aria-label="{label}">"#)?;
    for locale in Locale::ALL {
        let current = if locale == m.locale() { r#" aria-current="true""# } else { "" };
        let (tag, name) = (locale.tag(), locale.own_name());
        write!(html, r#"<button name="lang" value="{tag}" lang="{tag}"{current}>{name}</button>"#)?;
    }
    html.push_str("</form></footer></body></html>\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gate_says_what_it_asks_for_and_has_the_form_for_it() {
        let gate = |asks, wrong: Option<&str>, locale| {
            let gate = Gate {
                asks,
                room: "/rooms/my-room",
                next: "/rooms/my-room/chat",
                wrong: wrong.map(str::to_owned),
                css: "madang.css",
                known: false,
            };
            page(Messages::new(locale), &gate)
        };
        for locale in Locale::ALL {
            for asks in [Asks::Password, Asks::Link, Asks::Invited, Asks::LinkOver] {
                let html = gate(asks, None, locale);
                assert!(!html.contains("<script") && !html.contains(" style="), "{html}");
                assert_eq!(html.contains(r#"type="password""#), asks == Asks::Password);
                assert_eq!(html.contains(r#"action="/rooms/my-room""#), matches!(asks, Asks::Password | Asks::Invited));
                assert!(html.contains(r#"href="/login?next=/rooms/my-room/chat""#));
                for (open, close) in [("<div", "</div>"), ("<form", "</form>"), ("<p", "</p>")] {
                    let opened = html.matches(&format!("{open} ")).count() + html.matches(&format!("{open}>")).count();
                    assert_eq!(opened, html.matches(close).count(), "{open}");
                }
            }
        }
        let wrong = gate(Asks::Password, Some("No."), Locale::En);
        assert!(wrong.contains("No.</p>") && wrong.contains("aria-invalid"));
    }
}
