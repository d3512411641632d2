//! The trusted documents of a branch: its clients, what each may send, and submitting a manifest.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use orgtrail::graph::view::{ClientRow, DocumentPlace, DocumentRow, DocumentsPage as Documents};
use orgtrail::identity::view::Flash;
use orgtrail::number::counted;

use super::branch::{unpublishable, way};
use super::publish::faults;
use super::server_fns::documents_page;
use super::sized;
use crate::answer::Answer;
use crate::audit::history::history_links;
use crate::audit::links::Query;
use crate::context::current_flash;
use crate::routes::{use_segment, use_slug};
use crate::ui::answered::answered;
use crate::ui::field::{Field, FormState, Lines, area};
use crate::ui::notice::left_by;
use crate::ui::refused::Refused;
use crate::ui::row::hidden;
use crate::ui::search::SearchForm;
use crate::ui::time::Time;

const SUBMIT: &str = "/api/submit_manifest";

/// What the form can hold: the server takes no longer one.
const HINT: &str = "JSON of Relay’s form, {\"id\": \"text\"}, or Apollo’s, {\"format\": \"apollo-persisted-query-manifest\", …}; \
    about 60 kB at most.";

/// Which part of the list is asked for, as the URL says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Asked {
    client: String,
    search: String,
    after_client: String,
    after: String,
}

/// The documents of a branch; client and search are in the URL (`client`, `search`), and so is where a page begins.
#[component]
#[must_use]
pub fn DocumentsPage() -> impl IntoView {
    let (slug, graph, branch) = (use_slug(), use_segment("graph"), use_segment("branch"));
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let part = |name| query.with(|all| all.get(name)).unwrap_or_default();
        let (client, search) = (part("client"), part("search"));
        Asked { client, search, after_client: part("after_client"), after: part("after") }
    });
    let found = Answer::to(
        move || format!("{}/{}/{}?{:?}", slug.read(), graph.read(), branch.read(), asked.get()),
        move || {
            let Asked { client, search, after_client, after } = asked.get_untracked();
            let (slug, graph, branch) = (slug.get_untracked(), graph.get_untracked(), branch.get_untracked());
            documents_page(slug, graph, branch, client, search, after_client, after)
        },
    );
    let flash = current_flash();
    answered(move || async move {
        let flash = flash.read().await;
        match found.read().await {
            Ok(found) => page(&found, &slug.get_untracked(), asked.read_untracked().after.is_empty(), &flash),
            Err(refusal) => view! { <Refused refusal=refusal/> }.into_any(),
        }
    })
}

fn page(found: &Documents, slug: &str, is_first: bool, flash: &Flash) -> AnyView {
    let (graph, branch) = (found.graph.clone(), found.branch.clone());
    let path = format!("/{slug}/graphs/{graph}/branches/{branch}/documents");
    let clients: Vec<_> = found.clients.iter().map(|client| client_row(client, found, slug, &path)).collect();
    view! {
        <Title text=format!("Trusted documents · {branch} · {graph} · Graphs")/>
        {way(slug, &graph, Some(&branch))}
        <header class="page-head">
            <div><h1>"Trusted documents"</h1><p>"The operations that clients of " <strong>{branch}</strong> " may send."</p></div>
        </header>
        {left_by(&[SUBMIT], flash, &["client", "manifest"])}
        {if clients.is_empty() { nobody() } else { view! {
            <section aria-labelledby="clients-heading">
                <h2 id="clients-heading">"Clients"</h2>
                <ul class="list">{clients}</ul>
            </section>
            {listed(found, &path, is_first)}
        }.into_any() }}
        {submitting(found, slug, flash)}
    }
    .into_any()
}

fn nobody() -> AnyView {
    view! {
        <div class="empty">
            <p><strong>"No trusted documents yet."</strong></p>
            <p>
                "A client’s build writes the operations that it sends into a manifest. Submitted here, each is validated against the \
                supergraph and trusted from then on."
            </p>
        </div>
    }
    .into_any()
}

fn client_row(client: &ClientRow, found: &Documents, slug: &str, path: &str) -> AnyView {
    let ClientRow { name, object_id, documents, manifests, manifest_sha256, submitted, submitted_by } = client.clone();
    let href = Query::default().filter("client", &name).on(path);
    let is_chosen = found.client == name;
    let counts = format!("{} · {}", counted(documents, "document"), counted(manifests.into(), "manifest"));
    let history =
        found.reads_audit_log.then(|| history_links(slug, None, format!("trusted_document:{object_id}"), "it", &name));
    view! {
        <li class="graph-row">
            <a href=href aria-current=is_chosen.then_some("true")>{name}</a>
            <span class="quiet">{counts}</span>
            <span class="quiet graph-fact">"newest " <Time moment=submitted/> " · by " {submitted_by}</span>
            {history}
            <small class="graph-line graph-fact">"SHA-256 " <code>{manifest_sha256}</code></small>
        </li>
    }
    .into_any()
}

fn listed(found: &Documents, path: &str, is_first: bool) -> AnyView {
    let Documents { documents, after, client, search, .. } = found;
    let rows: Vec<_> = documents.iter().map(|document| document_row(document, client.is_empty(), path)).collect();
    let empty = documents.is_empty().then(|| nothing(search, path));
    let kept: Vec<_> = (!client.is_empty()).then(|| ("client", client.clone())).into_iter().collect();
    view! {
        <section aria-labelledby="documents-heading">
            <h2 id="documents-heading">"Documents" {(!client.is_empty()).then(|| format!(" of {client}"))}</h2>
            <SearchForm
                path=path.to_owned() search=search.clone() kept=kept
                label="Search documents" placeholder="Name, id or text"
            />
            {empty}
            <ul class="list">{rows}</ul>
            {ways(found, path, after.as_ref(), is_first)}
        </section>
    }
    .into_any()
}

/// To the other pages of the list, and from one client's to all.
fn ways(found: &Documents, path: &str, after: Option<&DocumentPlace>, is_first: bool) -> AnyView {
    let here = Query::default().filter("client", &found.client).filter("search", &found.search);
    let more = after.map(|place| here.filter("after_client", &place.client).older(&place.id).on(path));
    let more = more.map(|href| view! { <a class="button" href=href>"More documents"</a> });
    let first = (!is_first).then(|| view! { <a class="button" href=here.on(path)>"First documents"</a> });
    let all = (!found.client.is_empty()).then(|| {
        let href = here.without(&["client"]).on(path);
        view! { <a class="button" href=href>"Documents of all clients"</a> }
    });
    if more.is_none() && first.is_none() && all.is_none() {
        return ().into_any();
    }
    view! { <p class="graph-ways">{first} {more} {all}</p> }.into_any()
}

fn document_row(document: &DocumentRow, of_all: bool, path: &str) -> AnyView {
    let DocumentRow { client, id, kind, bytes, .. } = document.clone();
    let href = Query::default().filter("client", &client).filter("id", &id).on(&format!("{path}/document"));
    view! {
        <li class="graph-row">
            <a href=href>{called(document)}</a>
            <span class="badge">{kind}</span>
            {of_all.then(|| view! { <span class="quiet">{client}</span> })}
            <span class="quiet">{sized(bytes)}</span>
            <small class="graph-line graph-fact"><code>{id}</code></small>
        </li>
    }
    .into_any()
}

/// The name of its operation; what it is, where it has none.
pub(super) fn called(document: &DocumentRow) -> String {
    if document.name.is_empty() { format!("unnamed {}", document.kind) } else { document.name.clone() }
}

fn nothing(search: &str, path: &str) -> AnyView {
    let told = if search.is_empty() {
        "There is no document here.".to_owned()
    } else {
        format!("No document here has “{search}” in its name, id or text.")
    };
    view! {
        <div class="empty">
            <p>{told}</p>
            <p><a class="button" href=path.to_owned()>"Show all documents"</a></p>
        </div>
    }
    .into_any()
}

fn submitting(found: &Documents, slug: &str, flash: &Flash) -> AnyView {
    if !found.rights.publish {
        return unpublishable(found.protected, "Submitting a manifest");
    }
    if found.supergraph.is_none() {
        return view! {
            <p class="quiet graph-after">"Documents are validated against the supergraph: publish a subgraph before you submit a manifest."</p>
        }
        .into_any();
    }
    submitter(found, slug, flash)
}

fn submitter(found: &Documents, slug: &str, flash: &Flash) -> AnyView {
    let form = FormState::new(SUBMIT, flash.clone());
    let lost = form.has_lost("manifest").then(|| {
        view! { <p class="notice notice-bad">"The manifest was too long to be kept here: paste it again."</p> }
    });
    let offer = |client: &ClientRow| view! { <option value=client.name.clone()></option> }.into_any();
    let names: Vec<_> = found.clients.iter().map(offer).collect();
    let lines = Lines { shown: 12, max_length: 65_000, required: true };
    view! {
        <section aria-labelledby="submit-heading">
            <h2 id="submit-heading">"Submit a manifest"</h2>
            {lost}
            {faults(form.faults())}
            <form method="post" action=SUBMIT class="form">
                {hidden(&[("organization", slug), ("graph", &found.graph), ("branch", &found.branch)])}
                <Field
                    form=form.clone() name="client" label="Client" max_length=100 list="clients" value=found.client.clone()
                    hint="The name of the program that sends these operations, such as web or ios."
                />
                <datalist id="clients">{names}</datalist>
                {area(&form, "manifest", "Manifest", "", HINT, lines)}
                <button class="button button-primary" type="submit">"Submit manifest"</button>
            </form>
        </section>
    }
    .into_any()
}
