//! `/rooms/{slug}/moderation/log.csv`: every action of the room's moderators, newest first.

use super::{Shared, csv};
use crate::state::Services;
use axum::{
    body::{Body, Bytes},
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use madang_domain::Error;
use madang_protocol::{ActionId, PersonId, RoomSlug, chat::ActionRecord};
use std::io;

/// Actions that are read at a time: the file is never whole in memory.
const PAGE: usize = 500;
const COLUMNS: [&str; 9] =
    ["time", "moderator", "action", "person", "person id", "reason", "message", "until", "undone"];

/// `GET` of the log.
pub async fn log(State(services): Shared, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let Ok(slug) = RoomSlug::parse(&slug) else { return refused(&Error::NotFound) };
    let by = match services.asker(&headers).await.map(|asker| asker.person) {
        Ok(Some(person)) => person.id,
        Ok(None) => return refused(&Error::Forbidden),
        Err(error) => return refused(&error),
    };
    // The first page before the answer begins: it says whether there is one.
    let first = match services.domain.action_log(by, &slug, None, PAGE).await {
        Ok(first) => first,
        Err(error) => return refused(&error),
    };
    let name = format!("attachment; filename=\"{slug}-moderation.csv\"");
    let body = Body::from_stream(stream::unfold(Some(Reading { services, by, slug, at: At::First(first) }), part));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// Where in the log the file is.
struct Reading {
    services: Services,
    by: PersonId,
    slug: RoomSlug,
    at: At,
}

enum At {
    /// The heading, and what was read before the answer began.
    First(Vec<ActionRecord>),
    After(ActionId),
}

/// A part of the file, and where to go on.
async fn part(reading: Option<Reading>) -> Option<(Result<Bytes, io::Error>, Option<Reading>)> {
    let Reading { services, by, slug, at } = reading?;
    let mut text = String::new();
    let page = match at {
        At::First(page) => {
            text.push(csv::BYTE_ORDER_MARK);
            csv::row(&mut text, &COLUMNS);
            page
        }
        At::After(last) => match services.domain.action_log(by, &slug, Some(last), PAGE).await {
            Ok(page) => page,
            // The connection is cut, so that nobody takes half a log for a whole one.
            Err(error) => return Some((Err(io::Error::other(error)), None)),
        },
    };
    for record in &page {
        let whom = record.whom_id.map(|id| id.to_string()).unwrap_or_default();
        let until = record.until.map(|at| csv::utc(at.0)).unwrap_or_default();
        let undone = if record.undone { "yes" } else { "" };
        let (at, by) = (csv::utc(record.at.0), record.by.as_str());
        csv::row(
            &mut text,
            &[&at, by, &record.act, &record.whom, &whom, &record.reason, &record.message, &until, undone],
        );
    }
    let last = page.last().filter(|_| page.len() == PAGE).map(|record| record.id);
    Some((Ok(text.into()), last.map(|last| Reading { services, by, slug, at: At::After(last) })))
}

fn refused(error: &Error) -> Response {
    let (status, words) = match error {
        Error::NotFound => (StatusCode::NOT_FOUND, "There is no such room here.\n"),
        Error::Forbidden => (StatusCode::FORBIDDEN, "This file is for the room's moderators.\n"),
        error => {
            tracing::warn!(%error, "a moderation log cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "The server is too busy. Try again in a moment.\n")
        }
    };
    (status, words).into_response()
}
