//! Models over GraphQL: the part of an account that they are. Records come and go by REST: they may be many.

use async_graphql::{Context, Object, Result};
use orgtrail::model::registry;
use orgtrail::model::view::ModelRow;

use crate::graphql::connection::{List, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

pub mod mutations;

/// The part of an account that is its models.
pub struct AccountModels {
    slug: String,
}

impl AccountModels {
    /// Of the organization with this slug.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self { slug }
    }

    async fn all(&self, context: &Context<'_>, part: &Part) -> Result<List<Model>> {
        let (platform, viewer) = asked(context)?;
        let models = registry::list(platform, viewer, &self.slug).await?.models;
        let keyed = models.into_iter().map(|row| Ok((row.name.clone(), Model::listed(row)?)));
        Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
    }
}

#[Object]
impl AccountModels {
    /// Its models, by name.
    async fn models(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Models on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Model>>> {
        Some(self.all(context, &Part::new(first, after)).await)
    }

    /// One model.
    async fn model(&self, context: &Context<'_>, #[graphql(desc = "Its name.")] name: String) -> Option<Result<Model>> {
        Some(Model::find(context, &self.slug, &name).await)
    }
}

/// A model: records, each with a time.
pub struct Model {
    row: ModelRow,
    latest: Option<Moment>,
}

impl Model {
    fn listed(row: ModelRow) -> orgtrail::Result<Self> {
        let latest = row.latest.as_ref().map(|latest| Moment::told(&latest.rfc3339)).transpose()?;
        Ok(Self { row, latest })
    }

    /// The model with this name.
    ///
    /// # Errors
    /// Those of [`registry::list`]; [`orgtrail::Error::NotFound`] if there is none.
    pub async fn find(context: &Context<'_>, organization: &str, name: &str) -> Result<Self> {
        let (platform, viewer) = asked(context)?;
        let models = registry::list(platform, viewer, organization).await?.models;
        let found = models.into_iter().find(|model| model.name == name);
        Ok(Self::listed(found.ok_or(orgtrail::Error::NotFound)?)?)
    }
}

/// A model: records, each with a time.
#[Object]
impl Model {
    /// Name, and its address in the organization.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// Description, maybe of several lines; empty if there is none.
    async fn description(&self) -> &str {
        &self.row.description
    }

    /// Whether it is a demonstration's: its exports are not among `exporterAuditLogs`.
    async fn is_demo(&self) -> bool {
        self.row.demo
    }

    /// Number of its records.
    async fn record_count(&self) -> i64 {
        self.row.records
    }

    /// Time of its latest record; null if it has none.
    async fn latest_record_at(&self) -> Option<Moment> {
        self.latest
    }
}
