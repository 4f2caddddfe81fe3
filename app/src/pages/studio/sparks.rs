//! Bitrate, frame rate and key-frame distance over the last minute, as small lines.

use super::health::tenths;
use crate::{
    clock::use_clock,
    i18n::{Messages, use_messages},
    piece::Piece,
};
use leptos::prelude::*;
use madang_protocol::studio::Health;
use madang_view::view;
use std::collections::VecDeque;

/// Samples that are kept, one a second.
const KEPT: usize = 60;
/// Of the field that a line is drawn on, [`KEPT`] minus one wide; CSS stretches it.
const HEIGHT: u64 = 20;

/// What a line is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Bitrate,
    Fps,
    Gop,
}

/// The lines. There from the second sample on.
#[component]
pub fn Sparks(health: Memo<Option<Health>>) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let samples = RwSignal::new(VecDeque::<[u64; 3]>::new());
    Effect::new(move |_| {
        // Each second, whether the figures have changed or not.
        clock.now();
        let now = health.with_untracked(|health| health.as_ref().map(sample));
        samples.update(|samples| match now {
            Some(now) => {
                samples.push_back(now);
                while samples.len() > KEPT {
                    samples.pop_front();
                }
            }
            None => samples.clear(),
        });
    });
    let lines = [Line::Bitrate, Line::Fps, Line::Gop];
    view! {
        <div class="studio-sparks" hidden=move || samples.with(|samples| samples.len() < 2)>
            {lines.map(|line| spark(m, samples, line))}
        </div>
    }
}

fn spark(m: Messages, samples: RwSignal<VecDeque<[u64; 3]>>, line: Line) -> Piece {
    let of = move || samples.with(|samples| samples.iter().map(|sample| sample[line as usize]).collect::<Vec<u64>>());
    let label = move || {
        let values = of();
        let (least, most) = (values.iter().min().copied().unwrap_or(0), values.iter().max().copied().unwrap_or(0));
        m.studio_spark_label(name(m, line), value(m, line, least), value(m, line, most))
    };
    let now = move || of().last().map(|last| value(m, line, *last)).unwrap_or_default();
    view! {
        <figure>
            <svg viewBox="0 0 59 20" preserveAspectRatio="none" role="img" aria-label=label>
                <path d=move || path(&of())></path>
            </svg>
            <figcaption aria-hidden="true">{name(m, line)}" "<b>{now}</b></figcaption>
        </figure>
    }
}

/// In the order of [`Line`]: bits a second, frames in ten seconds, ms.
fn sample(health: &Health) -> [u64; 3] {
    [health.video_bps + health.audio_bps, health.fps_tenths.into(), health.gop_ms.unwrap_or(0).into()]
}

const fn name(m: Messages, line: Line) -> &'static str {
    match line {
        Line::Bitrate => m.studio_spark_bitrate(),
        Line::Fps => m.studio_spark_fps(),
        Line::Gop => m.studio_spark_gop(),
    }
}

fn value(m: Messages, line: Line, value: u64) -> String {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    match line {
        Line::Bitrate => m.studio_mbit(tenths(value / 100_000)),
        Line::Fps => m.studio_fps(tenths(value)),
        Line::Gop => m.studio_seconds(tenths(value / 100)),
    }
}

/// A path through the values, the newest at the right edge. From zero up, so that a line that trembles does not look as if it leapt.
fn path(values: &[u64]) -> String {
    let most = values.iter().max().copied().unwrap_or(0).max(1);
    let first = KEPT.saturating_sub(values.len());
    let points = values.iter().enumerate().map(|(at, value)| {
        let up = value.saturating_mul(HEIGHT - 2) / most;
        format!("{}{} {}", if at == 0 { "M" } else { "L" }, first + at, HEIGHT - 1 - up)
    });
    points.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_value_is_at_the_right_and_the_largest_on_top() {
        assert_eq!(path(&[5, 10]), "M58 10L59 1");
        assert_eq!(path(&[0, 0]), "M58 19L59 19");
        assert_eq!(path(&[]), "");
        assert!(path(&[3; KEPT]).starts_with("M0 1L1 1"));
    }
}
