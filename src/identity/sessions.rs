//! The sessions of a user: listed and ended by themselves, and by an owner of an organization that they are a member of (R-05).

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::access::{self, Operation};
use super::account::AccountChange;
use super::attempt::Method;
use super::client;
use super::view::SessionRow;
use super::viewer::Viewer;
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::moment::{moment, rfc3339};
use crate::platform::Platform;
use crate::{Error, Result};

/// The running sessions of the signed-in user: the present one first, then those used last.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn list(platform: &Platform, viewer: &Viewer) -> Result<Vec<SessionRow>> {
    let user = viewer.require_user()?;
    let sessions = sqlx::query_as!(
        Session,
        r#"select public_id, id_sha256 is not distinct from $2 as "is_present!", ip, user_agent, created_at, last_seen_at
        from orgtrail.sessions
        where user_id = $1 and least(expires_at, absolute_expires_at) > clock_timestamp()
        order by 2 desc, last_seen_at desc, public_id"#,
        user.id,
        viewer.session.as_ref().map(<[u8; 32]>::as_slice)
    )
    .fetch_all(&platform.database.reads)
    .await?;
    // Sessions live in the time of the database, also where the clock is simulated.
    Ok(sessions.into_iter().map(|session| session.row(platform.clock.now())).collect())
}

struct Session {
    public_id: Uuid,
    is_present: bool,
    ip: Option<String>,
    user_agent: Option<String>,
    created_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
}

impl Session {
    fn row(self, now: DateTime<Utc>) -> SessionRow {
        SessionRow {
            id: self.public_id.to_string(),
            client: client::describe(self.user_agent.as_deref().unwrap_or_default()),
            address: self.ip,
            since_at: rfc3339(self.created_at),
            last_seen_at: rfc3339(self.last_seen_at),
            since: moment(self.created_at, now).utc,
            last_seen: moment(self.last_seen_at, now).relative,
            is_present: self.is_present,
        }
    }
}

/// Ends one of one's own sessions, by the id of its row.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::NotFound`] if the user has no such session, or it has ended already.
pub async fn end(platform: &Platform, viewer: &Viewer, id: &str) -> Result<()> {
    let user = viewer.require_user()?;
    let id: Uuid = id.parse().map_err(|_| Error::NotFound)?;
    let mut change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    sqlx::query!("delete from orgtrail.sessions where user_id = $1 and public_id = $2 returning 1 as one", user.id, id)
        .fetch_optional(change.connection())
        .await?
        .ok_or(Error::NotFound)?;
    change.commit(Method::EndSessions).await
}

/// Ends all of one's sessions but the one that asks.
///
/// # Errors
/// [`Error::Unauthenticated`].
pub async fn end_others(platform: &Platform, viewer: &Viewer) -> Result<()> {
    let user = viewer.require_user()?;
    let mut change = AccountChange::begin(platform, &viewer.origin, user.id).await?;
    change.end_sessions(viewer.session).await?;
    change.commit(Method::EndSessions).await
}

/// Ends all sessions of another member, who has to sign in anew; records `member.sessions.ended`, also where none was running: that it was
/// asked for is what matters when an account is in wrong hands.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such member; [`Error::Forbidden`] for oneself.
pub async fn end_of_member(platform: &Platform, viewer: &Viewer, slug: &str, user_id: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::EndMemberSessions).await?;
    let user: Uuid = user_id.parse().map_err(|_| Error::NotFound)?;
    if access.user_id() == Some(user) {
        return Err(Error::Forbidden("Your own sessions are on your account's page.".to_owned()));
    }
    let mut change = Change::begin_on(platform, &access, &[user]).await?;
    let member = sqlx::query!(
        "select u.name, u.email from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and m.user_id = $2",
        access.organization().id,
        user
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::NotFound)?;
    let ended = sqlx::query!(
        "delete from orgtrail.sessions where user_id = $1 returning least(expires_at, absolute_expires_at) > clock_timestamp() as running",
        user
    )
    .fetch_all(change.connection())
    .await?;
    let running = ended.iter().filter(|session| session.running == Some(true)).count();
    let state = |sessions| json!({ "user_id": user, "name": member.name, "email": member.email, "sessions": sessions });
    let event = NewEvent::new(Action::MemberSessionsEnded, Object::new("member", user, &member.name));
    change.commit(event.previous(&state(running)).next(&state(0))).await?;
    Ok(())
}
