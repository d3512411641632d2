//! The other side of an invite: what its link leads to, and accepting it, with an account or by making one.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::view::invite::{InviteView, OpenInvite};
use super::row::{self, Invite};
use super::standing::{self, Standing};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::attempt::Method;
use crate::identity::email::{self, Email};
use crate::identity::link_secret::LinkSecret;
use crate::identity::password::NewPassword;
use crate::identity::sign_in::{self, NewAccount, SignedIn};
use crate::identity::viewer::{self, User, Viewer};
use crate::platform::{Platform, SignUp};
use crate::storage;
use crate::{Error, Result};

/// An invite that a link names.
struct Found {
    secret: LinkSecret,
    organization: Uuid,
    id: Uuid,
}

async fn find(platform: &Platform, secret: &str) -> Result<Found> {
    let secret = LinkSecret::parse(secret)?;
    let row = sqlx::query!(
        r#"select organization_id as "organization!", invite_id as "id!" from orgtrail.find_invite($1)"#,
        &secret.sha256()
    )
    .fetch_optional(&platform.database.writes)
    .await?
    .ok_or(Error::NotFound)?;
    Ok(Found { secret, organization: row.organization, id: row.id })
}

/// What a link leads to. Whoever holds the link may look; it changes nothing, so that programs which open links in mails do no harm.
///
/// # Errors
/// [`Error::NotFound`] for a link that was never made, or that a newer one replaced.
pub async fn look(platform: &Platform, viewer: &Viewer, secret: &str) -> Result<InviteView> {
    let found = find(platform, secret).await?;
    // Not the pool for reading: whether the invite still stands is asked as by who accepts it.
    let mut transaction = storage::begin(&platform.database.writes, found.organization).await?;
    let invite = row::find(&mut transaction, found.organization, found.id).await?;
    let view = match standing::of(&mut transaction, &invite, platform.clock.now()).await? {
        Standing::Open => InviteView::Open(Box::new(open(platform, &mut transaction, viewer, &invite).await?)),
        Standing::Expired => InviteView::Expired,
        Standing::Revoked => InviteView::Revoked,
        Standing::Accepted => InviteView::Accepted,
        Standing::Powerless => InviteView::Powerless,
    };
    transaction.rollback().await?;
    Ok(view)
}

async fn open(
    platform: &Platform,
    connection: &mut sqlx::PgConnection,
    viewer: &Viewer,
    invite: &Invite,
) -> Result<OpenInvite> {
    let signed_in_as = viewer.require_user().ok().map(|user| user.email.clone());
    Ok(OpenInvite {
        organization: row::organization(connection, invite.organization_id).await?.name,
        invited_by: invite.invited_by_name.clone(),
        email: invite.email.clone(),
        role: invite.role.clone(),
        teams: invite.teams(connection).await?,
        expires: invite.expires_at.format("%-d %b %Y %H:%M").to_string(),
        is_for_viewer: signed_in_as.as_deref().is_some_and(|address| email::key(address) == invite.email_key),
        signed_in_as,
        may_sign_up: platform.sign_up != SignUp::Closed,
    })
}

/// Who signed in to accept an invite, and where that leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Joined {
    /// The user, whose session begins.
    pub signed_in: SignedIn,
    /// Slug of the organization.
    pub slug: String,
}

/// Makes the signed-in user a member, if the invite is for their address, and answers the organization's slug. Records `member.created` with
/// the user as actor and the inviter in it, and `team.member.added` for each team.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::NotFound`] as [`look`]; [`Error::Forbidden`] for another address; [`Error::Conflict`] for an invite that
/// is not open any more, and for who is a member already.
pub async fn accept(platform: &Platform, viewer: &Viewer, secret: &str) -> Result<String> {
    let user = viewer.require_user()?;
    let found = find(platform, secret).await?;
    let mut change = Change::begin_in(platform, found.organization, viewer.actor()?, viewer.origin.clone()).await?;
    let invite = lock(&mut change, platform, &found).await?;
    let user = hold_user(&mut change, user.id).await?;
    if email::key(&user.email) != invite.email_key {
        return Err(Error::Forbidden(
            "This invite is for another e-mail address: sign out, and sign in with that one.".to_owned(),
        ));
    }
    join(change, platform, &invite, &user).await
}

/// Makes an account for the invited address and accepts the invite with it, in one step. Where the address has an account already this is a
/// sign-in: the right password enters, any other is refused as wrong, so that who only holds the link does not learn which it is.
///
/// # Errors
/// [`Error::NotFound`] as [`look`]; [`Error::Forbidden`] where nobody may sign up; [`Error::Invalid`] for `name` and `password`; those of
/// [`sign_in::sign_in`] and [`accept`].
pub async fn sign_up(platform: &Platform, viewer: &Viewer, secret: &str, name: &str, password: &str) -> Result<Joined> {
    let found = find(platform, secret).await?;
    if platform.sign_up == SignUp::Closed {
        return Err(Error::Forbidden("Nobody makes accounts here: ask whoever runs this server.".to_owned()));
    }
    let (name, new_password) = (crate::organization::name::parse("name", name)?, NewPassword::parse(password)?);
    let email = Email::parse(&peek(platform, &found).await?.email)?;
    if sign_in::has_account(platform, email.as_str()).await? {
        let signed_in = sign_in::sign_in_invited(platform, viewer, email.as_str(), password).await?;
        let viewer = viewer::from_session(platform, viewer.origin.clone(), signed_in).await?;
        return Ok(Joined { signed_in, slug: accept(platform, &viewer, secret).await? });
    }
    let account = NewAccount::prepare(platform, name, &email, Some(new_password)).await?;
    let user = account.user().clone();
    let mut change = Change::begin_in(platform, found.organization, user.actor(), viewer.origin.clone()).await?;
    let invite = lock(&mut change, platform, &found).await?;
    let signed_up = Some((Method::AcceptInvite, &viewer.origin));
    let signed_in = account.insert(change.connection(), platform, signed_up).await.map_err(made_meanwhile)?;
    Ok(Joined { signed_in, slug: join(change, platform, &invite, &user).await? })
}

/// Somebody made an account for the address at the same moment: which it has, is nobody's business.
fn made_meanwhile(error: Error) -> Error {
    match error {
        Error::Taken(_) => Error::Conflict("This could not be done at this very moment: try again.".to_owned()),
        other => other,
    }
}

/// The invite as it is now, if it can be accepted; for what has to be known before anything is locked.
async fn peek(platform: &Platform, found: &Found) -> Result<Invite> {
    let mut transaction = storage::begin(&platform.database.writes, found.organization).await?;
    let invite = row::find(&mut transaction, found.organization, found.id).await?;
    standing::of(&mut transaction, &invite, platform.clock.now()).await?.require_open()?;
    transaction.rollback().await?;
    Ok(invite)
}

/// Locks an invite that can be accepted. The inviter's membership comes before the invite, as it does for an inviter who changes it: the
/// other way round the two would wait for each other.
async fn lock(change: &mut Change, platform: &Platform, found: &Found) -> Result<Invite> {
    let seen = row::find(change.connection(), found.organization, found.id).await?;
    let standing = standing::of(change.connection(), &seen, platform.clock.now()).await?;
    standing.require_open()?;
    row::hold(change.connection(), found.organization, found.id).await?;
    let invite = row::find(change.connection(), found.organization, found.id).await?;
    standing::without_inviter(&invite, platform.clock.now()).require_open()?;
    let same_link = sqlx::query!("select from orgtrail.find_invite($1)", &found.secret.sha256())
        .fetch_optional(change.connection())
        .await?;
    if same_link.is_none() {
        return Err(Error::NotFound);
    }
    if invite.version != seen.version {
        return Err(Error::Conflict("This invite was changed at this very moment: try again.".to_owned()));
    }
    Ok(invite)
}

/// The user with the address that they have now; neither changes until the invite is accepted.
async fn hold_user(change: &mut Change, id: Uuid) -> Result<User> {
    sqlx::query_as!(
        User,
        "select id, name, email from orgtrail.users where id = $1 and disabled_at is null for share",
        id
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::Unauthenticated)
}

async fn join(mut change: Change, platform: &Platform, invite: &Invite, user: &User) -> Result<String> {
    let now = platform.clock.now();
    insert_member(&mut change, invite, user, now).await?;
    let joined_teams = join_teams(&mut change, invite, user, now).await?;
    sqlx::query!(
        "update orgtrail.invites set accepted_at = $3, version = version + 1 where organization_id = $1 and id = $2",
        invite.organization_id,
        invite.id,
        now
    )
    .execute(change.connection())
    .await?;
    let slug = row::organization(change.connection(), invite.organization_id).await?.slug;
    let next = json!({
        "user_id": user.id, "name": user.name, "email": user.email, "role": invite.role,
        "invited_by": invite.invited_by_name, "invited_by_id": invite.invited_by.or(invite.invited_by_token),
    });
    let joined = NewEvent::new(Action::MemberCreated, Object::new("member", user.id, &user.name)).next(&next);
    change.commit_all(joined, joined_teams).await?;
    Ok(slug)
}

async fn insert_member(change: &mut Change, invite: &Invite, user: &User, now: DateTime<Utc>) -> Result<()> {
    let inserted = sqlx::query!(
        "insert into orgtrail.memberships (organization_id, user_id, role, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        invite.organization_id,
        user.id,
        invite.role,
        now
    )
    .execute(change.connection())
    .await?;
    if inserted.rows_affected() == 1 {
        return Ok(());
    }
    Err(Error::Conflict("You are a member of this organization already.".to_owned()))
}

/// Puts the new member into the teams that wait and are still there.
async fn join_teams(change: &mut Change, invite: &Invite, user: &User, now: DateTime<Utc>) -> Result<Vec<NewEvent>> {
    // Who deletes a team holds it: what is there then stays until the end.
    let teams = sqlx::query!(
        "select id, name from orgtrail.teams where organization_id = $1 and id = any($2) order by id for key share",
        invite.organization_id,
        &invite.team_ids
    )
    .fetch_all(change.connection())
    .await?;
    let ids: Vec<Uuid> = teams.iter().map(|team| team.id).collect();
    sqlx::query!(
        "insert into orgtrail.team_members (organization_id, team_id, user_id, role, created_at) select $1, team, $2, 'member', $4 from unnest($3::uuid[]) as team",
        invite.organization_id,
        user.id,
        &ids,
        now
    )
    .execute(change.connection())
    .await?;
    Ok(teams.into_iter().map(|team| added(team.id, &team.name, user)).collect())
}

fn added(team: Uuid, name: &str, user: &User) -> NewEvent {
    let next: Value = json!({
        "team_id": team, "team_name": name, "user_id": user.id, "name": user.name, "email": user.email, "role": "member",
    });
    NewEvent::new(Action::TeamMemberAdded, Object::new("team_member", format!("{team}:{}", user.id), &user.name))
        .next(&next)
}
