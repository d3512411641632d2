//! The few drawings: 16 by 16, in the colour of the text, never read aloud.

use leptos::prelude::*;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Icon {
    /// Opens something below.
    Down,
    /// A month of a calendar.
    Calendar,
    /// The three lines of a menu.
    Menu,
    /// A check mark.
    Check,
    /// A cross.
    Cross,
    /// A magnifying glass.
    Search,
}

impl Icon {
    const fn path(self) -> &'static str {
        match self {
            Self::Down => "M4 6.5l4 4 4-4",
            Self::Calendar => "M2.5 4.5h11v9h-11zM2.5 7.5h11M5.5 2.5v3M10.5 2.5v3",
            Self::Menu => "M2.5 4.5h11M2.5 8h11M2.5 11.5h11",
            Self::Check => "M3.5 8.5l3 3 6-7",
            Self::Cross => "M4.5 4.5l7 7M11.5 4.5l-7 7",
            Self::Search => "M7 12a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM11 11l3 3",
        }
    }

    /// The drawing.
    #[must_use]
    pub fn draw(self) -> impl IntoView {
        view! {
            <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" focusable="false">
                <path d=self.path()/>
            </svg>
        }
    }
}
