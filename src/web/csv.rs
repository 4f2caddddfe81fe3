//! Logs as files: comma-separated values (RFC 4180) that a spreadsheet shows as they are, read a page at a time.

use axum::{
    body::{Body, Bytes},
    http::{HeaderValue, header},
    response::Response,
};
use futures_util::stream;
use madang_domain::Error;
use madang_protocol::ActionId;
use std::io;

/// Rows that are read at a time: a file is never whole in memory.
pub const PAGE: usize = 500;

/// What a file begins with, so that spreadsheets read it as UTF-8, whatever the machine's own encoding is.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A log that is read from the newest row on.
pub trait Log: Send + Sync + 'static {
    type Row: Send + Sync;

    const COLUMNS: &'static [&'static str];

    /// [`PAGE`] rows after that one, fewer at the end.
    fn page(&self, after: Option<ActionId>) -> impl Future<Output = Result<Vec<Self::Row>, Error>> + Send;

    fn id(row: &Self::Row) -> ActionId;

    /// As many as there are columns.
    fn cells(row: &Self::Row) -> Vec<String>;
}

/// The file, offered under that name.
///
/// # Errors
/// What the first page's reading gave; nothing is answered yet. Later the connection is cut, so that nobody takes half a log for a whole
/// one.
pub async fn file<L: Log>(log: L, name: &str) -> Result<Response, Error> {
    let first = log.page(None).await?;
    let mut heading = String::from(BYTE_ORDER_MARK);
    row(&mut heading, L::COLUMNS);
    let body = Body::from_stream(stream::unfold(Some((log, heading, Ok(first))), part));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(name) = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// What is to be written: a heading or nothing, and then rows that were read, or are to be read after that one.
type Reading<L> = (L, String, Result<Vec<<L as Log>::Row>, ActionId>);

async fn part<L: Log>(reading: Option<Reading<L>>) -> Option<(io::Result<Bytes>, Option<Reading<L>>)> {
    let (log, mut text, rows) = reading?;
    let rows = match rows {
        Ok(rows) => rows,
        Err(after) => match log.page(Some(after)).await {
            Ok(rows) => rows,
            Err(error) => return Some((Err(io::Error::other(error)), None)),
        },
    };
    for read in &rows {
        let cells = L::cells(read);
        row(&mut text, &cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let next = rows.last().filter(|_| rows.len() == PAGE).map(L::id);
    Some((Ok(text.into()), next.map(|after| (log, String::new(), Err(after)))))
}

/// Appends one row.
fn row(out: &mut String, cells: &[&str]) {
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        out.push('"');
        // A cell that begins like a formula would be run by the spreadsheet that opens the file. An apostrophe makes it text.
        if cell.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']) || cell.starts_with(['\t', '\r', '\n']) {
            out.push('\'');
        }
        for c in cell.chars() {
            match c {
                '"' => out.push_str("\"\""),
                // One line a row, whatever was typed.
                '\r' | '\n' => out.push(' '),
                c => out.push(c),
            }
        }
        out.push('"');
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_like_a_formula_is_text() {
        for formula in ["=1+1", "+1", "-1", "@sum(1)", "\t=1", "\r=1", " =cmd|' /C calc'!A0"] {
            let mut out = String::new();
            row(&mut out, &[formula]);
            assert!(out.starts_with("\"'"), "{out}");
        }
        let mut out = String::new();
        row(&mut out, &["Ana", "said \"hi\", twice\nand more", "", "a=b"]);
        assert_eq!(out, "\"Ana\",\"said \"\"hi\"\", twice and more\",\"\",\"a=b\"\r\n");
    }
}
