//! The streams that are published, made once by ffmpeg.

use crate::{
    fail,
    failure::{Context, Result},
    process::{LIVE_H264, ask, run},
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A file of a moving test picture at a constant bitrate, with sound, a key frame every 2 s.
pub struct Recipe {
    pub name: &'static str,
    size: &'static str,
    /// Of the picture; the sound has 128 beside it.
    kbps: u32,
    seconds: u32,
}

/// What viewers watch.
pub const WATCHED: Recipe = Recipe { name: "stream.flv", size: "1280x720", kbps: 2_500, seconds: 60 };
/// What many publishers send at once: 6 Mbit/s with its sound.
pub const INGESTED: Recipe = Recipe { name: "ingest.flv", size: "1920x1080", kbps: 5_800, seconds: 40 };

/// What costs a player most.
pub const LARGE: Recipe = Recipe { name: "large.flv", size: "3840x2160", kbps: 19_800, seconds: 20 };

/// A stream on disk.
pub struct Recording {
    pub path: PathBuf,
    /// Bits a second, all tracks and framing.
    pub bps: f64,
}

impl Recipe {
    /// The file in `folder`, made where it is missing.
    ///
    /// # Errors
    /// When ffmpeg is missing or fails.
    pub fn in_folder(&self, folder: &Path) -> Result<Recording> {
        let path = folder.join(self.name);
        if !path.is_file() {
            self.make(&path)?;
        }
        let mut probe = Command::new("ffprobe");
        probe.args(["-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0"]).arg(&path);
        let seconds: f64 = ask(&mut probe).and_then(|text| text.parse().ok()).unwrap_or(0.0);
        if seconds < 10.0 {
            fail!("{} is not a stream of 10 s or more; remove it", path.display());
        }
        let bytes = fs::metadata(&path).cannot("look at the file")?.len();
        Ok(Recording { path, bps: bytes as f64 * 8.0 / seconds })
    }

    /// Under another name first: a run that is broken off leaves nothing that looks whole.
    fn make(&self, path: &Path) -> Result<()> {
        println!("Making {} ({} s at {} kbit/s), once.", self.name, self.seconds, self.kbps);
        let rate = format!("{}k", self.kbps);
        let half_made = path.with_extension("part.flv");
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg
            .args(["-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i"])
            .arg(format!("testsrc2=size={}:rate=30", self.size));
        ffmpeg.args(["-f", "lavfi", "-i", "sine=frequency=330:beep_factor=3:sample_rate=48000"]);
        ffmpeg.args(["-t", &self.seconds.to_string()]).args(LIVE_H264);
        ffmpeg.args(["-pix_fmt", "yuv420p", "-b:v", &rate, "-minrate", &rate, "-maxrate", &rate, "-bufsize", &rate]);
        ffmpeg.args(["-x264-params", "nal-hrd=cbr:force-cfr=1", "-g", "60", "-keyint_min", "60", "-sc_threshold", "0"]);
        ffmpeg.args(["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv"]);
        run(ffmpeg.arg(&half_made))?;
        fs::rename(&half_made, path).cannot("put the file in place")
    }
}
