//! Keys for who reads many rows, and the dialog that lists them.

use leptos::ev::{self, KeyboardEvent};
use leptos::prelude::*;

use super::states::SHORTCUTS;
use crate::browser;

/// The links that `j` and `k` go through; Enter opens one by itself.
const EVENTS: &str = ".event-link";

const KEYS: [(&str, &str); 6] = [
    ("j", "Next event"),
    ("k", "Event before"),
    ("Enter", "Open or close the event"),
    ("/", "Search"),
    ("Escape", "Close a menu"),
    ("?", "This list"),
];

/// Listens to the keys as long as the page is shown.
#[component]
#[must_use]
pub fn Keyboard() -> impl IntoView {
    Effect::new(|_| {
        let listener = window_event_listener(ev::keydown, |event| {
            let plain = !event.ctrl_key() && !event.meta_key() && !event.alt_key();
            if plain && !browser::is_typing() && act(&event) {
                event.prevent_default();
            }
        });
        on_cleanup(move || listener.remove());
    });
    let keys = KEYS.map(|(key, meaning)| view! { <div><dt><kbd>{key}</kbd></dt><dd>{meaning}</dd></div> });
    view! {
        <dialog id=SHORTCUTS class="dialog" aria-labelledby="shortcuts-heading">
            <h2 id="shortcuts-heading">"Keys"</h2>
            <dl class="keys">{keys.collect_view()}</dl>
            <form method="dialog"><button class="button">"Close"</button></form>
        </dialog>
    }
}

/// Does what a key says; whether it says anything.
fn act(event: &KeyboardEvent) -> bool {
    match event.key().as_str() {
        "j" => browser::focus_neighbour(EVENTS, 1),
        "k" => browser::focus_neighbour(EVENTS, -1),
        "/" => browser::focus("#search"),
        "?" => browser::show_dialog(SHORTCUTS),
        _ => return false,
    }
    true
}
