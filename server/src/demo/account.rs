//! The accounts of the demo's people.

use orgtrail::identity::password::{NewPassword, Verdict, Work};
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{User, Viewer};
use orgtrail::platform::Platform;
use orgtrail::storage;
use orgtrail::{Error, Result};

use super::people::{ADA, PEOPLE, Who};

/// The account of somebody, if there is one.
pub(super) async fn find(platform: &Platform, who: Who) -> Result<Option<User>> {
    let user =
        sqlx::query_as!(User, "select id, name, email from orgtrail.users where email_key = $1", PEOPLE[who].email())
            .fetch_optional(&platform.database.reads)
            .await?;
    Ok(user)
}

/// The account of somebody who has one.
pub(super) async fn get(platform: &Platform, who: Who) -> Result<User> {
    find(platform, who).await?.ok_or_else(|| Error::internal(format!("{} has no account", PEOPLE[who].email())))
}

/// The account of somebody, made if it is missing.
pub(super) async fn make(platform: &Platform, who: Who, password: &str) -> Result<User> {
    match find(platform, who).await? {
        Some(user) => Ok(user),
        None => {
            create_user(platform, &Viewer::operator(), PEOPLE[who].name, &PEOPLE[who].email(), Some(password)).await
        }
    }
}

/// Gives everybody this password, unless they have it already: the one of an earlier start may be known to all the world.
pub(super) async fn set_password(platform: &Platform, password: &str) -> Result<()> {
    let stored =
        sqlx::query_scalar!("select password_hash from orgtrail.users where email_key = $1", PEOPLE[ADA].email())
            .fetch_optional(&platform.database.reads)
            .await?
            .flatten();
    let verdict = platform.hashing.run(Work::Verify { typed: password.to_owned(), stored }).await?;
    if matches!(verdict, Verdict::Verified { right: true, .. }) {
        return Ok(());
    }
    for person in &PEOPLE {
        replace(platform, &person.email(), password).await?;
    }
    Ok(())
}

/// Replaces a password, and ends the sessions that were begun with the old one.
async fn replace(platform: &Platform, email: &str, password: &str) -> Result<()> {
    let hashed = platform.hashing.run(Work::Hash(NewPassword::parse(password)?)).await?;
    let Verdict::Hash(hash) = hashed else { return Err(Error::internal("hashing answered with a verification")) };
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    sqlx::query!(
        "update orgtrail.users set password_hash = $2, password_changed_at = clock_timestamp() where email_key = $1",
        email,
        hash
    )
    .execute(&mut *transaction)
    .await?;
    sqlx::query!(
        "delete from orgtrail.sessions where user_id = (select id from orgtrail.users where email_key = $1)",
        email
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(())
}
