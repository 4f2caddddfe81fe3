//! The user interface of Madang: pages, components, their words, and the server functions behind them.
//!
//! Built twice: with `ssr` into the server, which renders every page whole, and with `hydrate` into the browser, which then keeps it
//! live. `pages` are the routes, `components` what pages share, `server` the server functions (each one call on the domain),
//! `realtime` the channel, `chat` the panel beside a room's video, `i18n` the words. Nothing here opens a socket on the server or knows how media travels.

#[cfg(feature = "ssr")]
pub mod access;
pub mod accounts;
pub mod browse;
pub mod chat;
pub mod clock;
pub mod codec;
pub mod components;
pub mod context;
pub mod error;
#[cfg(feature = "ssr")]
pub mod gate;
pub mod head;
pub mod i18n;
pub mod letters;
pub mod pages;
mod piece;
#[cfg(feature = "ssr")]
pub mod plain;
pub mod posted;
pub mod reactive;
pub mod realtime;
pub mod server;
#[cfg(feature = "ssr")]
mod shell;
pub mod suggestion;
pub mod words;

#[cfg(test)]
#[path = "../message_compiler.rs"]
mod message_compiler;

#[cfg(feature = "ssr")]
pub use context::ServerContext;
pub use error::ApiError;
#[cfg(feature = "ssr")]
pub use shell::{AssetNames, Parts, shell};

use crate::{
    clock::Clock,
    components::{arrival::Arrival, banner::ConnectionBanner, footer::Footer, header::Header},
    i18n::provide_messages,
    pages::{
        AccessRoute, AccountRoute, ChatRoute, DirectoryRoute, EmbedRoute, LogInRoute, ModerationRoute, NewRoomRoute,
        RegisterRoute, StudioRoute, not_found::NotFoundPage, watch::WatchPage,
    },
    realtime::Realtime,
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use leptos_router::{
    Lazy, SsrMode,
    components::{FlatRoutes, Route, Router},
    path,
};
use madang_view::view;

/// The whole interface. The server renders every page completely before it sends it ([`SsrMode::Async`]): a page works before and
/// without scripts, and its status and its head know what its data turned out to be.
///
/// The room's page comes with the first download, for that is where people arrive and wait for a picture. The others are parts of their
/// own, downloaded with the first page that needs them.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    let messages = provide_messages();
    Clock::provide();
    Realtime::provide();
    let site = messages.site_name();
    view! {
        {head::tag(move || view! { <Title text=site /> })}
        {head::tag(move || view! { <Meta name="description" content=messages.site_description() /> })}
        <Router>
            <a class="skip" href="#main">{messages.skip_to_content()}</a>
            <Header />
            <ConnectionBanner />
            <main id="main" tabindex="-1">
                <FlatRoutes fallback=|| view! { <NotFoundPage /> }>
                    <Route path=path!("/") view={Lazy::<DirectoryRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rooms/new") view={Lazy::<NewRoomRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rooms/:slug") view=WatchPage ssr=SsrMode::Async />
                    <Route path=path!("/rooms/:slug/studio") view={Lazy::<StudioRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rooms/:slug/chat") view={Lazy::<ChatRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/embed/:slug") view={Lazy::<EmbedRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rooms/:slug/moderation") view={Lazy::<ModerationRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/rooms/:slug/access") view={Lazy::<AccessRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/login") view={Lazy::<LogInRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/register") view={Lazy::<RegisterRoute>::new()} ssr=SsrMode::Async />
                    <Route path=path!("/account") view={Lazy::<AccountRoute>::new()} ssr=SsrMode::Async />
                </FlatRoutes>
            </main>
            <Footer />
            <Arrival />
        </Router>
    }
}
