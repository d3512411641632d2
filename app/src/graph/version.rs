//! One version of a subgraph: what it changed since the one before, or since any other, and its schema.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{Comparison, VersionView};

use super::branch::way;
use super::diff::{comparer, comparison, headed, use_since};
use super::sdl::{download, schema};
use super::server_fns::{compared_versions, subgraph_version};
use super::sized;
use crate::answer::Answer;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::refused::Refused;
use crate::ui::time::Time;
use crate::wire::Refusal;

/// Which subgraph a page is about.
struct Place {
    slug: String,
    graph: String,
    branch: String,
    subgraph: String,
}

/// One version, by its number in the path; with which other it is compared can be in the URL (`since`).
#[component]
#[must_use]
pub fn VersionPage() -> impl IntoView {
    let slug = use_slug();
    let [graph, branch, subgraph, number] = ["graph", "branch", "subgraph", "number"].map(use_segment);
    let place = move || Place {
        slug: slug.get_untracked(),
        graph: graph.get_untracked(),
        branch: branch.get_untracked(),
        subgraph: subgraph.get_untracked(),
    };
    // There is no version 0: what is no number is not found.
    let since = use_since();
    let number_now = move || number.get_untracked().parse::<i32>().unwrap_or(0);
    let key =
        move || format!("{}/{}/{}/{}/{}", slug.read(), graph.read(), branch.read(), subgraph.read(), number.read());
    let version = Answer::to(key, move || {
        let Place { slug, graph, branch, subgraph } = place();
        subgraph_version(slug, graph, branch, subgraph, number_now())
    });
    let compared = Answer::to(
        move || format!("{}?{:?}", key(), since.get()),
        move || {
            let Place { slug, graph, branch, subgraph } = place();
            compared_versions(slug, graph, branch, subgraph, number_now(), since.get_untracked())
        },
    );
    answered(move || async move {
        let asked = async { Ok::<_, Refusal>((version.read().await?, compared.read().await?)) };
        match asked.await {
            Ok((version, compared)) => page(&version, compared.as_ref(), since.get_untracked(), &place()),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &VersionView, compared: Option<&Comparison>, since: Option<i32>, place: &Place) -> AnyView {
    let Place { slug, graph, branch, subgraph } = place;
    let version = found.version.clone();
    let number = version.number;
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}");
    let file = format!("{path}/versions/{number}/file");
    let changes = changes(compared, number, since.unwrap_or(number - 1), &path);
    view! {
        <Title text=format!("Version {number} · {subgraph} · {branch} · Graphs")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div>
                <h1><a href=path>{subgraph.clone()}</a> ", version " {number}</h1>
                <p class="graph-fact">
                    {sized(version.bytes)} " · published " <Time moment=version.published/> " · by " {version.published_by}
                    {(!version.url.is_empty()).then(|| format!(" · served at {}", version.url))}
                </p>
                <p class="graph-fact">"SHA-256 " <code>{version.sha256}</code></p>
            </div>
            {download(file)}
        </header>
        {changes}
        <section aria-labelledby="schema-heading">
            <h2 id="schema-heading">"Schema"</h2>
            {schema(&found.sdl, format!("Schema of {subgraph}, version {number}"))}
        </section>
    }
    .into_any()
}

/// What differs, if there is anything to compare with: the first version stands alone until somebody names another.
fn changes(compared: Option<&Comparison>, number: i32, since: i32, path: &str) -> AnyView {
    let comparer = comparer(format!("{path}/versions/{number}"), "Compare with version", compared.map(|_| since));
    let Some(compared) = compared else { return comparer };
    let label = format!("Lines that differ from version {since}");
    view! {
        <section aria-labelledby="changes-heading">
            <h2 id="changes-heading">
                {headed(since, number)} <a href=format!("{path}/versions/{since}")>"version " {since}</a>
            </h2>
            {comparer}
            {comparison(compared, label, "The schema is the same.")}
        </section>
    }
    .into_any()
}
