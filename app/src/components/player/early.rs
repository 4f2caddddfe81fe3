//! Asking for the stream with the page's first bytes.
//!
//! A live room's HTML carries a line of script that makes the request at once; the player takes it over when the application is there
//! (`madang_player::web`), and the first pictures have come by then. Without scripts, or where the player cannot run, nothing is asked for.
//!
//! The same line wakes up what plays sound. A browser shows no picture before that is there, and many start a process for it, which takes
//! longer than all else that a picture needs: 50 ms of the way to it in a browser that has just started.

use crate::{head, piece::Piece};
#[cfg(feature = "ssr")]
use leptos::prelude::*;

/// The request for `path`, made while the page is read, if the room is live. A part of the page that shows nothing.
pub fn ask_early(path: &str, live: bool) -> Piece {
    head::tag(|| {
        if !live {
            return Piece::Nothing;
        }
        #[cfg(feature = "ssr")]
        return crate::piece::any(script(path));
        #[cfg(not(feature = "ssr"))]
        {
            let _ = path;
            Piece::Nothing
        }
    })
}

/// A WAV file of 64 samples (8 bits at 8 kHz, one channel), as a text in JavaScript. It is loaded, and never heard.
#[cfg(feature = "ssr")]
const SOUND: &str = r#""RIFFd\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0@\x1f\0\0@\x1f\0\0\1\0\b\0data@\0\0\0"+"~".repeat(64)"#;

/// `path` is made of a slug, which holds nothing that a script could take for its own.
#[cfg(feature = "ssr")]
fn script(path: &str) -> impl IntoView + use<> {
    let text = format!(
        "(u=>{{const c=new AbortController,a=fetch(u,{{cache:\"no-store\",signal:c.signal}});a.catch(()=>0);\
         self.madangEarly={{url:u,controller:c,answer:a}};\
         madangEarly.sound=new Audio(URL.createObjectURL(new Blob([{SOUND}])))}})({path:?})"
    );
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    leptos::view! { <leptos_meta::Script nonce=nonce>{text}</leptos_meta::Script> }
}
