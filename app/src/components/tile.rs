//! A room in the directory.

use crate::{
    clock::use_clock,
    components::{
        avatar::{Avatar, hue_class},
        badge::LiveBadge,
        time::Uptime,
    },
    i18n::use_messages,
    piece::Piece,
};
use leptos::prelude::*;
use madang_protocol::{LiveState, RoomCard};
use madang_view::view;

/// Most tags that a tile shows.
const TAGS: usize = 3;

/// A picture with its state, the title, who and what, and tags. The title's link covers the tile; the tags lie above it and filter.
#[component]
pub fn RoomTile(
    /// The room, as it is now.
    #[prop(into)]
    card: Signal<Option<RoomCard>>,
) -> impl IntoView {
    move || card.get().map(tile)
}

fn tile(card: RoomCard) -> impl IntoView {
    let messages = use_messages();
    let href = format!("/rooms/{}", card.slug);
    let picture = format!("pic {}", hue_class(card.slug.as_str()));
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
        <article class="card" data-state=card.live.as_str()>
            <div class=picture>
                <LiveBadge live=card.live />
                {figures(&card)}
            </div>
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
        </article>
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
