//! A button that copies a text, and says so.

use crate::{
    components::icons::{Icon, Shape},
    i18n::use_messages,
};
use leptos::prelude::*;
use madang_view::view;

/// Copies `text`. Hidden where scripts are off (`.scripted`), since it could do nothing there.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What a screen reader calls the button: "Copy the server address".
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let messages = use_messages();
    // `None` until pressed; then whether it worked, for two seconds.
    let outcome = RwSignal::new(None::<bool>);
    let press = move |_| copy(text.get_untracked(), outcome);
    let word = move || match outcome.get() {
        None => messages.copy(),
        Some(true) => messages.copied(),
        Some(false) => messages.copy_failed(),
    };
    let shape = move || if outcome.get() == Some(true) { Shape::Check } else { Shape::Copy };
    view! {
        <button type="button" class="btn small copy scripted" aria-label=label on:click=press>
            {move || view! { <Icon of=shape() /> }}
            <span aria-live="polite">{word}</span>
        </button>
    }
}

#[cfg(feature = "hydrate")]
fn copy(text: String, outcome: RwSignal<Option<bool>>) {
    leptos::task::spawn_local(async move {
        let worked = write(&text).await;
        outcome.try_set(Some(worked));
        crate::listen::sleep(2_000).await;
        outcome.try_set(None);
    });
}

#[cfg(not(feature = "hydrate"))]
fn copy(_text: String, _outcome: RwSignal<Option<bool>>) {}

/// The clipboard exists on secure origins only; a server on the local network without TLS gets the older way.
#[cfg(feature = "hydrate")]
pub(crate) async fn write(text: &str) -> bool {
    if window().is_secure_context() {
        let promise = window().navigator().clipboard().write_text(text);
        if wasm_bindgen_futures::JsFuture::from(promise).await.is_ok() {
            return true;
        }
    }
    write_by_selection(text).unwrap_or(false)
}

#[cfg(feature = "hydrate")]
fn write_by_selection(text: &str) -> Option<bool> {
    use wasm_bindgen::JsCast;
    let document = document();
    let field = document.create_element("input").ok()?.dyn_into::<web_sys::HtmlInputElement>().ok()?;
    field.set_class_name("offscreen");
    field.set_value(text);
    document.body()?.append_child(&field).ok()?;
    field.select();
    let copied = document.dyn_into::<web_sys::HtmlDocument>().ok().and_then(|d| d.exec_command("copy").ok());
    field.remove();
    copied
}
