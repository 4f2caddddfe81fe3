//! What is checked before anything is run: format, lints for both targets, types of the browser tests, budgets of the sources.

use crate::{budget, deny, failure::Result, process::run, project::Project, setup::Tools, steps::Steps};

/// # Errors
/// At the first check that fails.
pub fn check(project: &Project, tools: &Tools, steps: &mut Steps) -> Result<()> {
    steps
        .step("budgets", "files a person can read, lock files that name no host", |_| budget::check_sources(project))?;
    steps.step("format", "one look for all code; `cargo fmt --all` puts it right", |_| {
        run(tools.cargo().args(["fmt", "--all", "--check"]))
    })?;
    steps.step("dependencies", "licences, bans and sources, by deny.toml", |_| deny::check(project, tools))?;
    steps.step("lints", "clippy on everything that runs natively, tests included", |_| {
        run(tools
            .cargo()
            .args(["clippy", "--workspace", "--exclude", "frontend", "--all-targets", "--locked"])
            .args(DENY))
    })?;
    steps.step("lints for the browser", "clippy on what is compiled to WebAssembly", |_| {
        run(tools.cargo().args(["clippy", "--package", "frontend", "--target", WASM, "--locked"]).args(DENY))
    })?;
    if project.end2end().join("node_modules").is_dir() {
        steps.step("types of the browser tests", "TypeScript's own check, which Playwright skips", |_| {
            run(tools.command("npm").current_dir(project.end2end()).args(["run", "--silent", "check"]))
        })?;
    }
    Ok(())
}

const WASM: &str = "wasm32-unknown-unknown";
const DENY: [&str; 3] = ["--", "-D", "warnings"];
