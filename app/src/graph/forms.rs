//! The forms that change graphs.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use orgtrail::graph::documents::{self, Client, Submitted};
#[cfg(feature = "ssr")]
use orgtrail::graph::subgraphs::{self, Publication, Published, Settings, Target};
#[cfg(feature = "ssr")]
use orgtrail::graph::{branches, registry, teams};
#[cfg(feature = "ssr")]
use orgtrail::number::counted;

#[cfg(feature = "ssr")]
use crate::audit::links::Query;
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;

/// Makes a graph and goes to it.
///
/// # Errors
/// 403, 422 at the field, 409 for a slug that another graph has, 429 where there are too many.
#[server(endpoint = "create_graph")]
pub async fn create_graph(
    organization: String,
    name: String,
    slug: String,
    #[server(default)] description: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let wanted = registry::Wanted { slug: &slug, name: &name, description: &description };
    registry::create(&platform, &viewer, &organization, wanted).await.map_err(refuse)?;
    leave_notice("/api/create_graph", "The graph was created.").await;
    to_graph(&organization, &slug);
    Ok(())
}

/// Gives a graph another name, slug or description. `version` is the one that the form showed.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for a slug that another graph has and for what somebody else changed meanwhile.
#[server(endpoint = "update_graph")]
pub async fn update_graph(
    organization: String,
    graph: String,
    name: String,
    slug: String,
    #[server(default)] description: String,
    #[server(default)] version: Option<i32>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let wanted = registry::Wanted { slug: &slug, name: &name, description: &description };
    registry::update(&platform, &viewer, &organization, &graph, wanted, version).await.map_err(refuse)?;
    leave_notice("/api/update_graph", "Saved.").await;
    to_graph(&organization, &slug);
    Ok(())
}

/// Deletes a graph and goes to the list of those left.
///
/// # Errors
/// 403, 404.
#[server(endpoint = "delete_graph")]
pub async fn delete_graph(organization: String, graph: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    registry::delete(&platform, &viewer, &organization, &graph).await.map_err(refuse)?;
    leave_notice("/api/delete_graph", "The graph was deleted.").await;
    set_location(&format!("/{organization}/graphs"));
    Ok(())
}

/// Lets a team do something with a graph. `version` is the graph's that the form showed.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for what somebody else changed meanwhile.
#[server(endpoint = "grant_team_graph")]
pub async fn grant_team_graph(
    organization: String,
    graph: String,
    team: String,
    permission: String,
    #[server(default)] version: Option<i32>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::grant(&platform, &viewer, &organization, &graph, &team, &permission, version).await.map_err(refuse)?;
    leave_notice("/api/grant_team_graph", "Saved what the team may do.").await;
    to_graph(&organization, &graph);
    Ok(())
}

/// Takes away what a team may do with a graph.
///
/// # Errors
/// 403, 404, 409 for what somebody else changed meanwhile.
#[server(endpoint = "withdraw_team_graph")]
pub async fn withdraw_team_graph(
    organization: String,
    graph: String,
    team: String,
    #[server(default)] version: Option<i32>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    teams::withdraw(&platform, &viewer, &organization, &graph, &team, version).await.map_err(refuse)?;
    leave_notice("/api/withdraw_team_graph", "The team's permission was taken away.").await;
    to_graph(&organization, &graph);
    Ok(())
}

/// Makes a branch from the branch `from` and goes to it.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for a name that another branch has, 429 where there are too many.
#[server(endpoint = "create_branch")]
pub async fn create_branch(organization: String, graph: String, name: String, from: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    branches::create(&platform, &viewer, &organization, &graph, &name, &from).await.map_err(refuse)?;
    leave_notice("/api/create_branch", "The branch was created.").await;
    to_branch(&organization, &graph, &name);
    Ok(())
}

/// Renames a branch, protects it or takes the protection away. `version` is the one that the form showed.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for a name that another branch has and for what somebody else changed meanwhile.
#[server(endpoint = "update_branch")]
pub async fn update_branch(
    organization: String,
    graph: String,
    branch: String,
    name: String,
    #[server(default)] protected: Option<String>,
    #[server(default)] version: Option<i32>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let wanted = branches::Wanted { name: &name, protected: protected.is_some() };
    branches::update(&platform, &viewer, &organization, &graph, &branch, wanted, version).await.map_err(refuse)?;
    leave_notice("/api/update_branch", "Saved.").await;
    to_branch(&organization, &graph, &name);
    Ok(())
}

/// Deletes a branch and goes to its graph.
///
/// # Errors
/// 403, 404, 409 for `main` and for a branch that is protected.
#[server(endpoint = "delete_branch")]
pub async fn delete_branch(organization: String, graph: String, branch: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    branches::delete(&platform, &viewer, &organization, &graph, &branch).await.map_err(refuse)?;
    leave_notice("/api/delete_branch", "The branch was deleted.").await;
    to_graph(&organization, &graph);
    Ok(())
}

/// Publishes a schema to a branch, as the subgraph `name`. Without a URL, it is served where it was.
///
/// # Errors
/// 403, 404, 422 at the field, with each place of a schema that does not compose; 409, 429.
#[server(endpoint = "publish_subgraph")]
pub async fn publish_subgraph(
    organization: String,
    graph: String,
    branch: String,
    name: String,
    schema: String,
    #[server(default)] url: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &name };
    let schema = pasted(&schema);
    let publication = Publication { schema: schema.as_bytes(), url: Some(url.trim()).filter(|url| !url.is_empty()) };
    let done = subgraphs::publish(&platform, &viewer, &organization, target, publication).await.map_err(refuse)?;
    leave_notice("/api/publish_subgraph", &told(&name, &done)).await;
    to_branch(&organization, &graph, &branch);
    Ok(())
}

/// Browsers send every line end of a form as two characters: what was pasted has one.
#[cfg(feature = "ssr")]
fn pasted(text: &str) -> String {
    text.replace("\r\n", "\n")
}

#[cfg(feature = "ssr")]
fn told(name: &str, done: &Published) -> String {
    let Published { version, changed, supergraph } = done;
    if !changed {
        return format!("Nothing was published: schema and URL are those of version {version} of {name} already.");
    }
    let part = supergraph.map(|number| format!(" It is part of supergraph {number}.")).unwrap_or_default();
    format!("Version {version} of {name} was published.{part}")
}

/// Submits the manifest of a client to a branch, and goes to the client's documents.
///
/// # Errors
/// 403, 404, 422 at the field, with each document that cannot be trusted; 409 for a branch without subgraphs.
#[server(endpoint = "submit_manifest")]
pub async fn submit_manifest(
    organization: String,
    graph: String,
    branch: String,
    client: String,
    manifest: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let name = client.trim();
    let client = Client { graph: &graph, branch: &branch, name };
    let manifest = pasted(&manifest);
    let done = documents::submit(&platform, &viewer, &organization, client, manifest.as_bytes()).await;
    leave_notice("/api/submit_manifest", &trusted(name, &done.map_err(refuse)?)).await;
    let path = format!("/{organization}/graphs/{graph}/branches/{branch}/documents");
    set_location(&Query::default().filter("client", name).on(&path));
    Ok(())
}

#[cfg(feature = "ssr")]
fn trusted(client: &str, done: &Submitted) -> String {
    let Submitted { changed, documents, new_documents } = done;
    if !changed {
        return format!("Nothing was submitted: this is the newest manifest of {client} already.");
    }
    let documents = counted(i64::try_from(*documents).unwrap_or(i64::MAX), "document");
    format!("The manifest of {client} was taken: {documents}, {new_documents} of them new.")
}

/// Changes where a subgraph is served and which team owns it. `version` is the one that the form showed.
///
/// # Errors
/// 403, 404, 422 at the field, 409 for what somebody else changed meanwhile.
#[server(endpoint = "update_subgraph")]
pub async fn update_subgraph(
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
    #[server(default)] url: String,
    #[server(default)] owner_team: String,
    #[server(default)] version: Option<i32>,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    let settings = Settings { url: &url, owner_team: &owner_team };
    subgraphs::update(&platform, &viewer, &organization, target, settings, version).await.map_err(refuse)?;
    leave_notice("/api/update_subgraph", "Saved.").await;
    set_location(&format!("/{organization}/graphs/{graph}/branches/{branch}/subgraphs/{subgraph}"));
    Ok(())
}

/// Deletes a subgraph and goes to its branch.
///
/// # Errors
/// 403, 404, 422 where the others do not compose without it, 409.
#[server(endpoint = "delete_subgraph")]
pub async fn delete_subgraph(
    organization: String,
    graph: String,
    branch: String,
    subgraph: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let target = Target { graph: &graph, branch: &branch, name: &subgraph };
    subgraphs::delete(&platform, &viewer, &organization, target).await.map_err(refuse)?;
    leave_notice("/api/delete_subgraph", "The subgraph was deleted.").await;
    to_branch(&organization, &graph, &branch);
    Ok(())
}

#[cfg(feature = "ssr")]
fn to_graph(organization: &str, graph: &str) {
    set_location(&format!("/{organization}/graphs/{graph}"));
}

#[cfg(feature = "ssr")]
fn to_branch(organization: &str, graph: &str, branch: &str) {
    set_location(&format!("/{organization}/graphs/{graph}/branches/{branch}"));
}
