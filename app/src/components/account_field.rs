//! A field of an account's form: a name, a password, an invitation. What is wrong with it is the server's to say.

use crate::components::room_form::{Issue, Wrong};
use leptos::prelude::*;
use madang_protocol::{Field, FieldIssue};
use madang_view::view;

/// Label, control, hint, and what is wrong with it.
#[component]
pub fn AccountField(
    field: Field,
    /// What the last try said.
    issues: Signal<Vec<FieldIssue>>,
    /// What it is sent as.
    name: &'static str,
    label: &'static str,
    /// `text`, `number` or `password`.
    kind: &'static str,
    /// Told to the browser's password manager.
    autocomplete: &'static str,
    #[prop(optional, into)] value: String,
    #[prop(optional, into)] hint: String,
    /// Whether the page opens with the focus here, unless another field is wrong.
    #[prop(optional)]
    first: bool,
    /// Whether it may be left empty.
    #[prop(optional)]
    optional: bool,
) -> impl IntoView {
    let wrong = Wrong::new(field, issues);
    let focus = wrong.comes_first() || (first && issues.with_untracked(Vec::is_empty));
    view! {
        <div class="field">
            <label for=wrong.id()>{label}</label>
            <input
                id=wrong.id()
                name=name
                type=kind
                value=value
                required=!optional
                autocapitalize="none"
                spellcheck="false"
                autocomplete=autocomplete
                autofocus=focus
                aria-describedby=wrong.described_by()
                aria-invalid=move || wrong.invalid()
            />
            <p class="hint" id=wrong.hint_id()>{hint}</p>
            <Issue wrong />
        </div>
    }
}
