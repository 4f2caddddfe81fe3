//! What a page's form says, however it arrives: posted to the page by a browser without scripts, or read from the form by the
//! script. One parser for both, so that both do the same. It reads; it checks nothing and does nothing.

use crate::{ApiError, suggestion::suggested_slug};
use madang_protocol::{
    KeyId, RoomSlug,
    chat::{Act, Modes, Whom},
    rooms::RoomForm,
    wire::Wire,
};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, PoisonError};

/// Most fields a form may send; ours have nine at most.
pub const FIELDS_MAX: usize = 32;
/// Most bytes a posted body may have. A description of 2,000 graphemes, percent-encoded, fits.
pub const BODY_MAX: usize = 192 * 1024;

/// A form of one of the pages, filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// `/rooms/new`.
    CreateRoom(RoomForm),
    /// `/rooms/{slug}/studio`.
    Studio { room: RoomSlug, act: StudioAct },
    /// `/rooms/{slug}/moderation`.
    Moderation { room: RoomSlug, act: ModerationAct },
    /// `/login`, `/register`, `/reset` or `/account`, which the server alone runs.
    #[cfg(feature = "ssr")]
    Account(crate::accounts::form::AccountForm),
    /// `/rooms/{slug}/access`, which the server alone runs.
    #[cfg(feature = "ssr")]
    Access { room: RoomSlug, act: crate::access::AccessAct },
    /// `/admin` and what is below it, which the server alone runs.
    #[cfg(feature = "ssr")]
    Admin(crate::plain::admin::form::AdminForm),
}

/// What the moderation page's forms do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ModerationAct {
    /// `modes`, `filter`, `ban`, `unban`, `add-moderator`, `remove-moderator`, `undo`.
    Do { act: Act, reason: String },
    /// `test-filter`, with `text`.
    TestFilter { text: String },
}

/// What the studio's forms do: the hidden field `do` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Wire)]
pub enum StudioAct {
    /// `new-key`, with `name`.
    NewKey { name: String },
    /// `rotate-key`, with `key`.
    RotateKey { key: KeyId },
    /// `revoke-key`, with `key`.
    RevokeKey { key: KeyId },
    /// `edit-room`, with the fields of [`RoomForm`]; the slug is the path's.
    EditRoom(RoomForm),
    /// `end-stream`.
    EndStream,
    /// `delete-room`, with `confirm`: the slug, typed.
    DeleteRoom { confirm: String },
}

impl Posted {
    /// Reads the form of the page at `path` from its decoded `fields`, in the order they came; of a repeated one the first counts.
    /// `None` for a path without forms, an unknown `do`, or a key id that is not one.
    pub fn parse(path: &str, fields: &[(String, String)]) -> Option<Self> {
        let field = |name: &str| fields.iter().find(|(n, _)| n == name).map_or("", |(_, value)| value.as_str());
        let form = |slug: &str| RoomForm {
            owner_name: field("owner_name").to_owned(),
            slug: slug.to_owned(),
            title: field("title").to_owned(),
            description: field("description").to_owned(),
            category: field("category").to_owned(),
            tags: field("tags").to_owned(),
            language: field("language").to_owned(),
            visibility: field("visibility").to_owned(),
        };
        #[cfg(feature = "ssr")]
        if let Some(form) = crate::accounts::form::AccountForm::parse(path, fields) {
            return Some(Self::Account(form));
        }
        #[cfg(feature = "ssr")]
        if let Some(form) = crate::plain::admin::form::AdminForm::parse(path, fields) {
            return Some(Self::Admin(form));
        }
        if path == "/rooms/new" {
            return Some(Self::CreateRoom(form(&slug_or_suggestion(field("slug"), field("title")))));
        }
        let room = path.strip_prefix("/rooms/")?;
        if let Some(slug) = room.strip_suffix("/moderation") {
            let act = moderation(&field)?;
            return Some(Self::Moderation { room: RoomSlug::parse(slug).ok()?, act });
        }
        #[cfg(feature = "ssr")]
        if let Some(slug) = room.strip_suffix("/access") {
            let act = crate::access::AccessAct::parse(&field)?;
            return Some(Self::Access { room: RoomSlug::parse(slug).ok()?, act });
        }
        let slug = room.strip_suffix("/studio")?;
        let room = RoomSlug::parse(slug).ok()?;
        let key = || field("key").parse::<KeyId>().ok();
        let act = match field("do") {
            "new-key" => StudioAct::NewKey { name: field("name").to_owned() },
            "rotate-key" => StudioAct::RotateKey { key: key()? },
            "revoke-key" => StudioAct::RevokeKey { key: key()? },
            "edit-room" => StudioAct::EditRoom(form(room.as_str())),
            "end-stream" => StudioAct::EndStream,
            "delete-room" => StudioAct::DeleteRoom { confirm: field("confirm").to_owned() },
            _ => return None,
        };
        Some(Self::Studio { room, act })
    }
}

fn moderation<'a>(field: &dyn Fn(&str) -> &'a str) -> Option<ModerationAct> {
    let on = |name: &str| !field(name).is_empty();
    let person = || field("person").parse().ok().map(Whom::Id);
    let named = || {
        let name = field("name").trim().trim_start_matches('@');
        (!name.is_empty()).then(|| Whom::Name(name.to_owned()))
    };
    let act = match field("do") {
        "modes" => Act::SetModes {
            modes: Modes {
                slow_s: field("slow").trim().parse().unwrap_or(0),
                accounts_only: on("accounts"),
                links: !on("no-links"),
                unique: on("unique"),
                closed: on("closed"),
            },
        },
        "filter" => {
            let words = field("words").lines().map(str::trim).filter(|word| !word.is_empty());
            Act::SetFilter { words: words.map(str::to_owned).collect() }
        }
        "test-filter" => return Some(ModerationAct::TestFilter { text: field("text").to_owned() }),
        "ban" => Act::Ban { whom: named()?, seconds: field("seconds").parse().ok() },
        "unban" => Act::Unban { whom: person()? },
        "add-moderator" => Act::SetModerator { whom: named()?, on: true },
        "remove-moderator" => Act::SetModerator { whom: person()?, on: false },
        "undo" => Act::Undo { action: field("action").parse().ok()? },
        _ => return None,
    };
    Some(ModerationAct::Do { act, reason: field("reason").trim().to_owned() })
}

/// An address left empty follows the title.
fn slug_or_suggestion(slug: &str, title: &str) -> String {
    if slug.trim().is_empty() {
        return suggested_slug(title).map(String::from).unwrap_or_default();
    }
    slug.to_owned()
}

/// A posted form on its way to the page that runs it, once: the server provides it as a context of the rendering.
#[derive(Clone, Debug)]
pub struct PostedForm {
    form: Arc<Mutex<Option<Posted>>>,
    allowed: Result<(), ApiError>,
}

impl PostedForm {
    pub fn new(posted: Posted) -> Self {
        Self { form: Arc::new(Mutex::new(Some(posted))), allowed: Ok(()) }
    }

    /// A form that is not to be run: the page shows why, and what was typed.
    pub fn refused(posted: Posted, why: ApiError) -> Self {
        Self { allowed: Err(why), ..Self::new(posted) }
    }

    /// The form, and whether it may be run, for the first that asks and finds it fits; whoever asks later gets `None`.
    pub fn take_if(&self, fits: impl FnOnce(&Posted) -> bool) -> Option<(Posted, Result<(), ApiError>)> {
        let mut held = self.form.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_some_and(fits) { held.take().map(|form| (form, self.allowed.clone())) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_new_room_without_an_address_takes_the_titles() {
        let form = fields(&[("owner_name", "도현"), ("title", "밤새 코딩"), ("slug", " "), ("title", "second")]);
        let Some(Posted::CreateRoom(form)) = Posted::parse("/rooms/new", &form) else {
            panic!("the form of a new room");
        };
        assert_eq!((form.slug.as_str(), form.title.as_str()), ("bamsae-koding", "밤새 코딩"));
    }

    #[test]
    fn what_was_typed_is_kept_even_if_it_is_wrong() {
        let Some(Posted::CreateRoom(form)) = Posted::parse("/rooms/new", &fields(&[("slug", "A b/")])) else {
            panic!("the form of a new room");
        };
        assert_eq!(form.slug, "A b/");
    }

    #[test]
    fn the_studios_forms_are_told_apart_by_do() {
        let act = |pairs: &[(&str, &str)]| match Posted::parse("/rooms/my-room/studio", &fields(pairs)) {
            Some(Posted::Studio { room, act }) if room.as_str() == "my-room" => Some(act),
            _ => None,
        };
        let key = "000000000000000a".parse().expect("an id");
        assert_eq!(act(&[("do", "new-key"), ("name", "phone")]), Some(StudioAct::NewKey { name: "phone".into() }));
        assert_eq!(act(&[("do", "rotate-key"), ("key", "000000000000000a")]), Some(StudioAct::RotateKey { key }));
        assert_eq!(act(&[("do", "end-stream")]), Some(StudioAct::EndStream));
        assert_eq!(act(&[("do", "revoke-key"), ("key", "../../etc")]), None);
        assert_eq!(act(&[("do", "format-disk")]), None);
        assert_eq!(act(&[]), None);
    }

    #[test]
    fn the_moderation_pages_forms_are_acts() {
        let act = |pairs: &[(&str, &str)]| match Posted::parse("/rooms/my-room/moderation", &fields(pairs)) {
            Some(Posted::Moderation { room, act: ModerationAct::Do { act, reason } }) if room.as_str() == "my-room" => {
                Some((act, reason))
            }
            _ => None,
        };
        let modes = Modes { slow_s: 5, links: false, ..Modes::default() };
        let form = [("do", "modes"), ("slow", "5"), ("no-links", "on")];
        assert_eq!(act(&form), Some((Act::SetModes { modes }, String::new())));
        let ban = Act::Ban { whom: Whom::Name("ana#4f2".into()), seconds: None };
        let form = [("do", "ban"), ("name", " @ana#4f2 "), ("seconds", ""), ("reason", "Spam ")];
        assert_eq!(act(&form), Some((ban, "Spam".into())));
        let form = [("do", "filter"), ("words", "one\r\n\r\n two\n")];
        assert_eq!(act(&form), Some((Act::SetFilter { words: vec!["one".into(), "two".into()] }, String::new())));
        assert_eq!(act(&[("do", "unban"), ("person", "somebody")]), None);
        assert_eq!(act(&[("do", "ban"), ("name", " ")]), None);
    }

    #[test]
    fn the_address_of_an_edited_room_is_the_paths() {
        let form = fields(&[("do", "edit-room"), ("slug", "other-room"), ("title", "New")]);
        let Some(Posted::Studio { act: StudioAct::EditRoom(form), .. }) = Posted::parse("/rooms/my-room/studio", &form)
        else {
            panic!("an edit");
        };
        assert_eq!((form.slug.as_str(), form.title.as_str()), ("my-room", "New"));
    }

    #[test]
    fn pages_without_forms_take_none() {
        for path in ["/", "/rooms/my-room", "/rooms/x/studio", "/rooms//studio", "/rooms/new/", "/rooms/a/b/studio"] {
            assert_eq!(Posted::parse(path, &fields(&[("do", "end-stream")])), None, "{path}");
        }
    }

    #[test]
    fn a_posted_form_is_run_once_and_only_by_its_page() {
        let held = PostedForm::new(Posted::CreateRoom(RoomForm::default()));
        assert_eq!(held.take_if(|p| matches!(p, Posted::Studio { .. })), None);
        assert!(held.clone().take_if(|p| matches!(p, Posted::CreateRoom(_))).is_some());
        assert_eq!(held.take_if(|_| true), None);
    }
}
