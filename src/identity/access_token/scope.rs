//! What an access token may be used for.

use crate::{Error, Result};

/// What a token may be used for (contract §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Read the trail.
    AuditRead,
    /// Export the trail.
    AuditExport,
    /// Send events of another product.
    EventsWrite,
    /// Add records to models.
    ModelsWrite,
    /// Export records of models.
    ModelsExport,
    /// Create and change graphs.
    GraphsWrite,
    /// Change the organization.
    OrganizationWrite,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 7] = [
        Self::AuditRead,
        Self::AuditExport,
        Self::EventsWrite,
        Self::ModelsWrite,
        Self::ModelsExport,
        Self::GraphsWrite,
        Self::OrganizationWrite,
    ];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AuditRead => "audit:read",
            Self::AuditExport => "audit:export",
            Self::EventsWrite => "events:write",
            Self::ModelsWrite => "models:write",
            Self::ModelsExport => "models:export",
            Self::GraphsWrite => "graphs:write",
            Self::OrganizationWrite => "organization:write",
        }
    }

    /// The scope that a word names.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `scope`, naming all of them.
    pub fn parse(word: &str) -> Result<Self> {
        let all = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL
            .into_iter()
            .find(|scope| scope.as_str() == word)
            .ok_or_else(|| Error::invalid("scope", format!("“{word}” is not a scope; the scopes are {}.", all())))
    }

    /// What it lets a program do, in a line for people.
    #[must_use]
    pub const fn explanation(self) -> &'static str {
        match self {
            Self::AuditRead => "Read the audit logs",
            Self::AuditExport => "Download the audit logs",
            Self::EventsWrite => "Send events of another product",
            Self::ModelsWrite => "Add records to models",
            Self::ModelsExport => "Export the records of models",
            Self::GraphsWrite => "Create and change graphs",
            Self::OrganizationWrite => {
                "Change the organization, its members, invites and teams, as far as the token’s creator may"
            }
        }
    }

    /// The scopes that words name.
    ///
    /// # Errors
    /// As [`Scope::parse`].
    pub fn parse_all(words: &[String]) -> Result<Vec<Self>> {
        words.iter().map(|word| Self::parse(word)).collect()
    }

    /// The words of scopes, each once, in the order of [`Scope::ALL`].
    pub(super) fn words(scopes: &[Self]) -> Vec<String> {
        Self::ALL.iter().filter(|scope| scopes.contains(scope)).map(|scope| scope.as_str().to_owned()).collect()
    }
}
