//! What a page puts into `<head>`.
//!
//! Tags for other sites and for search engines are read from the HTML, so only the server makes them; in the browser the title alone
//! changes, and needs nothing of `leptos_meta`.

#[cfg(feature = "ssr")]
use crate::piece::any;
use crate::{i18n::use_messages, piece::Piece};
#[cfg(not(feature = "ssr"))]
use leptos::prelude::document;

/// The page's title, without the site's name. A part of the page that shows nothing.
pub fn page_title(text: impl Fn() -> String + Send + Sync + 'static) -> Piece {
    let site = use_messages().site_name();
    // Read now: when `leptos_meta` writes the head, what the page's text is read from may be disposed of.
    #[cfg(feature = "ssr")]
    return any(leptos_meta::Title(leptos_meta::TitleProps::builder().text(in_site(&text(), site)).build()));
    #[cfg(not(feature = "ssr"))]
    {
        crate::reactive::effect(move || document().set_title(&in_site(&text(), site)));
        Piece::Nothing
    }
}

/// One tag of `leptos_meta`, which stands in the page's HTML only. A part of the page that shows nothing.
///
/// One and not several, since leptos marks the place of each in the page: the browser then finds one place, as for [`Piece::Nothing`].
pub fn tag(make: impl FnOnce() -> Piece) -> Piece {
    #[cfg(feature = "ssr")]
    return make();
    #[cfg(not(feature = "ssr"))]
    {
        drop(make);
        Piece::Nothing
    }
}

/// As [`tag`], on every page but a room's, which says that of itself.
pub fn of_site(make: impl FnOnce() -> Piece) -> Piece {
    tag(|| {
        #[cfg(feature = "ssr")]
        if crate::route::is_room() {
            return Piece::Nothing;
        }
        make()
    })
}

fn in_site(title: &str, site: &str) -> String {
    format!("{title} · {site}")
}
