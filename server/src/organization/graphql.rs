//! Organizations over GraphQL: `account`.

use async_graphql::{Context, ID, MergedObject, Object, Result};
use orgtrail::organization::settings;
use orgtrail::organization::view::OrganizationView;
use tokio::sync::OnceCell;

use crate::audit::graphql::AccountLogs;
use crate::graph::graphql::AccountGraphs;
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;
use crate::identity::graphql::token::AccountTokens;
use crate::model::graphql::AccountModels;

pub mod invite;
pub mod invite_mutations;
pub mod member;
pub mod mutations;
pub mod people;
pub mod role;
pub mod team;
pub mod team_mutations;

use people::AccountPeople;
use role::OrganizationRole;

/// An organization: its people, what they have, and its audit log.
#[derive(MergedObject)]
#[graphql(serial)]
pub struct Account(Facts, AccountPeople, AccountTokens, AccountGraphs, AccountModels, AccountLogs);

impl Account {
    /// The organization with this slug. Each of its fields asks for itself whether it may be read.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self(
            Facts { slug: slug.clone(), read: OnceCell::new() },
            AccountPeople::new(slug.clone()),
            AccountTokens::new(slug.clone()),
            AccountGraphs::new(slug.clone()),
            AccountModels::new(slug.clone()),
            AccountLogs::new(slug),
        )
    }
}

/// What an organization is.
struct Facts {
    slug: String,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<OrganizationView>,
}

impl Facts {
    async fn read(&self, context: &Context<'_>) -> Result<&OrganizationView> {
        let (platform, viewer) = asked(context)?;
        Ok(self.read.get_or_try_init(|| settings::organization(platform, viewer, &self.slug)).await?)
    }
}

#[Object]
impl Facts {
    /// Its id, the same whatever its slug.
    async fn id(&self, context: &Context<'_>) -> Result<ID> {
        Ok(ID(self.read(context).await?.id.clone()))
    }

    /// Its slug, the first part of its pages' addresses.
    async fn slug(&self, context: &Context<'_>) -> Result<&str> {
        Ok(&self.read(context).await?.slug)
    }

    /// Its name.
    async fn name(&self, context: &Context<'_>) -> Result<&str> {
        Ok(&self.read(context).await?.name)
    }

    /// When it was created.
    async fn created_at(&self, context: &Context<'_>) -> Result<Moment> {
        Ok(Moment::told(&self.read(context).await?.created_at)?)
    }

    /// The role of who asks; of an access token the one that it has from its creator.
    async fn viewer_role(&self, context: &Context<'_>) -> Result<OrganizationRole> {
        Ok(OrganizationRole::told(&self.read(context).await?.viewer_role)?)
    }
}
