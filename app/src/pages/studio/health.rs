//! How the stream comes in: good, fair or bad; the figures; and what to mend, the worst first.

use super::{act::Desk, sparks::Sparks};
use crate::i18n::{Messages, use_messages};
use leptos::prelude::*;
use madang_protocol::studio::{Health, Trouble, TroubleKind};
use madang_view::view;

/// Troubles that are shown at once: who has mended one sees the next.
const SHOWN: usize = 3;

/// There while an encoder sends.
#[component]
pub fn HealthPanel(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let health = Memo::new(move |_| desk.status.with(|status| status.encoder.as_ref().and_then(|e| e.health.clone())));
    let level = move || health.with(|health| health.as_ref().map(level));
    let words = move || level().map(|level| level_text(m, level)).unwrap_or_default();
    let figures =
        move || health.with(|health| health.as_ref().map(|health| figures_text(m, health)).unwrap_or_default());
    let troubles = Memo::new(move |_| {
        health.with(|health| {
            let all = health.iter().flat_map(|health| &health.troubles);
            all.take(SHOWN).map(|trouble| trouble_text(m, trouble)).collect::<Vec<String>>()
        })
    });
    let rows = move || troubles.get().into_iter().map(|text| view! { <li>{text}</li> }).collect_view();
    view! {
        <div class="studio-health" data-level=move || level().map(Level::as_str) hidden=move || level().is_none()>
            <p>
                <b>{words}</b>
                <small>{figures}</small>
            </p>
            <Sparks health />
            <ul aria-live="polite" aria-label=m.studio_troubles()>{rows}</ul>
        </div>
    }
}

/// The stream in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Level {
    Good,
    Fair,
    Bad,
}

impl Level {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Fair => "fair",
            Self::Bad => "bad",
        }
    }
}

/// B-frames alone are how many streamers want it: they cost delay and nothing else.
fn level(health: &Health) -> Level {
    let counts = |trouble: &&Trouble| trouble.kind != TroubleKind::BFrames;
    match health.troubles.iter().filter(counts).map(|trouble| trouble.bad).max() {
        Some(true) => Level::Bad,
        Some(false) => Level::Fair,
        None => Level::Good,
    }
}

fn level_text(m: Messages, level: Level) -> &'static str {
    match level {
        Level::Good => m.studio_health_good(),
        Level::Fair => m.studio_health_fair(),
        Level::Bad => m.studio_health_bad(),
    }
}

/// `30 fps · key frame every 2 s · jitter 12 ms · sound −8 ms from the picture · clock +40 millionths off`; the last two once they are known.
fn figures_text(m: Messages, health: &Health) -> String {
    let mut text = m.studio_fps(tenths(health.fps_tenths.into()));
    if let Some(gop) = health.gop_ms {
        text = format!("{text} · {}", m.studio_gop(tenths(i64::from(gop) / 100)));
    }
    text = format!("{text} · {}", m.studio_jitter(i64::from(health.jitter_ms).to_string()));
    if let Some(offset) = health.offset_ms {
        text = format!("{text} · {}", m.studio_offset(signed(offset)));
    }
    if let Some(ppm) = health.clock_ppm {
        text = format!("{text} · {}", m.studio_clock(signed(ppm)));
    }
    text
}

/// With its sign, and a real minus.
fn signed(value: i64) -> String {
    match value {
        0 => "0".to_owned(),
        1.. => format!("+{value}"),
        _ => format!("\u{2212}{}", value.unsigned_abs()),
    }
}

/// What is wrong and how to mend it.
fn trouble_text(m: Messages, trouble: &Trouble) -> String {
    let value = trouble.value;
    match trouble.kind {
        TroubleKind::LongGop => m.trouble_long_gop(tenths(value / 100)),
        TroubleKind::Jitter => m.trouble_jitter(tenths(value / 100)),
        TroubleKind::Gaps => m.trouble_gaps(value.to_string()),
        TroubleKind::Bitrate => m.trouble_bitrate(tenths(value / 100_000)),
        TroubleKind::NoAudio => m.trouble_no_audio().to_owned(),
        TroubleKind::Offset => m.trouble_offset(tenths(value.abs() / 100)),
        TroubleKind::Clock if value > 0 => m.trouble_clock_fast(tenths(value / 1_000)),
        TroubleKind::Clock => m.trouble_clock_slow(tenths(-value / 1_000)),
        TroubleKind::VariableRate => m.trouble_variable_rate(tenths(value)),
        TroubleKind::BFrames => m.trouble_b_frames().to_owned(),
        TroubleKind::OpenGop => m.trouble_open_gop().to_owned(),
    }
}

/// A number of tenths as people write it: `8.3`, `30`.
pub fn tenths(value: i64) -> String {
    if value % 10 == 0 { (value / 10).to_string() } else { format!("{}.{}", value / 10, value % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use std::collections::HashSet;

    fn health(troubles: Vec<Trouble>) -> Health {
        Health {
            video_bps: 0,
            audio_bps: 0,
            fps_tenths: 300,
            gop_ms: Some(2_000),
            jitter_ms: 12,
            gaps: 0,
            offset_ms: None,
            clock_ppm: None,
            b_frames: false,
            troubles,
        }
    }

    fn trouble(kind: TroubleKind, bad: bool, value: i64) -> Trouble {
        Trouble { kind, bad, value }
    }

    #[test]
    fn the_worst_that_viewers_notice_makes_the_level() {
        assert_eq!(level(&health(vec![])), Level::Good);
        assert_eq!(level(&health(vec![trouble(TroubleKind::BFrames, false, 0)])), Level::Good);
        assert_eq!(level(&health(vec![trouble(TroubleKind::NoAudio, false, 0)])), Level::Fair);
        let both = vec![trouble(TroubleKind::LongGop, true, 8_300), trouble(TroubleKind::NoAudio, false, 0)];
        assert_eq!(level(&health(both)), Level::Bad);
    }

    #[test]
    fn figures_are_said_as_people_say_them() {
        let m = Messages::new(Locale::En);
        assert_eq!(figures_text(m, &health(vec![])), "30 fps · key frame every 2 s · jitter 12 ms");
        let known = Health { offset_ms: Some(-8), clock_ppm: Some(40), ..health(vec![]) };
        let said = "jitter 12 ms · sound \u{2212}8 ms from the picture · clock +40 millionths off";
        assert!(figures_text(m, &known).ends_with(said), "{}", figures_text(m, &known));
        assert!(trouble_text(m, &trouble(TroubleKind::LongGop, true, 8_300)).contains("8.3 s"));
        assert!(trouble_text(m, &trouble(TroubleKind::Clock, false, -1_500)).contains("0.1"));
    }

    #[test]
    fn each_trouble_has_a_sentence_of_its_own() {
        use TroubleKind::*;
        let all = [LongGop, Jitter, Gaps, Bitrate, NoAudio, Offset, Clock, VariableRate, BFrames, OpenGop];
        for locale in [Locale::En, Locale::Ko] {
            let said: HashSet<String> =
                all.into_iter().map(|kind| trouble_text(Messages::new(locale), &trouble(kind, false, 1))).collect();
            assert_eq!(said.len(), all.len());
        }
    }
}
