//! Graphs: the list of them, and making one; below it the pages of one graph.

use leptos::prelude::*;
use leptos_meta::Title;

use orgtrail::graph::view::{GraphRow, GraphsPage as Graphs};
use orgtrail::identity::view::Flash;
use orgtrail::number::{counted, grouped};

use crate::answer::Answer;
use crate::context::{current_flash, current_organization};
use crate::routes::use_slug;
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState, Lines, area};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;
use crate::ui::search::{SearchForm, use_search};

pub mod branch;
pub mod diff;
pub mod document;
pub mod documents;
pub mod forms;
pub mod one;
pub mod publish;
pub mod sdl;
pub mod server_fns;
pub mod subgraph;
pub mod supergraph;
pub mod supergraphs;
pub mod version;

use server_fns::graphs_page;

const CREATE: &str = "/api/create_graph";

/// The list is searched when it is long.
const SEARCHED_FROM: i64 = 10;

/// The graphs of the organization; the search is in the URL (`search`).
#[component]
#[must_use]
pub fn GraphsPage() -> impl IntoView {
    let (slug, search) = (use_slug(), use_search());
    let graphs = Answer::to(
        move || format!("{}?{}", slug.read(), search.read()),
        move || graphs_page(slug.get_untracked(), search.get_untracked()),
    );
    let (organization, flash) = (current_organization().0, current_flash());
    answered(move || async move {
        let (flash, name) = (flash.read().await, organization.read().await.map(|found| found.name).unwrap_or_default());
        match graphs.read().await {
            Ok(page) => list(page, &name, &slug.get_untracked(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn list(page: Graphs, organization: &str, slug: &str, flash: &Flash) -> AnyView {
    let Graphs { graphs, total, search, manageable } = page;
    let path = format!("/{slug}/graphs");
    let is_long = total >= SEARCHED_FROM || !search.is_empty();
    let empty = graphs.is_empty().then(|| nothing(total, &search, &path, manageable));
    let left = left_by(&[CREATE, "/api/delete_graph"], flash, &["name", "slug", "description"]);
    let rows: Vec<_> = graphs.into_iter().map(|graph| row(graph, &path)).collect();
    view! {
        <Title text=format!("Graphs · {organization}")/>
        <header class="page-head">
            <div><h1>"Graphs"</h1><p>{counted(total, "graph")} " in " {organization.to_owned()} "."</p></div>
        </header>
        {left}
        {is_long.then(|| view! { <SearchForm path=path search=search label="Search graphs" placeholder="Name"/> })}
        {empty}
        <ul class="list">{rows}</ul>
        {manageable.then(|| creator(slug, flash))}
    }
    .into_any()
}

fn row(graph: GraphRow, path: &str) -> AnyView {
    let GraphRow { slug, name, branches, subgraphs, .. } = graph;
    let size = format!("{} in main · {}", counted(subgraphs, "subgraph"), counted_branches(branches));
    view! {
        <li class="graph-row">
            <a href=format!("{path}/{slug}")>{name}</a>
            <code>{slug}</code>
            <span class="quiet">{size}</span>
        </li>
    }
    .into_any()
}

pub(crate) fn counted_branches(number: i64) -> String {
    if number == 1 { "1 branch".to_owned() } else { format!("{number} branches") }
}

/// `12,345 bytes`.
pub(crate) fn sized(bytes: i32) -> String {
    format!("{} bytes", grouped(bytes.into()))
}

fn nothing(total: i64, search: &str, path: &str, manageable: bool) -> AnyView {
    if total > 0 {
        return view! {
            <div class="empty">
                <p>"No graph here is called “" {search.to_owned()} "”."</p>
                <p><a class="button" href=path.to_owned()>"Show all graphs"</a></p>
            </div>
        }
        .into_any();
    }
    let way = if manageable { "Create the first one below." } else { "An owner or admin can create one." };
    view! {
        <div class="empty">
            <p><strong>"No graphs yet."</strong></p>
            <p>"A graph is a federated GraphQL API: subgraphs that are composed into a supergraph, in branches. " {way}</p>
        </div>
    }
    .into_any()
}

fn creator(slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(CREATE, flash.clone());
    view! {
        <section aria-labelledby="create-heading">
            <h2 id="create-heading">"New graph"</h2>
            <form method="post" action=CREATE class="form form-narrow">
                {hidden(&[("organization", slug)])}
                {described(&form, "", "", "")}
                <button class="button button-primary" type="submit">"Create graph"</button>
            </form>
        </section>
    }
    .into_any()
}

/// What is said of a graph: name, slug and description.
pub(crate) fn described(form: &FormState, name: &str, slug: &str, description: &str) -> AnyView {
    let lines = Lines { shown: 3, max_length: 500, required: false };
    view! {
        <Field form=form.clone() name="name" label="Name" value=name max_length=100/>
        <Field
            form=form.clone() name="slug" label="Slug" value=slug max_length=39
            hint="2 to 39 characters of a-z, 0-9 and -. Programs name the graph by it, and its pages' addresses have it."
        />
        {area(form, "description", "Description", description, "May be empty; at most 500 characters.", lines)}
    }
    .into_any()
}
