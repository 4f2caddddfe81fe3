//! What the studio's forms do, the same on the server (a form posted without scripts) and in the browser, and what became of it.

use crate::{
    ApiError,
    components::{
        form_fields,
        room_form::{focus_first_wrong, still_wrong},
    },
    posted::{Posted, StudioAct},
    realtime::use_realtime,
    server::studio::{
        FreshKey, StudioView, confirms, create_key, delete_room, edit_room, end_stream, revoke_key, rotate_key,
        studio_view,
    },
};
use leptos::{ev, prelude::*, task::spawn_local};
use madang_protocol::wire::Wire;
use madang_protocol::{
    Field, FieldIssue, Problem, RoomPage, RoomSlug,
    studio::{StreamKeyInfo, StudioStatus},
    validation::{self, NAME_MAX},
};
use serde::{Deserialize, Serialize};
use std::mem::discriminant;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum Done {
    /// A key was made; this is the one answer it is in.
    Key(FreshKey),
    Revoked,
    Saved,
    Ended,
    Deleted,
}

/// A form that was sent, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub struct Tried {
    pub act: StudioAct,
    pub result: Result<Done, ApiError>,
}

/// What became of the last form, without the form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Nothing,
    Done(Done),
    Failed(ApiError),
}

/// Does what a form says.
async fn perform(room: RoomSlug, act: StudioAct) -> Result<Done, ApiError> {
    match act {
        StudioAct::NewKey { name } => create_key(room, name).await.map(Done::Key),
        StudioAct::RotateKey { key } => rotate_key(room, key).await.map(Done::Key),
        StudioAct::RevokeKey { key } => revoke_key(room, key).await.map(|()| Done::Revoked),
        StudioAct::EditRoom(form) => edit_room(room, form).await.map(|()| Done::Saved),
        StudioAct::EndStream => end_stream(room).await.map(|()| Done::Ended),
        StudioAct::DeleteRoom { confirm } => delete_room(room, confirm).await.map(|()| Done::Deleted),
    }
}

/// What can be seen to be wrong with a form before it is sent.
fn check(room: &RoomSlug, act: &StudioAct) -> Vec<FieldIssue> {
    match act {
        StudioAct::EditRoom(form) => form.check().err().unwrap_or_default(),
        StudioAct::NewKey { name } => {
            validation::line(Field::KeyName, name, NAME_MAX).err().map(|issue| vec![issue]).unwrap_or_default()
        }
        StudioAct::DeleteRoom { confirm } if !confirms(room, confirm) => {
            vec![FieldIssue::new(Field::Slug, Problem::NotAChoice)]
        }
        StudioAct::DeleteRoom { .. }
        | StudioAct::RotateKey { .. }
        | StudioAct::RevokeKey { .. }
        | StudioAct::EndStream => Vec::new(),
    }
}

/// Runs the form posted to the studio of `slug`, once, if the page being made is the answer to one. Never in the browser.
pub async fn run_posted(slug: &str) -> Option<Tried> {
    #[cfg(feature = "ssr")]
    {
        let fits = |posted: &Posted| matches!(posted, Posted::Studio { room, .. } if room.as_str() == slug);
        let (posted, allowed) = use_context::<crate::posted::PostedForm>()?.take_if(fits)?;
        let Posted::Studio { room, act } = posted else { return None };
        let result = match allowed {
            Ok(()) => perform(room, act.clone()).await,
            Err(refused) => Err(refused),
        };
        Some(Tried { act, result })
    }
    #[cfg(not(feature = "ssr"))]
    {
        let _ = slug;
        None
    }
}

/// The studio's state.
#[derive(Clone, Copy)]
pub struct Desk {
    pub slug: StoredValue<RoomSlug>,
    pub rtmp_url: StoredValue<String>,
    pub page: RwSignal<RoomPage>,
    pub keys: RwSignal<Vec<StreamKeyInfo>>,
    /// The newest known: the channel's, before that the page's own.
    pub status: Memo<StudioStatus>,
    /// The last form and what became of it.
    pub tried: RwSignal<Option<Tried>>,
    /// Whether a form is on its way.
    pub busy: RwSignal<bool>,
}

impl Desk {
    pub fn new(view: StudioView, tried: Option<Tried>) -> Self {
        let StudioView { page, keys, status, rtmp_url } = view;
        let told = use_realtime().studio(&page.card.slug);
        let desk = Self {
            slug: StoredValue::new(page.card.slug.clone()),
            rtmp_url: StoredValue::new(rtmp_url),
            page: RwSignal::new(page),
            keys: RwSignal::new(keys),
            status: Memo::new(move |_| told.get().and_then(|told| told.read()).unwrap_or_else(|| status.clone())),
            tried: RwSignal::new(tried),
            busy: RwSignal::new(false),
        };
        // An encoder that comes or goes has used a key: read again when.
        let encoder = Memo::new(move |_| desk.status.with(|s| s.encoder.as_ref().map(|e| (e.key, e.since))));
        Effect::new(move |before: Option<Option<_>>| {
            let now = encoder.get();
            if before.is_some_and(|before| before != now) {
                spawn_local(desk.refresh());
            }
            now
        });
        desk
    }

    /// What became of the last form.
    pub fn outcome(self) -> Outcome {
        self.tried.with(|tried| match tried.as_ref().map(|tried| &tried.result) {
            None => Outcome::Nothing,
            Some(Ok(done)) => Outcome::Done(done.clone()),
            Some(Err(error)) => Outcome::Failed(error.clone()),
        })
    }

    /// What is wrong with the last form, if it was one that `fits`.
    pub fn issues(self, fits: fn(&StudioAct) -> bool) -> Signal<Vec<FieldIssue>> {
        let issues = move |_: Option<&Vec<FieldIssue>>| {
            self.tried.with(|tried| match tried {
                Some(Tried { act, result: Err(error) }) if fits(act) => error.issues().to_vec(),
                _ => Vec::new(),
            })
        };
        Memo::new(issues).into()
    }

    /// One of the page's forms was submitted in the browser: does in place what the server would do with it.
    pub fn submitted(self, event: &ev::SubmitEvent) {
        event.prevent_default();
        let Some((room, act)) = self.form(event) else { return };
        if self.busy.get_untracked() {
            return;
        }
        let issues = check(&room, &act);
        if !issues.is_empty() {
            focus_first_wrong(&issues);
            self.tried.set(Some(Tried { act, result: Err(ApiError::Invalid(issues)) }));
            return;
        }
        self.busy.set(true);
        spawn_local(async move {
            let result = perform(room, act.clone()).await;
            let worked = result.is_ok() && result != Ok(Done::Deleted);
            if let Err(error) = &result {
                focus_first_wrong(error.issues());
            }
            let _ = self.tried.try_set(Some(Tried { act, result }));
            let _ = self.busy.try_set(false);
            if worked {
                self.refresh().await;
            }
        });
    }

    /// Something was typed into one of the page's forms: what is right now is no longer called wrong.
    pub fn typed(self, event: &ev::Event) {
        let refused = self.tried.with_untracked(|tried| match tried {
            Some(Tried { act, result: Err(ApiError::Invalid(issues)) }) => Some((discriminant(act), issues.clone())),
            _ => None,
        });
        let Some((kind, before)) = refused else { return };
        let Some((room, act)) = self.form(event).filter(|(_, act)| discriminant(act) == kind) else { return };
        let left = still_wrong(&before, check(&room, &act));
        self.tried.set((!left.is_empty()).then_some(Tried { act, result: Err(ApiError::Invalid(left)) }));
    }

    /// The form behind an event.
    fn form(self, event: &ev::Event) -> Option<(RoomSlug, StudioAct)> {
        let path = format!("/rooms/{}/studio", self.slug.get_value());
        match form_fields::posted(event, &path)? {
            Posted::Studio { room, act } => Some((room, act)),
            _ => None,
        }
    }

    /// Reads the room and its keys again. When that fails, what is shown stays.
    async fn refresh(self) {
        let Some(slug) = self.slug.try_get_value() else { return };
        if let Ok(view) = studio_view(slug.into()).await {
            let _ = self.page.try_set(view.page);
            let _ = self.keys.try_set(view.keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_to_be_wrong_is_not_sent() {
        let room = RoomSlug::parse("my-room").expect("valid");
        let wrong = |act| check(&room, &act).first().map(|issue| (issue.field, issue.problem));
        let delete = |typed: &str| StudioAct::DeleteRoom { confirm: typed.to_owned() };
        assert_eq!(wrong(delete("my-rom")), Some((Field::Slug, Problem::NotAChoice)));
        assert_eq!(wrong(delete(" My-Room ")), None);
        assert_eq!(wrong(StudioAct::NewKey { name: "  ".into() }), Some((Field::KeyName, Problem::Empty)));
        assert_eq!(wrong(StudioAct::NewKey { name: "phone".into() }), None);
        assert_eq!(wrong(StudioAct::EndStream), None);
    }
}
