//! Accounts in pages: logging in, registering, and one's own account. All of it is plain forms that the server runs; in the browser
//! there is nothing to do, so that a page of accounts downloads next to nothing.

#[cfg(feature = "ssr")]
pub mod act;
#[cfg(feature = "ssr")]
pub mod form;

/// Longest path that is gone back to, in bytes.
const NEXT_MAX: usize = 512;

/// Where to go after logging in: `next` if it is a path of this site that is shown to people, else the directory.
///
/// Browsers take `//host`, `/\host` and what has a tab or a line end in it for other sites' addresses.
pub fn local_path(next: &str) -> &str {
    let plain = next.len() <= NEXT_MAX
        && next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    let path = next.split(['?', '#']).next().unwrap_or_default();
    if plain && !matches!(path, "/login" | "/logout" | "/register") && !path.starts_with("/fn/") { next } else { "/" }
}

/// Pages of accounts are the server's: one that is reached without it, by going back in the browser, is loaded anew.
pub async fn from_server<T>(unless: T) -> T {
    #[cfg(not(feature = "ssr"))]
    let _ = leptos::prelude::window().location().reload();
    unless
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_this_site_are_gone_on_to() {
        for path in ["/", "/rooms/new", "/rooms/my-room/studio", "/account", "/?q=a%20b&sort=newest"] {
            assert_eq!(local_path(path), path);
        }
        for other in [
            "",
            "rooms/new",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            " /rooms/new",
            "/rooms/밤",
            "/login?next=/login",
            "/logout",
            "/register",
            "/fn/end_stream",
            "/a\r\nset-cookie: a=b",
        ] {
            assert_eq!(local_path(other), "/", "{other:?}");
        }
        assert_eq!(local_path(&format!("/{}", "a".repeat(NEXT_MAX))), "/");
    }
}
