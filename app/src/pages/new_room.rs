//! Making a room. A plain form: posted without scripts, the page itself runs it and answers with the result; with scripts the same
//! happens in place. The key is in that one answer, and never in an address.

use crate::{
    ApiError,
    codec::page_data,
    components::{
        copy_row::CopyRow,
        form_fields,
        room_form::{RoomFields, focus_first_wrong, still_wrong},
    },
    context::{set_status, use_me, use_origin},
    head::{self, page_title},
    i18n::use_messages,
    posted::Posted,
    realtime::use_realtime,
    server::rooms::{CreatedRoom, RoomMaker, create_room, room_maker},
};
use leptos::{either::Either, ev, html, prelude::*};
use leptos_meta::Meta;
use madang_protocol::wire::Wire;
use madang_protocol::{FieldIssue, rooms::RoomForm};
use madang_view::view;
use serde::{Deserialize, Serialize};

/// The page's path, which its form posts to as well.
const PATH: &str = "/rooms/new";

/// The page as it opens: a form to fill in, or what became of a posted one.
#[derive(Clone, Debug, Serialize, Deserialize, Wire)]
struct Opening {
    form: RoomForm,
    maker: RoomMaker,
    result: Option<Result<CreatedRoom, ApiError>>,
}

/// Runs the posted form, if this page is the answer to one.
async fn open() -> Opening {
    // A name that cannot be had is typed again, and whether somebody may is asked again when the room is made.
    let maker = room_maker().await.unwrap_or(RoomMaker { may: true, ..RoomMaker::default() });
    if !maker.may {
        set_status(403);
    }
    #[cfg(feature = "ssr")]
    if let Some((Posted::CreateRoom(form), allowed)) = use_context::<crate::posted::PostedForm>()
        .and_then(|posted| posted.take_if(|posted| matches!(posted, Posted::CreateRoom(_))))
    {
        let result = match allowed {
            Ok(()) => create_room(form.clone()).await,
            Err(refused) => Err(refused),
        };
        return Opening { form, maker, result: Some(result) };
    }
    Opening { form: RoomForm { owner_name: maker.name.clone(), ..RoomForm::default() }, maker, result: None }
}

#[component]
pub fn NewRoomPage() -> impl IntoView {
    let m = use_messages();
    let opening = page_data(String::new, |_| open());
    view! {
        {page_title(move || m.room_new_title().to_owned())}
        {head::tag(|| view! { <Meta name="robots" content="noindex" /> })}
        <Suspense fallback=|| view! { <div class="form-page"></div> }>
            {move || Suspend::new(async move { view! { <NewRoom opening=opening.await /> } })}
        </Suspense>
    }
}

#[component]
fn NewRoom(opening: Opening) -> impl IntoView {
    let Opening { form, maker, result } = opening;
    if !maker.may {
        return Either::Right(view! { <NotAllowed maker /> });
    }
    let created = RwSignal::new(None::<CreatedRoom>);
    let refused = RwSignal::new(None::<ApiError>);
    match result {
        Some(Ok(room)) => created.set(Some(room)),
        Some(Err(error)) => refused.set(Some(error)),
        None => {}
    }
    let form = StoredValue::new(form);
    // A form that is refused stays as it is; only a room that was made takes its place.
    let shown = move || match created.get() {
        Some(room) => Either::Left(view! { <Created room /> }),
        None => Either::Right(view! { <CreateForm initial=form.get_value() created refused /> }),
    };
    Either::Left(shown)
}

/// Somebody who may not make rooms here, or not yet.
#[component]
fn NotAllowed(maker: RoomMaker) -> impl IntoView {
    let m = use_messages();
    let by_account = use_me().is_none() && maker.account_may;
    let (title, next) = if by_account {
        (m.account_make_rooms(), m.account_make_rooms_next())
    } else {
        (m.account_make_rooms_not(), m.account_make_rooms_not_next())
    };
    let ways = use_me().is_none().then(|| {
        view! {
            <a class="btn main" href="/login?next=/rooms/new" rel="external">{m.account_log_in()}</a>
            <a class="btn ghost" href="/register?next=/rooms/new" rel="external">{m.account_register()}</a>
        }
    });
    view! {
        <section class="wrap empty">
            <h1>{title}</h1>
            <p>{next}</p>
            {ways}
        </section>
    }
}

#[component]
fn CreateForm(
    initial: RoomForm,
    created: RwSignal<Option<CreatedRoom>>,
    refused: RwSignal<Option<ApiError>>,
) -> impl IntoView {
    let m = use_messages();
    let issues: Signal<Vec<FieldIssue>> =
        Memo::new(move |_| refused.with(|e| e.as_ref().map(|e| e.issues().to_vec()).unwrap_or_default())).into();
    let realtime = use_realtime();
    let create = Action::new(move |form: &RoomForm| {
        let form = form.clone();
        async move {
            match create_room(form).await {
                Ok(room) => {
                    // Whoever makes a first room has just become somebody: the channel has to know its owner.
                    realtime.reconnect();
                    let _ = created.try_set(Some(room));
                }
                Err(error) => {
                    focus_first_wrong(error.issues());
                    let _ = refused.try_set(Some(error));
                }
            }
        }
    });
    let pending = create.pending();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        if pending.get_untracked() {
            return;
        }
        let Some(Posted::CreateRoom(form)) = form_fields::posted(&event, PATH) else { return };
        refused.set(None);
        match form.check() {
            Ok(_) => drop(create.dispatch(form)),
            Err(issues) => {
                focus_first_wrong(&issues);
                refused.set(Some(ApiError::Invalid(issues)));
            }
        }
    };
    let typed = move |event: ev::Event| {
        let before = issues.get_untracked();
        if before.is_empty() {
            return;
        }
        let Some(Posted::CreateRoom(form)) = form_fields::posted(&event, PATH) else { return };
        let left = still_wrong(&before, form.check().err().unwrap_or_default());
        refused.set((!left.is_empty()).then_some(ApiError::Invalid(left)));
    };
    let wrong = move || {
        let count = issues.with(Vec::len) as u64;
        if count > 0 {
            m.room_issues(count)
        } else {
            refused.with(|e| e.as_ref().map(|e| m.error(e)).unwrap_or_default())
        }
    };
    let origin = use_origin();
    let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
    view! {
        <div class="form-page">
            <h1>{m.room_new_title()}</h1>
            <p class="lead">{m.room_new_lead()}</p>
            <form class="form" method="post" action=PATH novalidate=true on:submit=submit on:input=typed>
                <p class="form-wrong" role="alert" hidden=move || refused.with(Option::is_none)>{wrong}</p>
                <RoomFields initial issues creating=true slug_prefix=format!("{host}/rooms/") />
                <div class="form-foot">
                    <button type="submit" class="btn main" aria-disabled=move || pending.get().to_string()>
                        {move || if pending.get() { m.room_creating() } else { m.room_create() }}
                    </button>
                </div>
            </form>
        </div>
    }
}

#[component]
fn Created(room: CreatedRoom) -> impl IntoView {
    let m = use_messages();
    let heading = NodeRef::<html::H1>::new();
    // The form that had the focus is gone: readers of the screen go on here.
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
    // Whoever has made a room is in its chat from then on; the studio takes over from here.
    let _joined = use_realtime().talk(&room.slug);
    let page = format!("/rooms/{}", room.slug);
    view! {
        <div class="form-page">
            <h1 node_ref=heading tabindex="-1">{m.room_done_title()}</h1>
            <p class="lead">{m.room_done_lead()}</p>
            <div class="done">
                <section class="panel">
                    <div class="kv">
                        <CopyRow id="server-url" name=m.room_server() text=room.rtmp_url copy=m.room_copy_server() />
                        <CopyRow id="stream-key" name=m.room_key() text=room.stream_key copy=m.room_copy_key() />
                    </div>
                    <p class="once">{m.room_key_once()}</p>
                    <p class="hint">{m.room_key_lost()}</p>
                </section>
                <section class="panel">
                    <h2>{m.room_recipe()}</h2>
                    <Recipe />
                </section>
                <div class="form-foot">
                    <a class="btn main" href=format!("{page}/studio")>{m.room_done_studio()}</a>
                    <a class="btn ghost" href=page>{m.room_done_room()}</a>
                </div>
            </div>
        </div>
    }
}

/// What to set in OBS, with values.
#[component]
pub fn Recipe() -> impl IntoView {
    let m = use_messages();
    view! {
        <ol class="recipe">
            <li>{m.room_recipe_service()}</li>
            <li>{m.room_recipe_output()}</li>
            <li>{m.room_recipe_codec()}</li>
            <li>{m.room_recipe_audio()}</li>
            <li>{m.room_recipe_start()}</li>
        </ol>
    }
}
