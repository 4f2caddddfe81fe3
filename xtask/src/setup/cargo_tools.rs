//! cargo-leptos, wasm-bindgen and cargo-deny: taken from PATH or from our cache when the version is the right one, else compiled.

use crate::{
    fail,
    failure::{Context, Result},
    process::{self, ask, is_executable, on_path, run_reading},
    project::{self, Project},
    setup::cargo,
    steps::minutes,
};
use std::{
    collections::VecDeque,
    fs,
    io::IsTerminal,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// 0.3.10 and later want a newer compiler than rust-toolchain.toml names.
const CARGO_LEPTOS: &str = "0.3.9";

/// The newest; it wants Rust 1.88.
const CARGO_DENY: &str = "0.20.2";

/// Settings of the release profile, as environment: they trade the tools' speed, which does not matter, for ours. Link-time optimisation
/// alone would double the time.
const PROFILE: [(&str, &str); 3] = [
    ("CARGO_PROFILE_RELEASE_LTO", "off"),
    ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
    ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
];

/// How one tool is compiled.
struct Recipe<'a> {
    package: &'a str,
    program: &'a str,
    version: &'a str,
    arguments: &'a [&'a str],
    /// How many crates cargo compiles for it, measured; only for telling how far it is.
    crates: u32,
    /// How long that takes, in words.
    takes: &'a str,
}

/// # Errors
/// When it cannot be compiled.
pub fn cargo_leptos(project: &Project) -> Result<PathBuf> {
    provide(
        project,
        &Recipe {
            package: "cargo-leptos",
            program: "cargo-leptos",
            version: CARGO_LEPTOS,
            // no_downloads: it then takes wasm-bindgen and wasm-opt from PATH and fetches nothing by itself.
            arguments: &["--locked", "--no-default-features", "--features", "no_downloads"],
            crates: 545,
            takes: "15 to 20 minutes on two cores, once on this machine",
        },
    )
}

/// The wasm-bindgen of exactly the version in Cargo.lock: the two sides of its format must match.
///
/// # Errors
/// When it cannot be compiled.
pub fn wasm_bindgen(project: &Project) -> Result<PathBuf> {
    let version = project.locked_version("wasm-bindgen")?;
    provide(
        project,
        &Recipe {
            package: "wasm-bindgen-cli",
            program: "wasm-bindgen",
            version: &version,
            arguments: &[],
            crates: 161,
            takes: "2 to 4 minutes on two cores, once for each version",
        },
    )
}

/// What compares Cargo.lock with deny.toml.
///
/// # Errors
/// When it cannot be compiled.
pub fn cargo_deny(project: &Project) -> Result<PathBuf> {
    provide(
        project,
        &Recipe {
            package: "cargo-deny",
            program: "cargo-deny",
            version: CARGO_DENY,
            arguments: &["--locked"],
            crates: 141,
            takes: "2 to 4 minutes on two cores, once on this machine",
        },
    )
}

/// Finds the tool, or compiles it into the cache.
fn provide(project: &Project, recipe: &Recipe) -> Result<PathBuf> {
    let home = project.tools.join(format!("{}-{}", recipe.package, recipe.version));
    let cached = home.join("bin").join(recipe.program);
    let found = [Some(cached.clone()), on_path(recipe.program)].into_iter().flatten();
    if let Some(tool) = found.filter(|tool| is_executable(tool)).find(|tool| has_version(tool, recipe.version)) {
        return Ok(tool);
    }
    println!("{} {} is missing and is compiled now: {}.", recipe.package, recipe.version, recipe.takes);
    let target = project.tools.join(format!("{}-{}.build", recipe.package, recipe.version));
    let mut install = Command::new(cargo());
    install.current_dir(&project.root).envs(PROFILE).env_remove("CARGO_BUILD_TARGET");
    install.args(["install", recipe.package, "--version", recipe.version]).args(recipe.arguments);
    install.arg("--root").arg(&home).arg("--target-dir").arg(&target).args(["--color", "never"]);
    let mut progress = Progress::new(recipe.program, recipe.crates);
    if let Err(failure) = run_reading(&mut install, process::Stream::Err, |line| progress.line(line)) {
        fail!("{failure}\n{}\nRun the same command again to go on from here.", progress.last_lines());
    }
    if !has_version(&cached, recipe.version) {
        fail!("{} was compiled, but does not say it is version {}", cached.display(), recipe.version);
    }
    println!("  {} {} is ready after {}.", recipe.program, recipe.version, minutes(progress.start.elapsed()));
    fs::remove_dir_all(&target).cannot(format!("remove {}", target.display()))?;
    Ok(cached)
}

fn has_version(tool: &Path, version: &str) -> bool {
    ask(Command::new(tool).arg("--version")).is_some_and(|said| said.split_whitespace().any(|word| word == version))
}

/// Counts cargo's `Compiling` lines and tells now and then how far it is.
struct Progress<'a> {
    program: &'a str,
    crates: u32,
    compiled: u32,
    start: Instant,
    told: Instant,
    every: Duration,
    last: VecDeque<String>,
}

impl<'a> Progress<'a> {
    fn new(program: &'a str, crates: u32) -> Self {
        let start = Instant::now();
        let every = Duration::from_secs(if std::io::stdout().is_terminal() { 10 } else { 60 });
        Self { program, crates, compiled: 0, start, told: start, every, last: VecDeque::new() }
    }

    fn line(&mut self, line: &str) {
        if line.trim_start().starts_with("Compiling ") {
            self.compiled += 1;
        }
        if self.last.len() == 30 {
            self.last.pop_front();
        }
        self.last.push_back(line.to_owned());
        if self.told.elapsed() >= self.every {
            self.told = Instant::now();
            println!("  {}", self.now());
        }
    }

    fn now(&self) -> String {
        let (compiled, crates) = (self.compiled, self.crates.max(self.compiled));
        format!("{}: {compiled} of about {crates} crates after {}", self.program, minutes(self.start.elapsed()))
    }

    fn last_lines(&self) -> String {
        self.last.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
    }
}

/// Puts links to the tools into cargo's own bin folder, so that `cargo leptos watch` and `cargo deny` work by hand.
/// What somebody else put there stays; a link of ours to another version, or one that leads nowhere, is replaced.
///
/// # Errors
/// When a link cannot be written.
pub fn link_for_hand_use(project: &Project, tools: &[&PathBuf]) -> Result<()> {
    let Some(bin) = project::cargo_bin() else { return Ok(()) };
    for tool in tools {
        let Some(link) = tool.file_name().map(|name| bin.join(name)) else { continue };
        let leads_to = fs::read_link(&link).ok();
        let ours = leads_to.as_ref().is_some_and(|to| to.starts_with(&project.tools));
        if *tool == &link || leads_to.as_ref() == Some(*tool) || (link.exists() && !ours) {
            continue;
        }
        fs::create_dir_all(&bin).cannot(format!("make {}", bin.display()))?;
        if leads_to.is_some() {
            fs::remove_file(&link).cannot(format!("replace {}", link.display()))?;
        }
        symlink(tool, &link).cannot(format!("link {}", link.display()))?;
        println!("Linked {}, so that it is found when you type it too.", link.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_counts_crates_and_keeps_the_last_lines() {
        let mut progress = Progress::new("tool", 2);
        for line in ["   Compiling a v1", "    Finished", "   Compiling b v1", "error: Compiling c"] {
            progress.line(line);
        }
        assert!(progress.now().starts_with("tool: 2 of about 2 crates"), "{}", progress.now());
        assert!(progress.last_lines().ends_with("error: Compiling c"));
        for number in 0..100 {
            progress.line(&number.to_string());
        }
        assert_eq!(progress.last_lines().lines().count(), 30);
    }

    #[test]
    fn a_version_is_a_whole_word() {
        let tool = Path::new("/bin/echo");
        assert!(!has_version(tool, "0.3"));
        assert!(!has_version(Path::new("/nowhere/tool"), "1"));
    }
}
