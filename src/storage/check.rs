//! Before the server starts: the database must be one that cannot be made to forget (R-24).

use sqlx::PgPool;

use crate::{Error, Result};

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

async fn role_problems(app: &PgPool) -> Result<Vec<String>> {
    let role = sqlx::query!(
        r#"select current_user::text as "name!", rolsuper as "superuser!", rolbypassrls as "bypasses!",
            pg_has_role(current_user, 'orgtrail_owner', 'member') as "owner!", pg_has_role(current_user, 'orgtrail_lookup', 'member') as "lookup!",
            exists (select from pg_class where relowner = pg_roles.oid) as "owns!"
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
    Ok(checks
        .iter()
        .filter(|(wrong, _)| *wrong)
        .map(|(_, what)| format!("The server's database role {} {what}: connect as orgtrail_app.", role.name))
        .collect())
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
            or name = 'synchronous_commit' and setting in ('off', 'local') or name = 'server_encoding' and setting <> 'UTF8'"#
    )
    .fetch_all(app)
    .await?;
    Ok(wrong
        .iter()
        .map(|row| {
            format!(
                "The database runs with {} = {}, with which it can lose what it acknowledged.",
                row.name, row.setting
            )
        })
        .collect())
}
