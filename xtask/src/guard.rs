//! Ends our children when we are gone, however we went (Ctrl-C, SIGTERM, SIGKILL, a closed terminal).
//!
//! The standard library cannot catch signals, so a small shell stands by in a process group of its own: we write it the
//! number of each child that starts (`+`) and ends (`-`), and when its input closes it ends those that are left.

use std::{
    io::Write,
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    sync::Mutex,
};

const SCRIPT: &str = r#"
trap '' INT TERM HUP
left=""
while read -r op pid; do
  case $op in
    +) left="$left $pid" ;;
    -) kept=""; for one in $left; do [ "$one" = "$pid" ] || kept="$kept $one"; done; left=$kept ;;
  esac
done
for one in $left; do kill "$one" 2>/dev/null; done
"#;

static GUARD: Mutex<Option<Child>> = Mutex::new(None);

/// A child that does not outlive this program.
pub struct Guarded {
    pub child: Child,
}

/// Starts `command` and puts it under guard.
///
/// # Errors
/// When the command cannot be started.
pub fn spawn(command: &mut Command) -> std::io::Result<Guarded> {
    let child = command.spawn()?;
    tell('+', child.id());
    Ok(Guarded { child })
}

impl Guarded {
    /// Asks the child to end as a person would (SIGTERM) and waits for it.
    pub fn stop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = Command::new("kill").arg(self.child.id().to_string()).stderr(Stdio::null()).status();
        }
        let _ = self.child.wait();
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        self.stop();
        tell('-', self.child.id());
    }
}

fn tell(op: char, pid: u32) {
    let Ok(mut guard) = GUARD.lock() else { return };
    if guard.is_none() {
        *guard = Command::new("sh")
            .args(["-c", SCRIPT])
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok();
    }
    if let Some(input) = guard.as_mut().and_then(|shell| shell.stdin.as_mut()) {
        // A guard that died takes nothing from the work itself.
        let _ = writeln!(input, "{op} {pid}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    const SIGTERM: i32 = 15;

    fn sleeper() -> Child {
        Command::new("sleep").arg("60").spawn().expect("sleep is there")
    }

    #[test]
    fn children_that_are_left_are_ended_when_the_input_closes() {
        let (mut left, mut done) = (sleeper(), sleeper());
        let mut shell = Command::new("sh").args(["-c", SCRIPT]).stdin(Stdio::piped()).spawn().expect("sh is there");
        let mut input = shell.stdin.take().expect("piped");
        writeln!(input, "+ {}\n+ {}\n- {}", left.id(), done.id(), done.id()).expect("it reads");
        drop(input);
        assert!(shell.wait().expect("it ends").success());
        assert_eq!(left.wait().expect("it ends").signal(), Some(SIGTERM));
        assert!(matches!(done.try_wait(), Ok(None)), "what has been taken back is left alone");
        done.kill().expect("ours");
        done.wait().expect("it ends");
    }

    #[test]
    fn a_dropped_child_has_ended() {
        let guarded = spawn(Command::new("sleep").arg("60")).expect("sleep is there");
        let pid = guarded.child.id();
        drop(guarded);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }
}
