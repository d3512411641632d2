//! What may be done with a graph, as an enum.

use async_graphql::Enum;
use orgtrail::Result;
use orgtrail::graph::permission::Permission;

/// What may be done with a graph. Each includes those before it.
#[derive(Enum, Debug, Clone, Copy, PartialEq, Eq)]
#[graphql(remote = "Permission")]
pub enum GraphPermission {
    /// Read it.
    Read,
    /// Publish subgraphs and submit trusted documents.
    Publish,
    /// Change it, its branches and the settings of its subgraphs.
    Admin,
}

impl GraphPermission {
    /// The permission as views have it.
    ///
    /// # Errors
    /// For a word that is none: a fault of ours.
    pub fn told(word: &str) -> Result<Self> {
        Permission::parse(word).map(Self::from)
    }

    /// The word that use cases take.
    #[must_use]
    pub fn word(self) -> &'static str {
        Permission::from(self).as_str()
    }
}
