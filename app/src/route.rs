//! Which page an address is, and going from one to the next without loading the document anew.
//!
//! Links are plain links: [`Place`] hears their clicks. A page but a room's is a part of the program that is downloaded when one goes
//! there ([`crate::part`]); where that fails the browser is sent there as by any link.

#[cfg(feature = "hydrate")]
mod browser;

#[cfg(feature = "hydrate")]
pub use browser::wake;

use crate::{
    context::{around, put_around},
    pages::{self, not_found::NotFoundPage, watch::WatchPage},
    part::Part,
    piece::{Piece, any},
    reactive::Var,
};
use leptos::prelude::*;

/// A page of the application. What the server makes alone (administration, gates) is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    Directory,
    NewRoom,
    Watch,
    Studio,
    Chat,
    Moderation,
    Access,
    Embed,
    LogIn,
    Register,
    Account,
}

impl Page {
    /// The page at a path.
    pub fn of(path: &str) -> Option<Self> {
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        let page = match (parts.next().unwrap_or_default(), parts.next(), parts.next()) {
            ("", None, _) => Self::Directory,
            ("rooms", Some("new"), None) => Self::NewRoom,
            ("rooms", Some(_), None) => Self::Watch,
            ("rooms", Some(_), Some("studio")) => Self::Studio,
            ("rooms", Some(_), Some("chat")) => Self::Chat,
            ("rooms", Some(_), Some("moderation")) => Self::Moderation,
            ("rooms", Some(_), Some("access")) => Self::Access,
            ("embed", Some(_), None) => Self::Embed,
            ("login", None, _) => Self::LogIn,
            ("register", None, _) => Self::Register,
            ("account", None, _) => Self::Account,
            _ => return None,
        };
        parts.next().is_none().then_some(page)
    }

    /// The part of the program that it is in; a room's is in the first download, for there people arrive and wait for a picture.
    fn part(self) -> Option<&'static Part> {
        Some(match self {
            Self::Watch => return None,
            Self::Directory => &pages::directory_page::PART,
            Self::NewRoom => &pages::new_room_page::PART,
            Self::Studio => &pages::studio_page::PART,
            Self::Chat => &pages::chat_page::PART,
            Self::Moderation => &pages::moderation_page::PART,
            Self::Access => &pages::access_page::PART,
            Self::Embed => &pages::embed_page::PART,
            Self::LogIn => &pages::log_in_page::PART,
            Self::Register => &pages::register_page::PART,
            Self::Account => &pages::account_page::PART,
        })
    }

    /// The page itself; nothing while its part has not been loaded.
    fn make(self) -> Piece {
        match self {
            Self::Watch => Some(any(WatchPage())),
            Self::Directory => pages::directory_page(),
            Self::NewRoom => pages::new_room_page(),
            Self::Studio => pages::studio_page(),
            Self::Chat => pages::chat_page(),
            Self::Moderation => pages::moderation_page(),
            Self::Access => pages::access_page(),
            Self::Embed => pages::embed_page(),
            Self::LogIn => pages::log_in_page(),
            Self::Register => pages::register_page(),
            Self::Account => pages::account_page(),
        }
        .unwrap_or(Piece::Nothing)
    }
}

/// Where the reader is, in context.
#[derive(Clone, Copy)]
pub struct Place {
    /// The address' path.
    pub path: Var<String>,
    /// The address' query, without `?`.
    pub search: Var<String>,
    /// Counts steps to another page, so that one that is slow to load knows when it is late.
    #[cfg(feature = "hydrate")]
    steps: crate::reactive::Kept<u32>,
}

impl Place {
    /// Reads the address and puts the place into context. Called once, by the app.
    pub fn provide() -> Self {
        let (path, search) = address();
        let place = Self {
            path: Var::new(path),
            search: Var::new(search),
            #[cfg(feature = "hydrate")]
            steps: crate::reactive::Kept::new(0),
        };
        #[cfg(feature = "hydrate")]
        browser::follow(place);
        put_around(|around| around.place = Some(place));
        place
    }

    /// The page that is here, made anew for each path.
    pub fn page(self) -> Piece {
        let make = move || self.path.with(|path| Page::of(path)).map_or_else(|| any(NotFoundPage()), Page::make);
        #[cfg(feature = "ssr")]
        {
            if let Some(part) = self.path.with_untracked(|path| Page::of(path)).and_then(Page::part) {
                part.announce();
            }
            untrack(make)
        }
        // In a closure of its own, so that nothing of the page before is taken over: see `piece::stand`.
        #[cfg(not(feature = "ssr"))]
        Piece::Live(Box::new(move || {
            self.path.with(|_| ());
            Piece::Live(Box::new(move || untrack(make)))
        }))
    }

    /// Goes to an address of this site, such as `/?q=rust`. Does nothing on the server.
    pub fn go(self, address: &str, replace: bool) {
        #[cfg(feature = "hydrate")]
        browser::go(self, address, replace);
        #[cfg(not(feature = "hydrate"))]
        let _ = (address, replace);
    }

    /// The slug in the path of a room's page, as it stands there.
    pub fn slug(self) -> String {
        self.path.with_untracked(|path| {
            path.split('/').filter(|part| !part.is_empty()).nth(1).unwrap_or_default().to_owned()
        })
    }

    /// As [`Self::query`], to be read where it may change the page.
    pub fn query_now(self, name: &str) -> String {
        self.search.with(|search| in_query(search, name))
    }

    /// What the query says of `name`; empty when it says nothing.
    pub fn query(self, name: &str) -> String {
        self.search.with_untracked(|search| in_query(search, name))
    }
}

/// The place; the directory where no app has provided any.
pub fn use_place() -> Place {
    around().place.unwrap_or_else(|| Place {
        path: Var::new("/".to_owned()),
        search: Var::default(),
        #[cfg(feature = "hydrate")]
        steps: crate::reactive::Kept::new(0),
    })
}

fn address() -> (String, String) {
    #[cfg(feature = "ssr")]
    {
        let asked = use_context::<leptos_router::location::RequestUrl>().unwrap_or_default();
        let (path, search) = path_and_query(asked.as_ref());
        (path.to_owned(), search.to_owned())
    }
    #[cfg(not(feature = "ssr"))]
    {
        let location = window().location();
        let search = location.search().unwrap_or_default();
        (location.pathname().unwrap_or_default(), search.trim_start_matches('?').to_owned())
    }
}

/// Whether a room's page is asked for.
#[cfg(feature = "ssr")]
pub fn is_room() -> bool {
    Page::of(&address().0) == Some(Page::Watch)
}

/// A request's address, which leptos gives with or without a host, as path and query.
#[cfg(any(test, feature = "ssr"))]
fn path_and_query(address: &str) -> (&str, &str) {
    let from = if address.starts_with('/') {
        Some(address)
    } else {
        let host = address.split_once("://").map_or(address, |(_, host)| host);
        host.find('/').and_then(|at| host.get(at..))
    };
    let address = from.unwrap_or("/");
    address.split_once('?').unwrap_or((address, ""))
}

fn in_query(search: &str, name: &str) -> String {
    let mut pairs = search.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| decode(value)).unwrap_or_default()
}

/// Percent-decodes a form's value, `+` as a space; what is not valid stays as it is.
pub fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        let hex = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            (b'+', ..) => bytes.push(b' '),
            (other, ..) => bytes.push(*other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_pages() {
        assert_eq!(Page::of("/"), Some(Page::Directory));
        assert_eq!(Page::of("/rooms/new"), Some(Page::NewRoom));
        assert_eq!(Page::of("/rooms/one"), Some(Page::Watch));
        assert_eq!(Page::of("/rooms/one/"), Some(Page::Watch));
        assert_eq!(Page::of("/rooms/one/studio"), Some(Page::Studio));
        assert_eq!(Page::of("/embed/one"), Some(Page::Embed));
        for other in ["/rooms", "/rooms/one/else", "/rooms/one/studio/more", "/login/x", "/admin", "/embed"] {
            assert_eq!(Page::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_requests_address_is_read_with_and_without_its_host() {
        assert_eq!(path_and_query("/rooms/one?delay=lowest"), ("/rooms/one", "delay=lowest"));
        assert_eq!(path_and_query("http://leptos.dev/rooms/one?a=b"), ("/rooms/one", "a=b"));
        assert_eq!(path_and_query("http://leptos.dev"), ("/", ""));
        assert_eq!(path_and_query("/login?next=http://x/y"), ("/login", "next=http://x/y"));
    }

    #[test]
    fn a_query_is_read_by_name() {
        assert_eq!(in_query("a=1&next=%2Frooms%2Fnew&b", "next"), "/rooms/new");
        assert_eq!(in_query("q=a+b", "q"), "a b");
        assert_eq!(in_query("b", "b"), "");
        assert_eq!(in_query("", "next"), "");
        assert_eq!(in_query("q=%zz%41", "q"), "%zzA");
    }
}
