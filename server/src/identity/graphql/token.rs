//! Access tokens, and what they may be used for; never their secrets.

use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use orgtrail::Error;
use orgtrail::identity::access_token::{self, list};
use orgtrail::identity::view::access_token::{GraphGrant, TokenRow};
use tokio::sync::OnceCell;

use crate::graph::graphql::permission::GraphPermission;
use crate::graphql::connection::{List, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

/// What an access token may be used for.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(name = "AccessTokenScope", remote = "access_token::Scope")]
pub enum Scope {
    /// Read the audit logs.
    AuditRead,
    /// Download the audit logs.
    AuditExport,
    /// Send events of another product.
    EventsWrite,
    /// Add records to models.
    ModelsWrite,
    /// Export the records of models.
    ModelsExport,
    /// Create and change graphs.
    GraphsWrite,
    /// Change the organization, its members, invites and teams, as far as the token’s creator may.
    OrganizationWrite,
}

/// Whether an access token is good.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessTokenState {
    /// It is good.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
    /// Its creator is gone, and it does nothing until an owner adopts it.
    Orphaned,
}

impl AccessTokenState {
    fn told(word: &str) -> orgtrail::Result<Self> {
        match word {
            "active" => Ok(Self::Active),
            "expired" => Ok(Self::Expired),
            "revoked" => Ok(Self::Revoked),
            "orphaned" => Ok(Self::Orphaned),
            other => Err(Error::internal(format!("a token is {other}"))),
        }
    }
}

/// The part of an account that is its access tokens.
pub struct AccountTokens {
    slug: String,
}

impl AccountTokens {
    /// Of the organization with this slug.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self { slug }
    }

    async fn all(&self, context: &Context<'_>, part: &Part) -> Result<List<AccessToken>> {
        let (platform, viewer) = asked(context)?;
        let tokens = list::page(platform, viewer, &self.slug, "").await?.tokens;
        let keyed = tokens.into_iter().map(|row| (row.id.clone(), AccessToken::listed(&self.slug, row)));
        Ok(List::all(keyed.collect(), part)?)
    }
}

#[Object]
impl AccountTokens {
    /// Its access tokens, for owners and admins: those that are good, then the newest 50 of the others.
    async fn access_tokens(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Access tokens on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<AccessToken>>> {
        Some(self.all(context, &Part::new(first, after)).await)
    }

    /// One access token.
    async fn access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Its id.")] id: ID,
    ) -> Option<Result<AccessToken>> {
        Some(AccessToken::find(context, &self.slug, &id).await)
    }
}

/// An access token, without its secret.
pub struct AccessToken {
    slug: String,
    row: TokenRow,
    /// Read once, if they are asked for.
    grants: OnceCell<Vec<GraphGrant>>,
}

impl AccessToken {
    fn listed(slug: &str, row: TokenRow) -> Self {
        Self { slug: slug.to_owned(), row, grants: OnceCell::new() }
    }

    /// The access token with this id.
    ///
    /// # Errors
    /// Those of [`list::page`].
    pub async fn find(context: &Context<'_>, slug: &str, id: &str) -> Result<Self> {
        let (platform, viewer) = asked(context)?;
        let id = Some(id).filter(|id| !id.is_empty()).ok_or(Error::NotFound)?;
        let page = list::page(platform, viewer, slug, id).await?;
        let row = page.tokens.into_iter().find(|row| row.id == id).ok_or(Error::NotFound)?;
        let grants = page.open.map(|open| open.graphs);
        Ok(Self { slug: slug.to_owned(), row, grants: OnceCell::new_with(grants) })
    }

    async fn grants(&self, context: &Context<'_>, part: &Part) -> Result<List<AccessTokenGraphPermission>> {
        let (platform, viewer) = asked(context)?;
        let read = || async {
            let open = list::page(platform, viewer, &self.slug, &self.row.id).await?.open;
            open.map(|open| open.graphs).ok_or(Error::NotFound)
        };
        let grants = self.grants.get_or_try_init(read).await?.iter();
        let keyed = grants.map(|grant| Ok((grant.graph.clone(), AccessTokenGraphPermission::new(grant)?)));
        Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
    }
}

/// An access token, without its secret.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl AccessToken {
    /// Id.
    async fn id(&self) -> ID {
        ID(self.row.id.clone())
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// What it may be used for.
    async fn scopes(&self) -> Result<Vec<Scope>> {
        let scopes = access_token::Scope::parse_all(&self.row.scopes)?;
        Ok(scopes.into_iter().map(Scope::from).collect())
    }

    /// Addresses and networks from which it is good; none: from everywhere.
    async fn addresses(&self) -> &[String] {
        &self.row.addresses
    }

    /// Whether it is good.
    async fn state(&self) -> Result<AccessTokenState> {
        Ok(AccessTokenState::told(&self.row.state)?)
    }

    /// Who answers for it, and the role that bounds it: `Ada Lovelace (admin)`.
    async fn creator(&self) -> &str {
        &self.row.creator
    }

    /// When it was made.
    async fn created_at(&self) -> Result<Moment> {
        Ok(Moment::told(&self.row.created_at)?)
    }

    /// The moment from which it is not good any more; null: it does not expire.
    async fn expires_at(&self) -> Result<Option<Moment>> {
        Ok(self.row.expires_at.as_deref().map(Moment::told).transpose()?)
    }

    /// When its secret was last replaced.
    async fn rotated_at(&self) -> Result<Option<Moment>> {
        Ok(self.row.rotated_at.as_deref().map(Moment::told).transpose()?)
    }

    /// When it was last used, to the minute.
    async fn last_used_at(&self) -> Result<Option<Moment>> {
        Ok(self.row.last_used.as_ref().map(|used| Moment::told(&used.rfc3339)).transpose()?)
    }

    /// From which address it was last used.
    async fn last_used_ip(&self) -> Option<&str> {
        self.row.last_used_ip.as_deref()
    }

    /// Which state of it this is: a change of an older one is refused.
    async fn version(&self) -> i32 {
        self.row.version
    }

    /// What it may do with graphs, by their slugs.
    async fn graph_permissions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Permissions on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<AccessTokenGraphPermission>>> {
        Some(self.grants(context, &Part::new(first, after)).await)
    }
}

/// What an access token may do with a graph.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AccessTokenGraphPermission {
    /// Slug of the graph.
    graph_slug: String,
    /// Name of the graph.
    graph_name: String,
    /// What it may do.
    permission: GraphPermission,
}

impl AccessTokenGraphPermission {
    fn new(grant: &GraphGrant) -> orgtrail::Result<Self> {
        let permission = GraphPermission::told(&grant.permission)?;
        Ok(Self { graph_slug: grant.graph.clone(), graph_name: grant.name.clone(), permission })
    }
}
