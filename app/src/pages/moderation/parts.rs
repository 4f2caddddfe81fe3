//! The panels of the moderation page.

use super::act::{Bench, Outcome};
use crate::{chat::words, clock::use_clock, components::time::Ago, i18n::use_messages};
use leptos::{html, prelude::*};
use madang_protocol::chat::{FILTER_WORDS_MAX, Role, SLOW_MAX_S};
use madang_view::view;

/// What became of the last thing done, read out when it changes; and the button that undoes it.
#[component]
pub fn Notice(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let words = Signal::derive(move || match bench.outcome.get() {
        None => String::new(),
        Some(Outcome::Done(_)) => m.chat_action_done().to_owned(),
        Some(Outcome::Refused(reason)) => words::refusal(m, reason).to_owned(),
        Some(Outcome::Tested(Some(word))) => m.mod_test_found(word),
        Some(Outcome::Tested(None)) => m.mod_test_free().to_owned(),
        Some(Outcome::Failed(error)) => m.studio_failed(m.error(&error)),
    });
    let good =
        Signal::derive(move || bench.outcome.with(|o| !matches!(o, Some(Outcome::Refused(_) | Outcome::Failed(_)))));
    let bad = Signal::derive(move || !good.get());
    let none = Signal::derive(move || bench.outcome.with(Option::is_none));
    let action = Signal::derive(move || match bench.outcome.get() {
        Some(Outcome::Done(Some(action))) => action.to_string(),
        _ => String::new(),
    });
    let nothing = Signal::derive(move || action.get().is_empty());
    view! {
        <div role="status" aria-live="polite" class="studio-notice">
            <p class:form-note=good class:form-wrong=bad hidden=none>{words}</p>
            <form method="post" action=bench.path() hidden=nothing>
                <input type="hidden" name="do" value="undo" />
                <input type="hidden" name="action" prop:value=action value=action />
                <button type="submit" class="btn small">{m.chat_undo()}</button>
            </form>
        </div>
    }
}

/// Puts what is in force into a field when it changes, as after Undo; what is typed or ticked there stays until then.
fn follow<T: Clone + PartialEq + Send + Sync + 'static>(of: Memo<T>, put: impl Fn(&T) + 'static) {
    Effect::new(move |before: Option<T>| {
        let now = of.get();
        if before.is_some() {
            put(&now);
        }
        now
    });
}

/// Who may write, and how.
#[component]
pub fn Modes(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let modes = Memo::new(move |_| bench.view.with(|view| view.modes));
    let slow = Memo::new(move |_| modes.with(|modes| modes.slow_s.to_string()));
    let slow_field = NodeRef::<html::Input>::new();
    follow(slow, move |slow| {
        if let Some(field) = slow_field.get_untracked() {
            field.set_value(slow);
        }
    });
    let check = |name: &'static str, is: fn(&madang_protocol::chat::Modes) -> bool, words: &'static str| {
        let (on, field) = (Memo::new(move |_| modes.with(is)), NodeRef::<html::Input>::new());
        follow(on, move |on| {
            if let Some(field) = field.get_untracked() {
                field.set_checked(*on);
            }
        });
        view! {
            <label class="choice">
                <input type="checkbox" name=name value="on" checked=on.get_untracked() node_ref=field />
                <span>{words}</span>
            </label>
        }
    };
    view! {
        <section class="panel">
            <h2>{m.mod_modes()}</h2>
            <form class="form" method="post" action=bench.path()>
                <input type="hidden" name="do" value="modes" />
                <div class="field">
                    <label for="mod-slow">{m.mod_slow()}</label>
                    <input id="mod-slow" name="slow" type="number" min="0" max=SLOW_MAX_S.to_string() value=slow.get_untracked() node_ref=slow_field />
                    <p class="hint">{m.mod_slow_hint(SLOW_MAX_S)}</p>
                </div>
                <div class="choices">
                    {check("accounts", |modes| modes.accounts_only, m.mod_accounts())}
                    {check("no-links", |modes| !modes.links, m.mod_links())}
                    {check("unique", |modes| modes.unique, m.mod_unique())}
                    {check("closed", |modes| modes.closed, m.mod_closed())}
                </div>
                <button type="submit" class="btn">{m.studio_save()}</button>
            </form>
        </section>
    }
}

/// Words that no message may hold, and a box to try a text.
#[component]
pub fn Filter(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let list = Memo::new(move |_| bench.view.with(|view| view.filter.join("\n")));
    let words_field = NodeRef::<html::Textarea>::new();
    follow(list, move |list| {
        if let Some(field) = words_field.get_untracked() {
            field.set_value(list);
        }
    });
    view! {
        <section class="panel">
            <h2>{m.mod_filter()}</h2>
            <form class="form" method="post" action=bench.path()>
                <input type="hidden" name="do" value="filter" />
                <div class="field">
                    <label for="mod-words">{m.mod_words()}</label>
                    <textarea id="mod-words" name="words" rows="5" spellcheck="false" node_ref=words_field>{list.get_untracked()}</textarea>
                    <p class="hint">{m.mod_words_hint(FILTER_WORDS_MAX)}</p>
                </div>
                <button type="submit" class="btn">{m.studio_save()}</button>
            </form>
            <form class="moderation-line" method="post" action=bench.path()>
                <input type="hidden" name="do" value="test-filter" />
                <div class="field">
                    <label for="mod-test">{m.mod_test()}</label>
                    <input id="mod-test" name="text" type="text" autocomplete="off" />
                </div>
                <button type="submit" class="btn">{m.mod_test_go()}</button>
            </form>
        </section>
    }
}

/// Who moderates. The owner changes it.
#[component]
pub fn Moderators(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let owner = bench.view.with_untracked(|view| view.role == Role::Owner);
    let rows = move || {
        let row = |author: madang_protocol::chat::Author| {
            let remove = owner.then(
                || view! { <Act bench does="remove-moderator" person=author.id.to_string() words=m.mod_remove() /> },
            );
            view! { <li><div><b>{words::author(m, &author)}</b></div>{remove}</li> }
        };
        bench.view.get().moderators.into_iter().map(row).collect_view()
    };
    let none = Signal::derive(move || bench.view.with(|view| !view.moderators.is_empty()));
    let add = owner.then(|| {
        view! {
            <form class="moderation-line" method="post" action=bench.path()>
                <input type="hidden" name="do" value="add-moderator" />
                <div class="field">
                    <label for="mod-add">{m.mod_add()}</label>
                    <input id="mod-add" name="name" type="text" required=true autocomplete="off" placeholder="ana#4f2" />
                </div>
                <button type="submit" class="btn">{m.mod_add_go()}</button>
            </form>
        }
    });
    view! {
        <section class="panel">
            <h2>{m.mod_moderators()}</h2>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=none>{m.mod_moderators_none()}</p>
            {add}
        </section>
    }
}

/// Who cannot write, and the form that adds somebody.
#[component]
pub fn Bans(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let rows = move || {
        let row = |ban: madang_protocol::chat::BanRecord| {
            let why = move || words::muted(m, &ban.muted, clock.now());
            view! {
                <li>
                    <div>
                        <b>{words::author(m, &ban.whom)}</b>
                        <small>{why}" · "{m.mod_by(words::name(m, &ban.by, ""))}" · "<Ago at=ban.at /></small>
                    </div>
                    <Act bench does="unban" person=ban.whom.id.to_string() words=m.chat_unban() />
                </li>
            }
        };
        bench.view.get().bans.into_iter().map(row).collect_view()
    };
    let none = Signal::derive(move || bench.view.with(|view| !view.bans.is_empty()));
    let lengths =
        [("600", m.chat_minutes(10)), ("3600", m.chat_hours(1)), ("86400", m.chat_days(1)), ("604800", m.chat_days(7))];
    view! {
        <section class="panel">
            <h2>{m.mod_bans()}</h2>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=none>{m.mod_bans_none()}</p>
            <form class="form" method="post" action=bench.path()>
                <input type="hidden" name="do" value="ban" />
                <div class="field-pair">
                    <div class="field">
                        <label for="mod-ban">{m.mod_ban_whom()}</label>
                        <input id="mod-ban" name="name" type="text" required=true autocomplete="off" placeholder="ana#4f2" />
                    </div>
                    <div class="field">
                        <label for="mod-ban-for">{m.mod_ban_for()}</label>
                        <select id="mod-ban-for" name="seconds">
                            <option value="">{m.mod_ban_ever()}</option>
                            {lengths.map(|(value, words)| view! { <option value=value>{words}</option> })}
                        </select>
                    </div>
                </div>
                <div class="field">
                    <label for="mod-ban-why">{m.mod_reason()}</label>
                    <input id="mod-ban-why" name="reason" type="text" autocomplete="off" />
                </div>
                <button type="submit" class="btn danger">{m.chat_ban()}</button>
            </form>
        </section>
    }
}

/// What was done, the newest first.
#[component]
pub fn Actions(bench: Bench) -> impl IntoView {
    let m = use_messages();
    let rows = move || {
        let row = |action: madang_protocol::chat::ActionRecord| {
            let said = words::action(m, &action);
            let about = (!action.message.is_empty()).then(|| view! { <q>{action.message.clone()}</q> });
            let undone = action.undone.then(|| m.mod_undone());
            view! {
                <li class:revoked=action.undone>
                    <div><span>{said}</span> {about} <small><Ago at=action.at />" "{undone}</small></div>
                </li>
            }
        };
        bench.view.get().actions.into_iter().map(row).collect_view()
    };
    let none = Signal::derive(move || bench.view.with(|view| !view.actions.is_empty()));
    view! {
        <section class="panel moderation-log">
            <h2>
                {m.mod_log()}
                <a class="btn small ghost" href=format!("{}/log.csv", bench.path()) download="" rel="external">{m.mod_export()}</a>
            </h2>
            <ul class="studio-keys">{rows}</ul>
            <p class="hint" hidden=none>{m.mod_log_none()}</p>
        </section>
    }
}

/// A form of one button, about somebody.
#[component]
fn Act(bench: Bench, does: &'static str, person: String, words: &'static str) -> impl IntoView {
    view! {
        <form method="post" action=bench.path()>
            <input type="hidden" name="do" value=does />
            <input type="hidden" name="person" value=person />
            <button type="submit" class="btn small ghost">{words}</button>
        </form>
    }
}
