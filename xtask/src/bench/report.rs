//! Figures into words: medians, spreads, and the tables in docs/PERFORMANCE.md.

use crate::{
    fail,
    failure::{Context, Result},
};
use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    time::{SystemTime, UNIX_EPOCH},
};

/// The middle value; of an even number of values the upper of the two. `None` for no values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

/// `0.127 (0.121 to 0.133)`: the median, and from the least to the greatest.
pub fn spread(values: &[f64], digits: usize) -> String {
    let Some(middle) = median(values) else { return "not measured".to_owned() };
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if values.len() == 1 {
        format!("{middle:.digits$}")
    } else {
        format!("{middle:.digits$} ({least:.digits$} to {most:.digits$})")
    }
}

/// How much y grows with each x: the least squares' line through the points. `None` for fewer than two different x.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let spread: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let both: f64 = points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
    (spread > 0.0).then(|| both / spread)
}

/// The number of a field in a flat JSON object.
pub fn number(json: &str, field: &str) -> Option<f64> {
    let (_, rest) = json.split_once(&format!("\"{field}\":"))?;
    rest.split([',', '}']).next()?.trim().parse().ok()
}

/// What is said of fewer runs than a claim takes: eight a side.
pub const fn caveat(runs: usize) -> &'static str {
    if runs < 8 { " Fewer than eight runs a side: a first look and not a claim." } else { "" }
}

/// Where and when it was measured, for above a table.
pub fn circumstances() -> String {
    let first = |file: &str, start: &str| {
        let text = fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(start)).unwrap_or_default();
        line.split_once(':').map_or("", |(_, value)| value.trim()).to_owned()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut text = format!(
        "Measured on {}, {cores} cores of {}, Linux {}",
        date(),
        first("/proc/cpuinfo", "model name"),
        kernel.trim()
    );
    let commit = crate::process::ask(Command::new("git").args(["rev-parse", "--short", "HEAD"]));
    if let Some(commit) = commit {
        let _ = write!(text, ", at {commit}");
    }
    text + &format!("; load average before the run {load}.")
}

/// Today in UTC, `2026-03-01` (days to civil date, Howard Hinnant's algorithm).
fn date() -> String {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    civil((seconds / 86_400) as i64)
}

fn civil(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Puts `table` between the markers `<!-- bench:PART -->` and `<!-- /bench:PART -->` of `file`.
///
/// # Errors
/// When the file or the markers are not there.
pub fn write(file: &Path, part: &str, table: &str) -> Result<()> {
    let text = fs::read_to_string(file).cannot(format!("read {}", file.display()))?;
    let Some(text) = between_markers(&text, part, table) else {
        fail!("{} has no markers for {part}: <!-- bench:{part} --> and <!-- /bench:{part} -->", file.display());
    };
    fs::write(file, text).cannot(format!("write {}", file.display()))?;
    println!("Written to {}.", file.display());
    Ok(())
}

fn between_markers(text: &str, part: &str, table: &str) -> Option<String> {
    let (start, end) = (format!("<!-- bench:{part} -->"), format!("<!-- /bench:{part} -->"));
    let (before, rest) = text.split_once(&start)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{start}\n\n{}\n\n{end}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_and_summed_up() {
        let json = r#"{"viewers":200,"cpu_s_per_gbit":0.1270,"closed":0}"#;
        assert_eq!(number(json, "cpu_s_per_gbit"), Some(0.127));
        assert_eq!(number(json, "closed"), Some(0.0));
        assert_eq!(number(json, "gone"), None);
        assert_eq!(spread(&[3.0, 1.0, 2.0], 1), "2.0 (1.0 to 3.0)");
        assert_eq!(spread(&[], 1), "not measured");
        assert_eq!(slope(&[(100.0, 21.0), (200.0, 22.0), (300.0, 23.0)]), Some(0.01));
        assert_eq!((slope(&[(1.0, 1.0)]), slope(&[])), (None, None));
    }

    #[test]
    fn a_table_replaces_the_one_before_and_nothing_else() {
        let text = "a\n<!-- bench:x -->\nold\n<!-- /bench:x -->\nb";
        let once = between_markers(text, "x", "new").expect("markers");
        assert_eq!(once, "a\n<!-- bench:x -->\n\nnew\n\n<!-- /bench:x -->\nb");
        assert_eq!(between_markers(&once, "x", "new").as_deref(), Some(once.as_str()));
        assert_eq!(between_markers(text, "y", "new"), None);
    }

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), "1970-01-01");
        assert_eq!(civil(19_782), "2024-02-29");
        assert_eq!(civil(20_454), "2026-01-01");
    }
}
