//! The form that publishes a schema to a branch, and what was wrong with it.

use leptos::prelude::*;

use orgtrail::error::Fault;
use orgtrail::graph::view::{BranchView, SubgraphRow};
use orgtrail::identity::view::Flash;

use crate::ui::field::{Field, FormState, Lines, area};
use crate::ui::row::hidden;

/// The form's server function.
pub(super) const PUBLISH: &str = "/api/publish_subgraph";

/// What the form can hold: the server takes no longer one.
const HINT: &str =
    "GraphQL schema definition language, about 60 kB at most. Programs publish larger ones, up to 8 MiB.";

/// Publishes a new subgraph, or a new version of one that is there.
pub(super) fn publisher(branch: &BranchView, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(PUBLISH, flash.clone());
    let lost = form.has_lost("schema").then(|| {
        view! { <p class="notice notice-bad">"The schema was too long to be kept here: paste it again."</p> }
    });
    let names: Vec<_> = branch.subgraphs.iter().map(offer).collect();
    let lines = Lines { shown: 12, max_length: 65_000, required: true };
    view! {
        <section aria-labelledby="publish-heading">
            <h2 id="publish-heading">"Publish a subgraph"</h2>
            {lost}
            {faults(form.faults())}
            <form method="post" action=PUBLISH class="form">
                {hidden(&[("organization", slug), ("graph", &branch.graph), ("branch", &branch.name)])}
                <Field
                    form=form.clone() name="name" label="Name" max_length=60 list="subgraphs"
                    hint="Of a subgraph that is there, or of a new one: A-Z, a-z, 0-9 and -, with a letter first."
                />
                <datalist id="subgraphs">{names}</datalist>
                <Field
                    form=form.clone() name="url" label="URL" kind="url" max_length=2_000 may_be_empty=true
                    hint="Where it is served. Left empty, it stays as it was."
                />
                {area(&form, "schema", "Schema", "", HINT, lines)}
                <button class="button button-primary" type="submit">"Publish"</button>
            </form>
        </section>
    }
    .into_any()
}

fn offer(subgraph: &SubgraphRow) -> AnyView {
    view! { <option value=subgraph.name.clone()></option> }.into_any()
}

/// Where a schema or manifest is wrong, place by place; nothing without places. The page opens on them.
pub(crate) fn faults(faults: &[Fault]) -> AnyView {
    if faults.is_empty() {
        return ().into_any();
    }
    let rows: Vec<_> = faults.iter().map(place).collect();
    view! {
        <div class="notice notice-bad faults" role="group" aria-label="What is wrong" tabindex="-1" autofocus>
            <p><strong>"What is wrong:"</strong></p>
            <ul>{rows}</ul>
        </div>
    }
    .into_any()
}

fn place(fault: &Fault) -> AnyView {
    let at = fault.line.zip(fault.column).map(|(line, column)| format!(", line {line}, column {column}"));
    let place = fault.part.as_ref().map(|part| format!("{part}{}: ", at.unwrap_or_default()));
    let place = place.map(|place| view! { <strong>{place}</strong> });
    view! { <li>{place} {fault.message.clone()}</li> }.into_any()
}
