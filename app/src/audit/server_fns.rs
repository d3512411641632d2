//! What the audit-log page asks: thin doors to the use cases, which authorize first.

use leptos::prelude::*;

use orgtrail::audit::view::{ActorChoice, EventDetail, EventPage, ExportCount};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::asking;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::audit::page;

/// One page of the trail; `query` is the page's query string without `?`.
///
/// # Errors
/// 403 for a member, 404 for an organization of others, 422 naming the parameter, 400 for a cursor of another list.
#[server(endpoint = "audit_page", output = ToldJson)]
pub async fn audit_page(organization: String, #[server(default)] query: String) -> Result<Told<EventPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    page::events(&platform, &viewer, &organization, &query).await.map(Told::tell).map_err(refuse)
}

/// One event with everything that is known of it.
///
/// # Errors
/// 403 for a member, 404 for an event that does not exist, is another organization's or is not kept any more, 422 for what is
/// no id.
#[server(endpoint = "audit_event", output = ToldJson)]
pub async fn audit_event(organization: String, id: String) -> Result<Told<EventDetail>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    page::event(&platform, &viewer, &organization, &id).await.map(Told::tell).map_err(refuse)
}

/// How many events the download of this page's filters contains.
///
/// # Errors
/// As [`audit_page`].
#[server(endpoint = "audit_count", output = ToldJson)]
pub async fn audit_count(organization: String, #[server(default)] query: String) -> Result<Told<ExportCount>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    page::count(&platform, &viewer, &organization, &query).await.map(Told::tell).map_err(refuse)
}

/// The actors that the picker offers.
///
/// # Errors
/// 403 for a member, 404 for an organization of others.
#[server(endpoint = "audit_actors", output = ToldJson)]
pub async fn audit_actors(organization: String) -> Result<Told<Vec<ActorChoice>>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    page::actors(&platform, &viewer, &organization).await.map(Told::tell).map_err(refuse)
}
