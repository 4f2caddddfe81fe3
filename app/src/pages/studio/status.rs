//! The status, always in sight: not connected → connecting → live → ended; and what arrives from the encoder.

use super::act::Desk;
use crate::{
    clock::use_clock,
    i18n::{Messages, use_messages},
    words::clock_text,
};
use leptos::prelude::*;
use madang_protocol::{
    LiveState,
    studio::{AudioInfo, EncoderInfo, VideoInfo},
};
use madang_view::view;

/// The bar on top.
#[component]
pub fn Status(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let live = Memo::new(move |_| desk.status.with(|status| status.live));
    // Whether this visit has seen the room on the air: then it has "ended", and is not merely "not connected".
    let was_on = RwSignal::new(false);
    Effect::new(move |_| {
        if matches!(live.get(), LiveState::Starting { .. } | LiveState::Live { .. }) {
            was_on.set(true);
        }
    });
    let badge = move || match live.get() {
        LiveState::Live { since } => m.studio_live(clock_text(clock.since(since))),
        LiveState::Starting { .. } => m.studio_connecting().to_owned(),
        LiveState::Offline { .. } | LiveState::Never if was_on.get() => m.studio_ended().to_owned(),
        LiveState::Offline { .. } | LiveState::Never => m.studio_not_connected().to_owned(),
    };
    let fought_over = Memo::new(move |_| desk.status.with(|status| status.fought_over));
    let away = Memo::new(move |_| desk.status.with(|status| status.encoder.is_none()));
    let next = move || match live.get() {
        LiveState::Live { .. } if fought_over.get() => m.studio_fought_over_next(),
        LiveState::Live { .. } if away.get() => m.studio_away_next(),
        LiveState::Live { .. } => m.studio_live_next(),
        LiveState::Starting { .. } => m.studio_connecting_next(),
        LiveState::Offline { .. } | LiveState::Never if was_on.get() => m.studio_ended_next(),
        LiveState::Offline { .. } | LiveState::Never => m.studio_not_connected_next(),
    };
    let on_air = move || matches!(live.get(), LiveState::Starting { .. } | LiveState::Live { .. });
    let step = move |reached: fn(LiveState) -> bool| move || reached(live.get());
    let from = move || desk.status.with(|status| status.encoder.as_ref().map(|e| from_text(m, e)).unwrap_or_default());
    let watching = move || {
        desk.status.with(|s| if s.live.is_live() { m.watch_watching(s.watching.into()) } else { String::new() })
    };
    let path = format!("/rooms/{}/studio", desk.slug.get_value());
    view! {
        <section class="studio-status" aria-label=m.studio_status()>
            <span class="studio-badge" data-state=move || live.get().as_str()>{badge}</span>
            <ol class="studio-steps">
                <li class:on=step(|live| matches!(live, LiveState::Starting { .. }))>{m.studio_step_connected()}</li>
                <li>{m.studio_step_picture()}</li>
                <li class:on=step(LiveState::is_live)>{m.studio_step_live()}</li>
            </ol>
            <span class="studio-next" role="status">{next}</span>
            <span class="studio-from">{watching}</span>
            <span class="studio-from">{from}</span>
            <form method="post" action=path hidden=move || !on_air()>
                <input type="hidden" name="do" value="end-stream" />
                <button type="submit" class="btn ghost">{m.studio_end()}</button>
            </form>
        </section>
    }
}

/// What arrives, in words a streamer can check against the encoder's settings.
#[component]
pub fn Tracks(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let words =
        Memo::new(move |_| desk.status.with(|s| s.encoder.as_ref().map(|e| tracks_text(m, e)).unwrap_or_default()));
    view! { <p class="studio-tracks" aria-label=m.studio_tracks()>{move || words.get()}</p> }
}

/// `OBS 31.0 from 203.0.113.9`.
fn from_text(m: Messages, encoder: &EncoderInfo) -> String {
    let name = if encoder.encoder.is_empty() { m.studio_some_encoder() } else { encoder.encoder.as_str() };
    m.studio_from(name, &encoder.from)
}

/// `H.264 1920×1080 · AAC 48 kHz stereo · 5.9 Mbit/s`.
fn tracks_text(m: Messages, encoder: &EncoderInfo) -> String {
    let video = encoder.video.as_ref().map_or_else(|| m.studio_no_video().to_owned(), video_text);
    let audio = encoder.audio.as_ref().map_or_else(|| m.studio_no_audio().to_owned(), |audio| audio_text(m, audio));
    let tenths = encoder.bitrate_bps / 100_000;
    format!("{video} · {audio} · {}.{} Mbit/s", tenths / 10, tenths % 10)
}

fn video_text(video: &VideoInfo) -> String {
    let codec = if video.codec.starts_with("avc1") { "H.264" } else { video.codec.as_str() };
    format!("{codec} {}×{}", video.width, video.height)
}

fn audio_text(m: Messages, audio: &AudioInfo) -> String {
    let codec = if audio.codec.starts_with("mp4a.40") { "AAC" } else { audio.codec.as_str() };
    let channels = match audio.channels {
        1 => m.studio_mono().to_owned(),
        2 => m.studio_stereo().to_owned(),
        n => m.studio_channels(n),
    };
    let (khz, hundreds) = (audio.sample_rate_hz / 1000, audio.sample_rate_hz % 1000 / 100);
    let rate = if hundreds == 0 { format!("{khz} kHz") } else { format!("{khz}.{hundreds} kHz") };
    format!("{codec} {rate} {channels}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use madang_protocol::{KeyId, UnixMillis};

    fn encoder() -> EncoderInfo {
        EncoderInfo {
            since: UnixMillis(0),
            from: "203.0.113.9".into(),
            encoder: "OBS 31.0".into(),
            key: KeyId::from_random(2),
            video: Some(VideoInfo { codec: "avc1.64001f".into(), width: 1280, height: 720 }),
            audio: Some(AudioInfo { codec: "mp4a.40.2".into(), sample_rate_hz: 44_100, channels: 2 }),
            bitrate_bps: 5_940_000,
            health: None,
        }
    }

    #[test]
    fn what_arrives_is_said_as_encoders_say_it() {
        let m = Messages::new(Locale::En);
        assert_eq!(tracks_text(m, &encoder()), "H.264 1280×720 · AAC 44.1 kHz stereo · 5.9 Mbit/s");
        let sound = EncoderInfo { video: None, ..encoder() };
        assert!(tracks_text(m, &sound).starts_with("no picture · AAC"));
    }

    #[test]
    fn an_encoder_without_a_name_is_still_somebody() {
        let m = Messages::new(Locale::En);
        assert_eq!(from_text(m, &encoder()), "OBS 31.0 from 203.0.113.9");
        assert_eq!(from_text(m, &EncoderInfo { encoder: String::new(), ..encoder() }), "An encoder from 203.0.113.9");
    }
}
