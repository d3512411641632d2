//! Another e-mail address for one's account: asked for with the password, confirmed by who reads the new mailbox.

use super::account::{self, AccountChange};
use super::attempt::{self, Method};
use super::email::Email;
use super::letters;
use super::link_secret::LinkSecret;
use super::mailed_link::{self, Link, Purpose};
use super::throttle::Throttles;
use super::viewer::Viewer;
use crate::audit::event::Outcome;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Mails a link to the new address, and a notice to the old one. Whether the new one is another account's is told to nobody but its reader,
/// when they confirm it.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::Invalid`] for `email` and `current_password`; [`Error::Throttled`]; [`Error::Unavailable`].
pub async fn request(platform: &Platform, viewer: &Viewer, email: &str, current_password: &str) -> Result<()> {
    let user = viewer.require_user()?;
    let new = Email::parse(email)?;
    if new.as_str() == user.email {
        return Err(Error::invalid("email", "This is your address already."));
    }
    let proved = account::prove(platform, viewer, user, current_password, Method::ChangeEmail).await?;
    let throttles = Throttles::of_mails(platform, &new.key(), viewer.origin.ip.as_deref());
    throttles.check(platform).await?;
    let (secret, now) = (LinkSecret::generate()?, platform.clock.now());
    let mut transaction = storage::begin_unbound(&platform.database.writes).await?;
    if account::hold_password(&mut transaction, user.id).await? != proved {
        return Err(Error::Conflict("Your password was changed at this very moment: sign in with the new one.".into()));
    }
    throttles.failed(&mut transaction, now).await?;
    mailed_link::make_for_change(&mut transaction, user.id, &new, &secret, now).await?;
    attempt::write_mutation(&mut transaction, platform, user, &viewer.origin, Outcome::Success).await?;
    transaction.commit().await?;
    viewer.origin.set_recorded();
    platform.mail.post(letters::change_announced(Email::parse(&user.email)?, &new, &platform.public_url));
    platform.mail.post(letters::confirm_change(new, &user.email, &platform.public_url, &secret));
    Ok(())
}

/// The address that a link of the signed-in user would give their account; it stays good.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::NotFound`] if the link is no longer good, or another user's.
pub async fn look(platform: &Platform, viewer: &Viewer, secret: &str) -> Result<String> {
    let user = viewer.require_user()?;
    let mut connection = platform.database.reads.acquire().await?;
    let link = mailed_link::find(&mut connection, Purpose::ChangeEmail, secret, platform.clock.now()).await?;
    address(link, user.id).map(|email| email.as_str().to_owned())
}

/// Gives the signed-in user the address that a link confirms, once. Recorded as a change of the account.
///
/// # Errors
/// As [`look`]; [`Error::Taken`] if the address is another account's.
pub async fn confirm(platform: &Platform, viewer: &Viewer, secret: &str) -> Result<()> {
    let user = viewer.require_user()?;
    let mut change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    let link = mailed_link::take(change.connection(), Purpose::ChangeEmail, secret, platform.clock.now()).await?;
    let email = address(link, user.id)?;
    change.set_email(&email).await?;
    change.commit(Method::ChangeEmail).await
}

fn address(link: Link, user: uuid::Uuid) -> Result<Email> {
    let email = link.email.filter(|_| link.user_id == user).ok_or(Error::NotFound)?;
    Email::parse(&email)
}
