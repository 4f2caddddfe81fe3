//! The routes' pages. `App` says which is where.

pub mod access;
pub mod account;
pub mod chat;
pub mod directory;
pub mod embed;
pub mod log_in;
pub mod moderation;
pub mod new_room;
pub mod not_found;
pub mod register;
pub mod studio;
pub mod watch;

use leptos::prelude::*;
use leptos_router::LazyRoute;

/// A page as a route. Where the build splits the front end (feature `split`, as `cargo xtask build` does) its code is a download of its
/// own, fetched with the first page that needs it or when a link leads there; elsewhere it is part of the whole.
macro_rules! own_download {
    ($route:ident, $page:path) => {
        #[doc = concat!("[`", stringify!($page), "`] as a route that is downloaded when it is needed.")]
        pub struct $route;

        #[cfg(feature = "split")]
        #[leptos_router::lazy_route]
        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            fn view(_this: Self) -> AnyView {
                $page().into_any()
            }
        }

        #[cfg(not(feature = "split"))]
        impl LazyRoute for $route {
            fn data() -> Self {
                Self
            }

            async fn view(_this: Self) -> AnyView {
                $page().into_any()
            }
        }
    };
}

own_download!(DirectoryRoute, directory::DirectoryPage);
own_download!(NewRoomRoute, new_room::NewRoomPage);
own_download!(StudioRoute, studio::StudioPage);
own_download!(EmbedRoute, embed::EmbedPage);
own_download!(ChatRoute, chat::ChatPage);
own_download!(AccessRoute, access::AccessPage);
own_download!(ModerationRoute, moderation::ModerationPage);
own_download!(LogInRoute, log_in::LogInPage);
own_download!(RegisterRoute, register::RegisterPage);
own_download!(AccountRoute, account::AccountPage);
