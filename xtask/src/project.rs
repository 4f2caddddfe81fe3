//! Where things are: the workspace, its target folder, the cache for tools, and what the lock file pins.

use crate::failure::{Context, Failure, Result};
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// Folders of this workspace and of its tools. All paths are absolute.
#[derive(Clone, Debug)]
pub struct Project {
    /// The workspace's root.
    pub root: PathBuf,
    /// Where cargo puts what it builds: `CARGO_TARGET_DIR`, or `target` in the root.
    pub target: PathBuf,
    /// Tools shared by every clone on this machine: `$XDG_CACHE_HOME/madang/tools`, or below `~/.cache`.
    pub tools: PathBuf,
}

impl Project {
    /// # Errors
    /// When neither `HOME` nor `XDG_CACHE_HOME` is set, or the workspace is gone.
    pub fn find() -> Result<Self> {
        let here =
            env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let root = here.parent().unwrap_or(&here).canonicalize().cannot("find the workspace")?;
        let target = match env::var_os("CARGO_TARGET_DIR") {
            Some(dir) if !dir.is_empty() => root.join(dir),
            _ => root.join("target"),
        };
        let cache = absolute_env("XDG_CACHE_HOME")
            .or_else(|| absolute_env("HOME").map(|home| home.join(".cache")))
            .ok_or_else(|| {
                Failure::new("neither HOME nor XDG_CACHE_HOME is set, so there is no place for build tools; set one")
            })?;
        Ok(Self { root, target, tools: cache.join("madang/tools") })
    }

    /// The release server, at the same place wherever cargo's target folder is.
    pub fn binary(&self) -> PathBuf {
        self.root.join("target/release/madang")
    }

    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// The folder whose `node_modules` holds `wasm-opt`.
    pub fn build_tools_npm(&self) -> PathBuf {
        self.root.join("xtask/npm")
    }

    /// A path as a person wants to read it: from the workspace's root if it lies in there.
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }

    /// The version of `package` in Cargo.lock.
    ///
    /// # Errors
    /// When the lock file cannot be read or does not hold the package.
    pub fn locked_version(&self, package: &str) -> Result<String> {
        let lock = fs::read_to_string(self.root.join("Cargo.lock")).cannot("read Cargo.lock")?;
        version_in_lock(&lock, package)
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(format!("Cargo.lock does not hold {package}")))
    }
}

/// Where cargo keeps what it downloads.
pub fn cargo_home() -> Option<PathBuf> {
    absolute_env("CARGO_HOME").or_else(|| absolute_env("HOME").map(|home| home.join(".cargo")))
}

/// `CARGO_HOME/bin`, where rustup puts cargo and users expect cargo's tools.
pub fn cargo_bin() -> Option<PathBuf> {
    cargo_home().map(|home| home.join("bin"))
}

fn absolute_env(name: &str) -> Option<PathBuf> {
    env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

fn version_in_lock<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.nth(1)?.strip_prefix("version = \"")?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::version_in_lock;

    #[test]
    fn the_locked_version_is_that_of_the_whole_name() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.9\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(version_in_lock(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(version_in_lock(lock, "wasm"), None);
    }
}
