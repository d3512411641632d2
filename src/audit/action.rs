//! The catalogue: every action that the platform itself records, and what its events hold.
//!
//! One table, from which the code, the filter on the page, `docs/catalogue.md` and the tests are made. The 32 actions of the
//! seed come first in their groups, worded as there; ours are marked. Other products' actions are any well-formed dotted
//! names that are not in here.

mod group;
mod relatives;
pub mod shape;

pub use group::Group;
pub use relatives::{Relatives, relatives};
pub use shape::Shape;

use super::event::Kind;

/// Longest dotted name in bytes.
pub const MAX_NAME_BYTES: usize = 100;

/// Where an action comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    /// One of the seed's 32.
    Seed,
    /// An addition of ours in the same form.
    Ours,
}

/// What the catalogue says about one action.
struct Entry {
    name: &'static str,
    origin: Origin,
    kind: Kind,
    group: Group,
    object_type: &'static str,
    description: &'static str,
    previous: &'static str,
    next: &'static str,
}

macro_rules! catalogue {
    ($($variant:ident = $name:literal $origin:ident $kind:ident $group:ident $object_type:literal
        says $description:literal previous $previous:literal next $next:literal;)+) => {
        /// An action that the platform itself records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Action {
            $(#[doc = concat!("`", $name, "`: ", $description)] $variant,)+
        }

        impl Action {
            /// Every action, group by group.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            const fn entry(self) -> Entry {
                match self {
                    $(Self::$variant => Entry {
                        name: $name,
                        origin: Origin::$origin,
                        kind: Kind::$kind,
                        group: Group::$group,
                        object_type: $object_type,
                        description: $description,
                        previous: $previous,
                        next: $next,
                    },)+
                }
            }
        }
    };
}

catalogue! {
    GraphCreated = "graph.created" Seed Change Graph "graph"
        says "A new graph was created"
        previous "" next "graph";
    GraphDeleted = "graph.deleted" Seed Change Graph "graph"
        says "A graph was deleted"
        previous "graph" next "";
    GraphUpdated = "graph.updated" Seed Change Graph "graph"
        says "A graph was updated"
        previous "graph" next "graph";

    SubgraphCreated = "subgraph.created" Seed Change Subgraph "subgraph"
        says "A new subgraph was created"
        previous "" next "subgraph";
    SubgraphDeleted = "subgraph.deleted" Seed Change Subgraph "subgraph"
        says "A subgraph was deleted"
        previous "subgraph" next "";
    SubgraphUpdated = "subgraph.updated" Seed Change Subgraph "subgraph"
        says "A subgraph was updated"
        previous "subgraph" next "subgraph";
    SubgraphPublished = "subgraph.published" Seed Change Subgraph "subgraph"
        says "A schema was published to a subgraph of a graph"
        previous "subgraph" next "subgraph";

    MemberCreated = "member.created" Seed Change Member "member"
        says "A new member was added"
        previous "" next "member";
    MemberDeleted = "member.deleted" Seed Change Member "member"
        says "A member was removed"
        previous "member" next "";
    MemberUpdated = "member.updated" Seed Change Member "member"
        says "A member was updated"
        previous "member" next "member";
    MemberSessionsEnded = "member.sessions.ended" Ours Operation Member "member"
        says "An owner ended every session of a member, who has to sign in anew"
        previous "member_sessions" next "member_sessions";

    BranchCreated = "branch.created" Seed Change Branch "branch"
        says "A new branch was created"
        previous "" next "branch";
    BranchDeleted = "branch.deleted" Seed Change Branch "branch"
        says "A branch was deleted"
        previous "branch" next "";
    BranchUpdated = "branch.updated" Seed Change Branch "branch"
        says "A branch was updated"
        previous "branch" next "branch";

    TeamCreated = "team.created" Seed Change Team "team"
        says "A new team was created"
        previous "" next "team";
    TeamDeleted = "team.deleted" Seed Change Team "team"
        says "A team was deleted"
        previous "team" next "";
    TeamUpdated = "team.updated" Seed Change Team "team"
        says "A team was updated"
        previous "team" next "team";
    TeamMemberAdded = "team.member.added" Seed Change Team "team_member"
        says "A member was added to a team"
        previous "" next "team_member";
    TeamMemberUpdated = "team.member.updated" Seed Change Team "team_member"
        says "A team member's role was updated"
        previous "team_member" next "team_member";
    TeamMemberRemoved = "team.member.removed" Seed Change Team "team_member"
        says "A member was removed from a team"
        previous "team_member" next "";

    InviteCreated = "invite.created" Seed Change Invite "invite"
        says "A new invite was created"
        previous "" next "invite";
    InviteDeleted = "invite.deleted" Seed Change Invite "invite"
        says "An invite was deleted"
        previous "invite" next "";
    InviteUpdated = "invite.updated" Seed Change Invite "invite"
        says "An invite was updated"
        previous "invite" next "invite";

    OrganizationCreated = "organization.created" Seed Change Organization "organization"
        says "A new organization was created"
        previous "" next "organization";
    OrganizationUpdated = "organization.updated" Seed Change Organization "organization"
        says "An organization was updated"
        previous "organization" next "organization";

    AccessTokenCreated = "access_token.created" Seed Change AccessToken "access_token"
        says "A new access token was created"
        previous "" next "access_token";
    AccessTokenDeleted = "access_token.deleted" Seed Change AccessToken "access_token"
        says "An access token was deleted"
        previous "access_token" next "";
    AccessTokenUpdated = "access_token.updated" Seed Change AccessToken "access_token"
        says "An access token was updated"
        previous "access_token" next "access_token";
    AccessTokenGraphAdded = "access_token.graph.added" Seed Change AccessToken "access_token_graph"
        says "Access to a graph was granted to a token"
        previous "" next "access_token_graph";
    AccessTokenGraphUpdated = "access_token.graph.updated" Seed Change AccessToken "access_token_graph"
        says "Graph access permissions were updated for a token"
        previous "access_token_graph" next "access_token_graph";
    AccessTokenGraphRemoved = "access_token.graph.removed" Seed Change AccessToken "access_token_graph"
        says "Access to a graph was revoked from a token"
        previous "access_token_graph" next "";

    AuditLogExportDownloaded = "audit_log.export.downloaded" Seed Change AuditLog "audit_log"
        says "An audit log export was downloaded, or its download ended early: the outcome says which"
        previous "" next "audit_log_export";
    AuditLogExportRequested = "audit_log.export.requested" Ours Operation AuditLog "audit_log"
        says "An audit log export was requested, or refused; recorded before its first byte"
        previous "" next "audit_log_export";
    AuditLogViewed = "audit_log.viewed" Ours Operation AuditLog "audit_log"
        says "The audit log was read on its page; at most once per actor and 15 minutes"
        previous "" next "look";

    AuditLogIntegrityFailed = "audit_log.integrity.failed" Ours Operation AuditLog "audit_log"
        says "The audit log was read again, and is not as it was recorded; told anew when something else is found"
        previous "integrity" next "integrity";
    AuditLogIntegrityRestored = "audit_log.integrity.restored" Ours Operation AuditLog "audit_log"
        says "All that is kept of the audit log was read again, and is as it was recorded, after it was not"
        previous "integrity" next "";

    TrustedDocumentSubmitted = "trusted_document.submitted" Seed Change TrustedDocument "trusted_document"
        says "Trusted documents were submitted for a client"
        previous "" next "trusted_document";

    ModelCreated = "model.created" Ours Change Model "model"
        says "A new model was created"
        previous "" next "model";
    ModelDeleted = "model.deleted" Ours Change Model "model"
        says "A model was deleted with its records"
        previous "model" next "";
    ModelRecordsAdded = "model.records.added" Ours Change Model "model"
        says "Records were added to a model"
        previous "" next "model_records";
    ModelExportRequested = "model.export.requested" Ours Operation Model "model"
        says "An export of a model's records was requested, or refused; recorded before its first byte"
        previous "" next "model_export";
    ModelExported = "model.exported" Ours Export Model "model"
        says "Records of a model were exported, or the download ended early, or there were none: the outcome says which"
        previous "" next "model_export";

    ModelRecordsPruned = "model.records.pruned" Ours Operation Model "model"
        says "Records of a model were older than what is kept, and went"
        previous "" next "model_pruning";

    RetentionPruned = "retention.pruned" Ours Operation Retention "organization"
        says "Events were older than what is kept, and go; recorded before their month is dropped"
        previous "" next "pruning";

    LoginAttempted = "login.attempted" Ours Login Login "user"
        says "Somebody tried to sign in, with or without success"
        previous "" next "login";

    MutationSent = "mutation.sent" Ours Operation Mutation "mutation"
        says "A mutation was sent after sign-in, by a form of a page or through GraphQL: its name, text and variables as the client has them, and beside them what really ran; the outcome says how it ended"
        previous "" next "";

    AccountUpdated = "account.updated" Ours Login Account "user"
        says "A member changed their own account: name, e-mail address or password, or ended sessions; or tried to, then the outcome says so"
        previous "account" next "account";
}

impl Action {
    /// The dotted name, as stored, exported and filtered by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.entry().name
    }

    /// What sort of event it makes.
    #[must_use]
    pub const fn kind(self) -> Kind {
        self.entry().kind
    }

    /// The heading under which the filter offers it.
    #[must_use]
    pub const fn group(self) -> Group {
        self.entry().group
    }

    /// Type of the object whose state `previous` and `next` are.
    #[must_use]
    pub const fn object_type(self) -> &'static str {
        self.entry().object_type
    }

    /// What it means: the seed's words, mended where they are wrong.
    #[must_use]
    pub const fn description(self) -> &'static str {
        self.entry().description
    }

    /// What `previous` holds, or nothing where it is always empty.
    #[must_use]
    pub fn previous(self) -> Option<&'static Shape> {
        Shape::named(self.entry().previous)
    }

    /// What `next` holds, or nothing where it is always empty.
    #[must_use]
    pub fn next(self) -> Option<&'static Shape> {
        Shape::named(self.entry().next)
    }

    /// Whether it is one of the seed's 32.
    #[must_use]
    pub fn is_seed(self) -> bool {
        self.entry().origin == Origin::Seed
    }

    /// The action of that name, if the platform has one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.name() == name)
    }
}

/// Every group with its actions, for pickers and docs.
pub fn groups() -> impl Iterator<Item = (Group, Vec<Action>)> {
    Group::ALL.into_iter().map(|group| (group, group.actions().collect()))
}

/// The names that a pattern like `member.*` or `team.member.*` stands for; nothing if the catalogue has none.
#[must_use]
pub fn expand(pattern: &str) -> Option<Vec<&'static str>> {
    let prefix = pattern.strip_suffix('*').filter(|prefix| prefix.ends_with('.'))?;
    let names: Vec<_> = Action::ALL.into_iter().map(Action::name).filter(|name| name.starts_with(prefix)).collect();
    (!names.is_empty()).then_some(names)
}

/// Whether a name can be an action's, of the platform or of another product: 2 to 4 parts of `[a-z][a-z0-9_]*`, at most [`MAX_NAME_BYTES`].
#[must_use]
pub fn is_well_formed(name: &str) -> bool {
    let parts = name.split('.').count();
    (2..=4).contains(&parts) && name.len() <= MAX_NAME_BYTES && name.split('.').all(is_word)
}

pub(super) fn is_word(part: &str) -> bool {
    let begins = part.starts_with(|first: char| first.is_ascii_lowercase());
    begins && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests;
