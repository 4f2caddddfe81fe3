//! The steps of a longer command, with what each one took.

use crate::failure::Result;
use std::time::{Duration, Instant};

/// Runs steps one after the other and remembers their times.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration, bool)>,
    /// Single tests that passed and failed, where a step can tell.
    pub tally: Tally,
}

/// Counted from what the test runners print.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    pub passed: u64,
    pub failed: u64,
}

impl Steps {
    /// Announces the step and why it is done, does it, and notes its time.
    ///
    /// # Errors
    /// What the step says.
    pub fn step<T>(&mut self, name: &str, why: &str, work: impl FnOnce(&mut Tally) -> Result<T>) -> Result<T> {
        println!("\n==> {name}: {why}");
        let start = Instant::now();
        let result = work(&mut self.tally);
        self.done.push((name.to_owned(), start.elapsed(), result.is_ok()));
        result
    }

    /// A table of the steps in minutes and seconds, with the tally as its last line.
    pub fn summary(&self) -> String {
        let width = self.done.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let mut text = String::from("\nTime per step\n");
        for (name, took, passed) in &self.done {
            text += &format!("  {name:width$}  {:>9}  {}\n", minutes(*took), if *passed { "ok" } else { "FAILED" });
        }
        text += &format!("  {:width$}  {:>9}\n\n", "total", minutes(self.done.iter().map(|(_, took, _)| *took).sum()));
        // A step that failed without a failed test (a lint, a build) must not read as "0 failed".
        let broken_steps = self.done.iter().filter(|(.., passed)| !passed).count() as u64;
        text + &format!("{} passed, {} failed", self.tally.passed, self.tally.failed.max(broken_steps))
    }
}

/// `2 min 05 s`, or `7 s`.
pub fn minutes(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    if seconds < 60 { format!("{seconds} s") } else { format!("{} min {:02} s", seconds / 60, seconds % 60) }
}

impl Tally {
    /// Reads a line of `cargo test` (`test result: ok. 3 passed; 0 failed; …`) or Playwright (`  3 passed (4.2s)`).
    pub fn read(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let cargo = line.starts_with("test result:");
        for pair in words.windows(2) {
            let [number, word] = pair else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            let whole_line = words.first().is_some_and(|first| *first == pair[0]);
            match word.trim_end_matches([';', ',']) {
                "passed" if cargo || whole_line => self.passed += number,
                "failed" if cargo || whole_line => self.failed += number,
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn the_runners_lines_are_counted_and_nothing_else() {
        let mut tally = Tally::default();
        tally.read("test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.05s");
        tally.read("  3 passed (4.2s)");
        tally.read("  2 failed");
        tally.read("the budget: 5 passed away");
        tally.read("running 9 tests");
        assert_eq!(tally, Tally { passed: 15, failed: 3 });
    }

    #[test]
    fn a_failed_step_shows_in_the_last_line() {
        let mut steps = Steps::default();
        let _ = steps.step("lint", "test", |_| Err::<(), _>(Failure::new("no")));
        assert_eq!(steps.summary().lines().last(), Some("0 passed, 1 failed"));
        assert_eq!(minutes(Duration::from_secs(125)), "2 min 05 s");
    }
}
