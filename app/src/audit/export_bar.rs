//! The download: one button that says how many events it will contain, and the other formats beside it.

use leptos::prelude::*;

use orgtrail::audit::view::ExportCount;
use orgtrail::number::counted;

use crate::answer::Answer;
use crate::browser;
use crate::ui::answered::answered;
use crate::ui::icon::Icon;
use crate::wire::Refusal;

/// Where the export is; the query names organization, range and kinds.
const EXPORT: &str = "/api/export_audit_logs";

/// A form of the download: what is added to the query, its name, and what to know before choosing it.
const FORMATS: [(&str, &str, &str); 4] = [
    ("&profile=full", "CSV, all columns", "Also index, kind, outcome, object, address, client and request."),
    ("&bom=1", "CSV for Excel", "With a byte-order mark, so that Excel reads the letters right."),
    (
        "&csv=raw",
        "CSV, raw",
        "Values exactly as recorded. Careful: one that begins with =, +, - or @ can run as a formula when a spreadsheet opens the file.",
    ),
    ("&format=ndjson", "NDJSON", "For programs: every field, byte for byte, one event a line."),
];

/// Plain links: the browser saves the file, or shows the page that says why not.
#[component]
#[must_use]
pub fn ExportBar(
    /// What to download, without `?`.
    export_query: String,
    /// How many events that are.
    count: Answer<Option<ExportCount>>,
) -> impl IntoView {
    let base = format!("{EXPORT}?{export_query}");
    let number = answered(move || async move { told(count.read().await).into_any() });
    let formats = FORMATS.map(|(extra, name, about)| {
        let href = format!("{base}{extra}");
        let close = |_| browser::close_menus(None);
        view! { <li><a rel="external" href=href on:click=close><span class="menu-text">{name}<small>{about}</small></span></a></li> }
    });
    view! {
        <div class="split">
            <a class="button button-primary" rel="external" href=base.clone()>
                "Download CSV" <span class="count">{number}</span>
            </a>
            <details class="menu menu-end" name="audit">
                <summary class="button button-primary" aria-label="More formats">{Icon::Down.draw()}</summary>
                <ul class="panel menu-list menu-formats">{formats.collect_view()}</ul>
            </details>
        </div>
    }
}

/// Nothing if it could not be counted: the download works all the same.
fn told(count: Result<Option<ExportCount>, Refusal>) -> Option<String> {
    let events = count.ok()??.events;
    Some(format!("· {}", counted(events, "event")))
}
