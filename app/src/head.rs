//! What a page puts into `<head>`.
//!
//! Tags for other sites and for search engines are read from the HTML, so only the server makes them; in the browser the title alone
//! changes, and needs nothing of `leptos_meta`.

use crate::i18n::use_messages;
use leptos::prelude::*;

/// The page's title, without the site's name. A part of the page that shows nothing.
pub fn page_title(text: impl Fn() -> String + Send + Sync + 'static) -> AnyView {
    let text = Signal::derive(text);
    let site = use_messages().site_name();
    #[cfg(feature = "ssr")]
    return leptos_meta::Title(leptos_meta::TitleProps::builder().text(move || in_site(&text.get(), site)).build())
        .into_any();
    #[cfg(not(feature = "ssr"))]
    {
        crate::reactive::effect(move || document().set_title(&in_site(&text.get(), site)));
        one_place()
    }
}

/// One tag of `leptos_meta`, which stands in the page's HTML only. A part of the page that shows nothing.
///
/// One and not several, since leptos marks the place of each in the page: the browser then finds one place for `None`.
pub fn tag<Tag: IntoView + 'static>(make: impl FnOnce() -> Tag) -> AnyView {
    #[cfg(feature = "ssr")]
    return make().into_any();
    #[cfg(not(feature = "ssr"))]
    {
        drop(make);
        one_place()
    }
}

/// What the browser takes for a tag that the server rendered into the head: leptos leaves one marker for it, as for `None`.
#[cfg(not(feature = "ssr"))]
fn one_place() -> AnyView {
    None::<AnyView>.into_any()
}

fn in_site(title: &str, site: &str) -> String {
    format!("{title} · {site}")
}
