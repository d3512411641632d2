//! What is done with access tokens. Only people do.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::Error;
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::access_token::{self, Target, Wanted, graphs};

use super::token::{AccessToken, Scope};
use crate::graph::graphql::permission::GraphPermission;
use crate::graphql::mutation::meant;
use crate::graphql::scalars::Moment;

fn domain(scopes: Vec<Scope>) -> Vec<access_token::Scope> {
    scopes.into_iter().map(access_token::Scope::from).collect()
}

/// What is done with access tokens.
#[derive(Default)]
pub struct AccessTokenMutations;

#[Object]
impl AccessTokenMutations {
    /// Makes an access token, and tells its secret this once.
    async fn create_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateAccessTokenInput,
    ) -> Option<Result<CreateAccessTokenPayload>> {
        Some(input.run(context).await)
    }

    /// Changes name, scopes, addresses and end of an access token.
    async fn update_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateAccessTokenInput,
    ) -> Option<Result<UpdateAccessTokenPayload>> {
        Some(input.run(context).await)
    }

    /// Gives an access token another secret, and tells it this once. The one before has ended.
    async fn rotate_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RotateAccessTokenInput,
    ) -> Option<Result<RotateAccessTokenPayload>> {
        Some(input.run(context).await)
    }

    /// Revokes an access token for good.
    async fn revoke_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RevokeAccessTokenInput,
    ) -> Option<Result<RevokeAccessTokenPayload>> {
        Some(input.run(context).await)
    }

    /// Makes who asks, an owner, answer for an access token whose creator is gone.
    async fn adopt_access_token(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: AdoptAccessTokenInput,
    ) -> Option<Result<AdoptAccessTokenPayload>> {
        Some(input.run(context).await)
    }

    /// Lets an access token do something with a graph, instead of what it might do before.
    async fn grant_access_token_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: GrantAccessTokenGraphInput,
    ) -> Option<Result<GrantAccessTokenGraphPayload>> {
        Some(input.run(context).await)
    }

    /// Takes away what an access token may do with a graph.
    async fn withdraw_access_token_graph(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: WithdrawAccessTokenGraphInput,
    ) -> Option<Result<WithdrawAccessTokenGraphPayload>> {
        Some(input.run(context).await)
    }
}

/// What an access token shall be.
#[derive(InputObject)]
pub struct CreateAccessTokenInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name.
    name: String,
    /// What it may be used for, at least one.
    scopes: Vec<Scope>,
    /// Addresses and networks from which it is good; none: from everywhere.
    #[graphql(default)]
    addresses: Vec<String>,
    /// The moment from which it is not good any more; without it, it does not expire.
    expires_at: Option<Moment>,
    /// A UUID, chosen anew for each token: sent twice, it makes one token, and `CONFLICT`.
    idempotency_key: Option<ID>,
}

/// An access token that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateAccessTokenPayload {
    /// The access token.
    access_token: AccessToken,
    /// Its secret, the credential itself. It is told this once.
    secret: String,
}

impl CreateAccessTokenInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateAccessTokenPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let (scopes, addresses) = (domain(self.scopes), self.addresses.join(", "));
        let expiry = self.expires_at.map_or(Expiry::Never, |end| Expiry::At(end.0));
        let wanted = Wanted { name: &self.name, scopes: &scopes, expiry, addresses: &addresses };
        let form = self.idempotency_key.map(|key| access_token::parse_form(&key)).transpose()?;
        let made = access_token::create(platform, viewer, &slug, form, wanted).await?;
        let access_token = AccessToken::find(context, &slug, &made.id.to_string()).await?;
        Ok(CreateAccessTokenPayload { access_token, secret: made.secret.expose().to_owned() })
    }
}

/// What an access token shall be from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateAccessTokenInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
    /// Name.
    name: String,
    /// What it may be used for, at least one.
    scopes: Vec<Scope>,
    /// Addresses and networks from which it is good; none: from everywhere.
    addresses: Vec<String>,
    /// The moment from which it is not good any more; without it, it does not expire.
    expires_at: Option<Moment>,
}

/// An access token that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateAccessTokenPayload {
    /// The access token.
    access_token: AccessToken,
}

impl UpdateAccessTokenInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateAccessTokenPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let (scopes, addresses) = (domain(self.scopes), self.addresses.join(", "));
        let expiry = self.expires_at.map_or(Expiry::Never, |end| Expiry::At(end.0));
        let wanted = Wanted { name: &self.name, scopes: &scopes, expiry, addresses: &addresses };
        access_token::update(platform, viewer, &slug, Target::parse(&self.id, self.version)?, wanted).await?;
        Ok(UpdateAccessTokenPayload { access_token: AccessToken::find(context, &slug, &self.id).await? })
    }
}

/// Which access token to rotate.
#[derive(InputObject)]
pub struct RotateAccessTokenInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
}

/// An access token with another secret.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RotateAccessTokenPayload {
    /// The access token.
    access_token: AccessToken,
    /// Its secret, the credential itself. It is told this once.
    secret: String,
}

impl RotateAccessTokenInput {
    async fn run(self, context: &Context<'_>) -> Result<RotateAccessTokenPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let made = access_token::rotate(platform, viewer, &slug, Target::parse(&self.id, self.version)?).await?;
        let access_token = AccessToken::find(context, &slug, &self.id).await?;
        Ok(RotateAccessTokenPayload { access_token, secret: made.secret.expose().to_owned() })
    }
}

/// Which access token to revoke.
#[derive(InputObject)]
pub struct RevokeAccessTokenInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
}

/// An access token that was revoked.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RevokeAccessTokenPayload {
    /// The access token.
    access_token: AccessToken,
}

impl RevokeAccessTokenInput {
    async fn run(self, context: &Context<'_>) -> Result<RevokeAccessTokenPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let id = self.id.parse().map_err(|_| Error::NotFound)?;
        access_token::revoke(platform, viewer, &slug, id).await?;
        Ok(RevokeAccessTokenPayload { access_token: AccessToken::find(context, &slug, &self.id).await? })
    }
}

/// Which access token to adopt.
#[derive(InputObject)]
pub struct AdoptAccessTokenInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
}

/// An access token that was adopted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AdoptAccessTokenPayload {
    /// The access token.
    access_token: AccessToken,
}

impl AdoptAccessTokenInput {
    async fn run(self, context: &Context<'_>) -> Result<AdoptAccessTokenPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        access_token::adopt(platform, viewer, &slug, Target::parse(&self.id, self.version)?).await?;
        Ok(AdoptAccessTokenPayload { access_token: AccessToken::find(context, &slug, &self.id).await? })
    }
}

/// What an access token may do with which graph.
#[derive(InputObject)]
pub struct GrantAccessTokenGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
    /// Slug of the graph.
    graph: String,
    /// What it may do.
    permission: GraphPermission,
}

/// An access token that may do something with a graph.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct GrantAccessTokenGraphPayload {
    /// The access token.
    access_token: AccessToken,
}

impl GrantAccessTokenGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<GrantAccessTokenGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let target = Target::parse(&self.id, self.version)?;
        graphs::grant(platform, viewer, &slug, target, &self.graph, self.permission.word()).await?;
        Ok(GrantAccessTokenGraphPayload { access_token: AccessToken::find(context, &slug, &self.id).await? })
    }
}

/// Which permission to take away.
#[derive(InputObject)]
pub struct WithdrawAccessTokenGraphInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the access token.
    id: ID,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
    /// Slug of the graph.
    graph: String,
}

/// An access token that may do less.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct WithdrawAccessTokenGraphPayload {
    /// The access token.
    access_token: AccessToken,
}

impl WithdrawAccessTokenGraphInput {
    async fn run(self, context: &Context<'_>) -> Result<WithdrawAccessTokenGraphPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        graphs::withdraw(platform, viewer, &slug, Target::parse(&self.id, self.version)?, &self.graph).await?;
        Ok(WithdrawAccessTokenGraphPayload { access_token: AccessToken::find(context, &slug, &self.id).await? })
    }
}
