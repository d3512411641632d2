//! What changes models.

use async_graphql::{Context, InputObject, Object, Result, SimpleObject};
use orgtrail::model::records::{self, Submission};
use orgtrail::model::registry;

use super::Model;
use crate::graphql::mutation::meant;

/// What changes models.
#[derive(Default)]
pub struct ModelMutations;

#[Object]
impl ModelMutations {
    /// Makes a model without records.
    async fn create_model(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateModelInput,
    ) -> Option<Result<CreateModelPayload>> {
        Some(input.run(context).await)
    }

    /// Deletes a model with its records. Its name is free again.
    async fn delete_model(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: DeleteModelInput,
    ) -> Option<Result<DeleteModelPayload>> {
        Some(input.run(context).await)
    }

    /// Adds records to a model, all or none. Many are better sent by REST.
    async fn add_records(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: AddRecordsInput,
    ) -> Option<Result<AddRecordsPayload>> {
        Some(input.run(context).await)
    }
}

/// What to call a model.
#[derive(InputObject)]
pub struct CreateModelInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name, and its address in the organization.
    name: String,
    /// Description, maybe of several lines.
    #[graphql(default)]
    description: String,
}

/// A model that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateModelPayload {
    /// The model.
    model: Model,
}

impl CreateModelInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateModelPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let wanted = registry::Wanted { name: &self.name, description: &self.description, demo: false };
        let made = registry::create(platform, viewer, &slug, wanted).await?;
        Ok(CreateModelPayload { model: Model::find(context, &slug, &made).await? })
    }
}

/// Which model to delete.
#[derive(InputObject)]
pub struct DeleteModelInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name of the model.
    model: String,
}

/// A model that was deleted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct DeleteModelPayload {
    /// Name of the model.
    deleted_model_name: String,
}

impl DeleteModelInput {
    async fn run(self, context: &Context<'_>) -> Result<DeleteModelPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        registry::delete(platform, viewer, &slug, &self.model).await?;
        Ok(DeleteModelPayload { deleted_model_name: self.model })
    }
}

/// Which records to add, and to what.
#[derive(InputObject)]
pub struct AddRecordsInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name of the model.
    model: String,
    /// The records: a JSON object in each line, with its own time in the field `time` if it has one.
    records: String,
}

/// Records that were added.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AddRecordsPayload {
    /// How many.
    record_count: i64,
    /// Number of the first of them in the model.
    first_number: i64,
    /// Number of the last of them.
    last_number: i64,
}

impl AddRecordsInput {
    async fn run(self, context: &Context<'_>) -> Result<AddRecordsPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let sent = Submission { key: None, body: self.records.into() };
        let added = records::add(platform, viewer, &slug, &self.model, sent).await?;
        Ok(AddRecordsPayload { record_count: added.records, first_number: added.first, last_number: added.last })
    }
}
