//! The fields of a room, for making one and for changing it, and the words for what is wrong with them.
//!
//! Inputs keep their own text: the page works before its scripts do, and what was typed meanwhile stays. Signals only carry what
//! other parts of the form follow.

mod slug;

use crate::{
    i18n::{Messages, use_messages},
    suggestion::suggested_slug,
};
use leptos::{html, prelude::*};
use madang_protocol::{
    Field, FieldIssue, Problem,
    access::LINK_USES_MAX,
    rooms::RoomForm,
    validation::{CATEGORIES, LANGUAGES, TAGS_MAX},
};
use madang_view::view;
use slug::SlugField;

/// What is wrong, in a sentence.
pub fn issue_text(m: Messages, issue: FieldIssue) -> String {
    match issue.problem {
        Problem::Empty => m.room_issue_empty().to_owned(),
        Problem::TooShort { min } => m.room_issue_short(min),
        Problem::TooLong { max } => m.room_issue_long(max),
        Problem::Characters if issue.field == Field::Slug => m.room_issue_slug_characters().to_owned(),
        Problem::Characters => m.room_issue_characters().to_owned(),
        Problem::TooMany { max } => m.room_issue_many(max),
        Problem::Taken if issue.field == Field::Name => m.account_issue_name_taken().to_owned(),
        Problem::Reserved if issue.field == Field::Name => m.account_issue_name_reserved().to_owned(),
        Problem::Wrong if issue.field == Field::Invitation => m.account_issue_invitation().to_owned(),
        Problem::Wrong => m.account_issue_password().to_owned(),
        Problem::Taken => m.room_issue_taken().to_owned(),
        Problem::Reserved => m.room_issue_reserved().to_owned(),
        Problem::NotAChoice if issue.field == Field::Invitation => m.access_link_bounds(LINK_USES_MAX),
        Problem::NotAChoice => m.room_issue_choice().to_owned(),
    }
}

/// The id of a field's control.
pub const fn control_id(field: Field) -> &'static str {
    match field {
        Field::Name => "field-owner-name",
        Field::Slug => "field-slug",
        Field::Title => "field-title",
        Field::Description => "field-description",
        Field::Category => "field-category",
        Field::Tags => "field-tags",
        Field::Language => "field-language",
        Field::Visibility => "field-visibility",
        Field::KeyName => "field-key-name",
        Field::Password => "field-password",
        Field::CurrentPassword => "field-current-password",
        Field::Invitation => "field-invitation",
    }
}

/// Puts the focus on the first wrong field of a form that was just refused. Without scripts `autofocus` does it.
pub fn focus_first_wrong(issues: &[FieldIssue]) {
    #[cfg(feature = "hydrate")]
    {
        use wasm_bindgen::JsCast;
        let control = issues.first().and_then(|issue| document().get_element_by_id(control_id(issue.field)));
        if let Some(control) = control.and_then(|c| c.dyn_into::<web_sys::HtmlElement>().ok()) {
            let _ = control.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = issues;
}

/// What is still wrong after typing: of the fields that were refused, those which break a rule `now`. Nothing new is reproached
/// before the form is sent again.
pub fn still_wrong(before: &[FieldIssue], now: Vec<FieldIssue>) -> Vec<FieldIssue> {
    now.into_iter().filter(|issue| before.iter().any(|b| b.field == issue.field)).collect()
}

/// What is wrong with one field: what a control and the line below it need to know.
#[derive(Clone, Copy)]
pub struct Wrong {
    field: Field,
    issues: Signal<Vec<FieldIssue>>,
    m: Messages,
}

impl Wrong {
    pub fn new(field: Field, issues: Signal<Vec<FieldIssue>>) -> Self {
        Self { field, issues, m: use_messages() }
    }

    pub fn id(self) -> &'static str {
        control_id(self.field)
    }

    pub fn issue_id(self) -> String {
        format!("{}-issue", self.id())
    }

    pub fn hint_id(self) -> String {
        format!("{}-hint", self.id())
    }

    /// For `aria-describedby`.
    pub fn described_by(self) -> String {
        format!("{} {}", self.hint_id(), self.issue_id())
    }

    /// For `aria-invalid`; no attribute while all is well.
    pub fn invalid(self) -> Option<&'static str> {
        self.text().map(|_| "true")
    }

    /// Whether the page opens with this field as the first wrong one.
    pub fn comes_first(self) -> bool {
        self.issues.with_untracked(|issues| issues.first().is_some_and(|issue| issue.field == self.field))
    }

    fn text(self) -> Option<String> {
        self.issues.with(|issues| issues.iter().find(|i| i.field == self.field).map(|i| issue_text(self.m, *i)))
    }
}

/// The line that says what is wrong with a field.
#[component]
pub fn Issue(wrong: Wrong) -> impl IntoView {
    view! {
        <p class="issue" id=wrong.issue_id() hidden=move || wrong.text().is_none()>
            {move || wrong.text().unwrap_or_default()}
        </p>
    }
}

/// A text field: label, hint, control, and what is wrong with it.
#[component]
fn TextField(
    wrong: Wrong,
    name: &'static str,
    label: &'static str,
    #[prop(into)] hint: String,
    value: String,
    #[prop(optional)] autocomplete: &'static str,
    #[prop(optional)] node_ref: NodeRef<html::Input>,
    /// Called with what stands in the field at each change.
    #[prop(optional, into)]
    on_typed: Option<Callback<String>>,
) -> impl IntoView {
    view! {
        <div class="field">
            <label for=wrong.id()>{label}</label>
            <input
                id=wrong.id()
                node_ref=node_ref
                name=name
                type="text"
                value=value
                autocomplete=if autocomplete.is_empty() { "off" } else { autocomplete }
                autofocus=wrong.comes_first()
                aria-describedby=wrong.described_by()
                aria-invalid=move || wrong.invalid()
                on:input=move |ev| {
                    if let Some(typed) = on_typed {
                        typed.run(event_target_value(&ev));
                    }
                }
            />
            <p class="hint" id=wrong.hint_id()>{hint}</p>
            <Issue wrong />
        </div>
    }
}

/// All fields of a room. With `creating`, also who makes it and the address, which follows the title until it is edited.
#[component]
pub fn RoomFields(
    initial: RoomForm,
    issues: Signal<Vec<FieldIssue>>,
    #[prop(optional)] creating: bool,
    /// What stands before the address, such as `live.example.org/rooms/`.
    #[prop(optional, into)]
    slug_prefix: String,
) -> impl IntoView {
    let m = use_messages();
    let wrong = move |field| Wrong::new(field, issues);
    let slug_ref = NodeRef::<html::Input>::new();
    let title_ref = NodeRef::<html::Input>::new();
    let slug = RwSignal::new(initial.slug.clone());
    let follows = RwSignal::new(
        initial.slug.is_empty() || suggested_slug(&initial.title).is_some_and(|s| s.as_str() == initial.slug),
    );
    let follow = move |title: String| {
        if creating && follows.get_untracked() {
            let suggested = suggested_slug(&title).map(String::from).unwrap_or_default();
            if let Some(input) = slug_ref.get_untracked() {
                input.set_value(&suggested);
            }
            slug.set(suggested);
        }
    };
    // What was typed before the scripts came.
    Effect::new(move |_| {
        let (Some(slug_input), Some(title_input)) = (slug_ref.get(), title_ref.get()) else { return };
        let typed = slug_input.value();
        if typed.is_empty() {
            follow(title_input.value());
        } else {
            slug.set(typed);
        }
    });
    let who_and_where = creating.then(|| {
        view! {
            <SlugField
                wrong=wrong(Field::Slug)
                value=initial.slug.clone()
                prefix=slug_prefix
                node_ref=slug_ref
                slug=slug
                on_typed=move |typed: String| {
                    follows.set(typed.is_empty());
                    slug.set(typed);
                }
            />
        }
    });
    let name = match creating {
        true => view! {
            <TextField
                wrong=wrong(Field::Name)
                name="owner_name"
                label=m.room_name()
                hint=m.room_name_hint()
                value=initial.owner_name.clone()
                autocomplete="nickname"
            />
        },
        false => view! { <input type="hidden" name="owner_name" value=initial.owner_name.clone() /> },
    };
    let description = wrong(Field::Description);
    let description_ref = NodeRef::<html::Textarea>::new();
    // An empty text is rendered as a space, so that hydration finds it: here it shall be empty.
    Effect::new(move |_| {
        if let Some(area) = description_ref.get()
            && area.value() == " "
        {
            area.set_value("");
        }
    });
    view! {
        {name}
        <TextField
            wrong=wrong(Field::Title)
            name="title"
            label=m.room_title()
            hint=m.room_title_hint()
            value=initial.title.clone()
            node_ref=title_ref
            on_typed=follow
        />
        {who_and_where}
        <div class="field">
            <label for=description.id()>{m.room_description()}</label>
            <textarea
                node_ref=description_ref
                id=description.id()
                name="description"
                rows="4"
                autofocus=description.comes_first()
                aria-describedby=description.described_by()
                aria-invalid=move || description.invalid()
            >
                {initial.description.clone()}
            </textarea>
            <p class="hint" id=description.hint_id()>{m.room_description_hint()}</p>
            <Issue wrong=description />
        </div>
        <div class="field-pair">
            <SelectField
                wrong=wrong(Field::Category)
                name="category"
                label=m.room_category()
                options=CATEGORIES.iter().map(|code| ((*code).to_owned(), m.category(code))).collect()
                chosen=initial.category.clone()
            />
            <SelectField
                wrong=wrong(Field::Language)
                name="language"
                label=m.room_language()
                options=LANGUAGES.iter().map(|(tag, own)| ((*tag).to_owned(), (*own).to_owned())).collect()
                chosen=language_or_readers(&initial.language, m)
            />
        </div>
        <TextField
            wrong=wrong(Field::Tags)
            name="tags"
            label=m.room_tags()
            hint=m.room_tags_hint(TAGS_MAX)
            value=initial.tags.clone()
        />
        <VisibilityField wrong=wrong(Field::Visibility) chosen=initial.visibility.clone() />
    }
}

/// A new room speaks its maker's language unless told otherwise.
fn language_or_readers(chosen: &str, m: Messages) -> String {
    if chosen.is_empty() { m.locale().tag().to_owned() } else { chosen.to_owned() }
}

#[component]
fn SelectField(
    wrong: Wrong,
    name: &'static str,
    label: &'static str,
    /// Value and words of each.
    options: Vec<(String, String)>,
    chosen: String,
) -> impl IntoView {
    let m = use_messages();
    let known = options.iter().any(|(value, _)| *value == chosen);
    let options = options.into_iter().map(|(value, words)| {
        let selected = value == chosen;
        view! { <option value=value selected=selected>{words}</option> }
    });
    view! {
        <div class="field">
            <label for=wrong.id()>{label}</label>
            <select
                id=wrong.id()
                name=name
                autofocus=wrong.comes_first()
                aria-describedby=wrong.issue_id()
                aria-invalid=move || wrong.invalid()
            >
                <option value="" disabled=true selected=!known>{m.room_category_choose()}</option>
                {options.collect_view()}
            </select>
            <Issue wrong />
        </div>
    }
}

/// Who can find the room and get in.
#[component]
pub fn VisibilityField(wrong: Wrong, chosen: String) -> impl IntoView {
    let m = use_messages();
    // What is no choice yet is public, as the first of them.
    let known = ["unlisted", "password", "invitation"].contains(&chosen.as_str());
    let choice = |value: &'static str, words: &'static str, hint: &'static str| {
        let checked = chosen == value || value == "public" && !known;
        view! {
            <label class="choice">
                <input type="radio" name="visibility" value=value checked=checked />
                <span><b>{words}</b><small>{hint}</small></span>
            </label>
        }
    };
    view! {
        <fieldset class="field" id=wrong.id() tabindex="-1" aria-describedby=wrong.issue_id()>
            <legend>{m.room_visibility()}</legend>
            <div class="choices">
                {choice("public", m.room_public(), m.room_public_hint())}
                {choice("unlisted", m.room_unlisted(), m.room_unlisted_hint())}
                {choice("password", m.room_password(), m.room_password_hint())}
                {choice("invitation", m.room_invitation(), m.room_invitation_hint())}
            </div>
            <Issue wrong />
        </fieldset>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;

    #[test]
    fn typing_takes_reproaches_away_and_adds_none() {
        let issue = |field, problem| FieldIssue::new(field, problem);
        let before = [issue(Field::Name, Problem::Empty), issue(Field::Slug, Problem::Taken)];
        let now = vec![issue(Field::Name, Problem::Characters), issue(Field::Title, Problem::Empty)];
        assert_eq!(still_wrong(&before, now), [issue(Field::Name, Problem::Characters)]);
    }

    #[test]
    fn every_problem_is_a_sentence_in_each_language() {
        let problems = [
            Problem::Empty,
            Problem::TooShort { min: 3 },
            Problem::TooLong { max: 40 },
            Problem::Characters,
            Problem::TooMany { max: 5 },
            Problem::Taken,
            Problem::Reserved,
            Problem::NotAChoice,
            Problem::Wrong,
        ];
        for locale in Locale::ALL {
            for problem in problems {
                assert!(!issue_text(Messages::new(locale), FieldIssue::new(Field::Slug, problem)).is_empty());
            }
        }
        let issue = FieldIssue::new(Field::Title, Problem::TooLong { max: 100 });
        assert_eq!(issue_text(Messages::new(Locale::En), issue), "At most 100 characters, please.");
    }
}
