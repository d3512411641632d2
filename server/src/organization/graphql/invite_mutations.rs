//! What is done with invites.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::organization::invites;

use super::Account;
use super::invite::Invite;
use super::role::OrganizationRole;
use crate::graphql::mutation::meant;
use crate::graphql::schema::asked;

/// What is done with invites.
#[derive(Default)]
pub struct InviteMutations;

#[Object]
impl InviteMutations {
    /// Invites an e-mail address, and mails it a link that is good for seven days.
    async fn create_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateInviteInput,
    ) -> Option<Result<CreateInvitePayload>> {
        Some(input.run(context).await)
    }

    /// Gives an invite another role or other teams. Its link stays good.
    async fn update_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateInviteInput,
    ) -> Option<Result<UpdateInvitePayload>> {
        Some(input.run(context).await)
    }

    /// Sends an invite again, with a new link, which alone is good from now on.
    async fn resend_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: ResendInviteInput,
    ) -> Option<Result<ResendInvitePayload>> {
        Some(input.run(context).await)
    }

    /// Takes an invite back: its link leads nowhere from now on.
    async fn revoke_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RevokeInviteInput,
    ) -> Option<Result<RevokeInvitePayload>> {
        Some(input.run(context).await)
    }

    /// Makes who is signed in a member, by the link that was mailed to them.
    async fn accept_invite(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: AcceptInviteInput,
    ) -> Option<Result<AcceptInvitePayload>> {
        Some(input.run(context).await)
    }
}

/// Who to invite to what.
#[derive(InputObject)]
pub struct CreateInviteInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Who is invited.
    email: String,
    /// The role that waits. Only owners invite owners.
    role: OrganizationRole,
    /// Ids of the teams that wait.
    #[graphql(default)]
    team_ids: Vec<ID>,
}

/// An invite that was sent.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateInvitePayload {
    /// The invite.
    invite: Invite,
    /// The link, which is mailed too. It is told this once.
    link: String,
}

impl CreateInviteInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateInvitePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let teams: Vec<String> = self.team_ids.into_iter().map(|id| id.0).collect();
        let sent = invites::create(platform, viewer, &slug, &self.email, self.role.word(), &teams).await?;
        Ok(CreateInvitePayload { invite: Invite::find(context, &slug, &sent.id).await?, link: sent.link })
    }
}

/// What waits from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateInviteInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the invite.
    id: ID,
    /// The role that waits.
    role: OrganizationRole,
    /// Ids of the teams that wait.
    team_ids: Vec<ID>,
    /// The version that was read: if it is another one by now, `CONFLICT`.
    version: i32,
}

/// An invite that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateInvitePayload {
    /// The invite.
    invite: Invite,
}

impl UpdateInviteInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateInvitePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let teams: Vec<String> = self.team_ids.into_iter().map(|id| id.0).collect();
        let role = self.role.word();
        invites::update(platform, viewer, &slug, &self.id, role, &teams, self.version).await?;
        Ok(UpdateInvitePayload { invite: Invite::find(context, &slug, &self.id).await? })
    }
}

/// Which invite to send again.
#[derive(InputObject)]
pub struct ResendInviteInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the invite.
    id: ID,
}

/// An invite that was sent again.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ResendInvitePayload {
    /// The invite.
    invite: Invite,
    /// The link, which is mailed too. It is told this once.
    link: String,
}

impl ResendInviteInput {
    async fn run(self, context: &Context<'_>) -> Result<ResendInvitePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let sent = invites::resend(platform, viewer, &slug, &self.id).await?;
        Ok(ResendInvitePayload { invite: Invite::find(context, &slug, &sent.id).await?, link: sent.link })
    }
}

/// Which invite to take back.
#[derive(InputObject)]
pub struct RevokeInviteInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the invite.
    id: ID,
}

/// An invite that was taken back.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RevokeInvitePayload {
    /// Id of the invite.
    revoked_invite_id: ID,
}

impl RevokeInviteInput {
    async fn run(self, context: &Context<'_>) -> Result<RevokeInvitePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        invites::revoke(platform, viewer, &slug, &self.id).await?;
        Ok(RevokeInvitePayload { revoked_invite_id: self.id })
    }
}

/// Which invite to accept.
#[derive(InputObject)]
pub struct AcceptInviteInput {
    /// The last part of the link.
    secret: String,
}

/// An invite that was accepted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AcceptInvitePayload {
    /// The organization that one is a member of now.
    account: Account,
}

impl AcceptInviteInput {
    async fn run(self, context: &Context<'_>) -> Result<AcceptInvitePayload> {
        let (platform, viewer) = asked(context)?;
        let slug = invites::accept(platform, viewer, &self.secret).await?;
        Ok(AcceptInvitePayload { account: Account::new(slug) })
    }
}
