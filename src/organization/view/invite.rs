//! What pages show of invites.

use serde::{Deserialize, Serialize};

/// The page of an organization's invites.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvitesPage {
    /// Those that nobody accepted or revoked, the newest first.
    pub invites: Vec<InviteRow>,
    /// The roles that the viewer may give.
    pub roles: Vec<String>,
    /// The teams that somebody can be invited to, by name.
    pub teams: Vec<TeamChoice>,
}

/// A team that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TeamChoice {
    /// UUID.
    pub id: String,
    /// Name.
    pub name: String,
}

/// An invite that nobody accepted or revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteRow {
    /// UUID.
    pub id: String,
    /// Who is invited.
    pub email: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// UUIDs of the teams that wait.
    pub team_ids: Vec<String>,
    /// Who stands for it: a name.
    pub invited_by: String,
    /// Day on which the link was sent last: `22 Nov 2026`, UTC.
    pub sent: String,
    /// Day on which it ends, or has ended.
    pub expires: String,
    /// The moment of sending in RFC 3339.
    pub sent_at: String,
    /// The moment of its end in RFC 3339.
    pub expires_at: String,
    /// Whether it has.
    pub expired: bool,
    /// Which state of it this is: a change of an older one is refused.
    pub version: i32,
    /// Whether the viewer may change, send or revoke it.
    pub changeable: bool,
}

/// An invite that was just sent. The link is shown once and cannot be had again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteSent {
    /// UUID.
    pub id: String,
    /// To whom.
    pub email: String,
    /// The link.
    pub link: String,
}

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum InviteView {
    /// It can be accepted.
    Open(Box<OpenInvite>),
    /// Its time is over.
    Expired,
    /// It was taken back.
    Revoked,
    /// Somebody has accepted it.
    Accepted,
    /// Whoever sent it may no longer give what it gives.
    Powerless,
}

/// An invite that can be accepted, for who holds its link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenInvite {
    /// Name of the organization.
    pub organization: String,
    /// Name of who stands for it.
    pub invited_by: String,
    /// Who is invited.
    pub email: String,
    /// `owner`, `admin` or `member`.
    pub role: String,
    /// Names of the teams that wait.
    pub teams: Vec<String>,
    /// Until when: `29 Nov 2026 12:00`, UTC.
    pub expires: String,
    /// Address of who is signed in.
    pub signed_in_as: Option<String>,
    /// Whether who is signed in is who is invited.
    pub is_for_viewer: bool,
    /// Whether an account can be made here.
    pub may_sign_up: bool,
}
