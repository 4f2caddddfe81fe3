//! A room in the directory.

use crate::{
    clock::use_clock,
    components::{
        avatar::{Avatar, hue_class},
        badge::LiveBadge,
        still::Still,
        time::Uptime,
    },
    i18n::use_messages,
    piece::Piece,
};
use leptos::prelude::*;
use madang_protocol::{LiveState, RoomCard, RoomSlug};
use madang_view::view;

/// Most tags that a tile shows.
const TAGS: usize = 3;

/// A picture with its state, the title, who and what, and tags. The title's link covers the tile; the tags lie above it and filter.
#[component]
pub fn RoomTile(
    slug: RoomSlug,
    /// The room, as it is now.
    #[prop(into)]
    card: Signal<Option<RoomCard>>,
) -> impl IntoView {
    let picture = format!("pic {}", hue_class(slug.as_str()));
    let state = move || card.with(|card| card.as_ref().map(|card| card.live.as_str()));
    let live = Memo::new(move |_| match card.with(|card| card.as_ref().map(|card| card.live)) {
        Some(LiveState::Live { since }) => Some(since),
        _ => None,
    });
    view! {
        <article class="card" data-state=state>
            <div class=picture>
                <Still slug live />
                {move || card.get().map(|card| view! { <LiveBadge live=card.live /> })}
                {move || card.get().map(|card| figures(&card))}
            </div>
            {move || card.get().map(meta)}
        </article>
    }
}

/// What stands below the picture.
fn meta(card: RoomCard) -> Piece {
    let messages = use_messages();
    let href = format!("/rooms/{}", card.slug);
    let tags = card.tags.iter().take(TAGS).map(|tag| {
        let href = crate::browse::Browse { tag: tag.clone(), ..Default::default() }.href();
        view! {
            <li>
                <a class="tag" href=href>
                    {tag.clone()}
                </a>
            </li>
        }
    });
    let tags = tags.collect_view();
    let about = format!("{} · {}", card.owner, messages.category(&card.category));
    view! {
        <div class="meta">
            <Avatar name=card.owner />
            <div class="words">
                <h3>
                    <a class="cover" href=href lang=card.language>
                        {card.title}
                    </a>
                </h3>
                <p class="sub">{about}</p>
                <ul class="tags">{tags}</ul>
            </div>
        </div>
    }
}

/// What the picture's lower edge says: viewers and uptime of a live room, the last broadcast of another.
fn figures(card: &RoomCard) -> Piece {
    let messages = use_messages();
    let clock = use_clock();
    let watching = u64::from(card.watching);
    match card.live {
        LiveState::Live { since } => view! {
            <span class="pill bl" title=messages.directory_watching_note()>
                {messages.directory_watching(watching)}
            </span>
            <span class="pill br"><Uptime since=since /></span>
        },
        LiveState::Offline { since } => {
            let words = Memo::new(move |_| messages.directory_last_live(messages.ago(clock.since(since))));
            view! { <span class="pill bl">{move || words.get()}</span> }
        }
        LiveState::Never => {
            view! { <span class="pill bl">{messages.directory_never_live()}</span> }
        }
        LiveState::Starting { .. } => Piece::Nothing,
    }
}
