//! Sessions, mailed links and throttles that are over: refused at once wherever they are used, deleted here.

use super::{BATCH, until_last};
use crate::Result;
use crate::platform::Platform;

/// Deletes them; answers how many there were.
pub(super) async fn delete_ended(platform: &Platform) -> Result<u64> {
    Ok(sessions(platform).await? + mailed_links(platform).await? + throttles(platform).await?)
}

async fn sessions(platform: &Platform) -> Result<u64> {
    let batch = || async {
        let deleted = sqlx::query!(
            "delete from orgtrail.sessions where id_sha256 in (
                select id_sha256 from orgtrail.sessions
                where least(expires_at, absolute_expires_at) <= coalesce($1, clock_timestamp()) limit $2)",
            platform.clock.simulated_now(),
            i64::from(BATCH)
        );
        Ok(deleted.execute(&platform.database.writes).await?.rows_affected())
    };
    until_last(batch).await
}

async fn mailed_links(platform: &Platform) -> Result<u64> {
    let batch = || async {
        // Locked, and those that somebody holds left for the next time: one that is sent anew meanwhile stays.
        let deleted = sqlx::query!(
            "delete from orgtrail.mailed_links where secret_sha256 = any (array (
                select secret_sha256 from orgtrail.mailed_links
                where expires_at <= coalesce($1, clock_timestamp()) limit $2 for update skip locked))",
            platform.clock.simulated_now(),
            i64::from(BATCH)
        );
        Ok(deleted.execute(&platform.database.writes).await?.rows_affected())
    };
    until_last(batch).await
}

/// The longest window in which failures are counted is 24 hours: what began before that, and blocks nobody any more, counts for nothing. There is
/// one for each address that somebody typed, so that there may be very many.
async fn throttles(platform: &Platform) -> Result<u64> {
    let batch = || async {
        // Likewise: one in which another failure is counted meanwhile stays.
        let deleted = sqlx::query!(
            "delete from orgtrail.sign_in_throttles where key = any (array (
                select key from orgtrail.sign_in_throttles
                where first_failure < coalesce($1, clock_timestamp()) - interval '24 hours' and blocked_until < coalesce($1, clock_timestamp())
                limit $2 for update skip locked))",
            platform.clock.simulated_now(),
            i64::from(BATCH)
        );
        Ok(deleted.execute(&platform.database.writes).await?.rows_affected())
    };
    until_last(batch).await
}
