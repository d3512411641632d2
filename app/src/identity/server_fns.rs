//! What the browser asks about itself, and the forms for signing in, up and out.

use leptos::prelude::*;

use orgtrail::identity::view::{Flash, ViewerView};

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, session, set_header, set_location};
#[cfg(feature = "ssr")]
use crate::routes::own_path;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::identity::sign_in::SignedIn;

/// Key of the session under which it keeps who signed in (`SignedIn`).
pub const SESSION_SIGNED_IN: &str = "signed_in";

/// Key of the session under which a form's [`Flash`] waits for the next page.
pub const SESSION_FLASH: &str = "flash";

/// The signed-in user.
///
/// # Errors
/// 401 if nobody is signed in.
#[server(endpoint = "viewer", output = ToldJson)]
pub async fn viewer() -> Result<Told<ViewerView>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    orgtrail::identity::viewer::view(&platform, &viewer).await.map(Told::tell).map_err(refuse)
}

/// What the last form left for this page; taken out of the session.
///
/// # Errors
/// 500 or 503 if the session cannot be read.
#[server(name = TakeFlash, endpoint = "flash", output = ToldJson)]
pub async fn flash() -> Result<Told<Flash>, Refusal> {
    let session = session().map_err(refuse)?;
    let waiting: Option<Flash> = session.remove(SESSION_FLASH).await.map_err(|cause| refuse(unstored(cause)))?;
    Ok(Told::tell(waiting.unwrap_or_default()))
}

/// Signs in and goes on to `next`.
///
/// # Errors
/// 401 for every cause but throttling (429) and a database that cannot answer (503).
#[server(endpoint = "login")]
pub async fn login(email: String, password: String, #[server(default)] next: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let signed_in =
        orgtrail::identity::sign_in::sign_in(&platform, &viewer, &email, &password).await.map_err(refuse)?;
    begin_session(signed_in).await.map_err(refuse)?;
    set_location(own_path(&next));
    Ok(())
}

/// Makes an account, signs in to it and goes on to `next`.
///
/// # Errors
/// 403 where accounts are made by invitation only, 422 at the field that cannot be accepted.
#[server(endpoint = "signup")]
pub async fn signup(
    name: String,
    email: String,
    password: String,
    #[server(default)] next: String,
) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let made =
        orgtrail::identity::sign_in::sign_up(&platform, &viewer, &name, &email, &password).await.map_err(refuse)?;
    begin_session(made).await.map_err(refuse)?;
    set_location(own_path(&next));
    Ok(())
}

/// Ends the session.
///
/// # Errors
/// 503 if the session cannot be deleted.
#[server(endpoint = "logout")]
pub async fn logout() -> Result<(), Refusal> {
    let session = session().map_err(refuse)?;
    session.flush().await.map_err(|cause| refuse(unstored(cause)))?;
    set_header(http::HeaderName::from_static("clear-site-data"), "\"cache\", \"storage\"");
    set_location("/login");
    Ok(())
}

/// A new session id for who has just signed in; nothing of the session before survives.
#[cfg(feature = "ssr")]
pub(crate) async fn begin_session(signed_in: SignedIn) -> orgtrail::Result<()> {
    session()?.clear().await;
    renew_session(signed_in).await
}

/// A new id for a session that goes on, as who signs in with another password.
#[cfg(feature = "ssr")]
pub(crate) async fn renew_session(signed_in: SignedIn) -> orgtrail::Result<()> {
    renew(&session()?, signed_in).await
}

/// A new id for this session, which goes on as who signs in with another password.
///
/// # Errors
/// [`orgtrail::Error::Unavailable`] if the session cannot be stored.
#[cfg(feature = "ssr")]
pub async fn renew(session: &tower_sessions::Session, signed_in: SignedIn) -> orgtrail::Result<()> {
    session.cycle_id().await.map_err(unstored)?;
    session.insert(SESSION_SIGNED_IN, signed_in).await.map_err(unstored)
}

/// A session that cannot be read or written: it is in the database, which will be back.
#[cfg(feature = "ssr")]
fn unstored(cause: tower_sessions::session::Error) -> orgtrail::Error {
    orgtrail::Error::Unavailable(Box::new(cause))
}
