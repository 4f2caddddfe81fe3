//! `/admin/log.csv`: every action of the site's administrators and of the operator, newest first.

use super::{Shared, csv};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use madang_domain::{Domain, Error, SiteAction};
use madang_protocol::{ActionId, PersonId, UnixMillis};

/// `GET` of the log.
pub async fn log(State(services): Shared, headers: HeaderMap) -> Response {
    let read = async {
        let by = services.asker(&headers).await?.person.ok_or(Error::Forbidden)?.id;
        csv::file(Log { domain: services.domain.clone(), by }, "administration.csv").await
    };
    read.await.unwrap_or_else(|error| refused(&error))
}

struct Log {
    domain: Domain,
    by: PersonId,
}

impl csv::Log for Log {
    type Row = SiteAction;

    const COLUMNS: &'static [&'static str] =
        &["time", "administrator", "administrator id", "action", "whom", "reason", "until"];

    async fn page(&self, after: Option<ActionId>) -> Result<Vec<SiteAction>, Error> {
        self.domain.admin_log(self.by, after, csv::PAGE).await
    }

    fn id(row: &SiteAction) -> ActionId {
        row.id
    }

    fn cells(row: &SiteAction) -> Vec<String> {
        let SiteAction { at, by_id, by, act, whom, reason, until, .. } = row;
        let until = until.map(UnixMillis::utc).unwrap_or_default();
        let (id, by) = match by_id {
            Some(id) => (id.to_string(), by.clone()),
            None => (String::new(), "(command line)".to_owned()),
        };
        vec![at.utc(), by, id, act.clone(), whom.clone(), reason.clone(), until]
    }
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
