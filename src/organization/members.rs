//! The members of an organization: list, add, change role, remove.

use serde_json::{Value, json};
use uuid::Uuid;

use super::view::{MemberRow, MembersPage};
use super::{invites, teams};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::access::{self, Access, Operation, may_change_role};
use crate::identity::email::Email;
use crate::identity::role::Role;
use crate::identity::sign_in::NewAccount;
use crate::identity::viewer::{User, Viewer};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Members shown at once; a search finds the others.
const SHOWN: i64 = 500;

/// The members whose name or address holds `search`, by name.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for a search of more than 200 characters.
pub async fn list(platform: &Platform, viewer: &Viewer, slug: &str, search: &str) -> Result<MembersPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    if search.chars().count() > 200 || search.contains('\0') {
        return Err(Error::invalid("q", "Search for a name or an address of at most 200 characters."));
    }
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let total = sqlx::query_scalar!(
        r#"select count(*) as "total!" from orgtrail.memberships where organization_id = $1"#,
        access.organization().id
    )
    .fetch_one(&mut *transaction)
    .await?;
    let found = sqlx::query_as!(
        Member,
        "select m.user_id, u.name, u.email, m.role, m.created_at
        from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and ($2 = '' or position(lower($2) in lower(u.name || ' ' || u.email)) > 0)
        order by u.name, u.id limit $3",
        access.organization().id,
        search.trim(),
        SHOWN
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let members = found.iter().map(|member| row(&access, member)).collect::<Result<_>>()?;
    Ok(MembersPage { members, total, search: search.to_owned() })
}

/// One member.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such member.
pub async fn member(platform: &Platform, viewer: &Viewer, slug: &str, user_id: &str) -> Result<MemberRow> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let user: Uuid = user_id.parse().map_err(|_| Error::NotFound)?;
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let found = sqlx::query_as!(
        Member,
        "select m.user_id, u.name, u.email, m.role, m.created_at
        from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id where m.organization_id = $1 and m.user_id = $2",
        access.organization().id,
        user
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    transaction.commit().await?;
    row(&access, &found)
}

struct Member {
    user_id: Uuid,
    name: String,
    email: String,
    role: String,
    created_at: chrono::DateTime<chrono::Utc>,
}

impl Member {
    fn object(&self) -> Object {
        Object::new("member", self.user_id, &self.name)
    }

    /// The state of a member as `previous` and `next` hold it.
    fn state(&self) -> Value {
        json!({ "user_id": self.user_id, "name": self.name, "email": self.email, "role": self.role })
    }
}

fn row(access: &Access, member: &Member) -> Result<MemberRow> {
    let role = Role::parse(&member.role)?;
    let is_viewer = access.user_id() == Some(member.user_id);
    let may_change = access.allows(Operation::ChangeMember);
    let assignable = Role::ALL.into_iter().filter(|to| may_change && may_assign(access, is_viewer, role, *to));
    Ok(MemberRow {
        user_id: member.user_id.to_string(),
        name: member.name.clone(),
        email: member.email.clone(),
        role: member.role.clone(),
        joined: member.created_at.format("%-d %b %Y").to_string(),
        joined_at: rfc3339(member.created_at),
        is_viewer,
        assignable_roles: assignable.map(|role| role.as_str().to_owned()).collect(),
        sessions_endable: !is_viewer && access.allows(Operation::EndMemberSessions),
        removable: is_viewer || may_change && may_change_role(access.role(), role, Role::Member),
    })
}

/// Nobody raises themselves: an owner may step down, an admin may become a member.
fn may_assign(access: &Access, is_viewer: bool, from: Role, to: Role) -> bool {
    may_change_role(access.role(), from, to) && !(is_viewer && rank(to) > rank(from))
}

fn rank(role: Role) -> u8 {
    match role {
        Role::Owner => 2,
        Role::Admin => 1,
        Role::Member => 0,
    }
}

/// Adds a user who has an account, without an invite; records `member.created`. The command line only.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `email`; [`Error::Conflict`] if the user is a member already.
pub async fn add(platform: &Platform, viewer: &Viewer, slug: &str, email: &str, role: Role) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::AddMember).await?;
    let email = Email::parse(email)?;
    let mut change = Change::begin(platform, &access).await?;
    let user = sqlx::query_as!(User, "select id, name, email from orgtrail.users where email_key = $1", email.key())
        .fetch_optional(change.connection())
        .await?
        .ok_or_else(|| Error::invalid("email", "Nobody has an account with this e-mail address: create one first."))?;
    insert(platform, &access, change, user, role).await
}

/// Makes an account, by name, address and password, and adds it as [`add`] does: both or neither. The command line only.
///
/// # Errors
/// Those of [`add`]; [`Error::Invalid`] for what cannot be an account; [`Error::Taken`] if the address has one.
pub async fn add_new(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    (name, email, password): (&str, &str, &str),
    role: Role,
) -> Result<User> {
    let access = access::authorize(platform, viewer, slug, Operation::AddMember).await?;
    let account = NewAccount::parse(platform, name, email, Some(password)).await?;
    let mut change = Change::begin(platform, &access).await?;
    account.insert(change.connection(), platform, None).await?;
    insert(platform, &access, change, account.user().clone(), role).await?;
    Ok(account.user().clone())
}

/// Makes a user a member. What invited their address is of no use any more: it would let them in again after they were removed.
async fn insert(platform: &Platform, access: &Access, mut change: Change, user: User, role: Role) -> Result<()> {
    // The invite before the membership, as whoever accepts it does: the other way round the two would wait for each other.
    let withdrawn = invites::withdraw(&mut change, access, &user.email, platform.clock.now()).await?;
    let member = sqlx::query!(
        "insert into orgtrail.memberships (organization_id, user_id, role, created_at) values ($1, $2, $3, coalesce($4, clock_timestamp()))
        on conflict do nothing returning created_at",
        access.organization().id,
        user.id,
        role.as_str(),
        platform.clock.simulated_now()
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or_else(|| Error::Conflict("This person is a member already.".to_owned()))?;
    let role = role.as_str().to_owned();
    let member = Member { user_id: user.id, name: user.name, email: user.email, role, created_at: member.created_at };
    let joined = NewEvent::new(Action::MemberCreated, member.object()).next(&member.state());
    change.commit_all(joined, withdrawn.into_iter().collect()).await?;
    Ok(())
}

/// Gives a member another role; records `member.updated`, and does nothing if it is the same. `shown` is the role that the form showed,
/// where there was one.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `role`; [`Error::NotFound`] if there is no such member; [`Error::Forbidden`] where
/// the rules of contract §9 do not let the viewer; [`Error::Conflict`] for the last owner, and where the role is no longer what was shown.
pub async fn change_role(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    user_id: &str,
    role: &str,
    shown: Option<&str>,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ChangeMember).await?;
    let (to, user_id) = (Role::parse(role)?, parse_id(user_id)?);
    let mut change = Change::begin_on(platform, &access, &[user_id]).await?;
    let before = lock(&mut change, &access, user_id).await?;
    let from = Role::parse(&before.role)?;
    if from == to {
        return Ok(());
    }
    if shown.is_some_and(|shown| shown != before.role) {
        let Member { name, role, .. } = before;
        return Err(Error::Conflict(format!("The role of {name} was changed to {role} meanwhile: look at it again.")));
    }
    if !may_assign(&access, access.user_id() == Some(before.user_id), from, to) {
        return Err(Error::Forbidden(
            "An admin cannot make or unmake owners, and nobody raises themselves: ask an owner.".to_owned(),
        ));
    }
    sqlx::query!(
        "update orgtrail.memberships set role = $3 where organization_id = $1 and user_id = $2",
        access.organization().id,
        before.user_id,
        to.as_str()
    )
    .execute(change.connection())
    .await?;
    let after =
        Member { role: to.as_str().to_owned(), name: before.name.clone(), email: before.email.clone(), ..before };
    change
        .commit(NewEvent::new(Action::MemberUpdated, before.object()).previous(&before.state()).next(&after.state()))
        .await?;
    Ok(())
}

/// Removes a member, or lets one leave; ends their powers here at once, and what invites their address. Records `team.member.removed` for each
/// of their teams, `invite.deleted` where there was one, and `member.deleted`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Forbidden`]; [`Error::Conflict`] for the last owner.
pub async fn remove(platform: &Platform, viewer: &Viewer, slug: &str, user_id: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let user_id = parse_id(user_id)?;
    let mut change = Change::begin_on(platform, &access, &[user_id]).await?;
    let member = lock(&mut change, &access, user_id).await?;
    let leaves = access.user_id() == Some(member.user_id);
    if !leaves {
        access.require(Operation::ChangeMember)?;
        if !may_change_role(access.role(), Role::parse(&member.role)?, Role::Member) {
            return Err(Error::Forbidden("Only an owner can remove an owner.".to_owned()));
        }
    }
    let mut events = teams::leave_all(&mut change, &access, user_id).await?;
    events.extend(invites::withdraw(&mut change, &access, &member.email, platform.clock.now()).await?);
    sqlx::query!(
        "delete from orgtrail.memberships where organization_id = $1 and user_id = $2",
        access.organization().id,
        member.user_id
    )
    .execute(change.connection())
    .await?;
    if !leaves {
        end_sessions(&mut change, member.user_id).await?;
    }
    events.push(NewEvent::new(Action::MemberDeleted, member.object()).previous(&member.state()));
    let first = events.remove(0);
    change.commit_all(first, events).await?;
    Ok(())
}

/// R-05: the sessions of a member whom somebody else removes end with the membership. Who leaves stays signed in: only their powers here end.
async fn end_sessions(change: &mut Change, user: Uuid) -> Result<()> {
    sqlx::query!("delete from orgtrail.sessions where user_id = $1", user).execute(change.connection()).await?;
    Ok(())
}

/// What is no id is nobody's.
fn parse_id(user_id: &str) -> Result<Uuid> {
    user_id.parse().map_err(|_| Error::NotFound)
}

async fn lock(change: &mut Change, access: &Access, user_id: Uuid) -> Result<Member> {
    sqlx::query_as!(
        Member,
        "select m.user_id, u.name, u.email, m.role, m.created_at
        from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and m.user_id = $2 for update of m",
        access.organization().id,
        user_id
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::NotFound)
}
