//! Which error type belongs where.
//!
//! - A library crate or module has a `thiserror` enum of its own beside the code that raises it (`madang_domain::Error`, `rtmp::error`).
//! - [`StartError`] is what keeps a server from starting; `main` prints it and leaves with a code.
//! - `anyhow` is for the command line only, where an error is printed and nobody matches on it.
//! - What a browser sees is `madang_app::ApiError`: codes, with the words in the message files. Causes go to the log.

use std::{net::SocketAddr, path::PathBuf};

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{what} address {address} cannot be used: {source}. {hint}")]
    Bind { what: &'static str, address: SocketAddr, source: std::io::Error, hint: &'static str },
    #[error("the data directory {} cannot be opened", path.display())]
    Data { path: PathBuf, source: madang_domain::OpenError },
    #[error("the certificate cannot be used")]
    Tls(#[from] crate::tls::TlsError),
    #[error("the server stopped by itself")]
    Serve(#[source] std::io::Error),
}

impl StartError {
    pub(crate) fn bind(what: &'static str, address: SocketAddr, source: std::io::Error) -> Self {
        let hint = match source.kind() {
            std::io::ErrorKind::AddrInUse => {
                "Is another server running there? Choose another address with --http, --rtmp, --https or --rtmps."
            }
            std::io::ErrorKind::PermissionDenied => "Ports below 1024 need the right to use them.",
            std::io::ErrorKind::AddrNotAvailable => "This machine has no such address.",
            _ => "",
        };
        Self::Bind { what, address, source, hint }
    }
}
