//! Organizations over GraphQL: `account`.

use async_graphql::{Context, ID, MergedObject, Object, Result};
use orgtrail::organization::settings;
use orgtrail::organization::view::OrganizationView;
use tokio::sync::OnceCell;

use crate::audit::graphql::AccountLogs;
use crate::graphql::schema::asked;

/// An organization: its people, what they have, and its audit log.
#[derive(MergedObject)]
#[graphql(serial)]
pub struct Account(Facts, AccountLogs);

impl Account {
    /// The organization with this slug. Each of its fields asks for itself whether it may be read.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self(Facts { slug: slug.clone(), read: OnceCell::new() }, AccountLogs::new(slug))
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
}
