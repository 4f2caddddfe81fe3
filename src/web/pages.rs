//! Pages of the application, forms posted to them, and its server functions: each is handed what it needs and rendered whole.

use crate::{
    state::{Services, set_cookie},
    web::{Shared, client},
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
    i18n::Locale,
    posted::{FIELDS_MAX, Posted, PostedForm},
    shell,
};

/// The cookie that holds a chosen language.
const LANGUAGE_COOKIE: &str = "lang";

/// `GET` of a page.
pub async fn show(State(services): Shared, request: Request<Body>) -> Response {
    render(services, request, None, Visitor::Known).await
}

/// A form posted to a page by a browser without scripts: the page itself runs it, and is the answer.
pub async fn posted(
    State(services): Shared,
    parts: Parts,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Form(fields) = match form {
        Ok(form) => form,
        Err(rejection) => return rejection.into_response(),
    };
    if fields.len() > FIELDS_MAX {
        return (StatusCode::UNPROCESSABLE_ENTITY, "This form has more fields than any of ours.\n").into_response();
    }
    let Some(posted) = Posted::parse(parts.uri.path(), &fields) else {
        return (StatusCode::UNPROCESSABLE_ENTITY, "This page has no such form.\n").into_response();
    };
    render(services, Request::from_parts(parts, Body::empty()), Some(PostedForm::new(posted)), Visitor::Known).await
}

/// `/fn/…`, as the script calls it.
pub async fn server_fn(State(services): Shared, request: Request<Body>) -> Response {
    let context = match context(&services, request.headers()).await {
        Ok(context) => context,
        Err(busy) => return busy,
    };
    let domain = services.domain.clone();
    let provide = move || {
        provide_context(domain.clone());
        provide_context(context.clone());
    };
    leptos_axum::handle_server_fns_with_context(provide, request).await.into_response()
}

/// What no route answers: a file of the site, or the page that says there is nothing.
pub async fn asset_or_not_found(State(services): Shared, request: Request<Body>) -> Response {
    if let Some(asset) = services.assets.serve(request.uri().path(), request.headers()).await {
        return asset;
    }
    // What asked for a file that is not there is nobody: a cookie for it could take the place of the page's own.
    let accepts = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let visitor = if accepts.is_some_and(|list| list.contains("text/html")) { Visitor::Known } else { Visitor::Nobody };
    render(services, request, None, visitor).await
}

/// Whether a browser without a cookie is given one with the page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Visitor {
    Known,
    Nobody,
}

async fn render(services: Services, request: Request<Body>, posted: Option<PostedForm>, visitor: Visitor) -> Response {
    let mut context = match context(&services, request.headers()).await {
        Ok(context) => context,
        Err(busy) => return busy,
    };
    let mut cookie = None;
    if visitor == Visitor::Known
        && context.person.is_none()
        && let Some((person, set)) = services.visitor(request.headers())
    {
        // Whoever posts a form without scripts is this guest already: what the form makes is theirs.
        (context.person, cookie) = (Some(person), Some(set));
    }
    let (domain, names) = (services.domain.clone(), services.names.clone());
    let provide = move || {
        provide_context(domain.clone());
        provide_context(context.clone());
        if let Some(posted) = &posted {
            provide_context(posted.clone());
        }
    };
    let mut response = leptos_axum::render_app_async_with_context(provide, move || shell(names.clone()))(request).await;
    if let Some(cookie) = cookie {
        set_cookie(&mut response, cookie);
    }
    response
}

/// What the page or function may know of the request, or the answer that storage is too busy to say who asks.
async fn context(services: &Services, headers: &HeaderMap) -> Result<ServerContext, Response> {
    let public = &services.config.public;
    let accept_language = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let locale = Locale::negotiate(client::cookie(headers, LANGUAGE_COOKIE), accept_language);
    let person = services.person(headers).await.map_err(|error| {
        tracing::warn!(%error, "a request was not answered: who asks cannot be looked up");
        (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "2")], "The server is busy. Try again in a moment.\n")
            .into_response()
    })?;
    let rtmp_url = client::rtmp_url(headers, public, services.rtmp_port);
    Ok(ServerContext::new(person, locale, client::origin(headers, public), rtmp_url))
}
