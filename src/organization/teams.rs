//! The teams of an organization: list, one team, create, rename, delete. Who is in them: `people.rs`.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::name;
use super::view::{TeamRow, TeamView, TeamsPage};
use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::graph;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod people;

pub(super) use people::leave_all;
pub use people::{TeamRole, add_member, change_member_role, remove_member};

/// Teams shown at once; a search finds the others.
const SHOWN: i64 = 500;

/// The teams whose name holds `search`, by name.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for a search of more than 200 characters.
pub async fn list(platform: &Platform, viewer: &Viewer, slug: &str, search: &str) -> Result<TeamsPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    if search.chars().count() > 200 || search.contains('\0') {
        return Err(Error::invalid("search", "Search for a name of at most 200 characters."));
    }
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let total = sqlx::query_scalar!(
        r#"select count(*) as "total!" from orgtrail.teams where organization_id = $1"#,
        access.organization().id
    )
    .fetch_one(&mut *transaction)
    .await?;
    let teams = sqlx::query_as!(
        TeamRow,
        r#"select t.id::text as "id!", t.name, (select count(*) from orgtrail.team_members m
                where m.organization_id = $1 and m.team_id = t.id) as "members!",
            (select m.role from orgtrail.team_members m
                where m.organization_id = $1 and m.team_id = t.id and m.user_id = $2) as viewer_role
        from orgtrail.teams t
        where t.organization_id = $1 and ($3 = '' or position(lower($3) in lower(t.name)) > 0)
        order by lower(t.name), t.id limit $4"#,
        access.organization().id,
        access.user_id(),
        search.trim(),
        SHOWN
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let manageable = access.allows(Operation::ManageTeams);
    Ok(TeamsPage { teams, total, search: search.to_owned(), manageable })
}

/// One team, with who is in it.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if the organization has no such team.
pub async fn team(platform: &Platform, viewer: &Viewer, slug: &str, team: &str) -> Result<TeamView> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let (organization, id) = (access.organization().id, parse_id(team)?);
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let team = sqlx::query_as!(
        Team,
        "select id, name, created_at from orgtrail.teams where organization_id = $1 and id = $2",
        organization,
        id
    )
    .fetch_optional(&mut *transaction)
    .await?
    .ok_or(Error::NotFound)?;
    let people = people::people(&mut transaction, &access, id).await?;
    transaction.commit().await?;
    Ok(TeamView {
        id: team.id.to_string(),
        name: team.name,
        created: team.created_at.format("%-d %b %Y").to_string(),
        created_at: rfc3339(team.created_at),
        members: people.members,
        addable: people.addable,
        manageable: access.allows(Operation::ManageTeams),
        changeable: people.changeable,
        reads_audit_log: access.allows(Operation::ReadAuditLog),
    })
}

/// Makes a team without members; records `team.created` and answers the team's id.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `name`; [`Error::Taken`] if another team has it.
pub async fn create(platform: &Platform, viewer: &Viewer, slug: &str, name: &str) -> Result<Uuid> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageTeams).await?;
    let (name, id) = (name::parse("name", name)?, storage::new_id(platform.clock.now())?);
    let mut change = Change::begin(platform, &access).await?;
    sqlx::query!(
        "insert into orgtrail.teams (id, organization_id, name, created_at) values ($1, $2, $3, coalesce($4, clock_timestamp()))",
        id,
        access.organization().id,
        name,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    change.commit(NewEvent::new(Action::TeamCreated, object(id, &name)).next(&state(id, &name))).await?;
    Ok(id)
}

/// Gives a team another name; records `team.updated`, and does nothing if it is the same. `shown` is the name that the form showed, where
/// there was one.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Invalid`] for `name`; [`Error::Taken`] if another team has it;
/// [`Error::Conflict`] where the name is no longer what was shown.
pub async fn rename(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    team: &str,
    new_name: &str,
    shown: Option<&str>,
) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageTeams).await?;
    let (id, new_name) = (parse_id(team)?, name::parse("name", new_name)?);
    let mut change = Change::begin(platform, &access).await?;
    let Team { name: before, .. } = lock(&mut change, &access, id).await?;
    if before == new_name {
        return Ok(());
    }
    if shown.is_some_and(|shown| shown != before) {
        return Err(Error::Conflict(format!("This team was renamed to “{before}” meanwhile: look at it again.")));
    }
    sqlx::query!(
        "update orgtrail.teams set name = $3 where organization_id = $1 and id = $2",
        access.organization().id,
        id,
        new_name
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    let event = NewEvent::new(Action::TeamUpdated, object(id, &new_name));
    change.commit(event.previous(&state(id, &before)).next(&state(id, &new_name))).await?;
    Ok(())
}

/// Deletes a team; records `graph.updated` for each graph for which it had a permission, `subgraph.updated` for each subgraph that it owned,
/// `team.member.removed` for each who was in it, and `team.deleted`.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`]; [`Error::Conflict`] if it was given something in a graph at this moment.
pub async fn delete(platform: &Platform, viewer: &Viewer, slug: &str, team: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageTeams).await?;
    let id = parse_id(team)?;
    let mut change = Change::begin(platform, &access).await?;
    let graphs = graph::teams::hold(&mut change, &access, id).await?;
    let team = lock(&mut change, &access, id).await?;
    let mut events = graph::teams::end(&mut change, &access, id, &graphs).await?;
    events.extend(people::remove_all(&mut change, &access, id).await?);
    sqlx::query!("delete from orgtrail.teams where organization_id = $1 and id = $2", access.organization().id, id)
        .execute(change.connection())
        .await?;
    events.push(NewEvent::new(Action::TeamDeleted, object(id, &team.name)).previous(&state(id, &team.name)));
    let first = events.remove(0);
    change.commit_all(first, events).await?;
    Ok(())
}

struct Team {
    id: Uuid,
    name: String,
    created_at: DateTime<Utc>,
}

/// Locks a team, before any of its members: changes of one team come one after the other.
async fn lock(change: &mut Change, access: &Access, id: Uuid) -> Result<Team> {
    sqlx::query_as!(
        Team,
        "select id, name, created_at from orgtrail.teams where organization_id = $1 and id = $2 for update",
        access.organization().id,
        id
    )
    .fetch_optional(change.connection())
    .await?
    .ok_or(Error::NotFound)
}

/// What is no id is no team's.
fn parse_id(team: &str) -> Result<Uuid> {
    team.parse().map_err(|_| Error::NotFound)
}

fn object(id: Uuid, name: &str) -> Object {
    Object::new("team", id, name)
}

/// The state of a team as `previous` and `next` hold it.
fn state(id: Uuid, name: &str) -> Value {
    json!({ "id": id, "name": name })
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "teams_name") {
        return Error::taken("name", "Another team of this organization has this name: choose another one.");
    }
    error.into()
}
