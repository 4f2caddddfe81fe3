//! Set-up: whatever is missing is installed, whatever is there is left alone. A second run takes a second.

mod cargo_tools;
mod npm;
mod system;

use crate::{
    failure::{Context, Failure, Result, fail_if_missing},
    process::{self, ask, run},
    project::Project,
};
use std::{env, path::PathBuf, process::Command};

pub use cargo_tools::cargo_deny;
pub use npm::{Folder, install as npm_install};
pub use system::{browser, packages_for_demo};

/// What the rest of this program runs other programs with.
pub struct Tools {
    project: Project,
    /// Before PATH: folders of the tools we installed.
    dirs: Vec<PathBuf>,
    /// The cargo-leptos of the version that is wanted.
    pub cargo_leptos: PathBuf,
}

impl Tools {
    /// A command in the workspace's root that finds our tools.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.project.root).env("PATH", process::path_with(&self.dirs));
        command
    }

    /// Where our tools are.
    pub fn dirs(&self) -> &[PathBuf] {
        &self.dirs
    }

    /// The cargo that started us.
    pub fn cargo(&self) -> Command {
        self.command(cargo())
    }
}

pub fn cargo() -> std::ffi::OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// What is needed to build: the WebAssembly target, wasm-opt, wasm-bindgen and cargo-leptos.
///
/// # Errors
/// A sentence that names what is missing and how to get it.
pub fn for_build(project: &Project) -> Result<Tools> {
    system::bare_needs()?;
    rust_parts(project)?;
    npm::install(project, Folder::BuildTools)?;
    let wasm_bindgen = cargo_tools::wasm_bindgen(project)?;
    let cargo_leptos = cargo_tools::cargo_leptos(project)?;
    let wasm_opt = project.build_tools_npm().join("node_modules/.bin/wasm-opt");
    cargo_tools::link_for_hand_use(project, &[&cargo_leptos, &wasm_bindgen, &wasm_opt])?;
    let dirs =
        [&wasm_opt, &wasm_bindgen, &cargo_leptos].iter().filter_map(|tool| tool.parent()).map(PathBuf::from).collect();
    Ok(Tools { project: project.clone(), dirs, cargo_leptos })
}

/// What is needed to build and to run every test: also ffmpeg, a browser, fonts, an authority for certificates where we may install one,
/// cargo-deny, and the browser tests' packages.
///
/// # Errors
/// As [`for_build`].
pub fn for_tests(project: &Project) -> Result<Tools> {
    system::packages_for_browser()?;
    system::packages_for_more_tests()?;
    npm::install(project, Folder::End2End)?;
    let cargo_deny = cargo_deny(project)?;
    cargo_tools::link_for_hand_use(project, &[&cargo_deny])?;
    for_build(project)
}

/// The WebAssembly target, clippy and rustfmt of the toolchain that builds this workspace.
fn rust_parts(project: &Project) -> Result<()> {
    let mut rustc = Command::new("rustc");
    let sysroot = ask(rustc.current_dir(&project.root).args(["--print", "sysroot"])).map(PathBuf::from);
    let sysroot =
        sysroot.ok_or_else(|| Failure::new("rustc does not run; install Rust with rustup (https://rustup.rs)"))?;
    let mut missing: Vec<[&str; 3]> = Vec::new();
    if !sysroot.join("lib/rustlib/wasm32-unknown-unknown/lib").is_dir() {
        missing.push(["target", "add", "wasm32-unknown-unknown"]);
    }
    for (component, file) in [("clippy", "bin/cargo-clippy"), ("rustfmt", "bin/rustfmt")] {
        if !sysroot.join(file).is_file() {
            missing.push(["component", "add", component]);
        }
    }
    for arguments in missing {
        println!("The Rust toolchain has no {}; rustup adds it.", arguments[2]);
        fail_if_missing("rustup", "https://rustup.rs")?;
        run(Command::new("rustup").current_dir(&project.root).args(arguments)).cannot("complete the Rust toolchain")?;
    }
    Ok(())
}
