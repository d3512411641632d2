//! An invite that nobody accepted or revoked yet.

use async_graphql::{Context, ID, SimpleObject};
use orgtrail::Error;
use orgtrail::organization::invites;
use orgtrail::organization::view::invite::InviteRow;

use super::role::OrganizationRole;
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

/// An invite that nobody accepted or revoked yet. Its link is told when it is sent, and never again.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct Invite {
    /// Id.
    id: ID,
    /// Who is invited.
    email: String,
    /// The role that waits.
    role: OrganizationRole,
    /// Ids of the teams that wait.
    team_ids: Vec<ID>,
    /// Name of who stands for it.
    invited_by: String,
    /// When the link was sent last.
    sent_at: Moment,
    /// When it ends, or has ended.
    expires_at: Moment,
    /// Whether it has ended.
    is_expired: bool,
    /// Which state of it this is: a change of an older one is refused.
    version: i32,
    /// Whether who asks may change, send or revoke it.
    viewer_can_change: bool,
}

impl Invite {
    /// The invite of a row.
    ///
    /// # Errors
    /// A fault of ours, if a row is not as it should be.
    pub fn new(row: InviteRow) -> orgtrail::Result<Self> {
        Ok(Self {
            role: OrganizationRole::told(&row.role)?,
            sent_at: Moment::told(&row.sent_at)?,
            expires_at: Moment::told(&row.expires_at)?,
            id: ID(row.id),
            email: row.email,
            team_ids: row.team_ids.into_iter().map(ID).collect(),
            invited_by: row.invited_by,
            is_expired: row.expired,
            version: row.version,
            viewer_can_change: row.changeable,
        })
    }

    /// The open invite with this id.
    ///
    /// # Errors
    /// Those of [`invites::list`]; [`Error::NotFound`].
    pub async fn find(context: &Context<'_>, slug: &str, id: &str) -> async_graphql::Result<Self> {
        let (platform, viewer) = asked(context)?;
        let open = invites::list(platform, viewer, slug).await?.invites;
        Ok(Self::new(open.into_iter().find(|invite| invite.id == id).ok_or(Error::NotFound)?)?)
    }
}
