//! From a row of the settings to the audit logs: what somebody did, and what happened to them.

use leptos::prelude::*;

use super::links::Query;

/// The two links beside a member, team or access token; without `actor` only the second. `whom` is “it” or “them”; `name` says of whom
/// out of its row.
#[must_use]
pub fn history_links(slug: &str, actor: Option<String>, object: String, whom: &'static str, name: &str) -> AnyView {
    let path = format!("/{slug}/settings/audit-logs");
    let link = |filter: &str, value: &str, label: String| {
        let href = Query::default().filter("range", "90d").filter("kind", "all").filter(filter, value).on(&path);
        let spoken = format!("{label}: {name}");
        view! { <a href=href aria-label=spoken>{label}</a> }.into_any()
    };
    let subject = if whom == "it" { "it" } else { "they" };
    let did = actor.map(|actor| link("actor", &actor, format!("What {subject} did")));
    let happened = link("object", &object, format!("What happened to {whom}"));
    view! { <span class="history">{did} {happened}</span> }.into_any()
}
