//! The schema, assembled from what the features bring.

use async_graphql::{Context, EmptySubscription, Object, Result, SDLExportOptions};
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::choice;
use orgtrail::platform::Platform;

use super::limits;
use super::mutation::Mutation;
use crate::identity::graphql::viewer;
use crate::organization::graphql::Account;

/// What is executed.
pub type Schema = async_graphql::Schema<Query, Mutation, EmptySubscription>;

/// What can be read.
pub struct Query;

/// Fields are answered one after the other, here and wherever they ask the database: a request has one connection at a time however many it
/// names, and its answer has their order.
#[Object(serial)]
impl Query {
    /// An organization: that of the access token; for somebody who is signed in, the only one that they are a member of, or the one with this
    /// `slug`.
    async fn account(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its slug; needed by members of several organizations.")] slug: Option<String>,
    ) -> Option<Result<Account>> {
        Some(account(context, slug.as_deref()).await)
    }

    /// Who is signed in; an access token is nobody who could be.
    async fn viewer(&self, context: &Context<'_>) -> Option<Result<viewer::Viewer>> {
        Some(viewer::Viewer::find(context))
    }
}

async fn account(context: &Context<'_>, slug: Option<&str>) -> Result<Account> {
    let (platform, viewer) = asked(context)?;
    Ok(Account::new(choice::meant(platform, viewer, slug).await?))
}

/// What every use case is given.
///
/// # Errors
/// A fault of ours, if the request was put together without them.
pub fn asked<'a>(context: &Context<'a>) -> Result<(&'a Platform, &'a Viewer)> {
    Ok((context.data()?, context.data()?))
}

/// The schema on `platform`.
#[must_use]
pub fn schema(platform: Platform) -> Schema {
    builder().data(platform).finish()
}

/// The schema in its definition language, as `docs/schema.graphql` has it.
#[must_use]
pub fn sdl() -> String {
    let options = SDLExportOptions::new().include_specified_by().use_space_ident();
    builder().finish().sdl_with_options(options)
}

fn builder() -> async_graphql::SchemaBuilder<Query, Mutation, EmptySubscription> {
    // What a document may ask for has been measured before: this one remains, because fragments are followed by calling oneself.
    Schema::build(Query, Mutation::default(), EmptySubscription)
        .limit_recursive_depth(limits::NESTING)
        .disable_suggestions()
}

#[cfg(test)]
mod tests;
