//! What changes teams, and who is in them.

use async_graphql::{Context, ID, InputObject, Object, Result, SimpleObject};
use orgtrail::organization::teams;

use super::role::TeamRole;
use super::team::Team;
use crate::graphql::mutation::meant;

/// What changes teams, and who is in them.
#[derive(Default)]
pub struct TeamMutations;

#[Object]
impl TeamMutations {
    /// Makes a team without members.
    async fn create_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: CreateTeamInput,
    ) -> Option<Result<CreateTeamPayload>> {
        Some(input.run(context).await)
    }

    /// Gives a team another name.
    async fn rename_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RenameTeamInput,
    ) -> Option<Result<RenameTeamPayload>> {
        Some(input.run(context).await)
    }

    /// Deletes a team. Its members stay members of the organization.
    async fn delete_team(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: DeleteTeamInput,
    ) -> Option<Result<DeleteTeamPayload>> {
        Some(input.run(context).await)
    }

    /// Adds a member of the organization to a team.
    async fn add_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: AddTeamMemberInput,
    ) -> Option<Result<AddTeamMemberPayload>> {
        Some(input.run(context).await)
    }

    /// Gives a member of a team another role in it.
    async fn change_team_role(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: ChangeTeamRoleInput,
    ) -> Option<Result<ChangeTeamRolePayload>> {
        Some(input.run(context).await)
    }

    /// Takes a member out of a team, or leaves it.
    async fn remove_team_member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "What is wanted.")] input: RemoveTeamMemberInput,
    ) -> Option<Result<RemoveTeamMemberPayload>> {
        Some(input.run(context).await)
    }
}

/// What to call a team.
#[derive(InputObject)]
pub struct CreateTeamInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Name; the organization has no other team of it.
    name: String,
}

/// A team that was made.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct CreateTeamPayload {
    /// The team.
    team: Team,
}

impl CreateTeamInput {
    async fn run(self, context: &Context<'_>) -> Result<CreateTeamPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let id = teams::create(platform, viewer, &slug, &self.name).await?;
        Ok(CreateTeamPayload { team: Team::find(context, &slug, &id.to_string()).await? })
    }
}

/// What to call a team from now on.
#[derive(InputObject)]
pub struct RenameTeamInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the team.
    id: ID,
    /// Name.
    name: String,
    /// The name that it has, as far as is known: if it is another one, `CONFLICT`.
    expected_name: Option<String>,
}

/// A team that was renamed.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RenameTeamPayload {
    /// The team.
    team: Team,
}

impl RenameTeamInput {
    async fn run(self, context: &Context<'_>) -> Result<RenameTeamPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let expected = self.expected_name.as_deref();
        teams::rename(platform, viewer, &slug, &self.id, &self.name, expected).await?;
        Ok(RenameTeamPayload { team: Team::find(context, &slug, &self.id).await? })
    }
}

/// Which team to delete.
#[derive(InputObject)]
pub struct DeleteTeamInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the team.
    id: ID,
}

/// A team that was deleted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct DeleteTeamPayload {
    /// Id of the team.
    deleted_team_id: ID,
}

impl DeleteTeamInput {
    async fn run(self, context: &Context<'_>) -> Result<DeleteTeamPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        teams::delete(platform, viewer, &slug, &self.id).await?;
        Ok(DeleteTeamPayload { deleted_team_id: self.id })
    }
}

/// Who to add to which team.
#[derive(InputObject)]
pub struct AddTeamMemberInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the team.
    team_id: ID,
    /// E-mail address of the member.
    email: String,
    /// Role in the team.
    #[graphql(default_with = "TeamRole::Member")]
    role: TeamRole,
}

/// A team that somebody was added to.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AddTeamMemberPayload {
    /// The team.
    team: Team,
}

impl AddTeamMemberInput {
    async fn run(self, context: &Context<'_>) -> Result<AddTeamMemberPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        teams::add_member(platform, viewer, &slug, &self.team_id, &self.email, self.role.word()).await?;
        Ok(AddTeamMemberPayload { team: Team::find(context, &slug, &self.team_id).await? })
    }
}

/// Which role to give to whom.
#[derive(InputObject)]
pub struct ChangeTeamRoleInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the team.
    team_id: ID,
    /// Id of the user.
    user_id: ID,
    /// Role in the team.
    role: TeamRole,
    /// The role that they have, as far as is known: if it is another one, `CONFLICT`.
    expected_role: Option<TeamRole>,
}

/// A team in which somebody has another role.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ChangeTeamRolePayload {
    /// The team.
    team: Team,
}

impl ChangeTeamRoleInput {
    async fn run(self, context: &Context<'_>) -> Result<ChangeTeamRolePayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        let (role, expected) = (self.role.word(), self.expected_role.map(TeamRole::word));
        teams::change_member_role(platform, viewer, &slug, &self.team_id, &self.user_id, role, expected).await?;
        Ok(ChangeTeamRolePayload { team: Team::find(context, &slug, &self.team_id).await? })
    }
}

/// Who to take out of which team.
#[derive(InputObject)]
pub struct RemoveTeamMemberInput {
    /// Slug of the organization; needed by members of several.
    account: Option<String>,
    /// Id of the team.
    team_id: ID,
    /// Id of the user.
    user_id: ID,
}

/// A team that somebody was taken out of.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct RemoveTeamMemberPayload {
    /// The team.
    team: Team,
}

impl RemoveTeamMemberInput {
    async fn run(self, context: &Context<'_>) -> Result<RemoveTeamMemberPayload> {
        let (platform, viewer, slug) = meant(context, self.account.as_deref()).await?;
        teams::remove_member(platform, viewer, &slug, &self.team_id, &self.user_id).await?;
        Ok(RemoveTeamMemberPayload { team: Team::find(context, &slug, &self.team_id).await? })
    }
}
