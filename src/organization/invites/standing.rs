//! Whether an invite can be accepted. It stands on whoever made, changed or sent it last: while they may not give what it gives, nobody can
//! accept it, unless somebody who may changes it or sends it again.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Invite;
use crate::identity::access::{Grant, Operation, allows, hold_role, may_change_role};
use crate::identity::access_token::Scope;
use crate::identity::role::Role;
use crate::{Error, Result};

/// What has become of an invite.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Open,
    Expired,
    Revoked,
    Accepted,
    /// Whoever stands for it may no longer give what it gives.
    Powerless,
}

impl Standing {
    /// Refuses what cannot be accepted.
    pub(super) fn require_open(self) -> Result<()> {
        let sentence = match self {
            Self::Open => return Ok(()),
            Self::Expired => "The time of this invite is over: ask who invited you to send it again.",
            Self::Revoked => "This invite was taken back.",
            Self::Accepted => "This invite was accepted already.",
            Self::Powerless => {
                "This invite is no longer good: ask an owner or admin of the organization for a new one."
            }
        };
        Err(Error::Conflict(sentence.to_owned()))
    }
}

/// What has become of an invite, its inviter's rights included; they are held until the transaction ends.
pub(super) async fn of(connection: &mut PgConnection, invite: &Invite, now: DateTime<Utc>) -> Result<Standing> {
    let standing = without_inviter(invite, now);
    if standing == Standing::Open && !may_still_give(connection, invite, now).await? {
        return Ok(Standing::Powerless);
    }
    Ok(standing)
}

/// What has become of the invite itself.
pub(super) fn without_inviter(invite: &Invite, now: DateTime<Utc>) -> Standing {
    match (invite.accepted_at, invite.revoked_at) {
        (Some(_), _) => Standing::Accepted,
        (None, Some(_)) => Standing::Revoked,
        (None, None) if invite.expires_at <= now => Standing::Expired,
        (None, None) => Standing::Open,
    }
}

async fn may_still_give(connection: &mut PgConnection, invite: &Invite, now: DateTime<Utc>) -> Result<bool> {
    let Some(grant) = grant(connection, invite, now).await? else { return Ok(false) };
    let (Grant::Member(role) | Grant::Token(_, role)) = grant else { return Ok(false) };
    let given = Role::parse(&invite.role)?;
    Ok(allows(&grant, None, Operation::ManageInvites) && may_change_role(role, given, given))
}

/// What whoever stands for the invite may do here now.
async fn grant(connection: &mut PgConnection, invite: &Invite, now: DateTime<Utc>) -> Result<Option<Grant>> {
    let organization = invite.organization_id;
    match (invite.invited_by, invite.invited_by_token) {
        (Some(user), _) => Ok(hold_role(connection, organization, user).await?.map(Grant::Member)),
        (None, Some(token)) => token_grant(connection, organization, token, now).await,
        (None, None) => Ok(None),
    }
}

/// The creator's membership is held before the token, as everywhere; who answers for the token may have changed in between.
async fn token_grant(
    connection: &mut PgConnection,
    organization: Uuid,
    token: Uuid,
    now: DateTime<Utc>,
) -> Result<Option<Grant>> {
    let created_by = sqlx::query_scalar!(
        "select created_by from orgtrail.access_tokens where organization_id = $1 and id = $2",
        organization,
        token
    )
    .fetch_one(&mut *connection)
    .await?;
    let role = match created_by {
        Some(creator) => hold_role(&mut *connection, organization, creator).await?,
        None => Some(Role::Owner), // made by the operator
    };
    let scopes = sqlx::query_scalar!(
        "select scopes from orgtrail.access_tokens
        where organization_id = $1 and id = $2 and created_by is not distinct from $3
            and revoked_at is null and (expires_at is null or expires_at > $4) for share",
        organization,
        token,
        created_by,
        now
    )
    .fetch_optional(connection)
    .await?;
    let (Some(role), Some(scopes)) = (role, scopes) else { return Ok(None) };
    let scopes = scopes.iter().map(|scope| Scope::parse(scope)).collect::<Result<_>>()?;
    Ok(Some(Grant::Token(scopes, role)))
}
