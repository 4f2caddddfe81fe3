//! `/admin/log.csv`: every action of the site's administrators and of the operator, newest first.

use super::{Shared, csv};
use crate::state::Services;
use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use madang_domain::{Error, SiteAction};
use madang_protocol::{ActionId, PersonId};
use std::io;

/// Actions that are read at a time: the file is never whole in memory.
const PAGE: usize = 500;
const COLUMNS: [&str; 7] = ["time", "administrator", "administrator id", "action", "whom", "reason", "until"];

/// `GET` of the log.
pub async fn log(State(services): Shared, headers: HeaderMap) -> Response {
    let by = match services.asker(&headers).await.map(|asker| asker.person) {
        Ok(Some(person)) => person.id,
        Ok(None) => return refused(&Error::Forbidden),
        Err(error) => return refused(&error),
    };
    // The first page before the answer begins: it says whether there is one.
    let first = match services.domain.admin_log(by, None, PAGE).await {
        Ok(first) => first,
        Err(error) => return refused(&error),
    };
    let body = Body::from_stream(stream::unfold(Some(Reading { services, by, at: At::First(first) }), part));
    let mut response = Response::new(body);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"administration.csv\""),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Where in the log the file is.
struct Reading {
    services: Services,
    by: PersonId,
    at: At,
}

enum At {
    /// The heading, and what was read before the answer began.
    First(Vec<SiteAction>),
    After(ActionId),
}

/// A part of the file, and where to go on.
async fn part(reading: Option<Reading>) -> Option<(Result<Bytes, io::Error>, Option<Reading>)> {
    let Reading { services, by, at } = reading?;
    let mut text = String::new();
    let page = match at {
        At::First(page) => {
            text.push(csv::BYTE_ORDER_MARK);
            csv::row(&mut text, &COLUMNS);
            page
        }
        At::After(last) => match services.domain.admin_log(by, Some(last), PAGE).await {
            Ok(page) => page,
            // The connection is cut, so that nobody takes half a log for a whole one.
            Err(error) => return Some((Err(io::Error::other(error)), None)),
        },
    };
    for SiteAction { at, by_id, by, act, whom, reason, until, .. } in &page {
        let until = until.map(|at| csv::utc(at.0)).unwrap_or_default();
        let (id, by) = match by_id {
            Some(id) => (id.to_string(), by.as_str()),
            None => (String::new(), "(command line)"),
        };
        csv::row(&mut text, &[&csv::utc(at.0), by, &id, act, whom, reason, &until]);
    }
    let last = page.last().filter(|_| page.len() == PAGE).map(|action| action.id);
    Some((Ok(text.into()), last.map(|last| Reading { services, by, at: At::After(last) })))
}

fn refused(error: &Error) -> Response {
    let (status, words) = match error {
        Error::Forbidden => (StatusCode::FORBIDDEN, "This file is for the site's administrators.\n"),
        error => {
            tracing::warn!(%error, "the log of administration cannot be read");
            (StatusCode::SERVICE_UNAVAILABLE, "The server is too busy. Try again in a moment.\n")
        }
    };
    (status, words).into_response()
}
