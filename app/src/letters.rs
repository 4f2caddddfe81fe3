//! Letters and their cases. Rust's tables for all of Unicode are ten kilobytes of a download, and a browser has its own: in the
//! browser these ask it.

/// The text in lower case.
pub fn lower_case(text: &str) -> String {
    #[cfg(feature = "hydrate")]
    return js_sys::JsString::from(text).to_lower_case().into();
    #[cfg(not(feature = "hydrate"))]
    return text.to_lowercase();
}

/// A letter in upper case, which for some is two letters.
pub fn upper_case(c: char) -> String {
    #[cfg(feature = "hydrate")]
    return js_sys::JsString::from(c).to_upper_case().into();
    #[cfg(not(feature = "hydrate"))]
    return c.to_uppercase().collect();
}

/// Whether `c` is a letter or a digit of any script (Unicode's properties `Alphabetic` and `N`).
pub fn is_letter_or_digit(c: char) -> bool {
    #[cfg(feature = "hydrate")]
    return js_sys::RegExp::new("^[\\p{Alphabetic}\\p{N}]$", "u").test(c.encode_utf8(&mut [0; 4]));
    #[cfg(not(feature = "hydrate"))]
    return c.is_alphanumeric();
}
