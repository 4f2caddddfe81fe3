//! The site's files: inside the binary in a release build, from `target/site` in a development build.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Response, StatusCode, header},
};
use leptos::config::LeptosOptions;
use madang_app::{AssetNames, Parts};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// One file with its precompressed forms.
pub struct Asset {
    /// With a leading `/`, as in the URL.
    pub path: &'static str,
    pub plain: &'static [u8],
    pub brotli: Option<&'static [u8]>,
    pub gzip: Option<&'static [u8]>,
}

/// Sorted by path.
static EMBEDDED: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where the site's files come from.
#[derive(Clone, Debug)]
pub struct Assets {
    folder: Option<PathBuf>,
}

impl Assets {
    /// The embedded files if there are any, or else the folder that cargo-leptos builds into.
    pub fn find() -> Self {
        if EMBEDDED.is_empty() {
            let folder =
                std::env::var_os("LEPTOS_SITE_ROOT").map_or_else(|| PathBuf::from("target/site"), PathBuf::from);
            if !folder.is_dir() {
                tracing::warn!(
                    "this binary has no web assets inside and {} does not exist; build with `cargo xtask build`",
                    folder.display()
                );
            }
            Self { folder: Some(folder) }
        } else {
            Self { folder: None }
        }
    }

    /// The names that pages link to, with their hashes. `watch` makes pages reload themselves under `cargo leptos watch`.
    pub fn names(&self, watch: Option<LeptosOptions>) -> AssetNames {
        let plain = AssetNames::plain("madang");
        let find = |end: &str, plain: Arc<str>| {
            let in_package = EMBEDDED.iter().filter_map(|asset| asset.path.strip_prefix("/pkg/"));
            let found = in_package.into_iter().find(|name| name.starts_with("madang") && name.ends_with(end));
            found.map_or(plain, Arc::from)
        };
        AssetNames {
            js: find(".js", plain.js),
            wasm: find(".wasm", plain.wasm),
            css: find(".css", plain.css),
            parts: parts().map(Arc::new),
            watch,
        }
    }

    /// The file at `path`, in the best form that the request takes; `None` where there is none.
    pub async fn serve(&self, path: &str, request: &HeaderMap) -> Option<Response<Body>> {
        match &self.folder {
            None => embedded(path, request),
            Some(folder) => from_folder(folder, path).await,
        }
    }
}

/// What the front end was split into, as the build noted it beside the parts.
fn parts() -> Option<Parts> {
    let named = |start: &str, end: &str| {
        let mut in_package = EMBEDDED.iter().filter_map(|asset| Some((asset.path.strip_prefix("/pkg/")?, asset)));
        in_package.find(|(name, _)| name.starts_with(start) && name.ends_with(end))
    };
    let (_, manifest) = named("__wasm_split_manifest", ".json")?;
    let (script, _) = named("__wasm_split.", ".js")?;
    match serde_json::from_slice(manifest.plain) {
        Ok(files) => Some(Parts { script: script.to_owned(), files }),
        Err(error) => {
            tracing::warn!(%error, "the front end's parts cannot be read; pages load them later than they could");
            None
        }
    }
}

fn embedded(path: &str, request: &HeaderMap) -> Option<Response<Body>> {
    let found = EMBEDDED.binary_search_by(|asset| asset.path.cmp(path)).ok()?;
    let asset = EMBEDDED.get(found)?;
    let takes = |coding: &str| accepts(request, coding);
    let (bytes, coding) = match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if takes("br") => (bytes, Some("br")),
        (_, Some(bytes)) if takes("gzip") => (bytes, Some("gzip")),
        _ => (asset.plain, None),
    };
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    // Names under /pkg carry a hash of the content; the others may change with the next binary.
    let cache = if path.starts_with("/pkg/") { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    if let Some(coding) = coding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
    }
    Some(response)
}

async fn from_folder(folder: &Path, path: &str) -> Option<Response<Body>> {
    let relative = path.strip_prefix('/')?;
    let plain = relative.split('/').all(|part| !part.is_empty() && !part.starts_with('.') && !part.contains('\\'));
    if !plain {
        return None;
    }
    let bytes = tokio::fs::read(folder.join(relative)).await.ok()?;
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = StatusCode::OK;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    Some(response)
}

/// RFC 9110 §12.5.3, as far as it matters: a coding that is named without `q=0`.
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let lists = request.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        named && !parts.any(|weight| matches!(weight, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn a_coding_is_taken_when_it_is_named_and_not_refused() {
        assert!(accepts(&request("gzip, deflate, br;q=0.8"), "br"));
        assert!(!accepts(&request("gzip, br;q=0"), "br"));
        assert!(!accepts(&request("gzip, brx"), "br"));
        assert!(!accepts(&HeaderMap::new(), "gzip"));
    }

    #[tokio::test]
    async fn nothing_outside_the_folder_is_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let site = folder.path().join("site");
        std::fs::create_dir(&site).expect("created");
        std::fs::write(folder.path().join("secret"), "x").expect("written");
        std::fs::write(site.join("a.css"), "x").expect("written");
        assert!(from_folder(&site, "/a.css").await.is_some());
        for path in ["/../secret", "//etc/passwd", "/.hidden", "/..\\secret", ""] {
            assert!(from_folder(&site, path).await.is_none(), "{path}");
        }
    }
}
