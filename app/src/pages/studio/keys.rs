//! The server's address and the stream keys: by name with their last use, a new one, replace, revoke. A key itself is shown once.

use super::act::{Desk, Done, Outcome};
use crate::{
    clock::use_clock,
    components::{
        copy_row::CopyRow,
        room_form::{Issue, Wrong},
    },
    i18n::{Messages, use_messages},
    posted::StudioAct,
};
use leptos::prelude::*;
use madang_protocol::{Field, UnixMillis, studio::StreamKeyInfo};

/// The key that was just made. Gone with the next thing done, and with the page.
#[component]
pub fn Fresh(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let fresh = Memo::new(move |_| match desk.outcome() {
        Outcome::Done(Done::Key(fresh)) => Some(fresh),
        _ => None,
    });
    move || {
        fresh.get().map(|fresh| {
            view! {
                <section class="panel fresh" role="status">
                    <h2>{m.studio_key_made(fresh.info.name)}</h2>
                    <div class="kv">
                        <CopyRow id="stream-key" name=m.room_key() text=fresh.stream_key copy=m.room_copy_key() />
                    </div>
                    <p class="once">{m.room_key_once()}</p>
                </section>
            }
        })
    }
}

/// Address, keys, and the form for a new one.
#[component]
pub fn Keys(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let path = format!("/rooms/{}/studio", desk.slug.get_value());
    let row_path = StoredValue::new(path.clone());
    let rows = move || {
        let keys = desk.keys.get();
        keys.into_iter().map(|key| view! { <KeyRow key_info=key path=row_path.get_value() /> }).collect_view()
    };
    let issues = desk.issues(|act| matches!(act, StudioAct::NewKey { .. }));
    let name = Wrong::new(Field::KeyName, issues);
    view! {
        <section class="panel">
            <h2>{m.studio_connect()}</h2>
            <div class="kv">
                <CopyRow id="server-url" name=m.room_server() text=desk.rtmp_url.get_value() copy=m.room_copy_server() />
            </div>
            <ul class="studio-keys" aria-label=m.studio_keys()>{rows}</ul>
            <form class="studio-new-key" method="post" action=path novalidate=true>
                <input type="hidden" name="do" value="new-key" />
                <div class="field">
                    <label for=name.id()>{m.studio_key_name()}</label>
                    <input
                        id=name.id()
                        name="name"
                        type="text"
                        autocomplete="off"
                        autofocus=name.comes_first()
                        aria-describedby=name.described_by()
                        aria-invalid=move || name.invalid()
                    />
                    <p class="hint" id=name.hint_id()>{m.studio_key_name_hint()}</p>
                    <Issue wrong=name />
                </div>
                <button type="submit" class="btn" aria-disabled=move || desk.busy.get().to_string()>{m.studio_key_new()}</button>
            </form>
            <p class="hint">{m.studio_key_hidden()}</p>
        </section>
    }
}

#[component]
fn KeyRow(key_info: StreamKeyInfo, path: String) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let revoked = key_info.revoked.is_some();
    let name = key_info.name.clone();
    let actions = (!revoked).then(|| {
        view! {
            <KeyForm does="rotate-key" path=path.clone() key_info=key_info.clone() words=m.studio_key_rotate() label=m.studio_key_rotate_label(&name) />
            <KeyForm does="revoke-key" path=path key_info=key_info.clone() words=m.studio_key_revoke() label=m.studio_key_revoke_label(&name) />
        }
    });
    let last = Memo::new(move |_| key_text(m, &key_info, |at| m.ago(clock.since(at))));
    view! {
        <li class:revoked=revoked>
            <div>
                <b>{name}</b>
                <small>{move || last.get()}</small>
            </div>
            {actions}
        </li>
    }
}

#[component]
fn KeyForm(
    does: &'static str,
    path: String,
    key_info: StreamKeyInfo,
    words: &'static str,
    label: String,
) -> impl IntoView {
    view! {
        <form method="post" action=path>
            <input type="hidden" name="do" value=does />
            <input type="hidden" name="key" value=key_info.id.to_string() />
            <button type="submit" class="btn small ghost" aria-label=label.clone() title=label>{words}</button>
        </form>
    }
}

/// When a key was last used or was revoked.
fn key_text(m: Messages, key: &StreamKeyInfo, ago: impl Fn(UnixMillis) -> String) -> String {
    match (&key.revoked, &key.last_use) {
        (Some(at), _) => m.studio_key_revoked(ago(*at)),
        (None, None) => m.studio_key_never().to_owned(),
        (None, Some(used)) if used.encoder.is_empty() => m.studio_key_used(ago(used.at), &used.from),
        (None, Some(used)) => m.studio_key_used_by(ago(used.at), &used.from, &used.encoder),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use madang_protocol::{KeyId, studio::KeyUse};

    #[test]
    fn a_key_tells_its_last_use() {
        let m = Messages::new(Locale::En);
        let text = |key: &StreamKeyInfo| key_text(m, key, |_| "an hour ago".to_owned());
        let unused = StreamKeyInfo {
            id: KeyId::from_random(2),
            name: "phone".into(),
            created: UnixMillis(0),
            last_use: None,
            revoked: None,
        };
        assert_eq!(text(&unused), "Never used");
        let last_use = Some(KeyUse { at: UnixMillis(1), from: "203.0.113.9".into(), encoder: "OBS 31.0".into() });
        let used = StreamKeyInfo { last_use, ..unused };
        assert_eq!(text(&used), "Last used an hour ago from 203.0.113.9 with OBS 31.0");
        assert_eq!(text(&StreamKeyInfo { revoked: Some(UnixMillis(2)), ..used }), "Revoked an hour ago");
    }
}
