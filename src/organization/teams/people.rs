//! Who is in a team: the list, add, change role, remove, leave.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Team, lock, parse_id};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::access::{self, Access, Operation};
use crate::identity::email;
use crate::identity::viewer::Viewer;
use crate::organization::view::{Addable, TeamMemberRow};
use crate::platform::Platform;
use crate::{Error, Result};

/// Members of the organization that are offered at once; others are added by typing their address.
const OFFERED: i64 = 500;

/// What a member is in a team.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TeamRole {
    /// May change who is in the team.
    Maintainer,
    /// Belongs to it.
    Member,
}

impl TeamRole {
    /// Both roles, the higher first.
    pub const ALL: [Self; 2] = [Self::Maintainer, Self::Member];

    /// The word stored in the database and shown on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Maintainer => "maintainer",
            Self::Member => "member",
        }
    }

    /// The role that a word names.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `role`.
    pub fn parse(word: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|role| role.as_str() == word);
        found.ok_or_else(|| Error::invalid("role", "A role in a team is maintainer or member."))
    }
}

/// What the page of a team says of people.
pub(super) struct People {
    pub members: Vec<TeamMemberRow>,
    pub addable: Vec<Addable>,
    pub changeable: bool,
}

/// Who is in a team, by name, and whom the viewer could add.
pub(super) async fn people(connection: &mut PgConnection, access: &Access, team: Uuid) -> Result<People> {
    let organization = access.organization().id;
    let found = sqlx::query_as!(
        Person,
        "select tm.team_id, t.name as team_name, tm.user_id, u.name, u.email, tm.role
        from orgtrail.team_members tm
        join orgtrail.teams t on t.organization_id = tm.organization_id and t.id = tm.team_id
        join orgtrail.users u on u.id = tm.user_id
        where tm.organization_id = $1 and tm.team_id = $2 order by u.name, u.id",
        organization,
        team
    )
    .fetch_all(&mut *connection)
    .await?;
    let viewer = access.user_id();
    let maintains = |person: &Person| Some(person.user_id) == viewer && person.role == TeamRole::Maintainer.as_str();
    let changeable = access.allows(Operation::ChangeTeamMembers) || found.iter().any(maintains);
    let addable = if changeable { addable(connection, organization, team).await? } else { Vec::new() };
    let row = |person: Person| TeamMemberRow {
        user_id: person.user_id.to_string(),
        is_viewer: Some(person.user_id) == viewer,
        removable: changeable || Some(person.user_id) == viewer,
        name: person.name,
        email: person.email,
        role: person.role,
    };
    Ok(People { members: found.into_iter().map(row).collect(), addable, changeable })
}

async fn addable(connection: &mut PgConnection, organization: Uuid, team: Uuid) -> Result<Vec<Addable>> {
    let addable = sqlx::query_as!(
        Addable,
        "select u.name, u.email from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and not exists (select from orgtrail.team_members tm
            where tm.organization_id = $1 and tm.team_id = $2 and tm.user_id = m.user_id)
        order by u.name, u.id limit $3",
        organization,
        team,
        OFFERED
    );
    Ok(addable.fetch_all(connection).await?)
}

struct Person {
    team_id: Uuid,
    team_name: String,
    user_id: Uuid,
    name: String,
    email: String,
    role: String,
}

impl Person {
    /// One person in one team: neither alone would name it.
    fn object(&self) -> Object {
        Object::new("team_member", format!("{}:{}", self.team_id, self.user_id), &self.name)
    }

    /// The state of a member of a team as `previous` and `next` hold it.
    fn state(&self) -> Value {
        let Self { team_id, team_name, user_id, name, email, role } = self;
        json!({ "team_id": team_id, "team_name": team_name, "user_id": user_id, "name": name, "email": email, "role": role })
    }

    fn removed(&self) -> NewEvent {
        NewEvent::new(Action::TeamMemberRemoved, self.object()).previous(&self.state())
    }
}

/// Begins a change of who is in a team, on the membership of `user`; the team is locked. Whether the viewer may is for the caller to ask.
async fn begin(platform: &Platform, access: &Access, team: &str, user: Uuid) -> Result<(Change, Team)> {
    let team = parse_id(team)?;
    let mut change = Change::begin_on(platform, access, &[user]).await?;
    let team = lock(&mut change, access, team).await?;
    Ok((change, team))
}

/// Owners, admins, and who maintains the team (contract §9).
async fn require(change: &mut Change, access: &Access, team: Uuid) -> Result<()> {
    let role = match access.user_id() {
        Some(user) => find(change, access, team, user).await?.map(|person| person.role),
        None => None,
    };
    if role.as_deref() == Some(TeamRole::Maintainer.as_str()) {
        return Ok(());
    }
    access.require(Operation::ChangeTeamMembers)
}

async fn find(change: &mut Change, access: &Access, team: Uuid, user: Uuid) -> Result<Option<Person>> {
    let person = sqlx::query_as!(
        Person,
        "select tm.team_id, t.name as team_name, tm.user_id, u.name, u.email, tm.role
        from orgtrail.team_members tm
        join orgtrail.teams t on t.organization_id = tm.organization_id and t.id = tm.team_id
        join orgtrail.users u on u.id = tm.user_id
        where tm.organization_id = $1 and tm.team_id = $2 and tm.user_id = $3",
        access.organization().id,
        team,
        user
    );
    Ok(person.fetch_optional(change.connection()).await?)
}

/// Adds a member of the organization to a team, by address; records `team.member.added`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such team; [`Error::Forbidden`] for who does not maintain it;
/// [`Error::Invalid`] for `role`, and for `email` if no member has it; [`Error::Conflict`] for who is in the team already.
pub async fn add_member(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    team: &str,
    email: &str,
    role: &str,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let team_id = parse_id(team)?;
    let user = member_at(platform, &access, email).await?;
    // Nobody has the nil id: whether the viewer may is asked first, before they learn who is a member.
    let (mut change, team) = begin(platform, &access, team, user.unwrap_or_default()).await?;
    require(&mut change, &access, team_id).await?;
    let role = TeamRole::parse(role)?;
    let user = user.ok_or_else(|| Error::invalid("email", "No member of the organization has this e-mail address."))?;
    let added = sqlx::query!(
        "insert into orgtrail.team_members (organization_id, team_id, user_id, role, created_at)
        select organization_id, $2, user_id, $4, coalesce($5, clock_timestamp()) from orgtrail.memberships
        where organization_id = $1 and user_id = $3 on conflict do nothing",
        access.organization().id,
        team_id,
        user,
        role.as_str(),
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await?;
    let person = find(&mut change, &access, team_id, user).await?.ok_or(Error::NotFound)?;
    if added.rows_affected() == 0 {
        return Err(Error::Conflict(format!("{} is in team {} already.", person.name, team.name)));
    }
    change.commit(NewEvent::new(Action::TeamMemberAdded, person.object()).next(&person.state())).await?;
    Ok(())
}

/// The member of the organization who has an address.
async fn member_at(platform: &Platform, access: &Access, email: &str) -> Result<Option<Uuid>> {
    let mut transaction = crate::storage::begin(&platform.database.reads, access.organization().id).await?;
    let user = sqlx::query_scalar!(
        "select m.user_id from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and u.email_key = $2",
        access.organization().id,
        email::key(email).replace('\0', " ")
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(user)
}

/// Gives a member another role in a team; records `team.member.updated`, and does nothing if it is the same. `shown` is the role that the
/// form showed, where there was one.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such team, or nobody such in it; [`Error::Forbidden`] for who does not
/// maintain it; [`Error::Invalid`] for `role`; [`Error::Conflict`] where the role is no longer what was shown.
pub async fn change_member_role(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    team: &str,
    user_id: &str,
    role: &str,
    shown: Option<&str>,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let (user, to) = (parse_id(user_id)?, TeamRole::parse(role)?.as_str());
    let (mut change, team) = begin(platform, &access, team, user).await?;
    require(&mut change, &access, team.id).await?;
    let before = find(&mut change, &access, team.id, user).await?.ok_or(Error::NotFound)?;
    if before.role == to {
        return Ok(());
    }
    if shown.is_some_and(|shown| shown != before.role) {
        let Person { name, role, .. } = before;
        return Err(Error::Conflict(format!("{name} was made a {role} of the team meanwhile: look at it again.")));
    }
    sqlx::query!(
        "update orgtrail.team_members set role = $4 where organization_id = $1 and team_id = $2 and user_id = $3",
        access.organization().id,
        team.id,
        user,
        to
    )
    .execute(change.connection())
    .await?;
    let after = find(&mut change, &access, team.id, user).await?.ok_or(Error::NotFound)?;
    let event = NewEvent::new(Action::TeamMemberUpdated, after.object());
    change.commit(event.previous(&before.state()).next(&after.state())).await?;
    Ok(())
}

/// Takes a member out of a team, or lets one leave; records `team.member.removed`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such team, or nobody such in it; [`Error::Forbidden`] for who neither
/// maintains it nor leaves.
pub async fn remove_member(platform: &Platform, viewer: &Viewer, slug: &str, team: &str, user_id: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let user = parse_id(user_id)?;
    let (mut change, team) = begin(platform, &access, team, user).await?;
    if access.user_id() != Some(user) {
        require(&mut change, &access, team.id).await?;
    }
    let person = find(&mut change, &access, team.id, user).await?.ok_or(Error::NotFound)?;
    sqlx::query!(
        "delete from orgtrail.team_members where organization_id = $1 and team_id = $2 and user_id = $3",
        access.organization().id,
        team.id,
        user
    )
    .execute(change.connection())
    .await?;
    change.commit(person.removed()).await?;
    Ok(())
}

/// Takes a member out of all teams, before the membership ends; answers what is to be recorded.
pub(in crate::organization) async fn leave_all(
    change: &mut Change,
    access: &Access,
    user: Uuid,
) -> Result<Vec<NewEvent>> {
    remove_rows(change, access, None, Some(user)).await
}

/// Takes everybody out of a team, before it is deleted; answers what is to be recorded.
pub(super) async fn remove_all(change: &mut Change, access: &Access, team: Uuid) -> Result<Vec<NewEvent>> {
    remove_rows(change, access, Some(team), None).await
}

async fn remove_rows(
    change: &mut Change,
    access: &Access,
    team: Option<Uuid>,
    user: Option<Uuid>,
) -> Result<Vec<NewEvent>> {
    let removed = sqlx::query_as!(
        Person,
        "with removed as (
            delete from orgtrail.team_members
            where organization_id = $1 and ($2::uuid is null or team_id = $2) and ($3::uuid is null or user_id = $3)
            returning team_id, user_id, role
        )
        select removed.team_id, t.name as team_name, removed.user_id, u.name, u.email, removed.role
        from removed
        join orgtrail.teams t on t.organization_id = $1 and t.id = removed.team_id
        join orgtrail.users u on u.id = removed.user_id
        order by t.name, u.name, u.id",
        access.organization().id,
        team,
        user
    )
    .fetch_all(change.connection())
    .await?;
    Ok(removed.iter().map(Person::removed).collect())
}
