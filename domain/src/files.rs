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
    let written = write_synced(spare, content).and_then(|()| {
        // A link fails when the name is taken, where a rename would replace what another process has just made.
        fs::hard_link(spare, path)
    });
    let removed = fs::remove_file(spare);
    written?;
    removed?;
    sync_parent(path)
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
