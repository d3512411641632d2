//! What may be done with one graph, by a team or an access token.

use crate::{Error, Result};

/// What may be done with one graph: each includes those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Read it.
    Read,
    /// Publish subgraphs and submit trusted documents.
    Publish,
    /// Change it, its branches and subgraphs' settings.
    Admin,
}

impl Permission {
    /// Every permission, the least first.
    pub const ALL: [Self; 3] = [Self::Read, Self::Publish, Self::Admin];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Publish => "publish",
            Self::Admin => "admin",
        }
    }

    /// The permission that a word names.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `permission`.
    pub fn parse(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|permission| permission.as_str() == word);
        found.ok_or_else(|| Error::invalid("permission", "A permission is one of read, publish or admin."))
    }
}

#[cfg(test)]
mod tests {
    use super::Permission;

    #[test]
    fn each_includes_those_before_it() {
        assert!(Permission::ALL.is_sorted());
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()).unwrap(), permission);
        }
        for word in ["", "Admin", "write"] {
            assert_eq!(Permission::parse(word).unwrap_err().field(), Some("permission"));
        }
    }
}
