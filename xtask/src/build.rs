//! The release build: one file with the web assets inside, at target/release/madang.

use crate::{
    fail,
    failure::{Context, Result},
    imports,
    process::run,
    project::{Project, cargo_home},
    setup::Tools,
};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::Path,
};

/// What a release build is made from. A folder stands for all files in it.
const INPUTS: [&str; 17] = [
    ".cargo",
    "Cargo.lock",
    "Cargo.toml",
    "Leptos.toml",
    "app",
    "build.rs",
    "domain",
    "frontend",
    "media",
    "player",
    "protocol",
    "public",
    "rust-toolchain.toml",
    "src",
    "style",
    "xtask/src/imports.rs",
    "xtask/src/module.rs",
];

/// Builds unless the binary there is already made from exactly these sources.
///
/// # Errors
/// When something does not compile.
pub fn release(project: &Project, tools: &Tools) -> Result<()> {
    let stamp = project.root.join("target/release/madang.made-from");
    let sources = fingerprint(&project.root, &INPUTS);
    let binary = project.binary();
    if fs::read_to_string(&stamp).is_ok_and(|old| old == made_from(sources, &binary)) {
        println!("  {} is up to date.", project.shown(&binary));
        return Ok(());
    }
    let mut build = tools.command(&tools.cargo_leptos);
    // Hashed names let browsers keep assets for good; -P leaves brotli and gzip beside each for the server to embed.
    // cargo-leptos empties target/site first, so no older asset gets into the binary.
    // Each page but a room's is a download of its own (app/src/pages/mod.rs).
    let split = ["--split", "--lib-features", "split", "--bin-features", "split"];
    build.args(["build", "--release", "-P"]).args(split).env("LEPTOS_HASH_FILES", "true");
    run(tools.command("cargo").args(["fetch", "--locked", "--quiet"]).current_dir(&project.root))?;
    build.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", front_end_flags());
    run(build.env("PATH", imports::path(project, tools)?))?;
    let built = project.target.join("release/madang");
    if built != binary {
        let folder = project.root.join("target/release");
        fs::create_dir_all(&folder).cannot("make target/release")?;
        // By rename, because a running server's file cannot be written to.
        let fresh = folder.join("madang.new");
        fs::copy(&built, &fresh).cannot(format!("copy {}", built.display()))?;
        fs::rename(&fresh, &binary).cannot("put the binary in place")?;
    }
    holds_the_site(project, &binary)?;
    let bytes = fs::metadata(&binary).cannot("look at the binary")?.len();
    println!("  {}: {:.1} MB, web assets inside", project.shown(&binary), bytes as f64 / 1e6);
    crate::budget::check(project)?;
    fs::write(&stamp, made_from(sources, &binary)).cannot("note what the binary is made from")
}

/// Those of `.cargo/config.toml`, in whose place they are. And messages of panics name the files of crates without the folder that cargo has
/// them in: it is this machine's, and a part of the download.
fn front_end_flags() -> String {
    let mut flags = "--cfg=erase_components".to_owned();
    let sources = cargo_home().and_then(|home| fs::read_dir(home.join("registry/src")).ok());
    for folder in sources.into_iter().flatten().flatten() {
        // Flags are told apart by spaces.
        if let Some(path) = folder.path().to_str().filter(|path| !path.contains(' ')) {
            flags.push_str(" --remap-path-prefix=");
            flags.push_str(path);
            flags.push_str("/=");
        }
    }
    flags
}

/// The binary has the files of this very build inside: a style or a script that changed has another name, and the old one is gone.
///
/// # Errors
/// When a name is missing: then cargo took an older list of assets for the newest.
fn holds_the_site(project: &Project, binary: &Path) -> Result<()> {
    let content = fs::read(binary).cannot("read the binary")?;
    let folder = b"/pkg/";
    let starts = content.windows(folder.len()).enumerate().filter(|(_, window)| window == folder);
    let named: Vec<&[u8]> = starts.map(|(at, _)| &content[at + folder.len()..]).collect();
    let pkg = project.root.join("target/site/pkg");
    for file in fs::read_dir(&pkg).cannot("list target/site/pkg")?.flatten() {
        let name = file.file_name();
        let name = name.to_string_lossy();
        let for_browsers = [".css", ".js", ".wasm"].iter().any(|end| name.ends_with(end));
        if for_browsers && !named.iter().any(|rest| rest.starts_with(name.as_bytes())) {
            fail!("{} was built and is not in the binary; remove target/release/build and build again", name);
        }
    }
    Ok(())
}

/// # Errors
/// When there is no release binary.
pub fn require_binary(project: &Project) -> Result<()> {
    if !project.binary().is_file() {
        fail!("{} is not there; `cargo xtask build` makes it", project.shown(&project.binary()));
    }
    Ok(())
}

/// Sources and binary in one text. The binary's own length and time tell when something else replaced it.
fn made_from(sources: u64, binary: &Path) -> String {
    let data = fs::metadata(binary).ok();
    let time = data.as_ref().and_then(|data| data.modified().ok());
    format!("{sources:016x} {:?} {time:?}", data.map(|data| data.len()))
}

/// A number that changes with the name or content of any file under `inputs`.
fn fingerprint(root: &Path, inputs: &[&str]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for input in inputs {
        add(&root.join(input), &mut hasher);
    }
    hasher.finish()
}

fn add(path: &Path, hasher: &mut DefaultHasher) {
    if let Ok(entries) = fs::read_dir(path) {
        let mut entries: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for entry in entries {
            add(&entry, hasher);
        }
    } else if let Ok(content) = fs::read(path) {
        (path, content).hash(hasher);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_change_below_an_input_shows() {
        let dir = std::env::temp_dir().join(format!("madang-xtask-{}", std::process::id()));
        let file = dir.join("src/deep/a.css");
        fs::create_dir_all(file.parent().expect("has one")).expect("temp folder");
        fs::write(&file, "a{}").expect("written");
        let before = fingerprint(&dir, &["src", "gone"]);
        assert_eq!(before, fingerprint(&dir, &["src", "gone"]));
        fs::write(&file, "a{b:c}").expect("written");
        assert_ne!(before, fingerprint(&dir, &["src", "gone"]));
        fs::remove_dir_all(&dir).expect("removed");
    }
}
