//! The headings of the catalogue.

use super::Action;

/// A heading of the catalogue: the seed's, and ours for models, sign-ins and accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Group {
    /// Graphs.
    Graph,
    /// Subgraphs.
    Subgraph,
    /// Members of the organization.
    Member,
    /// Branches of graphs.
    Branch,
    /// Teams and their members.
    Team,
    /// Invitations.
    Invite,
    /// The organization itself.
    Organization,
    /// Access tokens and their graph permissions.
    AccessToken,
    /// The audit log.
    AuditLog,
    /// Trusted documents.
    TrustedDocument,
    /// Models and their records (ours).
    Model,
    /// What is no longer kept (ours).
    Retention,
    /// Sign-ins (ours).
    Login,
    /// Mutations as they were sent (ours).
    Mutation,
    /// People's own accounts (ours).
    Account,
}

impl Group {
    /// Every group, in the order of the seed.
    pub const ALL: [Self; 15] = [
        Self::Graph,
        Self::Subgraph,
        Self::Member,
        Self::Branch,
        Self::Team,
        Self::Invite,
        Self::Organization,
        Self::AccessToken,
        Self::AuditLog,
        Self::TrustedDocument,
        Self::Model,
        Self::Retention,
        Self::Login,
        Self::Mutation,
        Self::Account,
    ];

    /// First part of its actions' names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graph => "graph",
            Self::Subgraph => "subgraph",
            Self::Member => "member",
            Self::Branch => "branch",
            Self::Team => "team",
            Self::Invite => "invite",
            Self::Organization => "organization",
            Self::AccessToken => "access_token",
            Self::AuditLog => "audit_log",
            Self::TrustedDocument => "trusted_document",
            Self::Model => "model",
            Self::Retention => "retention",
            Self::Login => "login",
            Self::Mutation => "mutation",
            Self::Account => "account",
        }
    }

    /// Its line under the heading, in the seed's words.
    #[must_use]
    pub const fn description(self) -> &'static str {
        match self {
            Self::Graph => "A federated GraphQL supergraph",
            Self::Subgraph => "A subgraph within a federated GraphQL supergraph",
            Self::Member => "Organization members",
            Self::Branch => "Graph branches for development and testing",
            Self::Team => "Organizational teams for access control, and their members",
            Self::Invite => "User invitations to join the organization",
            Self::Organization => "Organization management",
            Self::AccessToken => "API access tokens for programmatic access",
            Self::AuditLog => "Audit log export and management operations",
            Self::TrustedDocument => "Trusted documents management for GraphQL operations",
            Self::Model => "Models, their records and who takes them out",
            Self::Retention => "What is no longer kept",
            Self::Login => "Sign-ins to the platform",
            Self::Mutation => "Mutations as they were sent after sign-in",
            Self::Account => {
                "What members do with their own accounts on the platform, in each organization that they are in"
            }
        }
    }

    /// Its actions.
    pub fn actions(self) -> impl Iterator<Item = Action> {
        Action::ALL.into_iter().filter(move |action| action.group() == self)
    }
}
