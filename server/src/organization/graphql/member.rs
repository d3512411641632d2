//! A member of an organization.

use async_graphql::{Context, ID, SimpleObject};
use orgtrail::organization::members;
use orgtrail::organization::view::MemberRow;

use super::role::OrganizationRole;
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

/// A member of the organization.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct Member {
    /// Id of the user.
    user_id: ID,
    /// Name.
    name: String,
    /// E-mail address.
    email: String,
    /// Role.
    role: OrganizationRole,
    /// When they joined.
    joined_at: Moment,
    /// Whether this is who asks.
    is_viewer: bool,
    /// The roles that who asks may give them.
    viewer_can_give: Vec<OrganizationRole>,
    /// Whether who asks may remove them, or leave.
    viewer_can_remove: bool,
    /// Whether who asks may end their sessions.
    viewer_can_end_sessions: bool,
}

impl Member {
    /// The member of a row.
    ///
    /// # Errors
    /// A fault of ours, if a row is not as it should be.
    pub fn new(row: MemberRow) -> orgtrail::Result<Self> {
        let roles = row.assignable_roles.iter().map(|role| OrganizationRole::told(role));
        Ok(Self {
            viewer_can_give: roles.collect::<orgtrail::Result<_>>()?,
            role: OrganizationRole::told(&row.role)?,
            joined_at: Moment::told(&row.joined_at)?,
            user_id: ID(row.user_id),
            name: row.name,
            email: row.email,
            is_viewer: row.is_viewer,
            viewer_can_remove: row.removable,
            viewer_can_end_sessions: row.sessions_endable,
        })
    }

    /// The member with this id.
    ///
    /// # Errors
    /// Those of [`members::member`].
    pub async fn find(context: &Context<'_>, slug: &str, user_id: &str) -> async_graphql::Result<Self> {
        let (platform, viewer) = asked(context)?;
        Ok(Self::new(members::member(platform, viewer, slug, user_id).await?)?)
    }
}
