//! An invite as it is stored.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use super::super::view::invite::TeamChoice;
use crate::audit::append::Object;
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::access::Access;
use crate::{Error, Result};

/// A row of `orgtrail.invites`, with the name of who stands for it; never its secret.
pub(super) struct Invite {
    pub id: Uuid,
    pub organization_id: Uuid,
    pub email: String,
    pub email_key: String,
    pub role: String,
    pub team_ids: Vec<Uuid>,
    pub invited_by: Option<Uuid>,
    pub invited_by_token: Option<Uuid>,
    pub invited_by_name: String,
    pub version: i32,
    pub sent_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    pub accepted_at: Option<DateTime<Utc>>,
    pub revoked_at: Option<DateTime<Utc>>,
}

impl Invite {
    pub(super) fn object(&self) -> Object {
        Object::new("invite", self.id, &self.email)
    }

    /// The state of an invite as `previous` and `next` hold it.
    pub(super) async fn state(&self, connection: &mut PgConnection) -> Result<Value> {
        let (teams, expires_at) = (self.teams(connection).await?, rfc3339(self.expires_at));
        Ok(json!({ "id": self.id, "email": self.email, "role": self.role, "teams": teams, "expires_at": expires_at }))
    }

    /// Names of the teams that wait and are still there.
    pub(super) async fn teams(&self, connection: &mut PgConnection) -> Result<Vec<String>> {
        let names = sqlx::query_scalar!(
            "select name from orgtrail.teams where organization_id = $1 and id = any($2) order by lower(name), id",
            self.organization_id,
            &self.team_ids
        );
        Ok(names.fetch_all(connection).await?)
    }
}

/// The open invites, the newest first.
pub(super) async fn open(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<Invite>> {
    let invites = sqlx::query_as!(
        Invite,
        r#"select i.id, i.organization_id, i.email, i.email_key, i.role, i.team_ids, i.invited_by, i.invited_by_token,
            coalesce(u.name, t.name) as "invited_by_name!", i.version, i.sent_at, i.expires_at, i.accepted_at, i.revoked_at
        from orgtrail.invites i
        left join orgtrail.users u on u.id = i.invited_by
        left join orgtrail.access_tokens t on t.organization_id = $1 and t.id = i.invited_by_token
        where i.organization_id = $1 and i.accepted_at is null and i.revoked_at is null
        order by i.created_at desc, i.id desc"#,
        organization
    );
    Ok(invites.fetch_all(connection).await?)
}

/// One invite, whatever became of it.
pub(super) async fn find(connection: &mut PgConnection, organization: Uuid, id: Uuid) -> Result<Invite> {
    sqlx::query_as!(
        Invite,
        r#"select i.id, i.organization_id, i.email, i.email_key, i.role, i.team_ids, i.invited_by, i.invited_by_token,
            coalesce(u.name, t.name) as "invited_by_name!", i.version, i.sent_at, i.expires_at, i.accepted_at, i.revoked_at
        from orgtrail.invites i
        left join orgtrail.users u on u.id = i.invited_by
        left join orgtrail.access_tokens t on t.organization_id = $1 and t.id = i.invited_by_token
        where i.organization_id = $1 and i.id = $2"#,
        organization,
        id
    )
    .fetch_optional(connection)
    .await?
    .ok_or(Error::NotFound)
}

/// Locks an invite of the viewer's organization and reads it.
pub(super) async fn lock(change: &mut Change, access: &Access, id: Uuid) -> Result<Invite> {
    let organization = access.organization().id;
    hold(change.connection(), organization, id).await?;
    find(change.connection(), organization, id).await
}

/// Locks an invite; nothing is read by a statement that may have waited.
pub(super) async fn hold(connection: &mut PgConnection, organization: Uuid, id: Uuid) -> Result<()> {
    sqlx::query!("select id from orgtrail.invites where organization_id = $1 and id = $2 for update", organization, id)
        .fetch_optional(connection)
        .await?
        .map(drop)
        .ok_or(Error::NotFound)
}

/// The teams of the organization, by name.
pub(super) async fn teams(connection: &mut PgConnection, organization: Uuid) -> Result<Vec<TeamChoice>> {
    let teams = sqlx::query_as!(
        TeamChoice,
        r#"select id::text as "id!", name from orgtrail.teams where organization_id = $1 order by lower(name), id"#,
        organization
    );
    Ok(teams.fetch_all(connection).await?)
}

/// The teams that a form names, each once.
pub(super) async fn choose_teams(
    connection: &mut PgConnection,
    organization: Uuid,
    named: &[String],
) -> Result<Vec<Uuid>> {
    let unknown = || Error::invalid("teams", "A team that you chose is not there any more: choose again.");
    let mut wanted = named.iter().map(|id| id.parse().map_err(|_| unknown())).collect::<Result<Vec<Uuid>>>()?;
    wanted.sort_unstable();
    wanted.dedup();
    let found = sqlx::query_scalar!(
        "select id from orgtrail.teams where organization_id = $1 and id = any($2) order by id",
        organization,
        &wanted
    )
    .fetch_all(connection)
    .await?;
    if found == wanted { Ok(found) } else { Err(unknown()) }
}

/// What is told of the organization.
pub(super) struct Organization {
    pub slug: String,
    pub name: String,
}

pub(super) async fn organization(connection: &mut PgConnection, id: Uuid) -> Result<Organization> {
    let found = sqlx::query_as!(Organization, "select slug, name from orgtrail.organizations where id = $1", id);
    Ok(found.fetch_one(connection).await?)
}
