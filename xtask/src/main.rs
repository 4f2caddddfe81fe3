//! `cargo xtask`: set-up, building, testing, demo and benchmarks. Parses the command line and calls the module of that name.
//! The standard library only, so that it is compiled in seconds on a bare machine.

mod bench;
mod budget;
mod build;
mod check;
mod demo;
mod deny;
mod failure;
mod guard;
mod help;
mod imports;
mod module;
mod process;
mod project;
mod setup;
mod steps;
mod test;

use failure::{Context, Result};
use project::Project;
use std::{env, os::unix::process::CommandExt, process::Command, process::ExitCode};
use steps::{Steps, Tally};

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let done = if imports::stands_in() { imports::stand_in() } else { dispatch(&arguments) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\nerror: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{}", help::ALL);
        return Ok(());
    };
    if matches!(command.as_str(), "help" | "--help" | "-h") {
        print!("{}", rest.first().and_then(|command| help::of(command)).unwrap_or(help::ALL));
        return Ok(());
    }
    let Some(help) = help::of(command) else {
        fail!("there is no command `{command}`\n\n{}", help::ALL);
    };
    // Words after `--` belong to the program that is started.
    let ours = rest.split(|word| word == "--").next().unwrap_or_default();
    if ours.iter().any(|word| word == "--help" || word == "-h") {
        print!("{help}");
        return Ok(());
    }
    let mut passed_on = rest.to_vec();
    if let Some(at) = passed_on.iter().position(|word| word == "--") {
        passed_on.remove(at);
    }
    let project = Project::find()?;
    match command.as_str() {
        "run" => serve(&project, &passed_on),
        "demo" => {
            if !demo::survives_interrupts() {
                setup::packages_for_demo()?;
                build::release(&project, &setup::for_build(&project)?)?;
                demo::survive_interrupts()?;
            }
            demo::demo(&project, &passed_on)
        }
        "build" => no_more(rest).and_then(|()| build::release(&project, &setup::for_build(&project)?)),
        "setup" => match rest {
            [] => setup::for_tests(&project).map(|_| println!("Everything is here.")),
            [only] if only == "--build" => {
                setup::for_build(&project).map(|_| println!("Everything for building is here."))
            }
            _ => no_more(rest),
        },
        "check" => {
            no_more(rest)?;
            let tools = setup::for_build(&project)?;
            let mut steps = Steps::default();
            check::check(&project, &tools, &mut steps)
        }
        "e2e" => {
            let tools = setup::for_tests(&project)?;
            let (as_built, words): (Vec<_>, Vec<_>) = passed_on.into_iter().partition(|word| word == "--as-built");
            if as_built.is_empty() {
                build::release(&project, &tools)?;
            }
            test::browser(&project, &tools, &mut Tally::default(), &words)
        }
        "test" => no_more(rest).and_then(|()| test::all(&project)),
        _ => bench::bench(&project, rest),
    }
}

/// Builds, and becomes the server, in the folder where the command was typed.
fn serve(project: &Project, arguments: &[String]) -> Result<()> {
    build::release(project, &setup::for_build(project)?)?;
    Err(Command::new(project.binary()).args(arguments).exec()).cannot("start the server")
}

fn no_more(rest: &[String]) -> Result<()> {
    match rest.first() {
        None => Ok(()),
        Some(word) => fail!("`{word}` is not understood here; --help says what is"),
    }
}
