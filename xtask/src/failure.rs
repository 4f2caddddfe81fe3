//! The one error of this program: a sentence that says what went wrong and, where possible, what to do.

use std::fmt;

/// A sentence for the person at the terminal.
#[derive(Debug)]
pub struct Failure(String);

pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shorthand for `Err(Failure::new(format!(…)))`.
#[macro_export]
macro_rules! fail {
    ($($arg:tt)*) => {
        return Err($crate::failure::Failure::new(format!($($arg)*)))
    };
}

/// Says what was being done when a lower error came up.
pub trait Context<T> {
    /// `what` completes "cannot …".
    fn cannot(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn cannot(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| Failure(format!("cannot {what}: {error}")))
    }
}

/// # Errors
/// When `program` is not on PATH; `where_from` says how to get it.
pub fn fail_if_missing(program: &str, where_from: &str) -> Result<()> {
    match crate::process::on_path(program) {
        Some(_) => Ok(()),
        None => Err(Failure(format!("{program} is needed and not on PATH; get it from {where_from}"))),
    }
}
