//! What comes from the machine: the bare needs, and Debian's packages for tests and the demo.

use crate::{
    fail,
    failure::{Failure, Result},
    process::{ask, on_path, run},
};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Node 20 runs both wasm-opt and Playwright.
const NODE_MAJOR: u32 = 20;

/// A C compiler, make, perl, Node and npm. These are not installed by us: they differ from system to system.
///
/// # Errors
/// Names all that are missing at once, with a command that gets them on Debian.
pub fn bare_needs() -> Result<()> {
    let needs = [
        ("cc", "a C compiler, for SQLite and the tools' own C parts", "gcc libc6-dev"),
        ("make", "make, for the OpenSSL inside cargo-leptos", "make"),
        ("perl", "perl, for the OpenSSL inside cargo-leptos", "perl"),
        ("node", "Node 20 or newer, for wasm-opt and the browser tests", "nodejs"),
        ("npm", "npm, which comes with Node", "npm"),
    ];
    let missing: Vec<_> = needs.iter().filter(|(program, ..)| on_path(program).is_none()).collect();
    if !missing.is_empty() {
        let names: String = missing.iter().map(|(program, what, _)| format!("\n  {program}: {what}")).collect();
        let packages: Vec<_> = missing.iter().map(|(.., package)| *package).collect();
        fail!("these are needed and not on PATH:{names}\nOn Debian or Ubuntu: apt-get install {}", packages.join(" "));
    }
    let version = ask(Command::new("node").arg("--version")).unwrap_or_default();
    if node_major(&version).is_none_or(|major| major < NODE_MAJOR) {
        fail!(
            "Node {NODE_MAJOR} or newer is needed, `node --version` says {version:?}; https://nodejs.org has newer ones"
        );
    }
    Ok(())
}

fn node_major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// The Chromium for the tests: `CHROMIUM`, or one on PATH.
pub fn browser() -> Option<PathBuf> {
    match env::var_os("CHROMIUM") {
        Some(file) if !file.is_empty() => Some(PathBuf::from(file)),
        _ => ["chromium", "chromium-browser", "google-chrome"].iter().find_map(|name| on_path(name)),
    }
}

/// ffmpeg, which publishes the demo's picture.
///
/// # Errors
/// When it is missing and cannot be installed.
pub fn packages_for_demo() -> Result<()> {
    packages(if on_path("ffmpeg").is_some() { &[] } else { &[("ffmpeg", "publishes the test picture")] })
}

/// ffmpeg, Chromium, and a font with Korean letters, so that screenshots show what people see.
///
/// # Errors
/// When one is missing and cannot be installed.
pub fn packages_for_browser() -> Result<()> {
    let mut missing = Vec::new();
    if on_path("ffmpeg").is_none() || on_path("ffprobe").is_none() {
        missing.push(("ffmpeg", "publishes to the server in tests, and ffprobe checks what it delivers"));
    }
    if browser().is_none() {
        missing.push(("chromium", "runs the browser tests; another one is named by CHROMIUM=/path/to/it"));
    }
    if !has_korean_font() {
        missing.push(("fonts-noto-cjk", "Korean letters in the screenshots"));
    }
    packages(&missing)
}

/// What tests can do without, and then say that they were not run: pebble, an authority for certificates; Firefox and WebKit, for the way
/// of every viewer in browsers that are not Chromium.
///
/// # Errors
/// When it may be installed and that fails.
pub fn packages_for_more_tests() -> Result<()> {
    if !may_install() {
        return Ok(());
    }
    let wanted: [(&str, &[(&str, &str)]); 4] = [
        ("pebble", &[("pebble", "gives certificates in a test, as an authority does")]),
        ("firefox-esr", &[("firefox-esr", "plays a room in a test")]),
        (
            "WebKitWebDriver",
            &[
                ("webkit2gtk-driver", "plays a room in a test, as Safari would"),
                ("gstreamer1.0-libav", "decodes for WebKit"),
                ("gstreamer1.0-plugins-good", "plays for WebKit"),
                ("gstreamer1.0-plugins-bad", "reads MP4 for WebKit"),
            ],
        ),
        ("xvfb-run", &[("xvfb", "a screen for WebKit"), ("xauth", "lets WebKit use it")]),
    ];
    let missing =
        wanted.iter().filter(|(program, _)| on_path(program).is_none()).flat_map(|(_, of)| of.iter().copied());
    packages(&missing.collect::<Vec<_>>())
}

/// As root on Debian.
fn may_install() -> bool {
    let root = ask(Command::new("id").arg("-u")).as_deref() == Some("0");
    root && Path::new("/etc/debian_version").exists() && on_path("apt-get").is_some()
}

/// Installs Debian packages when we may, or says how to.
fn packages(missing: &[(&str, &str)]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let list: String = missing.iter().map(|(name, why)| format!("\n  {name}: {why}")).collect();
    let names: Vec<&str> = missing.iter().map(|(name, _)| *name).collect();
    if !may_install() {
        return Err(Failure::new(format!(
            "missing for this command:{list}\nInstall them and run it again; on Debian or Ubuntu: sudo apt-get install {}",
            names.join(" ")
        )));
    }
    println!("Missing, and installed now by apt-get:{list}");
    let apt = || {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("-qq");
        command
    };
    run(apt().arg("update"))?;
    run(apt().args(["install", "-y", "--no-install-recommends"]).args(&names))
}

fn has_korean_font() -> bool {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    ["/usr/share/fonts".into(), "/usr/local/share/fonts".into(), home.join(".fonts"), home.join(".local/share/fonts")]
        .iter()
        .any(|dir: &PathBuf| holds_korean_font(dir, 0))
}

fn holds_korean_font(dir: &Path, depth: usize) -> bool {
    const NAMES: [&str; 5] = ["CJK", "Nanum", "Pretendard", "SourceHan", "NotoSansKR"];
    let Ok(entries) = fs::read_dir(dir) else { return false };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let path = entry.path();
        if path.is_dir() {
            depth < 6 && holds_korean_font(&path, depth + 1)
        } else {
            NAMES.iter().any(|n| name.to_string_lossy().contains(n))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::node_major;

    #[test]
    fn nodes_version_is_read() {
        assert_eq!(node_major("v20.20.2"), Some(20));
        assert_eq!(node_major("20"), None);
        assert_eq!(node_major(""), None);
    }
}
