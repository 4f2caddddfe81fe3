//! A text of the configuration that nobody may see.

use serde::{Deserialize, Serialize};
use std::fmt;
use subtle::ConstantTimeEq as _;

/// A secret that an operator wrote into the configuration; empty is none. No `Display`; `Debug` prints `Secret(…)`. It is read and
/// written as a text, since the environment is laid over the file as TOML; [`super::Config::to_toml`] leaves it out.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is what somebody gives for it, compared in constant time. An empty one is nothing that can be given.
    pub fn is(&self, given: &[u8]) -> bool {
        !self.is_empty() && self.0.as_bytes().ct_eq(given).into()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_empty() { "Secret()" } else { "Secret(…)" })
    }
}
