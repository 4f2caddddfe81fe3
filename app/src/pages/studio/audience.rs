//! Who watches, and how the picture does for them: sums of what their browsers tell.

use super::{act::Desk, health::tenths};
use crate::{
    i18n::{Messages, grouped, use_messages},
    piece::Piece,
};
use leptos::prelude::*;
use madang_protocol::studio::{Quality, StudioStatus};
use madang_view::view;

/// There while the room is live.
#[component]
pub fn Audience(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let rows = Memo::new(move |_| desk.status.with(|status| rows(m, status)));
    let shown = move || rows.get().into_iter().map(|(what, how)| row(what, how)).collect_view();
    view! {
        <section class="panel studio-audience" hidden=move || !desk.status.with(|status| status.live.is_live())>
            <h2>{m.studio_audience()}</h2>
            <dl>{shown}</dl>
        </section>
    }
}

fn row(what: &'static str, how: String) -> Piece {
    view! { <div><dt>{what}</dt><dd>{how}</dd></div> }
}

fn rows(m: Messages, status: &StudioStatus) -> Vec<(&'static str, String)> {
    let told = |say: fn(Messages, &Quality) -> String| {
        status.quality.as_ref().map_or_else(|| m.studio_unknown().to_owned(), |quality| say(m, quality))
    };
    let mut rows = vec![
        (m.studio_watching(), grouped(status.watching.into())),
        (m.studio_peak(), grouped(status.peak.max(status.watching).into())),
        (m.studio_delay(), told(|m, q| m.studio_delay_value(seconds(q.delay_p50_ms), seconds(q.delay_p95_ms)))),
        (m.studio_stalls(), told(|_, q| tenths(q.stalls_tenths.into()))),
        (m.studio_dropped(), told(|_, q| format!("{} %", tenths(q.dropped_permille.into())))),
    ];
    // Said where there are some: it is for the streamer to choose another codec.
    if status.unplayable > 0 {
        rows.push((m.studio_unplayable(), grouped(status.unplayable.into())));
    }
    rows
}

/// `0.8`, `12`.
fn seconds(ms: u32) -> String {
    tenths(i64::from(ms.saturating_add(50)) / 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use madang_protocol::{LiveState, UnixMillis};

    fn status(quality: Option<Quality>) -> StudioStatus {
        let live = LiveState::Live { since: UnixMillis(0) };
        StudioStatus {
            live,
            watching: 12,
            peak: 1_031,
            quality,
            unplayable: 0,
            encoder: None,
            fought_over: false,
            attempts: vec![],
        }
    }

    fn said(quality: Option<Quality>) -> Vec<String> {
        rows(Messages::new(Locale::En), &status(quality)).into_iter().map(|(_, how)| how).collect()
    }

    #[test]
    fn figures_are_said_as_people_say_them() {
        let quality = Quality { delay_p50_ms: 830, delay_p95_ms: 1_960, stalls_tenths: 12, dropped_permille: 4 };
        assert_eq!(said(Some(quality)), ["12", "1,031", "0.8 s · 2 s", "1.2", "0.4 %"]);
        assert_eq!(said(None), ["12", "1,031", "–", "–", "–"]);
        let some = StudioStatus { unplayable: 3, ..status(None) };
        assert_eq!(rows(Messages::new(Locale::En), &some).last(), Some(&("Cannot play this codec", "3".to_owned())));
    }
}
