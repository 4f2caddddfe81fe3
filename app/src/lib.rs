//! The user interface of Madang: pages, components, their words, and the server functions behind them.
//!
//! Built twice: with `ssr` into the server, which renders every page whole, and with `hydrate` into the browser, which then keeps it
//! live. `route` says which page an address is, `pages` are they, `components` what pages share, `server` the server functions (each one call on the domain),
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
#[cfg(feature = "hydrate")]
mod feature;
#[cfg(feature = "ssr")]
pub mod gate;
pub mod head;
#[cfg(feature = "hydrate")]
mod hydration;
pub mod i18n;
pub mod letters;
#[cfg(feature = "hydrate")]
mod listen;
pub mod pages;
mod part;
mod piece;
#[cfg(feature = "ssr")]
pub mod plain;
pub mod posted;
pub mod reactive;
pub mod realtime;
pub mod route;
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
    components::{arrival, banner::ConnectionBanner, footer::Footer, header::Header},
    i18n::provide_messages,
    realtime::Realtime,
    route::Place,
};
use leptos::prelude::*;
use leptos_meta::{Meta, Title};
use madang_view::view;

/// The whole interface. The server renders every page completely before it sends it: a page works before and without scripts, and its
/// status and its head know what its data turned out to be.
#[component]
pub fn App() -> impl IntoView {
    #[cfg(feature = "ssr")]
    leptos_meta::provide_meta_context();
    let messages = provide_messages();
    Clock::provide();
    Realtime::provide();
    let place = Place::provide();
    arrival::follow(place);
    let site = messages.site_name();
    view! {
        {head::tag(move || view! { <Title text=site /> })}
        {head::of_site(move || view! { <Meta name="description" content=messages.site_description() /> })}
        <a class="skip" href="#main">{messages.skip_to_content()}</a>
        <Header />
        <ConnectionBanner />
        <main id="main" tabindex="-1">{place.page()}</main>
        <Footer />
    }
}
