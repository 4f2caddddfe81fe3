//! The document around the app. Written by hand and not with leptos' `HydrationScripts`, which reads a file on each render.

use crate::{
    App,
    clock::NOW_ATTRIBUTE,
    context::{ME_ATTRIBUTE, ServerContext},
    i18n::Messages,
    route::is_room,
    words::open_graph_locale,
};
use leptos::{WasmSplitManifest, nonce::use_nonce, prelude::*};
use leptos_meta::MetaTags;
use std::{collections::HashMap, sync::Arc};

/// The names of the built files under `/pkg/`, found once at the server's start.
#[derive(Clone, Debug)]
pub struct AssetNames {
    pub js: Arc<str>,
    pub wasm: Arc<str>,
    pub css: Arc<str>,
    /// `None` where the front end is one whole.
    pub parts: Option<Arc<Parts>>,
    /// Given under `cargo leptos watch`, where pages reload themselves when something was rebuilt.
    pub watch: Option<LeptosOptions>,
}

impl AssetNames {
    /// The names without hashes, as a development build has them.
    pub fn plain(output_name: &str) -> Self {
        let name = |end: &str| Arc::from(format!("{output_name}.{end}"));
        Self { js: name("js"), wasm: name("wasm"), css: name("css"), parts: None, watch: None }
    }
}

/// What the front end was split into.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The script that loads them.
    pub script: String,
    /// For each page with a part of its own, by the name that the compiler gave it: the files to load, without `.wasm`.
    pub files: HashMap<String, Vec<String>>,
}

/// The whole page: the document's head, and the app in its body.
///
/// Takes the request's [`ServerContext`] and the nonce from context. Beside scripts and styles of this site the page needs one
/// inline script, which carries the nonce, and `wasm-unsafe-eval`; it has no inline styles.
pub fn shell(assets: AssetNames) -> impl IntoView {
    let (basics, style) = (basics(), style(&assets));
    let loader = assets.parts.as_ref().map(|parts| format!("/pkg/{}", parts.script));
    if let Some(parts) = assets.parts {
        // From it `leptos` takes which files the page that is shown wants preloaded.
        let manifest = ("/pkg".to_owned(), parts.files.clone(), parts.script.clone());
        provide_context(WasmSplitManifest(ArcStoredValue::new(manifest)));
    }
    let context = use_context::<ServerContext>();
    let locale = context.as_ref().map(|c| c.locale).unwrap_or_default();
    let now = context.as_ref().map(|c| c.now).unwrap_or_default();
    let (js, wasm) = (format!("/pkg/{}", assets.js), format!("/pkg/{}", assets.wasm));
    let start = format!("import({js:?}).then(m=>m.default({{module_or_path:{wasm:?}}}).then(()=>m.hydrate()))");
    debug_assert_eq!((NOW_ATTRIBUTE, ME_ATTRIBUTE), ("data-now", "data-me"));
    let me = context.as_ref().and_then(ServerContext::me);
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() data-now=now.0.to_string() data-me=me>
            <head>
                {basics}
                {open_graph("og:site_name", Messages::new(locale).site_name())}
                {(!is_room()).then(|| open_graph("og:type", "website"))}
                {open_graph("og:locale", open_graph_locale(locale))}
                // A script after a style waits for it, and the stream is asked for by one of these.
                <MetaTags />
                {style}
                <link rel="modulepreload" href=js />
                {loader.map(|loader| view! { <link rel="modulepreload" href=loader /> })}
                <link rel="preload" href=wasm r#as="fetch" crossorigin="anonymous" />
                <script type="module" nonce=use_nonce()>
                    {start}
                </script>
                {assets.watch.map(|options| view! { <AutoReload options=options /> })}
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// What every document's head begins with, scripts or none.
pub fn basics() -> impl IntoView {
    view! {
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover, interactive-widget=resizes-content" />
        <meta name="color-scheme" content="dark light" />
        {theme_color("(prefers-color-scheme: dark)", "#0d0f14")}
        {theme_color("(prefers-color-scheme: light)", "#fbf9f7")}
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
    }
}

/// The style of every document.
pub fn style(assets: &AssetNames) -> impl IntoView + use<> {
    let css = format!("/pkg/{}", assets.css);
    view! { <link rel="stylesheet" href=css /> }
}

fn theme_color(media: &'static str, content: &'static str) -> impl IntoView {
    leptos::html::meta().attr("name", "theme-color").attr("media", media).content(content)
}

/// What is the same on every page; each page adds its own title and address.
fn open_graph(property: &'static str, content: &'static str) -> impl IntoView {
    leptos::html::meta().attr("property", property).content(content)
}
