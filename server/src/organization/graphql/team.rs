//! A team, and who is in it.

use async_graphql::{Context, ID, Object, Result, SimpleObject};
use orgtrail::organization::teams;
use orgtrail::organization::view::{TeamMemberRow, TeamRow, TeamView};
use tokio::sync::OnceCell;

use super::role::TeamRole;
use crate::graphql::connection::{List, Part};
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

/// A team of the organization. What it may do with graphs is told by these.
pub struct Team {
    slug: String,
    row: TeamRow,
    /// Read once, whichever of the fields are asked for.
    read: OnceCell<TeamView>,
}

impl Team {
    /// A team as the list of teams has it.
    pub(super) fn listed(slug: &str, row: TeamRow) -> Self {
        Self { slug: slug.to_owned(), row, read: OnceCell::new() }
    }

    /// The team with this id.
    ///
    /// # Errors
    /// Those of [`teams::team`].
    pub async fn find(context: &Context<'_>, slug: &str, id: &str) -> Result<Self> {
        let (platform, viewer) = asked(context)?;
        let view = teams::team(platform, viewer, slug, id).await?;
        let own = view.members.iter().find(|member| member.is_viewer);
        let row = TeamRow {
            id: view.id.clone(),
            name: view.name.clone(),
            members: i64::try_from(view.members.len())?,
            viewer_role: own.map(|member| member.role.clone()),
        };
        Ok(Self { slug: slug.to_owned(), row, read: OnceCell::new_with(Some(view)) })
    }

    async fn read(&self, context: &Context<'_>) -> Result<&TeamView> {
        let (platform, viewer) = asked(context)?;
        Ok(self.read.get_or_try_init(|| teams::team(platform, viewer, &self.slug, &self.row.id)).await?)
    }

    async fn all_members(&self, context: &Context<'_>, part: &Part) -> Result<List<TeamMember>> {
        let members = self.read(context).await?.members.iter();
        let keyed = members.map(|row| Ok((row.user_id.clone(), TeamMember::new(row)?)));
        Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
    }
}

/// A team of the organization. What it may do with graphs is told by these.
#[Object(serial)]
#[expect(clippy::unused_async, reason = "the library takes async functions alone")]
impl Team {
    /// Id.
    async fn id(&self) -> ID {
        ID(self.row.id.clone())
    }

    /// Name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// How many members it has.
    async fn member_count(&self) -> i64 {
        self.row.members
    }

    /// What who asks is in it; null if they are not in it.
    async fn viewer_role(&self) -> Result<Option<TeamRole>> {
        Ok(self.row.viewer_role.as_deref().map(TeamRole::told).transpose()?)
    }

    /// When it was created.
    async fn created_at(&self, context: &Context<'_>) -> Result<Moment> {
        Ok(Moment::told(&self.read(context).await?.created_at)?)
    }

    /// Whether who asks may rename and delete it.
    async fn viewer_can_manage(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.manageable)
    }

    /// Whether who asks may change who is in it.
    async fn viewer_can_change_members(&self, context: &Context<'_>) -> Result<bool> {
        Ok(self.read(context).await?.changeable)
    }

    /// Its members, by name.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Members on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<TeamMember>>> {
        Some(self.all_members(context, &Part::new(first, after)).await)
    }
}

/// A member of a team.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct TeamMember {
    /// Id of the user.
    user_id: ID,
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
    /// Role in the team.
    role: TeamRole,
    /// Whether this is who asks.
    is_viewer: bool,
    /// Whether who asks may take them out, or leave.
    viewer_can_remove: bool,
}

impl TeamMember {
    fn new(row: &TeamMemberRow) -> orgtrail::Result<Self> {
        Ok(Self {
            user_id: ID(row.user_id.clone()),
            name: row.name.clone(),
            email: row.email.clone(),
            role: TeamRole::told(&row.role)?,
            is_viewer: row.is_viewer,
            viewer_can_remove: row.removable,
        })
    }
}
