//! A moment: UTC as the server printed it, in the reader's own zone on request.

use leptos::prelude::*;

use orgtrail::audit::view::Moment;

use crate::browser;

/// Whether times are shown in the reader's own zone. Off in the first render, so that server and browser print the same.
#[derive(Debug, Clone, Copy)]
pub struct LocalTimes(pub RwSignal<bool>);

impl LocalTimes {
    /// Lets all times below be switched together.
    pub fn provide() -> Self {
        let times = Self(RwSignal::new(false));
        provide_context(times);
        times
    }

    fn shown() -> bool {
        use_context::<Self>().is_some_and(|times| times.0.get())
    }
}

/// A moment, to the second.
#[component]
#[must_use]
pub fn Time(
    /// When.
    moment: Moment,
) -> impl IntoView {
    let Moment { rfc3339, utc, .. } = moment;
    let machine = rfc3339.clone();
    let text = move || if LocalTimes::shown() { browser::local_time(&rfc3339) } else { utc.clone() };
    view! { <time datetime=machine>{text}</time> }
}
