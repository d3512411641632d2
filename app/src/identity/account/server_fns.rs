//! What the browser asks about one's own account, and the forms that change it.

use leptos::prelude::*;

use orgtrail::identity::view::SessionRow;

use crate::answer::{Told, ToldJson};
#[cfg(feature = "ssr")]
use crate::context::{asking, leave_notice, set_location};
#[cfg(feature = "ssr")]
use crate::identity::server_fns::renew_session;
use crate::wire::Refusal;
#[cfg(feature = "ssr")]
use crate::wire::refuse;
#[cfg(feature = "ssr")]
use orgtrail::identity::{account, sessions};

/// The running sessions of who asks.
///
/// # Errors
/// 401 if nobody is signed in.
#[server(name = ListSessions, endpoint = "own_sessions", output = ToldJson)]
pub async fn own_sessions() -> Result<Told<Vec<SessionRow>>, Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    sessions::list(&platform, &viewer).await.map(Told::tell).map_err(refuse)
}

/// Gives who asks another name. `shown` is the name that the form showed.
///
/// # Errors
/// 401, 422 at the field, 409 for what was changed meanwhile.
#[server(endpoint = "update_account")]
pub async fn update_account(name: String, #[server(default)] shown: Option<String>) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    account::rename(&platform, &viewer, &name, shown.as_deref()).await.map_err(refuse)?;
    done("/api/update_account", "Saved.").await;
    Ok(())
}

/// Gives who asks another password. Their other sessions end, and this one has a new id.
///
/// # Errors
/// 401, 422 at the field, 429 after too many guesses, 503.
#[server(endpoint = "change_password")]
pub async fn change_password(current_password: String, new_password: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    let signed_in =
        account::change_password(&platform, &viewer, &current_password, &new_password).await.map_err(refuse)?;
    renew_session(signed_in).await.map_err(refuse)?;
    done("/api/change_password", "Your password was changed. All your other sessions have ended.").await;
    Ok(())
}

/// Ends one of the sessions of who asks.
///
/// # Errors
/// 401; 404 for a session that is not theirs or has ended.
#[server(endpoint = "end_session")]
pub async fn end_session(id: String) -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    sessions::end(&platform, &viewer, &id).await.map_err(refuse)?;
    done("/api/end_session", "The session was ended.").await;
    Ok(())
}

/// Ends all sessions of who asks but this one.
///
/// # Errors
/// 401.
#[server(endpoint = "end_other_sessions")]
pub async fn end_other_sessions() -> Result<(), Refusal> {
    let (platform, viewer) = asking().map_err(refuse)?;
    sessions::end_others(&platform, &viewer).await.map_err(refuse)?;
    done("/api/end_other_sessions", "All your other sessions were ended.").await;
    Ok(())
}

#[cfg(feature = "ssr")]
async fn done(form: &str, notice: &str) {
    leave_notice(form, notice).await;
    set_location("/account");
}
