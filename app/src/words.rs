//! Sentences that need a choice as well as a message: categories, errors, ages; and the figures of a clock.

use crate::{
    error::ApiError,
    i18n::{Locale, Messages},
};

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

impl Messages {
    /// A category's name. A code from a newer server is shown as it is.
    pub fn category(self, code: &str) -> String {
        match code {
            "games" => self.category_games(),
            "software" => self.category_software(),
            "music" => self.category_music(),
            "craft" => self.category_craft(),
            "study" => self.category_study(),
            "food" => self.category_food(),
            "talk" => self.category_talk(),
            "sports" => self.category_sports(),
            "outdoors" => self.category_outdoors(),
            "other" => self.category_other(),
            unknown => unknown,
        }
        .to_owned()
    }

    /// What went wrong and what to do, in one or two sentences.
    pub fn error(self, error: &ApiError) -> String {
        match error {
            ApiError::NotFound => self.error_not_found().to_owned(),
            ApiError::Forbidden => self.error_forbidden().to_owned(),
            ApiError::Barred => self.error_barred().to_owned(),
            ApiError::WrongLogin => self.error_wrong_login().to_owned(),
            ApiError::Invalid(_) => self.error_invalid().to_owned(),
            ApiError::TooMany { retry_after_s } => self.error_too_many(retry_after_s),
            ApiError::LimitReached { max } => self.error_limit(max),
            ApiError::Busy => self.error_busy().to_owned(),
            ApiError::Unreachable => self.error_unreachable().to_owned(),
            ApiError::Internal => self.error_internal().to_owned(),
        }
    }

    /// How long ago: `just now`, `5 minutes ago`, `yesterday`. Months have 30 days here.
    pub fn ago(self, ms: i64) -> String {
        let count = |unit: i64| u64::try_from(ms / unit).unwrap_or(0);
        match ms {
            ..MINUTE => self.ago_now().to_owned(),
            MINUTE..HOUR => self.ago_minutes(count(MINUTE)),
            HOUR..DAY => self.ago_hours(count(HOUR)),
            _ => match count(DAY) {
                days @ ..30 => self.ago_days(days),
                days @ 30..365 => self.ago_months(days / 30),
                days => self.ago_years(days / 365),
            },
        }
    }

    /// As [`Self::ago`], but by the second in the first minute: for what is watched while it ages.
    pub fn ago_exactly(self, ms: i64) -> String {
        if ms < MINUTE { self.ago_seconds(u64::try_from(ms / SECOND).unwrap_or(0)) } else { self.ago(ms) }
    }
}

/// Hours, minutes and seconds as a player shows them: `2:41:10`. Hours are always there, so that figures line up.
pub fn clock_text(ms: i64) -> String {
    let seconds = ms.max(0) / SECOND;
    format!("{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The same as a duration for `<time datetime>` (ISO 8601): `PT2H41M10S`.
pub fn clock_machine(ms: i64) -> String {
    let seconds = ms.max(0) / SECOND;
    format!("PT{}H{}M{}S", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// What Open Graph calls a language.
pub const fn open_graph_locale(locale: Locale) -> &'static str {
    match locale {
        Locale::En => "en_US",
        Locale::Ko => "ko_KR",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use madang_protocol::validation::CATEGORIES;

    #[test]
    fn every_category_has_a_name_in_every_language() {
        for locale in Locale::ALL {
            for code in CATEGORIES {
                assert_ne!(Messages::new(locale).category(code), code);
            }
        }
        assert_eq!(Messages::new(Locale::Ko).category("from-the-future"), "from-the-future");
    }

    #[test]
    fn ages_read_as_people_say_them() {
        let ago = |ms| Messages::new(Locale::En).ago(ms);
        assert_eq!(ago(-5), "just now");
        assert_eq!(ago(59 * SECOND), "just now");
        assert_eq!(ago(MINUTE), "1 minute ago");
        assert_eq!(ago(90 * MINUTE), "1 hour ago");
        assert_eq!(ago(DAY), "yesterday");
        assert_eq!(ago(29 * DAY), "29 days ago");
        assert_eq!(ago(45 * DAY), "a month ago");
        assert_eq!(ago(364 * DAY), "12 months ago");
        assert_eq!(ago(800 * DAY), "2 years ago");
        assert_eq!(Messages::new(Locale::Ko).ago(DAY), "1일 전");
        assert_eq!(Messages::new(Locale::En).ago_exactly(12 * SECOND), "12 seconds ago");
    }

    #[test]
    fn a_clock_has_all_its_figures() {
        assert_eq!(clock_text(9_670_000), "2:41:10");
        assert_eq!(clock_text(-1), "0:00:00");
        assert_eq!(clock_text(100 * HOUR), "100:00:00");
        assert_eq!(clock_machine(9_670_000), "PT2H41M10S");
    }
}
