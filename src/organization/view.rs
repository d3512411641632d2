//! What pages show of an organization and its members.

use serde::{Deserialize, Serialize};

pub mod invite;

/// An organization, as the frame of its pages and General show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationView {
    /// UUID.
    pub id: String,
    /// Current slug.
    pub slug: String,
    /// Name to read.
    pub name: String,
    /// The viewer's role: `owner`, `admin` or `member`.
    pub viewer_role: String,
    /// UUID of the user who looks; none if it is no user.
    pub viewer_id: Option<String>,
    /// Whether the viewer may read the trail: the navigation offers it only then.
    pub reads_audit_log: bool,
    /// Whether the viewer may manage access tokens: likewise.
    pub manages_access_tokens: bool,
    /// Whether the viewer may invite people.
    pub manages_invites: bool,
    /// When it was created: `22 Nov 2026`, UTC.
    pub created: String,
    /// The same moment in RFC 3339.
    pub created_at: String,
    /// Number of members.
    pub members: i64,
}

/// A member, as the list of members shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// UUID of the user.
    pub user_id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Day of joining: `22 Nov 2026`, UTC.
    pub joined: String,
    /// The moment of joining in RFC 3339.
    pub joined_at: String,
    /// Whether this is the viewer.
    pub is_viewer: bool,
    /// The roles that the viewer may give this member; empty if none may be given.
    pub assignable_roles: Vec<String>,
    /// Whether the viewer may remove this member (or leave, if it is the viewer).
    pub removable: bool,
    /// Whether the viewer may end this member's sessions.
    pub sessions_endable: bool,
}

/// The members page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembersPage {
    /// Members by name, at most 500 of those that match.
    pub members: Vec<MemberRow>,
    /// How many members the organization has in all.
    pub total: i64,
    /// What was searched for.
    pub search: String,
}

/// A team, as the list of teams shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamRow {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// How many members it has.
    pub members: i64,
    /// What the viewer is in it, `maintainer` or `member`; nothing if they are not in it.
    pub viewer_role: Option<String>,
}

/// The teams page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamsPage {
    /// Teams by name, at most 500 of those that match.
    pub teams: Vec<TeamRow>,
    /// How many teams the organization has in all.
    pub total: i64,
    /// What was searched for.
    pub search: String,
    /// Whether the viewer may create teams.
    pub manageable: bool,
}

/// A member of a team, as the team's page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamMemberRow {
    /// UUID of the user.
    pub user_id: String,
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// `maintainer` or `member`.
    pub role: String,
    /// Whether this is the viewer.
    pub is_viewer: bool,
    /// Whether the viewer may take this member out (or leave, if it is the viewer).
    pub removable: bool,
}

/// Somebody who could be added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addable {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
}

/// The page of one team.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamView {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
    /// When it was created: `22 Nov 2026`, UTC.
    pub created: String,
    /// The same moment in RFC 3339.
    pub created_at: String,
    /// Its members, by name.
    pub members: Vec<TeamMemberRow>,
    /// Members of the organization that are not in it, at most 500, by name; empty for who may not change who is in it.
    pub addable: Vec<Addable>,
    /// Whether the viewer may rename and delete the team.
    pub manageable: bool,
    /// Whether the viewer may change who is in it.
    pub changeable: bool,
    /// Whether the viewer may read the trail, and so what happened to the team.
    pub reads_audit_log: bool,
}
