//! A forgotten password: a link by mail, and a new password for it.

use super::account::AccountChange;
use super::attempt::Method;
use super::email;
use super::letters;
use super::link_secret::LinkSecret;
use super::mailed_link::{self, Purpose};
use super::password::NewPassword;
use super::sign_in;
use super::throttle::Throttles;
use super::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Mails a link to an address that has an account. Anybody may ask; the answer and the work are the same whoever it is.
///
/// # Errors
/// [`Error::Throttled`], by address and client, whether or not the address has an account; [`Error::Unavailable`].
pub async fn request(platform: &Platform, viewer: &Viewer, email: &str) -> Result<()> {
    let (key, now) = (email::key(email), platform.clock.now());
    let throttles = Throttles::of_mails(platform, &key, viewer.origin.ip.as_deref());
    throttles.check(platform).await?;
    let secret = LinkSecret::generate()?;
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    throttles.failed(&mut transaction, now).await?;
    let address = mailed_link::make_for_address(&mut transaction, &key, &secret, now).await?;
    transaction.commit().await?;
    if let Some(address) = address {
        platform.mail.post(letters::reset(address, &platform.public_url, &secret));
    }
    Ok(())
}

/// Whether a link is good; it stays so.
///
/// # Errors
/// [`Error::NotFound`] if it is not, whatever the cause.
pub async fn look(platform: &Platform, secret: &str) -> Result<()> {
    let mut connection = platform.database.reads.acquire().await?;
    mailed_link::find(&mut connection, Purpose::ResetPassword, secret, platform.clock.now()).await.map(drop)
}

/// Sets a new password by a link, once, and ends all sessions of the user. Recorded as a change of the account.
///
/// # Errors
/// [`Error::Invalid`] for `password`; [`Error::NotFound`] if the link is no longer good; [`Error::Unavailable`].
pub async fn reset(platform: &Platform, viewer: &Viewer, secret: &str, password: &str) -> Result<()> {
    let chosen = NewPassword::parse(password)?;
    let now = platform.clock.now();
    let mut connection = platform.database.writes.acquire().await?;
    let link = mailed_link::find(&mut connection, Purpose::ResetPassword, secret, now).await?;
    drop(connection); // Nothing is held while the password is hashed.
    let hash = sign_in::hash(platform, chosen).await?;
    let mut change = AccountChange::begin(platform, &viewer.origin, link.user_id).await.map_err(gone)?;
    mailed_link::take(change.connection(), Purpose::ResetPassword, secret, now).await?;
    change.set_password(&hash).await?;
    change.end_sessions(None).await?;
    let address = email::Email::parse(change.email())?;
    let throttles = Throttles::of(platform, &address.key(), None);
    throttles.succeeded(change.connection()).await?;
    change.commit(Method::ResetPassword).await?;
    platform.mail.post(letters::was_reset(address, &platform.public_url));
    Ok(())
}

/// An account that was disabled meanwhile has no links.
fn gone(error: Error) -> Error {
    if matches!(error, Error::Unauthenticated) { Error::NotFound } else { error }
}
