//! Encoders that were turned away, newest first, each with what to do about it.

use super::act::Desk;
use crate::{
    clock::use_clock,
    i18n::{Messages, use_messages},
};
use leptos::prelude::*;
use madang_protocol::studio::{Attempt, Mishap};
use madang_view::view;

/// Nothing to be seen while nothing went wrong.
#[component]
pub fn Attempts(desk: Desk) -> impl IntoView {
    let m = use_messages();
    let clock = use_clock();
    let attempts = Memo::new(move |_| desk.status.with(|status| status.attempts.clone()));
    let rows = move || {
        let attempts = attempts.get();
        attempts
            .into_iter()
            .map(|attempt| {
                let words = mishap_text(m, &attempt, |at| m.ago(clock.since(at)));
                let (at, from) = (attempt.at, from_text(m, &attempt));
                view! {
                    <li>
                        <b>{words}</b>
                        <small>{move || m.ago(clock.since(at))}" · "{from}</small>
                    </li>
                }
            })
            .collect_view()
    };
    view! {
        <section class="panel studio-attempts" aria-live="polite" hidden=move || attempts.with(Vec::is_empty)>
            <h2>{m.studio_attempts()}</h2>
            <ul>{rows}</ul>
        </section>
    }
}

/// `3 times · OBS from 203.0.113.9`.
pub fn from_text(m: Messages, attempt: &Attempt) -> String {
    let name = if attempt.encoder.is_empty() { m.studio_some_encoder() } else { attempt.encoder.as_str() };
    let from = m.studio_from(name, &attempt.from);
    if attempt.times > 1 { format!("{} · {from}", m.studio_times(attempt.times.to_string())) } else { from }
}

/// What went wrong and what to do, in a sentence or two.
pub fn mishap_text(m: Messages, attempt: &Attempt, ago: impl Fn(madang_protocol::UnixMillis) -> String) -> String {
    let detail = attempt.detail.as_str();
    match attempt.why {
        Mishap::App if detail.is_empty() => m.mishap_app().to_owned(),
        Mishap::App => m.mishap_app_named(detail),
        Mishap::EmptyKey => m.mishap_empty_key().to_owned(),
        Mishap::UrlAsKey => m.mishap_url_as_key().to_owned(),
        Mishap::NotAKey => m.mishap_not_a_key().to_owned(),
        Mishap::UnknownKey => m.mishap_unknown_key().to_owned(),
        Mishap::RevokedKey => match attempt.revoked {
            Some(at) => m.mishap_revoked_key(ago(at)),
            None => m.mishap_unknown_key().to_owned(),
        },
        Mishap::Locked => m.mishap_locked().to_owned(),
        Mishap::Banned => m.mishap_banned().to_owned(),
        Mishap::Unavailable => m.mishap_unavailable().to_owned(),
        Mishap::SecondStream => m.mishap_second_stream().to_owned(),
        Mishap::VideoCodec => m.mishap_video_codec(detail),
        Mishap::HevcAsAvc => m.mishap_hevc_as_avc().to_owned(),
        Mishap::AudioCodec => m.mishap_audio_codec(detail),
        Mishap::NoMedia => m.mishap_no_media().to_owned(),
        Mishap::Silent => m.mishap_silent().to_owned(),
        Mishap::Tls => m.mishap_tls().to_owned(),
        Mishap::Http => m.mishap_http().to_owned(),
        Mishap::NotRtmp => m.mishap_not_rtmp().to_owned(),
        Mishap::Amf3 => m.mishap_amf3().to_owned(),
        Mishap::Protocol => m.mishap_protocol().to_owned(),
        Mishap::TakenOver => m.mishap_taken_over().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::i18n::Locale;
    use madang_protocol::UnixMillis;
    use std::collections::HashSet;

    fn attempt(why: Mishap, detail: &str) -> Attempt {
        let encoder = "OBS".to_owned();
        let revoked = Some(UnixMillis(0));
        Attempt {
            at: UnixMillis(0),
            times: 1,
            from: "192.0.2.1".to_owned(),
            encoder,
            why,
            detail: detail.to_owned(),
            revoked,
        }
    }

    #[test]
    fn each_wrong_set_up_has_its_own_sentence_in_each_language() {
        use Mishap::*;
        let all = [
            App,
            EmptyKey,
            UrlAsKey,
            NotAKey,
            UnknownKey,
            RevokedKey,
            Locked,
            Banned,
            Unavailable,
            SecondStream,
            VideoCodec,
            HevcAsAvc,
            AudioCodec,
            NoMedia,
            Silent,
            Tls,
            Http,
            NotRtmp,
            Amf3,
            Protocol,
            TakenOver,
        ];
        for locale in [Locale::En, Locale::Ko] {
            let m = Messages::new(locale);
            let said: HashSet<String> =
                all.into_iter().map(|why| mishap_text(m, &attempt(why, ""), |_| "x".to_owned())).collect();
            assert_eq!(said.len(), all.len());
        }
    }

    #[test]
    fn what_was_sent_is_named_and_repetitions_are_counted() {
        let m = Messages::new(Locale::En);
        let words = |attempt: &Attempt| mishap_text(m, attempt, |_| "an hour ago".to_owned());
        assert!(words(&attempt(Mishap::App, "liveabc")).contains("“liveabc”"));
        assert!(words(&attempt(Mishap::RevokedKey, "")).contains("an hour ago"));
        let often = Attempt { times: 3, ..attempt(Mishap::Tls, "") };
        assert_eq!(from_text(m, &often), "3 times · OBS from 192.0.2.1");
    }
}
