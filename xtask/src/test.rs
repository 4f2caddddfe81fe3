//! Every test there is, in the order in which they fail cheapest.

use crate::{
    build, check, deny,
    failure::Result,
    process::{Stream, on_path, run, run_reading},
    project::Project,
    setup::{self, Tools},
    steps::{Steps, Tally},
};

/// The whole of it: set-up, checks, native tests, release build, browser tests, OBS.
///
/// # Errors
/// At the first step that fails; the summary is printed in any case.
pub fn all(project: &Project) -> Result<()> {
    let mut steps = Steps::default();
    let result = all_steps(project, &mut steps);
    println!("{}", steps.summary());
    result
}

fn all_steps(project: &Project, steps: &mut Steps) -> Result<()> {
    let tools = steps.step("set-up", "installs what is missing", |_| setup::for_tests(project))?;
    check::check(project, &tools, steps)?;
    steps.step("advisories", "known holes in what we depend on", |_| deny::advisories(project, &tools))?;
    steps.step("native tests", "every crate but the browser's, with ffmpeg as the independent judge", |tally| {
        native(&tools, tally)
    })?;
    steps.step("release build", "the binary that people run is the one the browser tests", |_| {
        build::release(project, &tools)
    })?;
    steps.step("browser tests", "Chromium and ffmpeg against the release binary", |tally| {
        browser(project, &tools, tally, &[])
    })?;
    if ["obs", "xvfb-run", "Xvfb"].iter().all(|program| on_path(program).is_some()) {
        steps.step("OBS", "the encoder that people use publishes and plays", |tally| {
            run(tools.command("bash").arg(project.end2end().join("obs.sh")))?;
            tally.passed += 1;
            Ok(())
        })?;
    } else {
        println!(
            "\nNot run: OBS is not installed here (Debian: apt-get install obs-studio xvfb xauth), so end2end/obs.sh is left out."
        );
    }
    Ok(())
}

fn native(tools: &Tools, tally: &mut Tally) -> Result<()> {
    let mut cargo = tools.cargo();
    // Without this a test that needs ffmpeg says it was left out, which suits `cargo test` by hand on a bare machine.
    cargo.env("MADANG_REQUIRE_FFMPEG", "1").args(["test", "--workspace", "--exclude", "frontend", "--locked"]);
    run_reading(&mut cargo, Stream::Out, |line| {
        println!("{line}");
        tally.read(line);
    })
}

/// Playwright against the release binary. `arguments` go to Playwright.
///
/// # Errors
/// When a test fails.
pub fn browser(project: &Project, tools: &Tools, tally: &mut Tally, arguments: &[String]) -> Result<()> {
    build::require_binary(project)?;
    let mut playwright = tools.command(project.end2end().join("node_modules/.bin/playwright"));
    playwright.current_dir(project.end2end()).env("MADANG_BIN", project.binary());
    if let Some(browser) = setup::browser() {
        playwright.env("CHROMIUM", browser);
    }
    run_reading(playwright.arg("test").args(arguments), Stream::Out, |line| {
        println!("{line}");
        tally.read(line);
    })
}
