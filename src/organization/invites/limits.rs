//! How many invites there may be, and how often one is mailed: nobody's mailbox is bombed through us.
//!
//! What is counted is counted while the inviter's membership is held: one person cannot pass a limit, several at once by little.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::row::Invite;
use crate::identity::email::Email;
use crate::{Error, Result};

/// Open invites of an organization.
const OPEN: i64 = 500;
/// Mails of an organization in a minute.
const A_MINUTE: i64 = 20;
/// Invites of an organization to one address in a day, whatever became of them.
const A_DAY_TO_ONE: i64 = 5;
/// Minutes between the first two mails of one invite. Each change of it doubles them, up to a day: so that hardly more than ten come in one.
const PAUSE: i64 = 1;

/// Before an address is invited.
pub(super) async fn check(
    connection: &mut PgConnection,
    organization: Uuid,
    email: &Email,
    now: DateTime<Utc>,
) -> Result<()> {
    let counted = sqlx::query!(
        r#"select count(*) filter (where accepted_at is null and revoked_at is null) as "open!",
            count(*) filter (where sent_at > $2) as "lately!", count(*) filter (where email_key = $4 and sent_at > $3) as "to_one!"
        from orgtrail.invites where organization_id = $1"#,
        organization,
        now - TimeDelta::minutes(1),
        now - TimeDelta::days(1),
        email.key()
    )
    .fetch_one(connection)
    .await?;
    if counted.open >= OPEN {
        return Err(limit(format!("An organization has at most {OPEN} open invites: revoke some first.")));
    }
    if counted.to_one >= A_DAY_TO_ONE {
        return Err(limit(format!("An address is invited at most {A_DAY_TO_ONE} times a day.")));
    }
    within_a_minute(counted.lately)
}

/// Before an invite is sent again.
pub(super) async fn check_again(connection: &mut PgConnection, invite: &Invite, now: DateTime<Utc>) -> Result<()> {
    let pause = (PAUSE << (invite.version - 1).clamp(0, 10)).min(24 * 60);
    if now < invite.sent_at + TimeDelta::minutes(pause) {
        return Err(limit(format!(
            "An invite that was sent or changed so often is sent again after {pause} minutes at the earliest."
        )));
    }
    let lately = sqlx::query_scalar!(
        r#"select count(*) as "lately!" from orgtrail.invites where organization_id = $1 and sent_at > $2"#,
        invite.organization_id,
        now - TimeDelta::minutes(1)
    )
    .fetch_one(connection)
    .await?;
    within_a_minute(lately)
}

fn within_a_minute(lately: i64) -> Result<()> {
    if lately < A_MINUTE {
        return Ok(());
    }
    Err(limit(format!("At most {A_MINUTE} invites are sent in a minute: wait a little.")))
}

fn limit(sentence: String) -> Error {
    Error::LimitExceeded(sentence)
}
