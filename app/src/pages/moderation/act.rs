//! What the moderation page's forms do, the same on the server (a form posted without scripts) and in the browser.

use crate::{
    ApiError,
    components::form_fields,
    posted::{ModerationAct, Posted},
    server::moderation::{moderate, moderation_view, test_filter},
};
use leptos::{ev, prelude::*, task::spawn_local};
use madang_protocol::wire::Wire;
use madang_protocol::{
    ActionId, RoomSlug,
    chat::{ChatRefusal, ModerationView},
};
use serde::{Deserialize, Serialize};

/// What became of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Outcome {
    Done(Option<ActionId>),
    Refused(ChatRefusal),
    /// The word of the filter that a text was found to hold.
    Tested(Option<String>),
    Failed(ApiError),
}

/// Does what a form says.
async fn perform(room: RoomSlug, act: ModerationAct) -> Outcome {
    let result = match act {
        ModerationAct::Do { act, reason } => moderate(room, act, reason).await.map(|moderated| match moderated {
            Ok(action) => Outcome::Done(action),
            Err(reason) => Outcome::Refused(reason),
        }),
        ModerationAct::TestFilter { text } => test_filter(room, text).await.map(Outcome::Tested),
    };
    result.unwrap_or_else(Outcome::Failed)
}

/// Runs the posted form if this page is the answer to one. On the server only.
pub async fn run_posted(slug: &str) -> Option<Outcome> {
    let room = RoomSlug::parse(slug).ok()?;
    let posted = use_context::<crate::posted::PostedForm>()?;
    let fits = |posted: &Posted| matches!(posted, Posted::Moderation { room: r, .. } if *r == room);
    match posted.take_if(fits)? {
        (Posted::Moderation { room, act }, Ok(())) => Some(perform(room, act).await),
        (_, Err(error)) => Some(Outcome::Failed(error)),
        _ => None,
    }
}

/// The page's state.
#[derive(Clone, Copy)]
pub struct Bench {
    pub slug: StoredValue<RoomSlug>,
    pub view: RwSignal<ModerationView>,
    pub outcome: RwSignal<Option<Outcome>>,
    busy: RwSignal<bool>,
}

impl Bench {
    pub fn new(slug: RoomSlug, view: ModerationView, outcome: Option<Outcome>) -> Self {
        Self {
            slug: StoredValue::new(slug),
            view: RwSignal::new(view),
            outcome: RwSignal::new(outcome),
            busy: RwSignal::new(false),
        }
    }

    /// The page's own address, to which its forms are posted.
    pub fn path(self) -> String {
        format!("/rooms/{}/moderation", self.slug.get_value())
    }

    /// One of the page's forms was submitted in the browser: does in place what the server would do with it.
    pub fn submitted(self, event: &ev::SubmitEvent) {
        event.prevent_default();
        let Some(Posted::Moderation { room, act }) = form_fields::posted(event, &self.path()) else { return };
        if self.busy.get_untracked() {
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let outcome = perform(room.clone(), act).await;
            // Done is said once the page shows it; nothing that is pressed after that is lost.
            if matches!(outcome, Outcome::Done(_))
                && let Ok(view) = moderation_view(room.to_string()).await
            {
                let _ = self.view.try_set(view);
            }
            let _ = self.outcome.try_set(Some(outcome));
            let _ = self.busy.try_set(false);
        });
    }
}
