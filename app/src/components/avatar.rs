//! A person's picture until there are pictures: the first letter of the name on the name's own hue.

use crate::letters::{is_letter_or_digit, upper_case};
use leptos::prelude::*;
use madang_view::view;

/// How many hues `style/tokens.css` has, as classes `hue-0` to `hue-11`. Classes and not styles, so that a strict content security
/// policy can forbid inline styles.
pub const HUES: u32 = 12;

/// The class of a text's hue: the same text has the same hue everywhere.
pub fn hue_class(text: &str) -> String {
    let hash = text.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    // Similar names differ in the low bits of FNV only; the finish of MurmurHash3 spreads them over the palette.
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    format!("hue-{}", (hash ^ (hash >> 16)) % HUES)
}

/// The letter in the circle.
fn initial(name: &str) -> String {
    let letter = name.chars().find(|c| is_letter_or_digit(*c)).or_else(|| name.chars().next());
    letter.map(upper_case).unwrap_or_default()
}

/// A circle with the name's first letter. Says nothing to screen readers: the name stands beside it.
#[component]
pub fn Avatar(
    /// The person's name as shown.
    #[prop(into)]
    name: String,
    /// The large one of the watch page.
    #[prop(optional)]
    large: bool,
) -> impl IntoView {
    let class = format!("ava {}{}", hue_class(&name), if large { " large" } else { "" });
    view! { <span class=class aria-hidden="true">{initial(&name)}</span> }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_initial_is_the_first_letter_there_is() {
        assert_eq!(["D", "도", "7", "★", ""].map(String::from), ["dohyun", "도현", "#7", "★", ""].map(initial));
    }

    #[test]
    fn a_hue_is_stable_and_within_the_palette() {
        assert_eq!(hue_class("도현"), hue_class("도현"));
        let mut seen: Vec<String> = (0..500).map(|i| hue_class(&format!("name {i}"))).collect();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), HUES as usize);
    }
}
