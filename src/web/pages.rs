//! Pages of the application, forms posted to them, and its server functions: each is handed what it needs and rendered whole.

use crate::{
    state::{Services, set_cookie},
    web::{Shared, client, policy, refusals::Refusal},
};
use axum::{
    body::Body,
    extract::{Form, State, rejection::FormRejection},
    http::{HeaderMap, Request, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use leptos::prelude::provide_context;
use madang_app::{
    ServerContext,
    posted::{FIELDS_MAX, Posted, PostedForm},
    shell,
};
use madang_domain::Person;

/// `GET` of a page.
pub async fn show(State(services): Shared, request: Request<Body>) -> Response {
    match who(&services, request.headers()).await {
        Ok(person) => render(services, request, person, None, Visitor::Known).await,
        Err(busy) => busy.answer(request.uri().path(), request.headers()),
    }
}

/// A form posted to a page by a browser without scripts: the page itself runs it, and is the answer.
pub async fn posted(
    State(services): Shared,
    parts: Parts,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let refuse = |refusal: Refusal| refusal.answer(parts.uri.path(), &parts.headers);
    let Form(fields) = match form {
        Ok(form) => form,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => return refuse(Refusal::TooLarge),
        Err(_) => return refuse(Refusal::Malformed),
    };
    let posted = if fields.len() > FIELDS_MAX { None } else { Posted::parse(parts.uri.path(), &fields) };
    let Some(posted) = posted else { return refuse(Refusal::Malformed) };
    let mut refusal = parts.extensions.get::<Refusal>().copied();
    let person = match who(&services, &parts.headers).await {
        Ok(person) => person,
        // The form for a new room looks the same whoever asks; a studio is its owner's.
        Err(busy) if matches!(posted, Posted::CreateRoom(_)) => {
            refusal = Some(busy);
            None
        }
        Err(busy) => return refuse(busy),
    };
    let form = match refusal {
        Some(refusal) => PostedForm::refused(posted, refusal.error()),
        None => PostedForm::new(posted),
    };
    let answer = render(services, Request::from_parts(parts, Body::empty()), person, Some(form), Visitor::Known).await;
    match refusal {
        Some(refusal) => refusal.mark(answer),
        None => answer,
    }
}

/// `/fn/…`, as the script calls it.
pub async fn server_fn(State(services): Shared, request: Request<Body>) -> Response {
    let person = match who(&services, request.headers()).await {
        Ok(person) => person,
        Err(busy) => return busy.answer(request.uri().path(), request.headers()),
    };
    let (domain, context) = (services.domain.clone(), context(&services, request.headers(), person));
    let provide = move || {
        provide_context(domain.clone());
        provide_context(context.clone());
    };
    leptos_axum::handle_server_fns_with_context(provide, request).await.into_response()
}

/// What no route answers: a file of the site, or the page that says there is nothing.
pub async fn asset_or_not_found(state: Shared, request: Request<Body>) -> Response {
    if let Some(asset) = state.assets.serve(request.uri().path(), request.headers()).await {
        return asset;
    }
    // What asked for a file that is not there is nobody: a cookie for it could take the place of the page's own.
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let visitor = if accepts.is_some_and(|list| list.contains("text/html")) { Visitor::Known } else { Visitor::Nobody };
    let services = state.0;
    match who(&services, request.headers()).await {
        Ok(person) => render(services, request, person, None, visitor).await,
        Err(busy) => busy.answer(request.uri().path(), request.headers()),
    }
}

/// Whether a browser without a cookie is given one with the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visitor {
    Known,
    Nobody,
}

async fn render(
    services: Services,
    request: Request<Body>,
    mut person: Option<Person>,
    posted: Option<PostedForm>,
    visitor: Visitor,
) -> Response {
    let mut cookie = None;
    if visitor == Visitor::Known
        && person.is_none()
        && let Some((visitor, set)) = services.visitor(request.headers())
    {
        // Whoever posts a form without scripts is this guest already: what the form makes is theirs.
        (person, cookie) = (Some(visitor), Some(set));
    }
    let context = context(&services, request.headers(), person);
    let (domain, names) = (services.domain.clone(), services.names.clone());
    let provide = move || {
        provide_context(domain.clone());
        provide_context(context.clone());
        if let Some(posted) = &posted {
            provide_context(posted.clone());
        }
    };
    // Pages that reload themselves under `cargo leptos watch` open a socket at another port.
    let guarded = names.watch.is_none();
    let page = move || {
        if guarded {
            policy::of_page();
        }
        shell(names.clone())
    };
    let mut response = leptos_axum::render_app_async_with_context(provide, page)(request).await;
    if let Some(cookie) = cookie {
        set_cookie(&mut response, cookie);
    }
    response
}

/// Who asks, or that storage is too busy to say.
async fn who(services: &Services, headers: &HeaderMap) -> Result<Option<Person>, Refusal> {
    services.person(headers).await.map_err(|error| {
        tracing::warn!(%error, "a request was not answered: who asks cannot be looked up");
        Refusal::Busy
    })
}

/// What the page or function may know of the request.
fn context(services: &Services, headers: &HeaderMap, person: Option<Person>) -> ServerContext {
    let public = &services.config.public;
    let rtmp_url = client::rtmp_url(headers, public, services.rtmp_port);
    ServerContext::new(person, client::locale(headers), client::origin(headers, public), rtmp_url)
}
