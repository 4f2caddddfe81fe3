//! Budgets that hold without anyone watching: what a first visit downloads, how long a source file is, what lock files name.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    project::Project,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Most lines of a Rust file: about 400 is the house's rule, the rest is leeway for tests beside the code.
const LINES_MAX: usize = 480;

/// Everything that can be checked without a build.
///
/// # Errors
/// One sentence a broken budget, all of them at once.
pub fn check_sources(project: &Project) -> Result<()> {
    let mut broken = Vec::new();
    for file in files(&project.root, &|path| path.extension().is_some_and(|e| e == "rs")) {
        let lines = fs::read_to_string(&file).cannot(format!("read {}", project.shown(&file)))?.lines().count();
        if lines > LINES_MAX {
            broken.push(format!(
                "{} has {lines} lines; more than {LINES_MAX} want to be two files",
                project.shown(&file)
            ));
        }
    }
    for file in files(&project.root, &|path| path.ends_with("package-lock.json")) {
        let lock = fs::read_to_string(&file).cannot(format!("read {}", project.shown(&file)))?;
        if lock.contains("\"resolved\":") {
            broken.push(format!(
                "{} names a registry's host; remove its \"resolved\" lines (npm's omit-lockfile-registry-resolved)",
                project.shown(&file)
            ));
        }
    }
    if broken.is_empty() { Ok(()) } else { Err(Failure::new(broken.join("\n"))) }
}

/// The script, WebAssembly and style of the last release build, as brotli sends them, against the budget of a first visit.
/// The browser test measures the whole visit; this one says the same earlier.
///
/// # Errors
/// When they are over the budget, or there is nothing to look at.
pub fn check(project: &Project) -> Result<()> {
    let budget = budget(project)?;
    let pkg = project.root.join("target/site/pkg");
    // The parts (`chunk_…`, `split_…`) belong to other pages than a room's.
    let first = |name: &str| name.starts_with("madang.") || name.starts_with("__wasm_split.");
    let sent = |name: &str| [".wasm.br", ".js.br", ".css.br"].iter().any(|end| name.ends_with(end));
    let assets = files(&pkg, &|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        first(&name) && sent(&name)
    });
    if assets.is_empty() {
        fail!("no precompressed assets in {}; `cargo xtask build` makes them", project.shown(&pkg));
    }
    let mut total = 0;
    for asset in &assets {
        let bytes = fs::metadata(asset).cannot("look at an asset")?.len();
        total += bytes;
        println!("  {:>8} bytes  {}", bytes, asset.file_name().unwrap_or_default().to_string_lossy());
    }
    println!("  {total:>8} bytes  in all, of {budget} allowed");
    if total > budget {
        fail!(
            "a first visit downloads {total} bytes of script, WebAssembly and style; the budget is {budget} (end2end/budget-bytes)"
        );
    }
    Ok(())
}

/// Bytes a first visit to a room may download. The browser tests read the same file.
fn budget(project: &Project) -> Result<u64> {
    let text = fs::read_to_string(project.end2end().join("budget-bytes")).cannot("read end2end/budget-bytes")?;
    text.trim().parse().cannot("read the number in end2end/budget-bytes")
}

/// All files below `dir` that `wanted` takes, but for what is built, installed or hidden.
fn files(dir: &Path, wanted: &dyn Fn(&Path) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(dir) else { return found };
    for entry in entries.flatten() {
        let (path, name) = (entry.path(), entry.file_name());
        let name = name.to_string_lossy();
        if path.is_dir() {
            if !matches!(name.as_ref(), "target" | "node_modules") && !name.starts_with('.') {
                found.extend(files(&path, wanted));
            }
        } else if wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}
