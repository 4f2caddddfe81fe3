//! Running other programs: found on PATH, shown before they run, ended with us.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    guard,
};
use std::{
    env,
    ffi::OsStr,
    fs,
    io::{BufRead, BufReader, Read},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// ffmpeg's options for a picture as live encoders send it: made in time, and nothing held back.
pub const LIVE_H264: [&str; 6] = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "zerolatency"];

/// Puts `dirs` before everything else on this program's PATH as a child will see it.
pub fn path_with(dirs: &[PathBuf]) -> std::ffi::OsString {
    let old = env::var_os("PATH").unwrap_or_default();
    let all = dirs.iter().cloned().chain(env::split_paths(&old));
    env::join_paths(all).unwrap_or(old)
}

/// The first executable file called `name` on PATH.
pub fn on_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

pub fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// What the program prints on standard output, trimmed; `None` when it cannot be run or fails.
pub fn ask(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Shows the command, runs it with our terminal, and waits for it.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
pub fn run(command: &mut Command) -> Result<()> {
    println!("  $ {}", shown(command));
    let mut child = guard::spawn(command).cannot(format!("start {}", program(command)))?;
    let status = child.child.wait().cannot("wait for a child")?;
    if !status.success() {
        fail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// Which of a child's outputs [`run_reading`] reads; the other goes to our terminal.
#[derive(Clone, Copy)]
pub enum Stream {
    Out,
    Err,
}

/// As [`run`], but hands each line of one output to `line`.
///
/// # Errors
/// When it cannot be started or ends with anything but 0.
pub fn run_reading(command: &mut Command, stream: Stream, mut line: impl FnMut(&str)) -> Result<()> {
    println!("  $ {}", shown(command));
    match stream {
        Stream::Out => command.stdout(Stdio::piped()),
        Stream::Err => command.stderr(Stdio::piped()),
    };
    let mut child = guard::spawn(command).cannot(format!("start {}", program(command)))?;
    let output: Option<Box<dyn Read>> = match stream {
        Stream::Out => child.child.stdout.take().map(|o| Box::new(o) as _),
        Stream::Err => child.child.stderr.take().map(|o| Box::new(o) as _),
    };
    let mut reader = BufReader::new(output.ok_or_else(|| Failure::new("a child without output"))?);
    let mut bytes = Vec::new();
    while reader.read_until(b'\n', &mut bytes).cannot("read a child's output")? > 0 {
        line(String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']));
        bytes.clear();
    }
    let status = child.child.wait().cannot("wait for a child")?;
    if !status.success() {
        fail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

fn program(command: &Command) -> String {
    Path::new(command.get_program()).file_name().unwrap_or(command.get_program()).to_string_lossy().into_owned()
}

/// The command as one would type it, the program by its name alone. Environment is shown where we set it, but for PATH.
fn shown(command: &Command) -> String {
    let mut words: Vec<String> = command
        .get_envs()
        .filter(|(name, _)| *name != OsStr::new("PATH"))
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), value?.to_string_lossy())))
        .collect();
    words.push(program(command));
    words.extend(command.get_args().map(|arg| {
        let arg = arg.to_string_lossy();
        if arg.contains([' ', '"', '\'']) { format!("'{arg}'") } else { arg.into_owned() }
    }));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_child_is_named_with_its_arguments() {
        let failure = run(Command::new("sh").args(["-c", "exit 3"])).expect_err("it fails").to_string();
        assert!(failure.contains("sh -c 'exit 3'") && failure.contains('3'), "{failure}");
    }

    #[test]
    fn each_line_is_handed_over_and_broken_text_is_no_error() {
        let mut lines = Vec::new();
        let mut command = Command::new("printf");
        run_reading(command.arg("a\\n\\377b\\r\\nc"), Stream::Out, |line| lines.push(line.to_owned()))
            .expect("it runs");
        assert_eq!(lines, ["a", "\u{fffd}b", "c"]);
    }

    #[test]
    fn our_folders_come_first_on_path() {
        let path = path_with(&[PathBuf::from("/first")]);
        assert!(path.to_string_lossy().starts_with("/first:"));
    }
}
