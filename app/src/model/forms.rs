//! The forms that change models.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use orgtrail::Error;
#[cfg(feature = "ssr")]
use orgtrail::model::records::{self, Submission};
#[cfg(feature = "ssr")]
use orgtrail::model::registry;
#[cfg(feature = "ssr")]
use orgtrail::number::counted;
#[cfg(feature = "ssr")]
use uuid::Uuid;

#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;

/// Makes a model and goes to it.
///
/// # Errors
/// 403, 422 at the field, 409 for a name that another model has, 429 where there are too many.
#[server(endpoint = "create_model")]
pub async fn create_model(
    organization: String,
    name: String,
    #[server(default)] description: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let wanted = registry::Wanted { name: &name, description: &description, demo: false };
    registry::create(&platform, &viewer, &organization, wanted).await.map_err(refuse)?;
    leave_notice("/api/create_model", "The model was created.").await;
    set_location(&format!("/{organization}/models/{name}"));
    Ok(())
}

/// Deletes a model with its records and goes to the list of those left.
///
/// # Errors
/// 403, 404.
#[server(endpoint = "delete_model")]
pub async fn delete_model(organization: String, model: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    registry::delete(&platform, &viewer, &organization, &model).await.map_err(refuse)?;
    leave_notice("/api/delete_model", "The model was deleted.").await;
    set_location(&format!("/{organization}/models"));
    Ok(())
}

/// Adds records to a model: those of a file, or pasted ones. `once` stands for the page that the form was on: who clicks twice sends it twice, and has
/// added them once.
///
/// # Errors
/// 403, 404, 422 naming each line that is no record.
#[server(endpoint = "add_records")]
pub async fn add_records(
    organization: String,
    model: String,
    #[server(default)] records: String,
    #[server(default)] file: String,
    #[server(default)] once: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let page = Uuid::try_parse(&once).ok().map(|page| page.to_string());
    let sent = Submission { key: page.as_deref(), body: chosen(records, file).map_err(refuse)?.into() };
    let added = records::add(&platform, &viewer, &organization, &model, sent).await.map_err(refuse)?;
    let again = if added.is_replayed { " They were sent twice from the same page, and added once." } else { "" };
    let told = format!("{} added to {}.{again}", counted(added.records, "record"), added.model);
    leave_notice("/api/add_records", &told).await;
    set_location(&format!("/{organization}/models/{model}"));
    Ok(())
}

/// The file, or what was pasted: whoever sent both may have meant one of them.
#[cfg(feature = "ssr")]
fn chosen(pasted: String, file: String) -> orgtrail::Result<String> {
    match (pasted.trim().is_empty(), file.is_empty()) {
        (true, _) => Ok(file),
        (false, true) => Ok(pasted),
        (false, false) => Err(Error::invalid("records", "Choose a file or paste records, not both.")),
    }
}
