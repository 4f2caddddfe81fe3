//! The web side: routes, pages, assets, the JSON API, health and metrics. Media has routes of its own in `deliver`.

mod accounts;
mod admin;
mod api;
mod assets;
mod changes;
pub mod client;
mod csv;
mod front;
mod gate;
mod headers;
mod moderation;
mod pages;
mod refusals;
mod surface;
mod writers;

pub use assets::Assets;
pub use changes::Changes;
pub use surface::{Behind, ENCODERS, Entry, GATED, MESSAGES, Person, SURFACE, Who, asks, table};
pub use writers::Writers;

use crate::{
    deliver::{self, Deliver},
    realtime,
    state::Services,
};
use axum::{
    Router,
    extract::{DefaultBodyLimit, State},
    middleware,
    routing::{get, post},
};
use std::sync::Arc;

/// Every route of the server, ready to serve with connection information; media by `deliver`.
pub fn router(services: Services, deliver: Arc<Deliver>) -> Router {
    let mut router = Router::new();
    for entry in SURFACE {
        router = match entry.behind {
            Behind::Page { posts: false } => router.route(entry.path, get(pages::show)),
            Behind::Plain | Behind::Page { posts: true } => {
                router.route(entry.path, get(pages::show).post(pages::posted))
            }
            Behind::Room { posts: false } => router.route(entry.path, get(gate::show)),
            Behind::Room { posts: true } => router.route(entry.path, get(gate::show).post(gate::enter)),
            Behind::ServerFn => router.route(entry.path, get(pages::server_fn).post(pages::server_fn)),
            Behind::LogOut => router.route(entry.path, post(accounts::log_out)),
            Behind::AdminLog => router.route(entry.path, get(admin::log)),
            Behind::ModerationLog => router.route(entry.path, get(moderation::log)),
            Behind::Health => router.route(entry.path, get(api::health)),
            Behind::Ready => router.route(entry.path, get(api::ready)),
            Behind::Metrics => router.route(entry.path, get(api::metrics)),
            Behind::RoomsApi => router.route(entry.path, get(api::rooms)),
            Behind::RoomApi => router.route(entry.path, get(api::room)),
            // Outside the layers, below.
            Behind::Media => router,
            Behind::Realtime => router.route(entry.path, get(realtime::upgrade)),
        };
    }
    let web = router
        .fallback(pages::asset_or_not_found)
        .layer(pages::compression())
        // What comes here has been read, within its limit.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(services.clone(), changes::guard))
        .layer(middleware::from_fn_with_state(services.clone(), headers::write))
        .with_state(services.clone());
    // Media stands outside the layers but the one that looks at requests: no body limit, nothing between the ring and the socket.
    deliver::routes(deliver).merge(web).layer(middleware::from_fn_with_state(services, front::believe))
}

/// The peer's address, put beside each request by the server.
type Peer = axum::extract::ConnectInfo<std::net::SocketAddr>;

/// Takes the services out of a request's state, for functions that need nothing else.
type Shared = State<Services>;
