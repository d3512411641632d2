//! The role of a member in an organization.

use serde::{Deserialize, Serialize};

/// What a member is in an organization (contract §1). At least one owner always remains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May do everything, owners' affairs included.
    Owner,
    /// May do everything but what concerns owners and the slug.
    Admin,
    /// May use the platform, and may not read the trail.
    Member,
}

impl Role {
    /// Every role, highest first.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Admin, Self::Member];

    /// The word stored in the database and shown on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role that a word names; an error naming the three otherwise.
    ///
    /// # Errors
    /// [`crate::Error::Invalid`] for the field `role`.
    pub fn parse(word: &str) -> crate::Result<Self> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| crate::Error::invalid("role", "A role is one of owner, admin or member."))
    }

    /// Whether this role may read and export the trail.
    #[must_use]
    pub const fn reads_audit_log(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}
