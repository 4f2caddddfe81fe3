//! What the room says about itself, changed in place; and its end.

use super::act::{Desk, Tried};
use crate::{components::room_form::RoomFields, i18n::use_messages, posted::StudioAct};
use leptos::prelude::*;
use madang_protocol::{RoomPage, rooms::RoomForm};
use madang_view::view;

/// Title, description, category, tags, language, visibility.
#[component]
pub fn About(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let path = format!("/rooms/{}/studio", desk.slug.get_value());
    let issues = desk.issues(|act| matches!(act, StudioAct::EditRoom(_)));
    // A refused edit keeps what was typed.
    let typed = desk.tried.with_untracked(|tried| match tried {
        Some(Tried { act: StudioAct::EditRoom(form), result: Err(_) }) => Some(form.clone()),
        _ => None,
    });
    let initial = typed.unwrap_or_else(|| desk.page.with_untracked(form_of));
    view! {
        <section class="panel">
            <h2>{m.studio_about()}</h2>
            <form class="form" method="post" action=path novalidate=true>
                <input type="hidden" name="do" value="edit-room" />
                <RoomFields initial issues />
                <div class="form-foot">
                    <button type="submit" class="btn main" aria-disabled=move || desk.busy.get().to_string()>
                        {move || if desk.busy.get() { m.studio_saving() } else { m.studio_save() }}
                    </button>
                </div>
            </form>
        </section>
    }
}

/// Deleting the room, for whoever types its address.
#[component]
pub fn Danger(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let slug = desk.slug.get_value();
    let issues = desk.issues(|act| matches!(act, StudioAct::DeleteRoom { .. }));
    let wrong = move || issues.with(|issues| !issues.is_empty());
    let opens = issues.with_untracked(|issues| !issues.is_empty());
    view! {
        <details class="panel studio-danger" open=opens>
            <summary>{m.studio_danger()}</summary>
            <form method="post" action=format!("/rooms/{slug}/studio")>
                <input type="hidden" name="do" value="delete-room" />
                <p>{m.studio_danger_next()}</p>
                <div class="field">
                    <label for="delete-confirm">{m.studio_danger_confirm(&slug)}</label>
                    <input
                        id="delete-confirm"
                        name="confirm"
                        type="text"
                        autocomplete="off"
                        autocapitalize="none"
                        spellcheck="false"
                        aria-describedby="delete-issue"
                        aria-invalid=move || wrong().then_some("true")
                    />
                    <p class="issue" id="delete-issue" role="alert" hidden=move || !wrong()>{m.studio_danger_mismatch()}</p>
                </div>
                <div class="form-foot">
                    <button type="submit" class="btn danger">{m.studio_delete()}</button>
                </div>
            </form>
        </details>
    }
}

/// The form as the room stands.
fn form_of(page: &RoomPage) -> RoomForm {
    RoomForm {
        owner_name: page.card.owner.clone(),
        slug: page.card.slug.to_string(),
        title: page.card.title.clone(),
        description: page.description.clone(),
        category: page.card.category.clone(),
        tags: page.card.tags.join(", "),
        language: page.card.language.clone(),
        visibility: page.visibility.as_str().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::{LiveState, RoomCard, RoomSlug, Visibility};

    #[test]
    fn a_room_saved_as_it_stands_stays_as_it_is() {
        let page = RoomPage {
            card: RoomCard {
                slug: RoomSlug::parse("my-room").expect("valid"),
                title: "Night".into(),
                owner: "도현".into(),
                category: "music".into(),
                tags: vec!["rust".into(), "한국어".into()],
                language: "ko".into(),
                live: LiveState::Never,
                watching: 0,
            },
            description: "Two\nlines".into(),
            visibility: Visibility::Unlisted,
            mine: true,
            play_token: String::new(),
        };
        let draft = form_of(&page).check().expect("is valid");
        assert_eq!((draft.title, draft.tags, draft.description), ("Night".into(), page.card.tags, page.description));
        assert_eq!(draft.visibility, Visibility::Unlisted);
    }
}
