//! The flash between a form and its page: what waits in a session for one page, and sessions that are kept for nothing else.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use orgtrail::identity::view::Flash;
use orgtrail_app::identity::server_fns::{SESSION_FLASH, SESSION_SIGNED_IN};
use tower_sessions::Session;
use tower_sessions::session::Error;

/// The page takes the flash out of the session while it is rendered. Here it is put back when what was rendered is only the way to
/// another page, and a session in which nothing is left is deleted: empty ones are never stored.
pub async fn keep(request: Request, next: Next) -> Response {
    let Some(session) = request.extensions().get::<Session>().cloned() else {
        return next.run(request).await;
    };
    let is_page = request.method() == Method::GET;
    let before = waiting(&session).await;
    let response = next.run(request).await;
    let kept = before.filter(|_| is_page && response.status().is_redirection());
    if let Err(cause) = tidy(&session, kept).await {
        tracing::warn!(%cause, "a session was not tidied");
    }
    response
}

async fn waiting(session: &Session) -> Option<Flash> {
    session.get(SESSION_FLASH).await.ok().flatten()
}

async fn tidy(session: &Session, kept: Option<Flash>) -> Result<(), Error> {
    if let Some(flash) = kept {
        return session.insert(SESSION_FLASH, flash).await;
    }
    // A session without an id is not stored yet, or not any more.
    let stored = session.id().is_some();
    if stored && waiting(session).await.is_none() && session.get_value(SESSION_SIGNED_IN).await?.is_none() {
        session.flush().await?;
    }
    Ok(())
}
