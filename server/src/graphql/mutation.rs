//! What can be changed: the root of all mutations, and what each of them needs.
//!
//! The fields are beside their features, each an input that knows how it is done and a payload with what was changed. What they do is what the
//! forms of the pages do, by the same use cases; a field for each of these is demanded by a test.

use std::sync::{Arc, OnceLock};

use async_graphql::{Context, MergedObject, Result};
use orgtrail::Error;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::choice;
use orgtrail::platform::Platform;

use super::schema::asked;
use crate::graph::graphql::branch_mutations::BranchMutations;
use crate::graph::graphql::mutations::GraphMutations;
use crate::graph::graphql::schema_mutations::SchemaMutations;
use crate::identity::graphql::mutations::ViewerMutations;
use crate::identity::graphql::token_mutations::AccessTokenMutations;
use crate::model::graphql::mutations::ModelMutations;
use crate::organization::graphql::invite_mutations::InviteMutations;
use crate::organization::graphql::mutations::OrganizationMutations;
use crate::organization::graphql::team_mutations::TeamMutations;

/// What can be changed: everything that the pages change.
#[derive(MergedObject, Default)]
pub struct Mutation(
    OrganizationMutations,
    InviteMutations,
    TeamMutations,
    AccessTokenMutations,
    GraphMutations,
    BranchMutations,
    SchemaMutations,
    ModelMutations,
    ViewerMutations,
);

/// The organization that a mutation names, for who records how it ended.
#[derive(Debug, Clone, Default)]
pub struct Named(Arc<OnceLock<String>>);

impl Named {
    /// Notes it; a document has one mutation, and so one organization.
    fn note(&self, slug: &str) {
        self.0.get_or_init(|| slug.to_owned());
    }

    /// Its slug; nothing if none was named, or the mutation did not get as far.
    #[must_use]
    pub fn slug(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}

/// What the use case of a mutation is given: the slug is that of the organization `account`, or of the one that is meant without it.
///
/// # Errors
/// Those of [`choice::meant`].
pub async fn meant<'a>(context: &Context<'a>, account: Option<&str>) -> Result<(&'a Platform, &'a Viewer, String)> {
    let (platform, viewer) = asked(context)?;
    let named: &Named = context.data()?;
    // Before anything is asked: what is sent to an organization of others is not of one's own trail.
    if let Some(slug) = account {
        named.note(slug);
    }
    let slug = choice::meant(platform, viewer, account).await.map_err(at_account)?;
    named.note(&slug);
    Ok((platform, viewer, slug))
}

/// What is called `slug` in the query is called `account` in inputs.
fn at_account(error: Error) -> Error {
    match error {
        Error::Invalid(input) if input.field == "slug" => Error::invalid("account", input.message),
        other => other,
    }
}
