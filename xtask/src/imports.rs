//! What the browser's program and its script call each other, under shorter words.
//!
//! wasm-bindgen ends each import's name with a hash of sixteen digits. Nothing compresses them, and each name is sent twice, in the
//! script and in the WebAssembly: nine kilobytes of a first visit. cargo-leptos takes its wasm-bindgen from PATH, so this stands there,
//! runs the true one, and numbers what only those two know. It leaves out classes that a dependency exports and nobody uses, too, and
//! trims the splitter's script.

use crate::{
    fail,
    failure::{Context, Failure, Result},
    module,
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
/// How many digits a hash has.
const DIGITS: usize = 16;
/// Classes that a dependency exports to scripts, and no script of ours uses: streams as bodies of server functions. As long as they are
/// exported, their code and what it needs stay in the first download.
const UNUSED: &str = "IntoUnderlying";

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
    for entry in fs::read_dir(out).cannot(format!("list {out}"))?.flatten() {
        let file: PathBuf = entry.path();
        if file.extension() != Some(OsStr::new("js")) {
            continue;
        }
        let script = fs::read_to_string(&file).cannot(format!("read {}", file.display()))?;
        let module = file.with_file_name(format!("{}_bg.wasm", file.file_stem().unwrap_or_default().to_string_lossy()));
        if module.is_file() {
            let bytes = fs::read(&module).cannot(format!("read {}", module.display()))?;
            let (script, bytes) = shortened(&script, &bytes)
                .ok_or_else(|| Failure::new(format!("{} has a form that is not known", module.display())))?;
            fs::write(&module, bytes).cannot(format!("write {}", module.display()))?;
            fs::write(&file, script).cannot(format!("write {}", file.display()))?;
        } else {
            // The splitter's, which cargo-leptos does not minify.
            fs::write(&file, trimmed(&script)).cannot(format!("write {}", file.display()))?;
        }
    }
    Ok(())
}

/// A script without comments that have lines of their own, and without indentation.
fn trimmed(script: &str) -> String {
    let said = |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let lines = script.lines().map(str::trim).filter(|line| !line.is_empty() && !said(line));
    lines.collect::<Vec<_>>().join("\n")
}

/// The script that wasm-bindgen wrote and its module, with short names for those that both have and nobody else, and without the classes
/// that nobody uses. `None` when the module is of no known form.
fn shortened(script: &str, module: &[u8]) -> Option<(String, Vec<u8>)> {
    let script = without_unused(script);
    let mut names = BTreeMap::new();
    let mut short = String::with_capacity(script.len());
    for word in words(&script) {
        if is_between(word) {
            let next = names.len();
            short.push_str(names.entry(word).or_insert_with(|| numbered(next)));
        } else {
            short.push_str(word);
        }
    }
    let unused = UNUSED.to_ascii_lowercase();
    let module = module::renamed(module, &|name| {
        let text = std::str::from_utf8(name).unwrap_or_default();
        let of_unused = text.trim_start_matches("__wbg_").starts_with(&unused);
        (!of_unused).then(|| names.get(text).map_or_else(|| name.to_vec(), |short| short.clone().into_bytes()))
    })?;
    Some((short, module))
}

/// The script's names, and what is between them, in order.
fn words(script: &str) -> impl Iterator<Item = &str> {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    script.split_inclusive(move |c| !part_of_name(c)).flat_map(move |word| {
        let end = word.char_indices().next_back().filter(|(_, c)| !part_of_name(*c)).map_or(word.len(), |(at, _)| at);
        let (name, mark) = word.split_at(end);
        [name, mark]
    })
}

/// Whether a name ends with a hash, or is one that Rust has mangled: such ones stand in the script and in the module only.
fn is_between(name: &str) -> bool {
    let hashed = || {
        let (start, hash) = name.split_at_checked(name.len().checked_sub(DIGITS)?)?;
        Some(start.ends_with('_') && hash.bytes().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit)))
    };
    name.starts_with("_ZN") || (name.starts_with("__wb") && hashed() == Some(true))
}

/// `$0`, `$1` … `$z`, `$10` …
fn numbered(mut number: usize) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            break;
        }
    }
    std::iter::once('$').chain(digits.into_iter().rev()).collect()
}

/// The script without the classes that nobody uses, by the lines that they begin and end with.
fn without_unused(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut end = None;
    for line in script.lines() {
        if let Some(wanted) = end {
            // A class ends with a line of its own.
            if line == wanted || (wanted == ";" && line.ends_with(';')) {
                end = None;
            }
            continue;
        }
        let begins = |with: &str| line.strip_prefix(with).is_some_and(|rest| rest.starts_with(UNUSED));
        if begins("export class ") {
            end = Some("}");
        } else if begins("const ") {
            end = (!line.ends_with(';')).then_some(";");
        } else if !begins("if (Symbol.dispose) ") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_splitters_script_keeps_what_it_does() {
        let script = "/* a, b */\nconst x = load(() => {\n    // why\n    return \"//y\";\n\n}, []);\n";
        assert_eq!(trimmed(script), "const x = load(() => {\nreturn \"//y\";\n}, []);");
    }

    #[test]
    fn names_between_script_and_module_are_short_in_both() {
        let script = "import * as a from './x.js';\nconst i = { __wbg_get_0123456789abcdef: (b) => wasm._ZN1a1bE_2(b), \
            __wbindgen_malloc: 1, __wbg_get_0123456789abcdef };\n";
        let mut module = b"\0asm\x01\0\0\0\x02\x20\x01\x01m".to_vec();
        module.extend(b"\x1a__wbg_get_0123456789abcdef\x00\x05\x07\x0e\x01\x0a_ZN1a1bE_2\x00\x01");
        let (short, renamed) = shortened(script, &module).expect("is a module");
        assert_eq!(
            short,
            "import * as a from './x.js';\nconst i = { $0: (b) => wasm.$1(b), __wbindgen_malloc: 1, $0 };\n"
        );
        assert_eq!(renamed, b"\0asm\x01\0\0\0\x02\x08\x01\x01m\x02$0\x00\x05\x07\x06\x01\x02$1\x00\x01");
    }

    #[test]
    fn numbers_go_on_after_the_last_digit() {
        assert_eq!([0, 9, 35, 36, 71].map(numbered), ["$0", "$9", "$z", "$10", "$1z"]);
    }

    #[test]
    fn classes_that_nobody_uses_are_left_out() {
        let script = "const keep = 1;\n\
            export class IntoUnderlyingSink {\n    free() {\n    }\n}\n\
            if (Symbol.dispose) IntoUnderlyingSink.prototype[Symbol.dispose] = 1;\n\
            const IntoUnderlyingSinkFinalization = (a)\n    ? { b }\n    : new C(1);\n\
            export class Kept {\n}\n";
        assert_eq!(without_unused(script), "const keep = 1;\nexport class Kept {\n}\n");
    }
}
