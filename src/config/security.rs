//! `[security]`: what other sites may do with our pages.

use serde::{Deserialize, Serialize};

/// What other sites may do with our pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Security {
    /// Who may show our pages in a frame: sources of CSP's `frame-ancestors`, between blanks.
    pub frame_ancestors: String,
    /// Who may show `/embed/{slug}` in one, in the same form.
    pub embed_ancestors: String,
}

impl Default for Security {
    fn default() -> Self {
        Self { frame_ancestors: "'self'".to_owned(), embed_ancestors: "*".to_owned() }
    }
}

impl Security {
    /// Whether they are `'none'`, or sources that are `'self'`, `*`, a scheme, or a host with or without one (CSP 3
    /// §6.4.2.1). What is no source could end the header's directive and begin another.
    pub(super) fn is_sound(ancestors: &str) -> bool {
        let source = |source: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-._:/*".contains(c);
            source == "'self'" || source.chars().all(plain)
        };
        let sources: Vec<&str> = ancestors.split(' ').collect();
        sources == ["'none'"] || sources.iter().all(|one| !one.is_empty() && source(one))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_source_is_refused() {
        let sound = Security::is_sound;
        for text in ["'none'", "'self'", "*", "'self' https://*.example.org https://b.example:8443", "https:"] {
            assert!(sound(text), "{text}");
        }
        for text in ["", "self'", "'none' https://a.example", "'self'; script-src *", "a.example, b.example", "\n", "é"]
        {
            assert!(!sound(text), "{text}");
        }
    }
}
