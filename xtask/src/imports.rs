//! What the browser's program asks of scripts, under shorter words.
//!
//! wasm-bindgen ends each import's name with a hash of sixteen digits. Nothing compresses them, and each is sent twice, in the
//! script and in the WebAssembly: six kilobytes of a first visit. cargo-leptos takes its wasm-bindgen from PATH, so this stands there,
//! runs the true one, and counts where that has hashed. Names keep their lengths, so nothing else in a file moves.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    process::path_with,
    project::Project,
    setup::Tools,
};
use std::{
    collections::BTreeMap,
    env,
    ffi::{OsStr, OsString},
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// The name that this program goes by when it stands for the other.
const NAME: &str = "wasm-bindgen";
/// What the names begin with.
const START: &[u8] = b"__wbg_";
/// How many digits they end with.
const DIGITS: usize = 16;

/// Whether this program was started in place of wasm-bindgen.
pub fn stands_in() -> bool {
    env::args_os().next().is_some_and(|name| Path::new(&name).file_name() == Some(OsStr::new(NAME)))
}

/// A PATH on which this program stands before wasm-bindgen.
///
/// # Errors
/// When the target folder cannot be written to.
pub fn path(project: &Project, tools: &Tools) -> Result<OsString> {
    let dir = project.target.join("xtask/stands-in");
    fs::create_dir_all(&dir).cannot(format!("make {}", dir.display()))?;
    let link = dir.join(NAME);
    if link.symlink_metadata().is_ok() {
        fs::remove_file(&link).cannot(format!("remove {}", link.display()))?;
    }
    symlink(env::current_exe().cannot("find this program")?, &link).cannot(format!("make {}", link.display()))?;
    let mut dirs = vec![dir];
    dirs.extend_from_slice(tools.dirs());
    Ok(path_with(&dirs))
}

/// Runs the wasm-bindgen that comes after this program on PATH, and shortens what it wrote.
///
/// # Errors
/// When there is none, or it fails, or its files cannot be changed.
pub fn stand_in() -> Result<()> {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let own = env::current_exe().and_then(fs::canonicalize).cannot("find this program")?;
    let path = env::var_os("PATH").unwrap_or_default();
    let theirs = env::split_paths(&path)
        .map(|dir| dir.join(NAME))
        .find(|file| file.canonicalize().is_ok_and(|file| file != own))
        .ok_or_else(|| Failure::new("wasm-bindgen is not on PATH"))?;
    let status = std::process::Command::new(theirs).args(&arguments).status().cannot("start wasm-bindgen")?;
    if !status.success() {
        fail!("wasm-bindgen failed ({status})");
    }
    let out = arguments.iter().find_map(|word| word.to_str()?.strip_prefix("--out-dir="));
    let Some(out) = out else { return Ok(()) };
    let mut files = Vec::new();
    for entry in fs::read_dir(out).cannot(format!("list {out}"))?.flatten() {
        let file: PathBuf = entry.path();
        if ["js", "wasm"].iter().any(|end| file.extension() == Some(OsStr::new(end))) {
            let content = fs::read(&file).cannot(format!("read {}", file.display()))?;
            files.push((file, content));
        }
    }
    let scripts = files.iter().filter(|(file, _)| file.extension() == Some(OsStr::new("js")));
    let counted = counted(scripts.flat_map(|(_, content)| names(content)).map(|at| at.1));
    for (file, mut content) in files {
        if shorten(&mut content, &counted) {
            fs::write(&file, content).cannot(format!("write {}", file.display()))?;
        }
    }
    Ok(())
}

/// Where names with a hash begin in a file, and what they are.
fn names(content: &[u8]) -> Vec<(usize, Vec<u8>)> {
    let starts = content.windows(START.len()).enumerate().filter(|(_, window)| *window == START);
    let name = |(at, _)| {
        let rest: &[u8] = &content[at..];
        let length = rest.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(rest.len());
        let (word, hash) = rest[..length].split_at_checked(length.checked_sub(DIGITS)?)?;
        let hashed = word.ends_with(b"_") && hash.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        hashed.then(|| (at, rest[..length].to_vec()))
    };
    starts.filter_map(name).collect()
}

/// For each name the one that has a number for its hash: the first of a word is 0.
fn counted(names: impl Iterator<Item = Vec<u8>>) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut counted: BTreeMap<_, _> = names.map(|name| (name, Vec::new())).collect();
    let mut words = BTreeMap::<Vec<u8>, usize>::new();
    for (name, short) in &mut counted {
        let word = &name[..name.len() - DIGITS];
        let number = words.entry(word.to_vec()).or_default();
        short.extend_from_slice(word);
        short.extend_from_slice(format!("{number:0DIGITS$x}").as_bytes());
        *number += 1;
    }
    counted
}

/// Writes the new names over the old. Whether there were any.
fn shorten(content: &mut [u8], counted: &BTreeMap<Vec<u8>, Vec<u8>>) -> bool {
    let found = names(content);
    for (at, name) in &found {
        if let Some(short) = counted.get(name) {
            content[*at..at + short.len()].copy_from_slice(short);
        }
    }
    !found.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_become_numbers_and_names_stay_apart() {
        let script =
            b"a.__wbg_get_0123456789abcdef(), __wbg_get_fedcba9876543210; __wbg_set_00ff00ff00ff00ff __wbg_short"
                .to_vec();
        let mut wasm = b"\x1a\x03wbg\x1a__wbg_get_fedcba9876543210\0\x02__wbg_unknown_0123456789abcdef\0".to_vec();
        let length = wasm.len();
        let counted = counted(names(&script).into_iter().map(|at| at.1));
        let mut shortened = script.clone();
        assert!(shorten(&mut shortened, &counted) && shorten(&mut wasm, &counted));
        assert_eq!(
            shortened,
            b"a.__wbg_get_0000000000000000(), __wbg_get_0000000000000001; __wbg_set_0000000000000000 __wbg_short"
        );
        assert_eq!(wasm, b"\x1a\x03wbg\x1a__wbg_get_0000000000000001\0\x02__wbg_unknown_0123456789abcdef\0");
        assert_eq!(wasm.len(), length);
    }
}
