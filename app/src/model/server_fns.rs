//! What the browser asks about models.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use orgtrail::audit::visible::visible_block;
use orgtrail::model::view::{ModelView, ModelsPage};
#[cfg(feature = "ssr")]
use orgtrail::model::{records, registry};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::asking;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;

/// The models of an organization.
///
/// # Errors
/// 404 for who is not a member.
#[server(name = ListModels, endpoint = "models_page", output = ToldJson)]
pub async fn models_page(organization: String) -> Result<Told<ModelsPage>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    registry::list(&platform, &viewer, &organization).await.map(Told::tell).map_err(refuse)
}

/// One model with a page of its records; `query` is the page's query string without `?`.
///
/// # Errors
/// 404, also for a model that the organization does not have; 422 naming the parameter; 400 for a cursor of another list.
#[server(name = FindModel, endpoint = "model_view", output = ToldJson)]
pub async fn model_view(
    organization: String,
    model: String,
    #[server(default)] query: String,
) -> Result<Told<ModelView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let mut found = records::page(&platform, &viewer, &organization, &model, &query).await.map_err(refuse)?;
    for record in &mut found.records {
        record.content = visible_block(&record.content);
    }
    Ok(Told::tell(found))
}
