//! The part of an account that is its people: members, teams and invites.

use async_graphql::{Context, ID, Object, Result};
use orgtrail::organization::{invites, members, teams};

use super::invite::Invite;
use super::member::Member;
use super::team::Team;
use crate::graphql::connection::{List, Part};
use crate::graphql::schema::asked;

/// The part of an account that is its people.
pub struct AccountPeople {
    slug: String,
}

impl AccountPeople {
    /// Of the organization with this slug.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self { slug }
    }

    async fn all_members(&self, context: &Context<'_>, search: &str, part: &Part) -> Result<List<Member>> {
        let (platform, viewer) = asked(context)?;
        let page = members::list(platform, viewer, &self.slug, search).await?;
        let keyed = page.members.into_iter().map(|row| Ok((row.user_id.clone(), Member::new(row)?)));
        Ok(List::part(keyed.collect::<orgtrail::Result<_>>()?, page.total, part)?)
    }

    async fn all_teams(&self, context: &Context<'_>, search: &str, part: &Part) -> Result<List<Team>> {
        let (platform, viewer) = asked(context)?;
        let page = teams::list(platform, viewer, &self.slug, search).await?;
        let keyed = page.teams.into_iter().map(|row| (row.id.clone(), Team::listed(&self.slug, row)));
        Ok(List::part(keyed.collect(), page.total, part)?)
    }

    async fn all_invites(&self, context: &Context<'_>, part: &Part) -> Result<List<Invite>> {
        let (platform, viewer) = asked(context)?;
        let open = invites::list(platform, viewer, &self.slug).await?.invites;
        let keyed = open.into_iter().map(|row| Ok((row.id.clone(), Invite::new(row)?)));
        Ok(List::all(keyed.collect::<orgtrail::Result<_>>()?, part)?)
    }
}

#[Object]
impl AccountPeople {
    /// Its members, by name: of those that match, the first 500.
    async fn members(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Members on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Those whose name or address holds this.", default)] search: String,
    ) -> Option<Result<List<Member>>> {
        Some(self.all_members(context, &search, &Part::new(first, after)).await)
    }

    /// One member.
    async fn member(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Id of the user.")] user_id: ID,
    ) -> Option<Result<Member>> {
        Some(Member::find(context, &self.slug, &user_id).await)
    }

    /// Its teams, by name: of those that match, the first 500.
    async fn teams(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Teams on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "Those whose name holds this.", default)] search: String,
    ) -> Option<Result<List<Team>>> {
        Some(self.all_teams(context, &search, &Part::new(first, after)).await)
    }

    /// One team.
    async fn team(&self, context: &Context<'_>, #[graphql(desc = "Its id.")] id: ID) -> Option<Result<Team>> {
        Some(Team::find(context, &self.slug, &id).await)
    }

    /// The invites that nobody accepted or revoked, newest first, for who may invite.
    async fn invites(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Invites on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
    ) -> Option<Result<List<Invite>>> {
        Some(self.all_invites(context, &Part::new(first, after)).await)
    }
}
