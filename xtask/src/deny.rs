//! What may come into Cargo.lock: licences, bans, sources and known holes, by `deny.toml` and `cargo deny`.

use crate::{
    failure::Result,
    process::{ask, run},
    project::Project,
    setup::{self, Tools},
};
use std::process::Command;

/// Where advisories are kept.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// Licences, bans and sources: needs nothing but what cargo has downloaded.
///
/// # Errors
/// When `deny.toml` does not allow a package; which, has been printed.
pub fn check(project: &Project, tools: &Tools) -> Result<()> {
    let deny = setup::cargo_deny(project)?;
    run(tools.command(deny).args(["--locked", "check", "bans", "licenses", "sources"]))
}

/// Advisories, where their database can be reached; says so where it cannot.
///
/// # Errors
/// When one is about a version in Cargo.lock.
pub fn advisories(project: &Project, tools: &Tools) -> Result<()> {
    let mut reach = Command::new("git");
    // A machine without a network says so at once; one that swallows packets must not take the minutes that git would wait.
    reach.env("GIT_TERMINAL_PROMPT", "0").env("GIT_HTTP_LOW_SPEED_LIMIT", "1").env("GIT_HTTP_LOW_SPEED_TIME", "20");
    if ask(reach.args(["ls-remote", "--heads", ADVISORIES, "main"])).is_none() {
        println!("Not run: {ADVISORIES} cannot be reached from here, so nobody was asked for known holes.");
        return Ok(());
    }
    run(tools.command(setup::cargo_deny(project)?).args(["--locked", "check", "advisories"]))
}
