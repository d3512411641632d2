//! One version of a subgraph: what it changed, and its schema.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{Comparison, VersionView};

use super::branch::way;
use super::diff::comparison;
use super::sdl::schema;
use super::server_fns::{compared_versions, subgraph_version};
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

/// One version, by its number in the path.
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
    let number_now = move || number.get_untracked().parse::<i32>().unwrap_or(0);
    let key =
        move || format!("{}/{}/{}/{}/{}", slug.read(), graph.read(), branch.read(), subgraph.read(), number.read());
    let version = Answer::to(key, move || {
        let Place { slug, graph, branch, subgraph } = place();
        subgraph_version(slug, graph, branch, subgraph, number_now())
    });
    let compared = Answer::to(key, move || {
        let Place { slug, graph, branch, subgraph } = place();
        compared_versions(slug, graph, branch, subgraph, number_now())
    });
    answered(move || async move {
        let asked = async { Ok::<_, Refusal>((version.read().await?, compared.read().await?)) };
        match asked.await {
            Ok((version, compared)) => page(&version, compared.as_ref(), &place()),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &VersionView, compared: Option<&Comparison>, place: &Place) -> AnyView {
    let Place { slug, graph, branch, subgraph } = place;
    let version = found.version.clone();
    let (number, before) = (version.number, version.number - 1);
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}");
    let changes = compared.map(|compared| changes(compared, before, &path));
    view! {
        <Title text=format!("Version {number} · {subgraph} · {branch} · Graphs")/>
        {way(slug, graph, Some(branch))}
        <header class="page-head">
            <div>
                <h1><a href=path>{subgraph.clone()}</a> ", version " {number}</h1>
                <p class="graph-fact">
                    {version.bytes} " bytes · published " <Time moment=version.published/> " · by " {version.published_by}
                    {(!version.url.is_empty()).then(|| format!(" · served at {}", version.url))}
                </p>
                <p class="graph-fact">"SHA-256 " <code>{version.sha256}</code></p>
            </div>
        </header>
        {changes}
        <section aria-labelledby="schema-heading">
            <h2 id="schema-heading">"Schema"</h2>
            {schema(&found.sdl, format!("Schema of {subgraph}, version {number}"))}
        </section>
    }
    .into_any()
}

fn changes(compared: &Comparison, before: i32, path: &str) -> AnyView {
    view! {
        <section aria-labelledby="changes-heading">
            <h2 id="changes-heading">"Changed since " <a href=format!("{path}/versions/{before}")>"version " {before}</a></h2>
            {comparison(compared, format!("Lines changed since version {before}"))}
        </section>
    }
    .into_any()
}
