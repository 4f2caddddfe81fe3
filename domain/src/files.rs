//! Files that only the server's user may read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// Makes the folder and its parents, for the owner only (0700). One that exists keeps the mode its owner gave it.
pub(crate) fn make_private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a file that was not there, for the owner only (0600).
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] rather than opening one that is there.
pub(crate) fn make_private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a private file with `content` so that whoever sees it sees all of it. `spare` is a free name beside `path`.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] when there is one, made perhaps by another process a moment ago.
pub(crate) fn make_whole(path: &Path, spare: &Path, content: &[u8]) -> io::Result<()> {
    let placed = write_synced(spare, content).and_then(|()| place(path, spare));
    match fs::remove_file(spare) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(path = %spare.display(), %cause, "a spare file could not be removed; remove it by hand");
        }
        _ => {}
    }
    placed?;
    sync_parent(path)
}

/// Gives the finished file `spare` the name `path`, if that is free.
fn place(path: &Path, spare: &Path) -> io::Result<()> {
    // A link fails when the name is taken, where a rename would replace what another process has just made.
    match fs::hard_link(spare, path) {
        Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => {
            // FAT and some network disks have no links.
            if path.try_exists()? { Err(io::ErrorKind::AlreadyExists.into()) } else { fs::rename(spare, path) }
        }
        linked => linked,
    }
}

fn write_synced(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = make_private_file(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes the name itself survive a loss of power.
fn sync_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if cfg!(unix) => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_file_is_made_once_and_leaves_no_spare() {
        let dir = tempfile::tempdir().expect("a folder");
        let (path, spare) = (dir.path().join("secret"), dir.path().join("secret.1"));
        make_whole(&path, &spare, b"one").expect("made");
        let again = make_whole(&path, &spare, b"two").expect_err("taken");
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).expect("read"), b"one");
        assert!(!spare.exists());
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_that_exists_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a folder");
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o750)).expect("set");
        make_private_dir(dir.path()).expect("there already");
        make_private_dir(&dir.path().join("a/b")).expect("made");
        let modes = [mode(dir.path()), mode(&dir.path().join("a")), mode(&dir.path().join("a/b"))];
        assert_eq!(modes, [0o750, 0o700, 0o700]);
    }
}
