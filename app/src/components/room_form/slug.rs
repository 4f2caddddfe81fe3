//! The field for a room's address: says, a moment after the typing stops, whether it may be had.

use super::{Issue, Wrong, issue_text};
use crate::{i18n::use_messages, server::rooms::slug_free};
use leptos::{html, prelude::*, task::spawn_local};
use madang_protocol::{Field, FieldIssue, Problem, RoomSlug};
use madang_view::view;
use std::time::Duration;

/// Typing rests this long before the server is asked.
const CHECK_AFTER: Duration = Duration::from_millis(300);

/// What is known of the address in the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum SlugState {
    #[default]
    Unknown,
    Checking,
    Free,
    Wrong(FieldIssue),
}

/// The field, with what stands before the address.
#[component]
pub fn SlugField(
    wrong: Wrong,
    value: String,
    prefix: String,
    node_ref: NodeRef<html::Input>,
    /// What stands in the field.
    slug: RwSignal<String>,
    #[prop(into)] on_typed: Callback<String>,
) -> impl IntoView {
    let m = use_messages();
    let state = RwSignal::new(SlugState::default());
    Effect::new(move |_| {
        let text = slug.get();
        match RoomSlug::parse(&text) {
            Err(issue) if issue.problem == Problem::Empty => state.set(SlugState::Unknown),
            Err(issue) => state.set(SlugState::Wrong(issue)),
            Ok(parsed) => {
                state.set(SlugState::Checking);
                let ask = move || {
                    spawn_local(async move {
                        let answer = slug_free(parsed).await;
                        // The page may be gone, or another address may stand in the field by now.
                        if slug.try_with_untracked(|now| *now == text) == Some(true) {
                            let _ = state.try_set(match answer {
                                Ok(true) => SlugState::Free,
                                Ok(false) => SlugState::Wrong(FieldIssue::new(Field::Slug, Problem::Taken)),
                                Err(_) => SlugState::Unknown,
                            });
                        }
                    });
                };
                if let Ok(timer) = set_timeout_with_handle(ask, CHECK_AFTER) {
                    on_cleanup(move || timer.clear());
                }
            }
        }
    });
    let words = move || match state.get() {
        SlugState::Unknown => String::new(),
        SlugState::Checking => m.room_slug_checking().to_owned(),
        SlugState::Free => m.room_slug_free().to_owned(),
        SlugState::Wrong(issue) => issue_text(m, issue),
    };
    view! {
        <div class="field">
            <label for=wrong.id()>{m.room_slug()}</label>
            <div class="slug-box">
                <span class="prefix">{prefix}</span>
                <input
                    id=wrong.id()
                    node_ref=node_ref
                    name="slug"
                    type="text"
                    value=value
                    autocomplete="off"
                    autocapitalize="none"
                    spellcheck="false"
                    autofocus=wrong.comes_first()
                    aria-describedby=format!("{} field-slug-state", wrong.described_by())
                    aria-invalid=move || wrong.invalid()
                    on:input=move |ev| on_typed.run(event_target_value(&ev))
                />
            </div>
            <p class="hint" id=wrong.hint_id()>{m.room_slug_hint()}</p>
            <p
                class="free"
                class:yes=move || state.get() == SlugState::Free
                class:no=move || matches!(state.get(), SlugState::Wrong(_))
                id="field-slug-state"
                role="status"
            >
                {words}
            </p>
            <Issue wrong />
        </div>
    }
}
