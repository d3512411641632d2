//! What a version has changed: lines with their signs, and a colour beside that.

use leptos::prelude::*;

use orgtrail::graph::view::{Comparison, DiffLine, Hunk};

/// A comparison with how many lines came and went.
#[must_use]
pub fn comparison(compared: &Comparison, label: String) -> AnyView {
    let Comparison { hunks, added, removed, is_cut } = compared;
    let (lines, cut) = (hunks.iter().map(hunk).collect_view(), is_cut.then_some(" The rest is not shown."));
    let summary = format!("{added} added, {removed} removed, in lines.");
    if hunks.is_empty() {
        return view! { <p class="quiet">"The schema is the same: only the URL is another."</p> }.into_any();
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
