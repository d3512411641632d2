//! One step of the demo: who does what, when; and the request id by which it is known again in the trail.

use chrono::{DateTime, Utc};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use uuid::Uuid;

use super::graphs::OnGraph;
use super::models::OnModel;
use super::people::Who;

/// Something that somebody does at a moment: one request to the product.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// When.
    pub at: DateTime<Utc>,
    /// Steps that come after it.
    pub remaining: u16,
    /// What.
    pub act: Act,
}

/// Name of a team, as it is at the moment of the step.
pub(super) type Team = &'static str;

/// What is done. Names of tokens are unique, so that they can be found again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    /// Ada founds the organization.
    Found,
    /// An address is invited.
    Invite { by: Who, email: String, role: Role, team: Option<Team> },
    /// An open invite gets another role.
    ChangeInvite { by: Who, email: &'static str, role: Role },
    /// An open invite is revoked.
    RevokeInvite { by: Who, email: &'static str },
    /// Somebody who is invited makes an account and joins.
    Join(Who),
    /// A member gets another role.
    ChangeRole { by: Who, whom: Who, to: Role },
    /// A member is removed, or leaves.
    Remove { by: Who, whom: Who },
    /// The organization gets another name.
    Rename { by: Who, name: &'static str },
    /// An access token is made, good for some hours or without end.
    MakeToken { by: Who, name: String, scopes: &'static [Scope], hours: Option<i64> },
    /// An access token gets other scopes.
    ChangeToken { by: Who, name: String, scopes: &'static [Scope] },
    /// An access token gets another secret.
    RotateToken { by: Who, name: String },
    /// An access token is revoked.
    RevokeToken { by: Who, name: String },
    /// A team is made.
    MakeTeam { by: Who, team: Team },
    /// A team gets another name.
    RenameTeam { by: Who, team: Team, to: Team },
    /// A team is deleted.
    DeleteTeam { by: Who, team: Team },
    /// A member is put into a team.
    AddToTeam { by: Who, whom: Who, team: Team },
    /// A member of a team becomes its maintainer, or is one no longer.
    ChangeTeamRole { by: Who, whom: Who, team: Team, maintains: bool },
    /// A member leaves a team by themselves.
    LeaveTeam { who: Who, team: Team },
    /// Something happens to a graph.
    Graph { by: Who, graph: &'static str, what: OnGraph },
    /// Something happens to a model.
    Model { by: Who, model: &'static str, what: OnModel },
    /// Somebody changes their own name.
    ChangeName { who: Who, name: &'static str },
    /// Somebody changes their own password: away from the demo's, or back.
    ChangePassword { who: Who, away: bool },
    /// Somebody signs in.
    SignIn(Who),
    /// Somebody mistypes their password.
    Mistype(Who),
    /// Somebody else guesses a password of theirs.
    Guess(Who),
    /// An owner or admin reads the trail.
    Read { by: Who, query: &'static str },
    /// A member tries to read the trail.
    ReadRefused(Who),
    /// An owner or admin exports the trail: the days before, and the rest of the query.
    Export { by: Who, days: u64, query: &'static str },
    /// A member tries to export the trail.
    ExportRefused(Who),
}

/// What tells a request id of the demo from others: the letters `demo`.
const MARK: [u8; 4] = *b"demo";

impl Step {
    /// Id of the request: a UUIDv7 of its moment, like the server's own, whose random part is the mark and the number of steps to come.
    pub(super) fn request_id(&self) -> String {
        let [high, low] = self.remaining.to_be_bytes();
        let [d, e, m, o] = MARK;
        let milliseconds = u64::try_from(self.at.timestamp_millis()).unwrap_or_default();
        let id =
            uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0, 0, 0, 0, d, e, m, o, high, low]).into_uuid();
        format!("req_{id}")
    }
}

/// A step as its request id tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Trace {
    /// When it was, in whole milliseconds.
    pub at: DateTime<Utc>,
    /// Steps that come after it.
    pub remaining: u16,
}

impl Trace {
    /// Reads a request id; nothing if it is not one of the demo's.
    pub(super) fn parse(request_id: &str) -> Option<Self> {
        let id = Uuid::try_parse(request_id.strip_prefix("req_")?).ok()?;
        let bytes = id.as_bytes();
        let (mark, rest) = (&bytes[10..14], [bytes[14], bytes[15]]);
        let milliseconds = bytes[..6].iter().fold(0_i64, |number, byte| number << 8 | i64::from(*byte));
        let at = DateTime::from_timestamp_millis(milliseconds)?;
        (mark == MARK).then_some(Self { at, remaining: u16::from_be_bytes(rest) })
    }

    /// Whether `step` comes after it.
    pub(super) fn is_before(self, step: &Step) -> bool {
        self.at.timestamp_millis() < step.at.timestamp_millis()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_tells_its_step_and_only_the_demos_do() {
        let at = DateTime::from_timestamp_micros(1_795_230_699_123_456).unwrap();
        let step = Step { at, remaining: 2_345, act: Act::Found };
        let trace = Trace::parse(&step.request_id()).unwrap();
        assert_eq!((trace.at.timestamp_millis(), trace.remaining), (at.timestamp_millis(), 2_345));
        for other in ["", "req_", "req_0199f3c2-7c1e-7000-8000-000000000001", "0199f3c2-7c1e-7000-8000-64656d6f0001"] {
            assert_eq!(Trace::parse(other), None, "{other}");
        }
    }
}
