//! ffprobe from PATH. Whatever it prints as a warning or an error fails the test.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::fixture::Packet;

/// Runs ffprobe on files of its own folder.
pub struct Ffprobe {
    folder: PathBuf,
}

/// The tool, or nothing where it is not installed; a failure if it is required.
pub fn find() -> Option<Ffprobe> {
    if Command::new("ffprobe").arg("-version").output().is_err() {
        assert_ne!(env::var("MADANG_REQUIRE_FFMPEG").as_deref(), Ok("1"), "ffprobe is not on PATH");
        eprintln!("not run: ffprobe is not on PATH");
        return None;
    }
    Some(Ffprobe { folder: PathBuf::from(env!("CARGO_TARGET_TMPDIR")) })
}

impl Ffprobe {
    /// A file for ffprobe to read.
    pub fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The packets of a file as ffprobe reads them, in its order.
    pub fn packets(&self, file: &Path) -> Vec<Packet> {
        let show = "packet=codec_type,pts_time,dts_time,size,flags,data_hash";
        let out = run(&["-v", "warning", "-show_data_hash", "adler32", "-show_entries", show, "-of", "csv=p=0"], file);
        out.lines().map(|line| Packet::of_row(line, 1000.0)).collect()
    }

    /// A fact about a file's first stream.
    pub fn stream_fact(&self, file: &Path, key: &str) -> String {
        let show = format!("stream={key}");
        let select = ["-v", "warning", "-select_streams", "0", "-show_entries", &show, "-of", "csv=p=0"];
        run(&select, file).trim().to_owned()
    }

    /// The codecs of all of a file's streams.
    pub fn codecs(&self, file: &Path) -> Vec<String> {
        let show = ["-v", "warning", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
        run(&show, file).lines().map(str::to_owned).collect()
    }

    /// How many pictures decode.
    pub fn decoded_frames(&self, file: &Path) -> usize {
        let count = ["-v", "warning", "-count_frames", "-select_streams", "v"];
        let show = ["-show_entries", "stream=nb_read_frames", "-of", "csv=p=0"];
        run(&[&count[..], &show[..]].concat(), file).trim().parse().unwrap()
    }

    /// Samples per channel in each frame of sound that decodes.
    pub fn decoded_samples(&self, file: &Path) -> Vec<u32> {
        let show = ["-v", "warning", "-select_streams", "a", "-show_entries", "frame=nb_samples", "-of", "csv=p=0"];
        run(&show, file).lines().map(|line| line.trim_end_matches(',').parse().unwrap()).collect()
    }
}

fn run(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("ffprobe").args(arguments).arg(file).output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && complaints.is_empty(), "ffprobe on {}: {complaints}", file.display());
    String::from_utf8(output.stdout).unwrap()
}
