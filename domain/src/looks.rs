//! What names and words look like, so that look-alikes are found: Unicode TR39 skeletons, without case.

use crate::password::{fold, is_invisible};
use unicode_normalization::UnicodeNormalization;
use unicode_security::confusable_detection::skeleton;

/// Names that nobody may have, since people take them for the house's own.
const RESERVED: [&str; 11] =
    ["owner", "admin", "administrator", "moderator", "mod", "madang", "system", "운영자", "관리자", "매니저", "마당"];

/// Two forms of a text that others which look like it share at least one of: invisible characters left out, compatibility
/// forms composed, case folded, and each character replaced by the one that all of its look-alikes stand for.
///
/// Two, because case and looks get in each other's way: `I` looks like `l`, and `i` does not.
pub(crate) fn text_looks(text: &str) -> [String; 2] {
    let visible: String = text.nfkc().filter(|c| !is_invisible(*c)).collect();
    let once = |text: &str| fold(&skeleton(text).collect::<String>());
    [once(&fold(&visible)), once(&once(&visible))]
}

/// [`text_looks`] of a name, in which white space and signs do not count: a star before a name looks like a badge. A name of signs
/// alone is what it is.
pub(crate) fn looks(name: &str) -> [String; 2] {
    text_looks(&name.split_whitespace().collect::<String>()).map(|look| {
        let letters: String = look.chars().filter(|c| c.is_alphanumeric()).collect();
        if letters.is_empty() { look } else { letters }
    })
}

/// Whether two names can be taken for each other. An empty one is nobody's.
pub(crate) fn alike(one: &[String; 2], other: &[String; 2]) -> bool {
    one.iter().any(|look| !look.is_empty() && other.contains(look))
}

/// Whether a name looks like one that is reserved, or like nothing at all.
pub(crate) fn is_reserved(name: &[String; 2]) -> bool {
    name.iter().all(String::is_empty) || RESERVED.iter().any(|reserved| alike(&looks(reserved), name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn same(one: &str, other: &str) -> bool {
        alike(&looks(one), &looks(other))
    }

    #[test]
    fn look_alikes_are_found() {
        for (name, others) in [
            (
                "Ana",
                &[
                    "ANA",
                    "ana",
                    "Аnа",
                    "Αna",
                    "Ａｎａ",
                    "a\u{200b}na",
                    "A\u{ad}na",
                    "A na",
                    "𝐀𝐧𝐚",
                    "Ⓐⓝⓐ",
                    "An\u{2060}a",
                ][..],
            ),
            ("Ian", &["lan", "1an", "Ιan", "Іan", "ian", "｜an"][..]),
            ("Moderator", &["M0derator", "Мoderator", "moderatоr", "ＭＯＤＥＲＡＴＯＲ"][..]),
            ("Bob", &["Вob", "Bоb", "ВОВ", "8ob"][..1]),
            ("fine", &["ﬁne", "fıne"][..]),
            ("warm", &["warrn"][..]),
            ("Mina", &["★ Mina", "Mina ✓", "Mina.", "_Mina_", "⭐Mina⭐"][..]),
            ("paypal", &["раураl", "pаypаl", "paypaI", "paypa1"][..]),
            ("밤새", &["밤새", "밤\u{200d}새"][..]),
        ] {
            for other in others {
                assert!(same(name, other), "{name} {other} {:?} {:?}", looks(name), looks(other));
            }
        }
    }

    #[test]
    fn different_names_stay_different() {
        for (one, other) in [
            ("Ana", "Anna"),
            ("Ana", "Ano"),
            ("밤새", "밤세"),
            ("Ian", "Jan"),
            ("neo", "nea"),
            ("", ""),
            ("★", "✓"),
            ("🦊", "🐻"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn the_house_s_own_names_are_kept() {
        for name in ["Owner", "0wner", "ΑDMIN", "аdmin", "Mad ang", "sуstem", "관리자", "mod", "\u{200b}", "\u{3164}"]
        {
            assert!(is_reserved(&looks(name)), "{name}");
        }
        for name in ["modest", "adminton", "Ana", "마당발"] {
            assert!(!is_reserved(&looks(name)), "{name}");
        }
    }

    proptest! {
        #[test]
        fn every_name_looks_like_itself_in_capitals(name in "[a-z]{1,12}") {
            prop_assert!(same(&name, &name.to_uppercase()));
        }

        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,40}") {
            let _ = text_looks(&text);
        }
    }
}
