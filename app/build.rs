//! Compiles the message files into the methods of `Messages` (see `message_compiler.rs`).

mod message_compiler;

use message_compiler::{LANGUAGES, Table};
use std::{env, fs, path::Path, process::ExitCode};

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed=messages");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=message_compiler.rs");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let tables: Vec<Table> = LANGUAGES.iter().map(|language| table(language.folder)).collect::<Result<_, _>>()?;
    let code = message_compiler::compile(&tables)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this by cargo")?;
    fs::write(Path::new(&out).join("messages.rs"), code).map_err(|e| format!("cannot write the messages: {e}"))
}

fn table(folder: &str) -> Result<Table, String> {
    let folder = Path::new("messages").join(folder);
    let listing = fs::read_dir(&folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    let mut files = Vec::new();
    for entry in listing {
        let path = entry.map_err(|e| format!("cannot list {}: {e}", folder.display()))?.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let content = fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            files.push((path.display().to_string(), content));
        }
    }
    files.sort();
    message_compiler::read(&files)
}
