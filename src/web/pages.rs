//! Pages of the application, forms posted to them, and its server functions: each is handed what it needs and rendered whole.

use crate::{
    state::{Asker, Services, set_cookie},
    web::{
        Peer, Shared, accounts, client,
        headers::{PageNonce, PlainPage},
        refusals::Refusal,
    },
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Form, State, rejection::FormRejection},
    http::{Extensions, HeaderMap, HeaderValue, Request, StatusCode, Version, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use leptos::{nonce::use_nonce, prelude::provide_context};
use madang_app::{
    ServerContext,
    context::{PERSON_COOKIE, SETUP_COOKIE},
    plain,
    posted::{FIELDS_MAX, Posted, PostedForm},
    shell,
};
use std::sync::{Arc, OnceLock};
use tower_http::{
    CompressionLevel,
    compression::{CompressionLayer, Predicate},
};

/// `GET` of a page.
pub async fn show(State(services): Shared, request: Request<Body>) -> Response {
    if let Some(answer) = accounts::set_up_link(&services, request.uri(), request.headers()) {
        return answer;
    }
    match who(&services, request.extensions(), request.headers()).await {
        Ok(asker) if plain::is_plain(request.uri().path()) => render_plain(services, request, asker, None).await,
        Ok(asker) => {
            let mut page = render(services, request, asker, None, Visitor::Known).await;
            page.extensions_mut().insert(ReadOnly);
            page
        }
        Err(busy) => busy.answer(request.uri().path(), request.headers()),
    }
}

/// Of brotli and of deflate: a page is 7 % less by brotli than by deflate at its best.
const COMPRESSION: i32 = 5;

/// A page that was only read: there is no secret in it whose letters its length could give away, as there may be in the answer to a form.
#[derive(Clone, Copy)]
pub struct ReadOnly;

/// What compresses pages that were only read, and nothing else: files are compressed when they are built, and answers with secrets never.
/// Quickly: the last hundredths would cost half a millisecond, and that is all of a page's time.
pub fn compression() -> CompressionLayer<impl Predicate> {
    let read_only =
        |_: StatusCode, _: Version, _: &HeaderMap, extensions: &Extensions| extensions.get::<ReadOnly>().is_some();
    CompressionLayer::new().quality(CompressionLevel::Precise(COMPRESSION)).compress_when(read_only)
}

/// A form posted to a page by a browser without scripts: the page itself runs it, and is the answer.
pub async fn posted(
    State(services): Shared,
    parts: Parts,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let refuse = |refusal: Refusal| refusal.answer(parts.uri.path(), &parts.headers);
    let Ok(Form(fields)) = form else { return refuse(Refusal::Malformed) };
    let posted = if fields.len() > FIELDS_MAX { None } else { Posted::parse(parts.uri.path(), &fields) };
    let Some(posted) = posted else { return refuse(Refusal::Malformed) };
    let mut refusal = parts.extensions.get::<Refusal>().copied();
    let asker = match who(&services, &parts.extensions, &parts.headers).await {
        Ok(asker) => asker,
        // The form for a new room looks the same whoever asks; a studio is its owner's.
        Err(busy) if matches!(posted, Posted::CreateRoom(_)) => {
            refusal = Some(busy);
            Asker::default()
        }
        Err(busy) => return refuse(busy),
    };
    let form = match refusal {
        Some(refusal) => PostedForm::refused(posted, refusal.error()),
        None => PostedForm::new(posted),
    };
    let request = Request::from_parts(parts, Body::empty());
    let answer = if plain::is_plain(request.uri().path()) {
        render_plain(services, request, asker, Some(form)).await
    } else {
        render(services, request, asker, Some(form), Visitor::Known).await
    };
    match refusal {
        Some(refusal) => refusal.mark(answer),
        None => answer,
    }
}

/// `/fn/…`, as the script calls it.
pub async fn server_fn(State(services): Shared, request: Request<Body>) -> Response {
    let asker = match who(&services, request.extensions(), request.headers()).await {
        Ok(asker) => asker,
        Err(busy) => return busy.answer(request.uri().path(), request.headers()),
    };
    let (domain, context) = (services.domain.clone(), context(&services, &request, asker));
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
    match who(&services, request.extensions(), request.headers()).await {
        Ok(asker) => render(services, request, asker, None, visitor).await,
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
    mut asker: Asker,
    posted: Option<PostedForm>,
    visitor: Visitor,
) -> Response {
    let mut cookie = None;
    if visitor == Visitor::Known
        && asker.person.is_none()
        && let Some((visitor, set)) = services.visitor(request.headers())
    {
        // Whoever posts a form without scripts is this guest already: what the form makes is theirs.
        (asker.person, cookie) = (Some(visitor), Some(set));
    }
    let context = context(&services, &request, asker);
    let (domain, names) = (services.domain.clone(), services.names.clone());
    // leptos makes the nonce and writes it into the page; the policy in the header must name the same.
    let nonce = Arc::new(OnceLock::new());
    let noted = Arc::clone(&nonce);
    let provide = move || {
        if let Some(nonce) = use_nonce() {
            noted.get_or_init(|| PageNonce(Arc::from(&*nonce)));
        }
        provide_context(domain.clone());
        provide_context(context.clone());
        if let Some(posted) = &posted {
            provide_context(posted.clone());
        }
    };
    let (path, headers) = (request.uri().path().to_owned(), request.headers().clone());
    let write = move || leptos_axum::render_app_async_with_context(provide, move || shell(names.clone()))(request);
    let Some(mut response) = services.writers.write(write).await else {
        return Refusal::Busy.answer(&path, &headers);
    };
    if let Some(nonce) = nonce.get() {
        response.extensions_mut().insert(nonce.clone());
    }
    if let Some(cookie) = cookie {
        set_cookie(&mut response, cookie);
    }
    response
}

/// A page that no script looks at: everything about it is known before it is written.
async fn render_plain(
    services: Services,
    request: Request<Body>,
    asker: Asker,
    posted: Option<PostedForm>,
) -> Response {
    let context = context(&services, &request, asker);
    let limits = &services.config.limits;
    let asked = plain::Asked {
        domain: services.domain.clone(),
        context: context.clone(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        posted,
        limits: Box::new({
            let limits = limits.clone();
            move || limits.explained()
        }),
        log_kept: limits.site_actions,
    };
    let plain::Answer { status, to, retry_after_s, cookie, page } = plain::answer(asked).await;
    let mut response = match to {
        Some(to) => (StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response(),
        None => {
            let html = plain::document(&services.names, &context, Arc::new(page));
            let mut response = Html(html).into_response();
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
            response.extensions_mut().insert(PlainPage);
            response
        }
    };
    if let Some(seconds) = retry_after_s {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    if let Some(mut cookie) = cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
        // `Debug` then does not print it.
        cookie.set_sensitive(true);
        set_cookie(&mut response, cookie);
    }
    response
}

/// Who asks, or that storage is too busy to say. A request that changes something was asked already.
async fn who(services: &Services, extensions: &Extensions, headers: &HeaderMap) -> Result<Asker, Refusal> {
    if let Some(asker) = extensions.get::<Asker>() {
        return Ok(asker.clone());
    }
    services.asker(headers).await.map_err(|error| {
        tracing::warn!(%error, "a request was not answered: who asks cannot be looked up");
        Refusal::Busy
    })
}

/// What the page or function may know of the request.
fn context(services: &Services, request: &Request<Body>, asker: Asker) -> ServerContext {
    let (public, headers) = (&services.config.public, request.headers());
    let rtmp_url = client::rtmp_url(headers, public, services.rtmp_port);
    let mut context =
        ServerContext::new(asker.person, client::locale(headers), client::origin(headers, public), rtmp_url);
    if let Some(ConnectInfo(peer)) = request.extensions().get::<Peer>() {
        context.visit.address = client::address(peer.ip(), headers, public);
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    context.visit.agent = agent.unwrap_or_default().to_owned();
    context.visit.guest =
        client::cookie(headers, PERSON_COOKIE).and_then(|cookie| services.domain.signed_person(cookie));
    context.visit.session = asker.session;
    context.shown = Services::shown(headers, context.person.as_ref());
    context.setup = client::cookie(headers, SETUP_COOKIE).map(ToOwned::to_owned);
    context
}
