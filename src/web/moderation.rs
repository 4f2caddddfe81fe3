//! `/rooms/{slug}/moderation/log.csv`: every action of the room's moderators, newest first.

use super::{Shared, csv};
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use madang_domain::{Domain, Error};
use madang_protocol::{ActionId, PersonId, RoomSlug, UnixMillis, chat::ActionRecord};

/// `GET` of the log.
pub async fn log(State(services): Shared, Path(slug): Path<String>, headers: HeaderMap) -> Response {
    let read = async {
        let slug = RoomSlug::parse(&slug).map_err(|_| Error::NotFound)?;
        let by = services.asker(&headers).await?.person.ok_or(Error::Forbidden)?.id;
        let name = format!("{slug}-moderation.csv");
        csv::file(Log { domain: services.domain.clone(), by, slug }, &name).await
    };
    read.await.unwrap_or_else(|error| refused(&error))
}

struct Log {
    domain: Domain,
    by: PersonId,
    slug: RoomSlug,
}

impl csv::Log for Log {
    type Row = ActionRecord;

    const COLUMNS: &'static [&'static str] =
        &["time", "moderator", "action", "person", "person id", "reason", "message", "until", "undone"];

    async fn page(&self, after: Option<ActionId>) -> Result<Vec<ActionRecord>, Error> {
        self.domain.action_log(self.by, &self.slug, after, csv::PAGE).await
    }

    fn id(row: &ActionRecord) -> ActionId {
        row.id
    }

    fn cells(row: &ActionRecord) -> Vec<String> {
        let whom = row.whom_id.map(|id| id.to_string()).unwrap_or_default();
        let until = row.until.map(UnixMillis::utc).unwrap_or_default();
        let undone = if row.undone { "yes" } else { "" };
        let texts = [&row.by, &row.act, &row.whom, &whom, &row.reason, &row.message, &until].map(Clone::clone);
        std::iter::once(row.at.utc()).chain(texts).chain([undone.to_owned()]).collect()
    }
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
