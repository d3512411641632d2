//! What the page shows when there is nothing to show, or not yet; and its foot.

use leptos::prelude::*;

use orgtrail::audit::view::{FilterView, Moment, RangeView};

use super::filters::removable;
use super::links::Query;
use super::page::Here;
use crate::browser;

/// Id of the dialog that lists the keys.
pub const SHORTCUTS: &str = "shortcuts";

/// In place of the table: why it is empty, and what to do about it.
#[must_use]
pub fn nothing_to_show(here: &Here, range: &RangeView, filter: &FilterView, trail_is_empty: bool) -> AnyView {
    if trail_is_empty {
        return empty_trail();
    }
    let is_page = here.query.get("before").or(here.query.get("after")).is_some();
    if is_page { end_of_list(here) } else { nothing_matches(here, range, filter) }
}

fn empty_trail() -> AnyView {
    view! {
        <div class="empty">
            <h2>"Nothing has happened yet"</h2>
            <p>"Every change will be listed here by itself, from the moment it is made:"</p>
            <ul>
                <li>"a member joins, gets another role or is removed;"</li>
                <li>"the organization is renamed, or a team, graph or access token changes;"</li>
                <li>"these audit logs are downloaded."</li>
            </ul>
            <p class="quiet">"Each with who did it, when, from where, and what it was before and after."</p>
        </div>
    }
    .into_any()
}

fn nothing_matches(here: &Here, range: &RangeView, filter: &FilterView) -> AnyView {
    let widest = "90d";
    let wider = (range.preset.as_deref() != Some(widest))
        .then(|| ("Look at all 90 days".to_owned(), here.with(&here.query.preset(widest))));
    let narrower = removable(here, filter).into_iter().map(|(label, href)| (format!("Drop {label}"), href));
    let ways = wider
        .into_iter()
        .chain(narrower)
        .map(|(label, href)| view! { <li><a class="button" href=href>{label}</a></li> });
    let ways = ways.collect_view();
    view! {
        <div class="empty">
            <h2>"Nothing matches"</h2>
            <p>"No event of " {range.label.clone()} " (" {range.zone.clone()} ") fits these filters."</p>
            <ul class="empty-ways">{ways}</ul>
        </div>
    }
    .into_any()
}

fn end_of_list(here: &Here) -> AnyView {
    let first = here.with(&here.query.scope());
    view! {
        <div class="empty">
            <h2>"No more events"</h2>
            <p>"The list ends here."</p>
            <p><a class="button" href=first>"Back to the newest"</a></p>
        </div>
    }
    .into_any()
}

/// The page before its first answer, when one comes to it by a link inside.
#[must_use]
pub fn skeleton() -> AnyView {
    let rows =
        std::iter::repeat_with(|| view! { <div class="row" aria-hidden="true"><i></i><i></i><i></i><i></i></div> });
    view! {
        <header class="page-head"><div><h1>"Audit logs"</h1><p role="status">"Loading…"</p></div></header>
        <div class="log skeleton">{rows.take(10).collect_view()}</div>
    }
    .into_any()
}

/// How current the table is, and the way to older and newer events.
#[component]
#[must_use]
pub fn Footer(
    /// The page's address.
    here: Here,
    /// Cursor of the newer page.
    newer: Option<String>,
    /// Cursor of the older page.
    older: Option<String>,
    /// Moment up to which nothing is missing; none where something is.
    complete_through: Option<Moment>,
) -> impl IntoView {
    let newer = newer.map(|cursor| here.query.newer(&cursor));
    let older = older.map(|cursor| here.query.older(&cursor));
    let complete = match complete_through {
        Some(Moment { rfc3339, utc, .. }) => {
            view! { <p class="complete">"Complete through " <time datetime=rfc3339>{utc} " UTC"</time></p> }.into_any()
        }
        None => view! { <p class="complete incomplete">"Not complete: damaged"</p> }.into_any(),
    };
    view! {
        <footer class="foot">
            {complete}
            <button class="button button-quiet needs-script" type="button" on:click=|_| browser::show_dialog(SHORTCUTS)>
                "Keys " <kbd>"?"</kbd>
            </button>
            <nav class="pages" aria-label="Pages">{turn(&here, newer, "Newer")} {turn(&here, older, "Older")}</nav>
        </footer>
    }
}

fn turn(here: &Here, query: Option<Query>, label: &'static str) -> AnyView {
    match query {
        Some(query) => view! { <a class="button" href=here.with(&query)>{label}</a> }.into_any(),
        None => view! { <span class="button" role="link" aria-disabled="true">{label}</span> }.into_any(),
    }
}
