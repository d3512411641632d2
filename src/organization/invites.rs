//! Invites to an organization: list, create, send again, change, revoke. Accepting one: `accept.rs`.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::view::invite::{InviteRow, InviteSent, InvitesPage};
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::access::{self, Access, Operation, may_change_role};
use crate::identity::email::{self, Email};
use crate::identity::link_secret::LinkSecret;
use crate::identity::role::Role;
use crate::identity::viewer::{Identity, Viewer};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod accept;
mod limits;
mod row;
mod standing;
mod texts;

pub use accept::{Joined, accept, look, sign_up};
use row::Invite;

/// How long a link is good after it was sent.
const LIFETIME: TimeDelta = TimeDelta::days(7);

/// The invites that are open, those that have expired included, and what the viewer may do with them.
///
/// # Errors
/// Those of [`access::authorize`].
pub async fn list(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<InvitesPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageInvites).await?;
    let organization = access.organization().id;
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let found = row::open(&mut transaction, organization).await?;
    let teams = row::teams(&mut transaction, organization).await?;
    transaction.commit().await?;
    let now = platform.clock.now();
    let invites = found.iter().map(|invite| shown(&access, invite, now)).collect::<Result<_>>()?;
    let roles = Role::ALL.into_iter().filter(|role| may_change_role(access.role(), *role, *role));
    Ok(InvitesPage { invites, roles: roles.map(|role| role.as_str().to_owned()).collect(), teams })
}

fn shown(access: &Access, invite: &Invite, now: DateTime<Utc>) -> Result<InviteRow> {
    let day = |at: DateTime<Utc>| at.format("%-d %b %Y").to_string();
    Ok(InviteRow {
        id: invite.id.to_string(),
        email: invite.email.clone(),
        role: invite.role.clone(),
        team_ids: invite.team_ids.iter().map(Uuid::to_string).collect(),
        invited_by: invite.invited_by_name.clone(),
        sent: day(invite.sent_at),
        expires: day(invite.expires_at),
        sent_at: rfc3339(invite.sent_at),
        expires_at: rfc3339(invite.expires_at),
        expired: invite.expires_at <= now,
        version: invite.version,
        changeable: may_give(access, Role::parse(&invite.role)?),
    })
}

/// Contract §9: an owner invites to any role, an admin to all but owner.
fn may_give(access: &Access, role: Role) -> bool {
    may_change_role(access.role(), role, role)
}

fn require_may_give(access: &Access, role: Role) -> Result<()> {
    if may_give(access, role) {
        return Ok(());
    }
    Err(Error::Forbidden("Only an owner can invite owners, and change or revoke their invites.".to_owned()))
}

/// Invites an address; mails the link and answers it. Whether the address has an account makes no difference (R-13). Records `invite.created`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Forbidden`] for an admin who invites an owner; [`Error::Invalid`] for `email`, `role` and
/// `teams`; [`Error::Taken`] for `email` if the address is a member's or invited already; [`Error::LimitExceeded`].
pub async fn create(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    email: &str,
    role: &str,
    teams: &[String],
) -> Result<InviteSent> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageInvites).await?;
    let (email, role) = (Email::parse(email)?, Role::parse(role)?);
    require_may_give(&access, role)?;
    let mut change = Change::begin(platform, &access).await?;
    let team_ids = row::choose_teams(change.connection(), access.organization().id, teams).await?;
    refuse_members(&mut change, &access, &email).await?;
    let now = platform.clock.now();
    limits::check(change.connection(), access.organization().id, &email, now).await?;
    let (id, secret) = (storage::new_id(now)?, LinkSecret::generate()?);
    let (user, token) = inviter(&access, viewer);
    sqlx::query!(
        "insert into orgtrail.invites (id, organization_id, email, email_key, role, team_ids, secret_sha256, invited_by, invited_by_token,
            created_at, sent_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)",
        id,
        access.organization().id,
        email.as_str(),
        email.key(),
        role.as_str(),
        &team_ids,
        &secret.sha256(),
        user,
        token,
        now,
        now + LIFETIME
    )
    .execute(change.connection())
    .await
    .map_err(invited_already)?;
    let invite = row::lock(&mut change, &access, id).await?;
    let next = invite.state(change.connection()).await?;
    let sent = send(platform, &mut change, &invite, &secret).await?;
    change.commit(NewEvent::new(Action::InviteCreated, invite.object()).next(&next)).await?;
    Ok(sent.post(platform))
}

async fn refuse_members(change: &mut Change, access: &Access, email: &Email) -> Result<()> {
    let is_member = sqlx::query_scalar!(
        r#"select exists (select from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
            where m.organization_id = $1 and u.email_key = $2) as "is_member!""#,
        access.organization().id,
        email.key()
    )
    .fetch_one(change.connection())
    .await?;
    if is_member { Err(Error::taken("email", "This person is a member already.")) } else { Ok(()) }
}

fn invited_already(error: sqlx::Error) -> Error {
    if storage::violates(&error, "invites_one_open") {
        return Error::taken("email", "This address is invited already: send that invite again, or revoke it first.");
    }
    error.into()
}

/// Who stands for an invite from now on: the user, or the access token.
fn inviter(access: &Access, viewer: &Viewer) -> (Option<Uuid>, Option<Uuid>) {
    let token = match &viewer.identity {
        Identity::AccessToken(token) => Some(token.id),
        _ => None,
    };
    (access.user_id(), token)
}

/// Sends an invite again: with a new link, which alone is good from now on, and for seven days more. Records `invite.updated`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Forbidden`] for an admin and an owner's invite; [`Error::Conflict`] if it was
/// accepted or revoked meanwhile; [`Error::LimitExceeded`].
pub async fn resend(platform: &Platform, viewer: &Viewer, slug: &str, id: &str) -> Result<InviteSent> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageInvites).await?;
    let mut change = Change::begin(platform, &access).await?;
    let before = lock_open(&mut change, &access, id).await?;
    let previous = before.state(change.connection()).await?;
    let (now, secret) = (platform.clock.now(), LinkSecret::generate()?);
    limits::check_again(change.connection(), &before, now).await?;
    let (user, token) = inviter(&access, viewer);
    sqlx::query!(
        "update orgtrail.invites set secret_sha256 = $3, invited_by = $4, invited_by_token = $5, sent_at = $6, expires_at = $7,
            version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        &secret.sha256(),
        user,
        token,
        now,
        now + LIFETIME
    )
    .execute(change.connection())
    .await?;
    let invite = row::lock(&mut change, &access, before.id).await?;
    let next = invite.state(change.connection()).await?;
    let sent = send(platform, &mut change, &invite, &secret).await?;
    change.commit(NewEvent::new(Action::InviteUpdated, invite.object()).previous(&previous).next(&next)).await?;
    Ok(sent.post(platform))
}

/// Gives an invite another role or other teams; its link stays good. Records `invite.updated`, and does nothing if nothing differs.
/// `version` is that of the state that the form showed.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Invalid`] for `role` and `teams`; [`Error::Forbidden`] for an admin and an
/// owner's invite; [`Error::Conflict`] if it is no longer what was shown.
pub async fn update(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    id: &str,
    role: &str,
    teams: &[String],
    version: i32,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageInvites).await?;
    let role = Role::parse(role)?;
    require_may_give(&access, role)?;
    let mut change = Change::begin(platform, &access).await?;
    let before = lock_open(&mut change, &access, id).await?;
    let team_ids = row::choose_teams(change.connection(), access.organization().id, teams).await?;
    if before.role == role.as_str() && before.team_ids == team_ids {
        return Ok(());
    }
    if before.version != version {
        return Err(Error::Conflict("Somebody else changed this invite meanwhile: look at it again.".to_owned()));
    }
    let previous = before.state(change.connection()).await?;
    let (user, token) = inviter(&access, viewer);
    sqlx::query!(
        "update orgtrail.invites set role = $3, team_ids = $4, invited_by = $5, invited_by_token = $6, version = version + 1
        where organization_id = $1 and id = $2",
        access.organization().id,
        before.id,
        role.as_str(),
        &team_ids,
        user,
        token
    )
    .execute(change.connection())
    .await?;
    let after = row::lock(&mut change, &access, before.id).await?;
    let next = after.state(change.connection()).await?;
    change.commit(NewEvent::new(Action::InviteUpdated, after.object()).previous(&previous).next(&next)).await?;
    Ok(())
}

/// Takes an invite back: its link leads nowhere from now on. Records `invite.deleted`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Forbidden`] for an admin and an owner's invite; [`Error::Conflict`] if it was
/// accepted or revoked meanwhile.
pub async fn revoke(platform: &Platform, viewer: &Viewer, slug: &str, id: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageInvites).await?;
    let mut change = Change::begin(platform, &access).await?;
    let invite = lock_open(&mut change, &access, id).await?;
    let revoked = end(&mut change, &invite, platform.clock.now()).await?;
    change.commit(revoked).await?;
    Ok(())
}

/// Takes back what invites an address, where its user becomes or ceases to be a member; answers what is to be recorded.
pub(super) async fn withdraw(
    change: &mut Change,
    access: &Access,
    email: &str,
    now: DateTime<Utc>,
) -> Result<Option<NewEvent>> {
    let open = sqlx::query_scalar!(
        "select id from orgtrail.invites where organization_id = $1 and email_key = $2 and accepted_at is null and revoked_at is null
        for update",
        access.organization().id,
        email::key(email)
    )
    .fetch_optional(change.connection())
    .await?;
    match open {
        Some(id) => {
            let invite = row::find(change.connection(), access.organization().id, id).await?;
            end(change, &invite, now).await.map(Some)
        }
        None => Ok(None),
    }
}

/// Ends a locked invite; answers what is to be recorded.
async fn end(change: &mut Change, invite: &Invite, now: DateTime<Utc>) -> Result<NewEvent> {
    let previous = invite.state(change.connection()).await?;
    sqlx::query!(
        "update orgtrail.invites set revoked_at = $3, version = version + 1 where organization_id = $1 and id = $2",
        invite.organization_id,
        invite.id,
        now
    )
    .execute(change.connection())
    .await?;
    Ok(NewEvent::new(Action::InviteDeleted, invite.object()).previous(&previous))
}

/// Locks an invite that the viewer may change and that nobody accepted or revoked.
async fn lock_open(change: &mut Change, access: &Access, id: &str) -> Result<Invite> {
    let id = id.parse().map_err(|_| Error::NotFound)?;
    let invite = row::lock(change, access, id).await?;
    require_may_give(access, Role::parse(&invite.role)?)?;
    let ended = match (invite.accepted_at, invite.revoked_at) {
        (None, None) => return Ok(invite),
        (Some(_), _) => "This invite was accepted meanwhile: see Members.",
        (None, Some(_)) => "This invite was revoked meanwhile.",
    };
    Err(Error::Conflict(ended.to_owned()))
}

/// A link that leaves when the change is committed.
struct Sending {
    mail: crate::mail::Mail,
    sent: InviteSent,
}

async fn send(platform: &Platform, change: &mut Change, invite: &Invite, secret: &LinkSecret) -> Result<Sending> {
    let organization = row::organization(change.connection(), invite.organization_id).await?;
    let link = format!("{}/invites/{}", platform.public_url, secret.expose());
    let mail = texts::invite(invite, &organization.name, &link)?;
    Ok(Sending { mail, sent: InviteSent { id: invite.id.to_string(), email: invite.email.clone(), link } })
}

impl Sending {
    fn post(self, platform: &Platform) -> InviteSent {
        platform.mail.post(self.mail);
        self.sent
    }
}
