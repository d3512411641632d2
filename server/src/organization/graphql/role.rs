//! Roles in organizations and teams, as enums.

use async_graphql::Enum;
use orgtrail::Result;
use orgtrail::identity::role::Role;
use orgtrail::organization::teams;

/// What a member is in an organization.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Role")]
pub enum OrganizationRole {
    /// May do everything, owners' affairs included.
    Owner,
    /// May do everything but what concerns owners and the slug.
    Admin,
    /// May use the platform, and may not read the trail.
    Member,
}

impl OrganizationRole {
    /// The role as views have it.
    ///
    /// # Errors
    /// For a word that is none: a fault of ours.
    pub fn told(word: &str) -> Result<Self> {
        Role::parse(word).map(Self::from)
    }

    /// The word that use cases take.
    #[must_use]
    pub fn word(self) -> &'static str {
        Role::from(self).as_str()
    }
}

/// What a member is in a team.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "teams::TeamRole")]
pub enum TeamRole {
    /// May change who is in the team.
    Maintainer,
    /// Belongs to it.
    Member,
}

impl TeamRole {
    /// The role as views have it.
    ///
    /// # Errors
    /// For a word that is none: a fault of ours.
    pub fn told(word: &str) -> Result<Self> {
        teams::TeamRole::parse(word).map(Self::from)
    }

    /// The word that use cases take.
    #[must_use]
    pub fn word(self) -> &'static str {
        teams::TeamRole::from(self).as_str()
    }
}
