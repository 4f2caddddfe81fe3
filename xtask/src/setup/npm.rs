//! npm packages: exactly those of a folder's package-lock.json, installed again only when it changed.

use crate::{
    failure::{Context, Result},
    process::run,
    project::Project,
};
use std::{fs, path::PathBuf, process::Command};

/// Folders of this workspace with a package.json.
#[derive(Clone, Copy)]
pub enum Folder {
    /// wasm-opt, from the package binaryen (100 MB).
    BuildTools,
    /// Playwright without its browsers, and the players that are tested against our streams.
    End2End,
    /// The servers that are measured beside ours.
    Benches,
}

impl Folder {
    fn path(self, project: &Project) -> PathBuf {
        match self {
            Self::BuildTools => project.build_tools_npm(),
            Self::End2End => project.end2end(),
            Self::Benches => project.root.join("benches/npm"),
        }
    }
}

/// # Errors
/// When npm fails.
pub fn install(project: &Project, folder: Folder) -> Result<()> {
    let dir = folder.path(project);
    let lock =
        fs::read(dir.join("package-lock.json")).cannot(format!("read {}/package-lock.json", project.shown(&dir)))?;
    let installed = dir.join("node_modules/.installed-lock.json");
    if fs::read(&installed).is_ok_and(|old| old == lock) {
        return Ok(());
    }
    println!("Installing the npm packages of {} (half a minute).", project.shown(&dir));
    // The tests use the system's Chromium; Playwright's own download is not wanted.
    let mut npm = Command::new("npm");
    npm.current_dir(&dir).env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    run(npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]))?;
    fs::write(&installed, lock).cannot("note what npm installed")
}
