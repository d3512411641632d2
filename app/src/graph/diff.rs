//! What differs between two texts: lines with their signs, and a colour beside that; and with what somebody wishes to compare.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use orgtrail::graph::view::{Comparison, DiffLine, Hunk};

/// The number in the URL (`since`) of what the page's own is compared with; without it, that is the one before.
#[must_use]
pub fn use_since() -> Memo<Option<i32>> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|all| all.get("since")?.parse().ok()))
}

/// Compares what `path` shows with another one; `since` is the present one.
#[must_use]
pub fn comparer(path: String, label: &'static str, since: Option<i32>) -> AnyView {
    let value = since.map(|since| since.to_string()).unwrap_or_default();
    view! {
        <form method="get" action=path class="inline-form graph-compare">
            <label for="since">{label}</label>
            <input id="since" type="number" name="since" min="1" required value=value/>
            <button class="button" type="submit">"Compare"</button>
        </form>
    }
    .into_any()
}

/// What a comparison of `number` with `since` is headed with.
#[must_use]
pub fn headed(since: i32, number: i32) -> &'static str {
    if since < number { "Changed since " } else { "Different from " }
}

/// A comparison with how many lines came and went; `same` is said where none did.
#[must_use]
pub fn comparison(compared: &Comparison, label: String, same: &'static str) -> AnyView {
    let Comparison { hunks, added, removed, is_cut } = compared;
    let (lines, cut) = (hunks.iter().map(hunk).collect_view(), is_cut.then_some(" The rest is not shown."));
    let summary = format!("{added} added, {removed} removed, in lines.");
    if hunks.is_empty() {
        return view! { <p class="quiet">{same}</p> }.into_any();
    }
    view! {
        <p class="quiet">{summary} {cut}</p>
        <div class="code" role="region" aria-label=label tabindex="0">{lines}</div>
    }
    .into_any()
}

fn hunk(hunk: &Hunk) -> AnyView {
    let lines: Vec<_> = hunk.lines.iter().map(line).collect();
    view! { <pre class="code-hunk"><code>{lines}</code></pre> }.into_any()
}

/// `ins` and `del` say to who hears it what the sign says to who sees it.
fn line(line: &DiffLine) -> AnyView {
    let number = line.new.or(line.old).unwrap_or_default();
    let text = |sign: &str| format!("{number:>6} {sign} {}\n", line.text);
    match line.kind.as_str() {
        "added" => view! { <ins>{text("+")}</ins> }.into_any(),
        "removed" => view! { <del>{text("−")}</del> }.into_any(),
        _ => view! { <span>{text(" ")}</span> }.into_any(),
    }
}
