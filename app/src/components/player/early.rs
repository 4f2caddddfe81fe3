//! Asking for the stream with the page's first bytes.
//!
//! A live room's HTML carries a line of script that makes the request at once; the player takes it over when the application is there
//! (`madang_player::web`), and the first pictures have come by then. Without scripts, or where the player cannot run, nothing is asked for.

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

/// `path` is made of a slug, which holds nothing that a script could take for its own.
#[cfg(feature = "ssr")]
fn script(path: &str) -> impl IntoView + use<> {
    let text = format!(
        "(u=>{{const c=new AbortController,a=fetch(u,{{cache:\"no-store\",signal:c.signal}});a.catch(()=>0);\
         self.madangEarly={{url:u,controller:c,answer:a}}}})({path:?})"
    );
    let nonce = use_nonce().map(|nonce| nonce.to_string()).unwrap_or_default();
    leptos::view! { <leptos_meta::Script nonce=nonce>{text}</leptos_meta::Script> }
}
