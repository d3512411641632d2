//! Before the server starts: the database must be one that cannot be made to forget (R-24).

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgPool;

use crate::platform::Clock;
use crate::{Error, Result};

/// How far the clocks of server and database may be apart before it is said.
const DRIFT: TimeDelta = TimeDelta::seconds(1);

/// What is wrong with the database or with the server's role in it: each a sentence for the operator.
///
/// # Errors
/// [`Error::Unavailable`] without a database.
pub async fn problems(app: &PgPool) -> Result<Vec<String>> {
    let mut found = role_problems(app).await?;
    found.extend(privilege_problems(app).await?);
    found.extend(setting_problems(app).await?);
    Ok(found)
}

/// Refuses a database with [`problems`].
///
/// # Errors
/// [`Error::Internal`] naming every problem.
pub async fn check(app: &PgPool) -> Result<()> {
    let found = problems(app).await?;
    if found.is_empty() { Ok(()) } else { Err(Error::internal(found.join(" "))) }
}

/// What is no reason not to start, and not as good as it could be: each a sentence that says what to do.
///
/// # Errors
/// [`Error::Unavailable`] without a database.
pub async fn warnings(app: &PgPool, clock: &Clock) -> Result<Vec<String>> {
    let checksums =
        sqlx::query_scalar!(r#"select setting = 'on' as "on!" from pg_settings where name = 'data_checksums'"#)
            .fetch_one(app)
            .await?;
    let unchecked = "The database keeps no checksums of its pages, so that a disk which gives back something else than was written is not noticed: \
        stop Postgres, and run pg_checksums --enable.";
    let mut found = Vec::new();
    found.extend((!checksums).then(|| unchecked.to_owned()));
    // Only what no wait for the answer explains is a difference.
    let before = clock.now();
    let shown = sqlx::query_scalar!(r#"select clock_timestamp() as "now!""#).fetch_one(app).await?;
    found.extend(drift(before, shown, clock.now()));
    Ok(found)
}

/// Says that the database's clock showed something else than any moment between these two.
fn drift(before: DateTime<Utc>, shown: DateTime<Utc>, after: DateTime<Utc>) -> Option<String> {
    let (ahead, behind) = (shown - after, before - shown);
    let (by, direction) = if ahead > behind { (ahead, "ahead of") } else { (behind, "behind") };
    let told = || {
        format!(
            "The database's clock is {:.1} seconds {direction} that of this machine: keep both in step, since events have their times from the database.",
            by.as_seconds_f64()
        )
    };
    (by > DRIFT).then(told)
}

async fn role_problems(app: &PgPool) -> Result<Vec<String>> {
    let role = sqlx::query!(
        r#"select current_user::text as "name!", rolsuper as "superuser!", rolbypassrls as "bypasses!",
            pg_has_role(current_user, 'orgtrail_owner', 'member') as "owner!", pg_has_role(current_user, 'orgtrail_lookup', 'member') as "lookup!",
            exists (select from pg_class where relowner = pg_roles.oid) as "owns!",
            exists (select from pg_roles reader where reader.rolname = 'orgtrail_verify' and pg_has_role(current_user, reader.oid, 'member')) as "verifies!"
        from pg_roles where rolname = current_user"#
    )
    .fetch_one(app)
    .await?;
    let checks = [
        (role.superuser, "is a superuser"),
        (role.bypasses, "bypasses row-level security"),
        (role.owner || role.lookup, "is a member of a role that owns the trail or its lookups"),
        (role.owns, "owns tables"),
    ];
    let powers = checks
        .iter()
        .filter(|(wrong, _)| *wrong)
        .map(|(_, what)| format!("The server's database role {} {what}: connect as orgtrail_app.", role.name));
    let cannot_verify = (!role.verifies).then(|| {
        format!("The server's database role {} cannot read trails again: grant orgtrail_verify to it.", role.name)
    });
    Ok(powers.chain(cannot_verify).collect())
}

async fn privilege_problems(app: &PgPool) -> Result<Vec<String>> {
    let tables = sqlx::query_scalar!(
        r#"select format('%s', c.oid::regclass) as "name!" from pg_class c
        where c.relnamespace = 'orgtrail'::regnamespace and c.relkind in ('r', 'p') and c.relname ~ '^event'
            and (has_table_privilege(c.oid, 'delete, truncate') or has_any_column_privilege(c.oid, 'update'))"#
    )
    .fetch_all(app)
    .await?;
    Ok(tables
        .iter()
        .map(|table| format!("The server's database role may change or delete rows of {table}: revoke it."))
        .collect())
}

async fn setting_problems(app: &PgPool) -> Result<Vec<String>> {
    let wrong = sqlx::query!(
        r#"select name as "name!", setting as "setting!" from pg_settings
        where name = 'fsync' and setting <> 'on' or name = 'full_page_writes' and setting <> 'on'
            or name = 'synchronous_commit' and setting in ('off', 'local') or name = 'server_encoding' and setting <> 'UTF8'
            or name = 'session_replication_role' and setting <> 'origin'"#
    )
    .fetch_all(app)
    .await?;
    Ok(wrong.iter().map(|row| setting_problem(&row.name, &row.setting)).collect())
}

fn setting_problem(name: &str, setting: &str) -> String {
    match name {
        "server_encoding" => {
            format!("The database has the encoding {setting}, in which not every text can be kept: make one with UTF8.")
        }
        "session_replication_role" => {
            format!("The server's database role has {name} = {setting}, with which triggers do not fire: reset it.")
        }
        _ => {
            format!(
                "The database runs with {name} = {setting}, with which it can lose what it acknowledged: set it to on."
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_differ_by_more_than_a_second_are_told() {
        let told = |before: i64, shown: i64, after: i64| {
            drift(moment(before), moment(shown), moment(after)).map(|told| told[..45].to_owned())
        };
        for (before, shown, after) in [(0, 0, 0), (0, 1000, 0), (1000, 0, 1000), (0, 2500, 5000), (0, 5900, 5000)] {
            assert_eq!(told(before, shown, after), None, "{before} {shown} {after}");
        }
        assert_eq!(told(0, 1100, 0).unwrap(), "The database's clock is 1.1 seconds ahead of ");
        assert_eq!(told(5000, 1900, 5100).unwrap(), "The database's clock is 3.1 seconds behind th");
    }

    fn moment(milliseconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(milliseconds)
    }
}
