//! What changes an organization and its members.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::identity::sessions;
use orgtrail::organization::{members, settings};

use super::Account;
use super::member::Member;
use super::role::OrganizationRole;
use crate::graphql::mutation::meant;
use crate::graphql::schema::asked;

/// What changes an organization and its members.
#[derive(Default)]
pub struct OrganizationMutations;

#[Object]
impl OrganizationMutations {
    /// Makes an organization, whose owner is who asks: a person, not an access token.
    async fn create_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateOrganizationInput,
    ) -> Option<Result<CreateOrganizationPayload>> {
        Some(input.run(context).await)
    }

    /// Renames an organization, or changes its slug; the slug before stays reserved and leads here.
    async fn update_organization(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: UpdateOrganizationInput,
    ) -> Option<Result<UpdateOrganizationPayload>> {
        Some(input.run(context).await)
    }

    /// Gives a member another role. The last owner stays one.
    async fn change_member_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: ChangeMemberRoleInput,
    ) -> Option<Result<ChangeMemberRolePayload>> {
        Some(input.run(context).await)
    }

    /// Removes a member with all that they may do here at once, or leaves.
    async fn remove_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RemoveMemberInput,
    ) -> Option<Result<RemoveMemberPayload>> {
        Some(input.run(context).await)
    }

    /// Ends all sessions of another member, who has to sign in anew. For owners.
    async fn end_member_sessions(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: EndMemberSessionsInput,
    ) -> Option<Result<EndMemberSessionsPayload>> {
        Some(input.run(context).await)
    }
}

/// What to call an organization.
#[derive(InputObject)]
pub struct CreateOrganizationInput {
    /// Name.
    name: String,
    /// Slug, the first part of its pages’ addresses: 2 to 39 of `a-z`, `0-9` and `-`.
    slug: String,
}

/// An organization that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateOrganizationPayload {
    /// The organization.
    account: Account,
}

impl CreateOrganizationInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateOrganizationPayload> {
        let (platform, viewer) = asked(context)?;
        let made = settings::create(platform, viewer, &self.name, &self.slug).await?;
        Ok(CreateOrganizationPayload { account: Account::new(made.slug) })
    }
}

/// What to call an organization from now on: what is to stay is sent too.
#[derive(InputObject)]
pub struct UpdateOrganizationInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name.
    name: String,
    /// Slug. Only owners change it.
    slug: String,
    /// The name that it has, as far as is known: if it is another one, `CONFLICT`.
    expected_name: Option<String>,
}

/// An organization that was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UpdateOrganizationPayload {
    /// The organization.
    account: Account,
}

impl UpdateOrganizationInput {
    async fn run(self, context: &Context<'_>) -> Result<UpdateOrganizationPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let expected = self.expected_name.as_deref();
        let changed = settings::update(platform, viewer, &slug, &self.name, &self.slug, expected).await?;
        Ok(UpdateOrganizationPayload { account: Account::new(changed.slug) })
    }
}

/// What to give to whom.
#[derive(InputObject)]
pub struct ChangeMemberRoleInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the user.
    user_id: ID,
    /// The role.
    role: OrganizationRole,
    /// The role that they have, as far as is known: if it is another one, `CONFLICT`.
    expected_role: Option<OrganizationRole>,
}

/// A member whose role was changed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ChangeMemberRolePayload {
    /// The member.
    member: Member,
}

impl ChangeMemberRoleInput {
    async fn run(self, context: &Context<'_>) -> Result<ChangeMemberRolePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let expected = self.expected_role.map(OrganizationRole::word);
        members::change_role(platform, viewer, &slug, &self.user_id, self.role.word(), expected).await?;
        Ok(ChangeMemberRolePayload { member: Member::find(context, &slug, &self.user_id).await? })
    }
}

/// Who to remove.
#[derive(InputObject)]
pub struct RemoveMemberInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the user.
    user_id: ID,
}

/// A member who was removed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RemoveMemberPayload {
    /// Id of the user.
    removed_user_id: ID,
}

impl RemoveMemberInput {
    async fn run(self, context: &Context<'_>) -> Result<RemoveMemberPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        members::remove(platform, viewer, &slug, &self.user_id).await?;
        Ok(RemoveMemberPayload { removed_user_id: self.user_id })
    }
}

/// Whose sessions to end.
#[derive(InputObject)]
pub struct EndMemberSessionsInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the user.
    user_id: ID,
}

/// A member whose sessions were ended.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct EndMemberSessionsPayload {
    /// The member.
    member: Member,
}

impl EndMemberSessionsInput {
    async fn run(self, context: &Context<'_>) -> Result<EndMemberSessionsPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        sessions::end_of_member(platform, viewer, &slug, &self.user_id).await?;
        Ok(EndMemberSessionsPayload { member: Member::find(context, &slug, &self.user_id).await? })
    }
}
