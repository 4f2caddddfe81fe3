//! A text made to be carried elsewhere: its name, the text, and a button that copies it. Rows of a `.kv` grid.

use crate::components::copy::CopyButton;
use leptos::prelude::*;
use madang_view::view;

/// One row. Without scripts a click selects the whole text (`user-select: all`).
#[component]
pub fn CopyRow(
    /// Of the text's element; its name is told by it.
    id: &'static str,
    /// What the text is: "Server".
    #[prop(into)]
    name: String,
    #[prop(into)] text: String,
    /// What a screen reader calls the button: "Copy the server address".
    #[prop(into)]
    copy: String,
) -> impl IntoView {
    let name_id = format!("{id}-name");
    view! {
        <span class="k" id=name_id.clone()>{name}</span>
        <code id=id aria-labelledby=name_id>{text.clone()}</code>
        <CopyButton text label=copy />
    }
}
