//! Real encoders against the port. They are absent on some machines: then the test says so, unless `MADANG_REQUIRE_FFMPEG=1`.

use super::{Published, Server, within};
use crate::{live::Cut, rtmp::RtmpLimits};
use madang_media::flv::{Tag, TagKind};
use std::process::{Child, Command, Stdio};
use tokio::task::spawn_blocking;

/// The ffmpeg to use, or `None` when there is none and none is required.
fn ffmpeg() -> Option<&'static str> {
    let found = Command::new("ffmpeg").arg("-version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some("ffmpeg");
    }
    let required = std::env::var("MADANG_REQUIRE_FFMPEG").is_ok_and(|value| value == "1");
    assert!(!required, "MADANG_REQUIRE_FFMPEG=1, and ffmpeg cannot be run");
    println!("not run: ffmpeg is not installed");
    None
}

fn publish(ffmpeg: &str, server: &Server, path: &str, options: &[&str], encoding: &[&str]) -> Child {
    Command::new(ffmpeg)
        .args(["-hide_banner", "-loglevel", "error", "-nostdin"])
        .args(options)
        .args([
            "-f",
            "lavfi",
            "-i",
            "testsrc2=size=320x180:rate=30",
            "-f",
            "lavfi",
            "-i",
            "sine=frequency=440:sample_rate=48000",
        ])
        .args(encoding)
        .args(["-t", "4", "-f", "flv"])
        .arg(format!("rtmp://{}/{path}", server.address))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("ffmpeg was run before")
}

const H264_AAC: &[&str] =
    &["-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "96k"];

async fn said(child: Child) -> String {
    let output = within(spawn_blocking(|| child.wait_with_output())).await.expect("no panic").expect("ffmpeg ends");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn of(tags: &[Tag], kind: TagKind) -> Vec<&Tag> {
    tags.iter().filter(|tag| tag.kind == kind).collect()
}

#[tokio::test]
async fn ffmpeg_publishes_h264_and_aac() {
    let Some(ffmpeg) = ffmpeg() else { return };
    let server = Server::start(RtmpLimits::default()).await;
    let child = publish(ffmpeg, &server, "live/sk_good", &[], H264_AAC);
    let mut published: Published = server.published().await;
    assert!(published.encoder.contains("Lavf"), "{}", published.encoder);
    let tags = published.all().await;
    assert_eq!(said(child).await, "");
    let (video, audio, script) = (of(&tags, TagKind::Video), of(&tags, TagKind::Audio), of(&tags, TagKind::Script));
    assert!(video.first().is_some_and(|tag| tag.is_video_config()));
    assert!(audio.first().is_some_and(|tag| tag.is_audio_config()));
    assert_eq!(video.iter().filter(|tag| tag.is_keyframe()).count(), 4, "one a second");
    // 30 pictures and 46.9 sound frames a second, a configuration each, perhaps an end of sequence.
    assert!((121..=122).contains(&video.len()), "{}", video.len());
    assert!((187..=191).contains(&audio.len()), "{}", audio.len());
    assert!(script.first().is_some_and(|tag| tag.body.starts_with(b"\x02\x00\x0aonMetaData")));
    assert!(video.windows(2).all(|pair| matches!(pair, [a, b] if a.at <= b.at)));
    let last = video.last().map_or(0, |tag| tag.at.0);
    assert!((3_900..=4_100).contains(&last), "{last}");
}

#[tokio::test]
async fn ffmpeg_shows_why_it_was_refused() {
    let Some(ffmpeg) = ffmpeg() else { return };
    let server = Server::start(RtmpLimits::default()).await;
    for (path, hint) in [("live/sk_wrong", "No room has this stream key"), ("other/sk_good", "must end in /live")] {
        let said = said(publish(ffmpeg, &server, path, &[], H264_AAC)).await;
        assert!(said.contains(hint), "{said}");
    }
    let said = said(publish(ffmpeg, &server, "live/sk_good", &[], &["-c:v", "flv1", "-c:a", "aac"])).await;
    assert!(!said.is_empty(), "another codec is refused");
}

#[tokio::test]
async fn ffmpeg_shows_why_it_was_cut() {
    let Some(ffmpeg) = ffmpeg() else { return };
    let server = Server::start(RtmpLimits::default()).await;
    let child = publish(ffmpeg, &server, "live/sk_good", &["-re"], H264_AAC);
    let mut published = server.published().await;
    assert!(published.tag().await.is_some());
    published.cut(Cut::TakenOver);
    let said = said(child).await;
    assert!(said.contains("took over"), "{said}");
}
