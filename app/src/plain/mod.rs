//! Pages that the server makes whole and no script looks at: administration, and the way to a new password that administrators give.
//! None of their code is downloaded by anybody, and what they show (addresses, a code that is shown once) is in no script's memory.
//!
//! Everything about such a page is read before it is written: [`answer`] runs the posted form and reads, [`document`] writes.

pub mod admin;
mod reset;

use crate::{
    ApiError,
    clock::Clock,
    components::{footer::Footer, header::Header, log_in_first::LogInFirst},
    context::ServerContext,
    i18n::{Messages, provide_messages, use_messages},
    posted::PostedForm,
    realtime::Realtime,
    route::Place,
    shell::{AssetNames, basics, style},
};
use admin::Administration;
use leptos::prelude::*;
use leptos_router::location::RequestUrl;
use madang_domain::{Bar, Domain, Error};
use madang_protocol::UnixMillis;
use madang_view::view;
use reset::Reset;
use std::sync::Arc;

/// Whether the page at `path` is one of these.
pub fn is_plain(path: &str) -> bool {
    path == "/reset" || path == "/admin" || path.starts_with("/admin/")
}

/// A limit: its name, its value (`None` is no limit), and the reason for it as the configuration's file gives it.
pub type Explained = (String, Option<u64>, String);

/// A request for such a page.
pub struct Asked {
    pub domain: Domain,
    pub context: ServerContext,
    pub path: String,
    /// As it came.
    pub query: String,
    pub posted: Option<PostedForm>,
    /// The limits in force, for the page that shows them.
    pub limits: Box<dyn Fn() -> Vec<Explained> + Send + Sync>,
    /// Actions that the log keeps.
    pub log_kept: u64,
}

impl Asked {
    /// A value of the query, decoded; empty where there is none.
    fn query(&self, name: &str) -> String {
        let pairs = self.query.split('&').filter_map(|pair| pair.split_once('='));
        let value = pairs.into_iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value);
        decoded(value)
    }

    fn messages(&self) -> Messages {
        Messages::new(self.context.locale)
    }
}

/// What is sent: a page, or where to go on.
pub struct Answer {
    pub status: u16,
    /// Where the browser is sent on to, by GET.
    pub to: Option<String>,
    pub retry_after_s: Option<u32>,
    /// The value of a `Set-Cookie`.
    pub cookie: Option<String>,
    pub page: Page,
}

impl Answer {
    fn page(page: Page) -> Self {
        Self { status: 200, to: None, retry_after_s: None, cookie: None, page }
    }

    fn see_other(to: String) -> Self {
        Self { to: Some(to), ..Self::page(Page::default()) }
    }

    fn status(mut self, error: &Error) -> Self {
        let error = ApiError::from(error.clone());
        self.status = error.status();
        self.retry_after_s = match error {
            ApiError::TooMany { retry_after_s } => Some(retry_after_s),
            ApiError::Busy => Some(2),
            _ => None,
        };
        self
    }
}

/// A page, read and ready to be written.
#[derive(Clone, Debug, Default)]
pub struct Page {
    pub path: String,
    /// What became of the posted form: whether it was done, and in a sentence.
    pub notice: Option<(bool, String)>,
    /// Something that is in this answer and nowhere else: its heading, an address, what to do with it.
    pub once: Option<(String, String, String)>,
    pub shows: Shows,
}

/// What it shows.
#[derive(Clone, Debug, Default)]
pub enum Shows {
    /// That it is not for whoever asks, or could not be read.
    #[default]
    Nothing,
    NotYours,
    Failed(ApiError),
    Admin(admin::View),
    /// The form for a new password of whom, with the code; and what is wrong with what was typed.
    Reset(reset::View),
}

/// Runs the posted form, if there is one, and reads what there is to show.
pub async fn answer(asked: Asked) -> Answer {
    if asked.path == "/reset" { reset::answer(asked).await } else { admin::answer(asked).await }
}

/// The document of a page that no script looks at. Written at once and as text: what leptos adds for scripts is left out.
pub fn document(assets: &AssetNames, context: &ServerContext, page: Arc<Page>) -> String {
    let owner = Owner::new();
    let html = owner.with(|| {
        provide_context(RequestUrl::new(&page.path));
        provide_context(context.clone());
        whole(assets, context, page).to_html()
    });
    owner.unset_with_forced_cleanup();
    html
}

fn whole(assets: &AssetNames, context: &ServerContext, page: Arc<Page>) -> impl IntoView + use<> {
    use leptos::prelude::view;
    let m = Messages::new(context.locale);
    let title = match page.shows {
        Shows::Reset(_) => m.reset_title(),
        _ => m.admin_title(),
    };
    let title = format!("{title} · {}", m.site_name());
    view! {
        <!DOCTYPE html>
        <html lang=context.locale.tag() data-now=context.now.0.to_string() data-me=context.me()>
            <head>
                {basics()}
                {style(assets)}
                <meta name="robots" content="noindex" />
                // Words of ours alone, and no mark of a text that scripts would look for.
                <title inner_html=title></title>
            </head>
            <body>
                <Plain page=page />
            </body>
        </html>
    }
}

#[component]
fn Plain(page: Arc<Page>) -> impl IntoView {
    let m = provide_messages();
    Clock::provide();
    Realtime::provide();
    Place::provide();
    view! {
        <a class="skip" href="#main">{m.skip_to_content()}</a>
        <Header />
        <main id="main" tabindex="-1"><Shown page=page.clone() /></main>
        <Footer />
    }
}

#[component]
fn Shown(page: Arc<Page>) -> impl IntoView {
    let m = use_messages();
    match &page.shows {
        Shows::Admin(_) => view! { <Administration page=page.clone() /> },
        Shows::Reset(reset) => view! { <Reset reset=reset.clone() /> },
        Shows::Nothing | Shows::NotYours | Shows::Failed(_) => {
            let (said, path) = match &page.shows {
                Shows::Failed(error) => (m.error(error), String::new()),
                _ => (m.admin_not_yours().to_owned(), page.path.clone()),
            };
            let way = (!path.is_empty()).then(|| view! { <LogInFirst path=path /> });
            view! {
                <section class="wrap empty">
                    <h1>{m.admin_title()}</h1>
                    <p>{said}</p>
                    {way}
                    <a class="btn ghost" href="/">{m.not_found_back()}</a>
                </section>
            }
        }
    }
}

/// Why somebody is not let in, to themselves.
pub fn barred(m: Messages, bar: &Bar) -> String {
    let (said, reason) = match bar {
        Bar::Locked => return m.barred_locked().to_owned(),
        Bar::Banned { until: None, reason } => (m.barred_banned().to_owned(), reason),
        Bar::Banned { until: Some(until), reason } => (m.barred_until(date(*until)), reason),
    };
    if reason.is_empty() { said } else { format!("{said} {}", m.barred_why(reason)) }
}

/// A moment, to the minute, wherever its reader is: `2026-01-01 12:00 UTC`.
fn date(at: UnixMillis) -> String {
    let utc = at.utc();
    format!("{} UTC", utc.get(..16).unwrap_or(&utc).replace('T', " "))
}

/// Text of a query (`application/x-www-form-urlencoded`); what is not UTF-8 is left out.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.bytes());
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = [rest.next(), rest.next()].map(|digit| digit.and_then(|d| char::from(d).to_digit(16)));
                if let [Some(high), Some(low)] = digits {
                    bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                }
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap_or_default()
}

/// Text for a query.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_what_it_says() {
        for text in ["", "ana", "도현 & co", "a+b=c%", "100%"] {
            assert_eq!(decoded(&encoded(text)), text);
        }
        assert_eq!(decoded("a+b%20c"), "a b c");
        assert_eq!((decoded("%zz%4"), decoded("%ff")), (String::new(), String::new()));
        assert!(is_plain("/admin") && is_plain("/admin/bans") && is_plain("/reset") && !is_plain("/administer"));
    }
}
