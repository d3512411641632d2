//! Who may do what: the table of contract §9, and what is said to who may not.

use crate::Error;
use crate::graph::permission::Permission;
use crate::identity::access_token::Scope;
use crate::identity::role::Role;

/// What somebody wants to do in an organization: the rows of the table in contract §9 that exist so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Read the organization and its members.
    ReadOrganization,
    /// Rename it.
    RenameOrganization,
    /// Give it another slug.
    ChangeSlug,
    /// Add a member directly, without an invite: the command line only.
    AddMember,
    /// Change a member's role or remove a member; which ones, [`may_change_role`] decides.
    ChangeMember,
    /// End the sessions of a member.
    EndMemberSessions,
    /// Create, rename or delete a team.
    ManageTeams,
    /// Invite, change or revoke an invite; to which roles, [`may_change_role`] decides.
    ManageInvites,
    /// Change who is in a team; its maintainers may too, [`crate::organization::teams`] decides.
    ChangeTeamMembers,
    /// Create, change, rotate or revoke access tokens and their graph permissions.
    ManageAccessTokens,
    /// Answer for an access token whose creator is gone.
    AdoptAccessToken,
    /// Read the audit log.
    ReadAuditLog,
    /// Export the audit log.
    ExportAuditLog,
    /// Send events of another product.
    SendEvents,
    /// Create or delete a graph.
    ManageGraphs,
    /// Change a graph, its branches and subgraphs' settings, and what teams may do with it.
    ChangeGraph,
    /// Publish a subgraph, submit trusted documents.
    PublishToGraph,
    /// The same in a branch that is protected.
    PublishToProtected,
    /// Create or delete a model.
    ManageModels,
    /// Add records to a model.
    AddRecords,
    /// Export the records of a model.
    ExportModel,
}

impl Operation {
    /// Every operation: the tests' matrix has a cell for each.
    pub const ALL: [Self; 21] = [
        Self::ReadOrganization,
        Self::RenameOrganization,
        Self::ChangeSlug,
        Self::AddMember,
        Self::ChangeMember,
        Self::EndMemberSessions,
        Self::ManageTeams,
        Self::ManageInvites,
        Self::ChangeTeamMembers,
        Self::ManageAccessTokens,
        Self::AdoptAccessToken,
        Self::ReadAuditLog,
        Self::ExportAuditLog,
        Self::SendEvents,
        Self::ManageGraphs,
        Self::ChangeGraph,
        Self::PublishToGraph,
        Self::PublishToProtected,
        Self::ManageModels,
        Self::AddRecords,
        Self::ExportModel,
    ];
}

/// What a viewer's rights in one organization rest on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grant {
    /// A member's role.
    Member(Role),
    /// A token's scopes, and the present role of its creator, which it never exceeds.
    Token(Vec<Scope>, Role),
    /// The operator at the command line.
    Operator,
}

/// Whether a grant allows an operation; `permission` is what the viewer was given for the graph that it is about, where it is about one.
/// Deny by default: what is not written here is refused.
#[must_use]
pub fn allows(grant: &Grant, permission: Option<Permission>, operation: Operation) -> bool {
    use Operation::{
        AddMember, AddRecords, AdoptAccessToken, ChangeGraph, ChangeMember, ChangeSlug, ChangeTeamMembers,
        EndMemberSessions, ExportAuditLog, ExportModel, ManageAccessTokens, ManageGraphs, ManageInvites, ManageModels,
        ManageTeams, PublishToGraph, PublishToProtected, ReadAuditLog, ReadOrganization, RenameOrganization,
        SendEvents,
    };
    match grant {
        Grant::Member(Role::Owner) => !matches!(operation, AddMember | SendEvents),
        Grant::Member(Role::Admin) => {
            !matches!(operation, AddMember | ChangeSlug | EndMemberSessions | AdoptAccessToken | SendEvents)
        }
        Grant::Member(Role::Member) => match operation {
            ReadOrganization | AddRecords | ExportModel => true,
            ChangeGraph | PublishToGraph | PublishToProtected => suffices(permission, operation),
            _ => false,
        },
        Grant::Token(scopes, creator) => match operation {
            ReadOrganization => true,
            RenameOrganization | ChangeSlug | ChangeMember | ManageTeams | ManageInvites | ChangeTeamMembers => {
                scopes.contains(&Scope::OrganizationWrite) && allows(&Grant::Member(*creator), None, operation)
            }
            ReadAuditLog => scopes.contains(&Scope::AuditRead) && creator.reads_audit_log(),
            ExportAuditLog => scopes.contains(&Scope::AuditExport) && creator.reads_audit_log(),
            SendEvents => scopes.contains(&Scope::EventsWrite) && creator.reads_audit_log(),
            ManageGraphs => scopes.contains(&Scope::GraphsWrite) && allows(&Grant::Member(*creator), None, operation),
            ChangeGraph => scopes.contains(&Scope::GraphsWrite) && suffices(permission, operation),
            PublishToGraph | PublishToProtected => suffices(permission, operation),
            AddRecords => scopes.contains(&Scope::ModelsWrite),
            ExportModel => scopes.contains(&Scope::ModelsExport),
            AddMember | EndMemberSessions | ManageAccessTokens | AdoptAccessToken | ManageModels => false,
        },
        Grant::Operator => matches!(operation, ReadOrganization | AddMember | ManageAccessTokens),
    }
}

/// Whether somebody with the role `viewer` may turn `from` into `to` for another member: owners any, admins between member and admin.
#[must_use]
pub fn may_change_role(viewer: Role, from: Role, to: Role) -> bool {
    match viewer {
        Role::Owner => true,
        Role::Admin => from != Role::Owner && to != Role::Owner,
        Role::Member => false,
    }
}

/// Whether a permission for a graph is enough for an operation on it.
fn suffices(permission: Option<Permission>, operation: Operation) -> bool {
    let needed = if operation == Operation::PublishToGraph { Permission::Publish } else { Permission::Admin };
    permission >= Some(needed)
}

/// The refusal of an operation: who can help.
pub(super) fn forbidden(operation: Operation) -> Error {
    let who = match operation {
        Operation::ChangeSlug => "Only an owner can change the address of this organization.",
        Operation::ReadAuditLog => "Only owners and admins can read the audit logs of this organization.",
        Operation::ExportAuditLog => "Only owners and admins can export the audit logs of this organization.",
        Operation::SendEvents => "Events are sent with an access token of the scope events:write.",
        Operation::AddMember => "Members join by an invite.",
        Operation::AdoptAccessToken => "Only an owner can adopt an access token.",
        Operation::ReadOrganization => "You cannot read this organization.",
        Operation::EndMemberSessions => "Only an owner can end the sessions of somebody else.",
        Operation::ChangeTeamMembers => "Only owners, admins and the maintainers of this team can change who is in it.",
        Operation::ManageGraphs => "Only owners and admins can create and delete graphs here.",
        Operation::ChangeGraph => "Only owners, admins and who has the permission admin for this graph can change it.",
        Operation::PublishToGraph => "Publishing to this graph takes the permission publish or admin for it.",
        Operation::PublishToProtected => {
            "This branch is protected: publishing to it takes the permission admin for the graph."
        }
        Operation::ManageModels => "Only owners and admins can create and delete models here.",
        Operation::AddRecords => "Adding records takes an access token of the scope models:write.",
        Operation::ExportModel => "Exporting records takes an access token of the scope models:export.",
        Operation::RenameOrganization
        | Operation::ChangeMember
        | Operation::ManageTeams
        | Operation::ManageInvites
        | Operation::ManageAccessTokens => "Only owners and admins can do this in this organization.",
    };
    Error::Forbidden(who.to_owned())
}
