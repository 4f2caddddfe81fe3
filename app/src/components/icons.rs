//! Icons, drawn in the page so that they take the text's colour and cost no request. They say nothing: the words beside them do.

use leptos::prelude::*;
use madang_view::view;

/// What an icon shows. All are drawn on a 24 by 24 field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Search,
    Plus,
    Copy,
    Check,
    Close,
    Share,
    Chevron,
    Alert,
    Play,
    Pause,
    Volume,
    Muted,
    Settings,
    Fullscreen,
    FullscreenLeave,
    PictureInPicture,
    Theatre,
    Stats,
    Keyboard,
    Eye,
    Moon,
}

impl Shape {
    /// The outline, and whether it is a line to be stroked (or an area to be filled).
    const fn path(self) -> (&'static str, bool) {
        match self {
            Self::Search => ("M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20", true),
            Self::Plus => ("M12 5v14M5 12h14", true),
            Self::Copy => ("M9 9h10v11H9zM15 9V4H5v11h4", true),
            Self::Check => ("M5 12.5 10 17.5 19 7", true),
            Self::Close => ("M6 6l12 12M18 6 6 18", true),
            Self::Share => ("M12 15V4M8 8l4-4 4 4M5 13v7h14v-7", true),
            Self::Chevron => ("M7 10l5 5 5-5", true),
            Self::Alert => ("M12 4 2.5 20h19zM12 10v4.5M12 17v.5", true),
            Self::Play => ("M8 5v14l11-7z", false),
            Self::Pause => ("M6 5h4v14H6zm8 0h4v14h-4z", false),
            Self::Volume => (
                "M4 9v6h4l5 5V4L8 9zm12.5 3a4 4 0 0 0-2-3.5v7a4 4 0 0 0 2-3.5zm-2-7.7v2.1a6 6 0 0 1 0 11.2v2.1a8 8 0 0 0 0-15.4z",
                false,
            ),
            Self::Muted => (
                "M4 9v6h4l5 5V4L8 9zm17.7.7-1.4-1.4L18 10.6l-2.3-2.3-1.4 1.4 2.3 2.3-2.3 2.3 1.4 1.4 2.3-2.3 2.3 2.3 1.4-1.4-2.3-2.3z",
                false,
            ),
            Self::Settings => (
                "M19 13l2-1-2-1-.6-1.6 1-2-1.8-1.8-2 1L14 6l-1-2h-2l-1 2-1.6.6-2-1-1.8 1.8 1 2L5 11l-2 1 2 1 .6 1.6-1 2 1.8 1.8 2-1L10 18l1 2h2l1-2 1.6-.6 2 1 1.8-1.8-1-2zM12 15a3 3 0 1 1 0-6 3 3 0 0 1 0 6z",
                false,
            ),
            Self::Fullscreen => ("M4 4h7v2H6v5H4zm9 0h7v7h-2V6h-5zM4 13h2v5h5v2H4zm14 0h2v7h-7v-2h5z", false),
            Self::FullscreenLeave => ("M9 4h2v7H4V9h5zm4 0h2v5h5v2h-7zM4 13h7v7H9v-5H4zm9 0h7v2h-5v5h-2z", false),
            Self::PictureInPicture => ("M3 5h18v14H3zm2 2v10h14V7zm7 4h6v5h-6z", false),
            Self::Theatre => ("M2 5h20v14H2zm2 2v10h11V7zm13 0v10h3V7z", false),
            Self::Stats => ("M5 20V11M12 20V4M19 20v-6", true),
            Self::Keyboard => ("M3 6h18v12H3zM7 10h.5M11 10h.5M15 10h.5M7.5 14h9", true),
            Self::Eye => (
                "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
                true,
            ),
            Self::Moon => ("M19.5 14.5A8 8 0 0 1 9.5 4.5a8 8 0 1 0 10 10z", true),
        }
    }
}

/// An icon, as large as the text beside it unless CSS says otherwise (`.icon`).
#[component]
pub fn Icon(
    /// What it shows.
    of: Shape,
) -> impl IntoView {
    let (path, line) = of.path();
    let class = if line { "icon line" } else { "icon" };
    view! {
        <svg class=class viewBox="0 0 24 24" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

/// The mark: ㅁ, the first letter of 마당 and the shape of a courtyard, with the play sign inside.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
            <rect x="3.5" y="3.5" width="25" height="25" rx="6" fill="none" stroke="currentColor" stroke-width="5"></rect>
            <path d="M13 10.5v11l9-5.5z" fill="currentColor"></path>
        </svg>
    }
}
