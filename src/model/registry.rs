//! The models of an organization: list, create, delete.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;

use super::name::model_name;
use super::row::Model;
use super::view::{ModelRow, ModelsPage};
use crate::audit::action::Action;
use crate::audit::change::Change;
use crate::audit::moment::moment;
use crate::graph::name::description;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Models of one organization.
pub const MAX_MODELS: i64 = 200;

/// What a model shall be, as typed.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Name, and its address in the organization.
    pub name: &'a str,
    /// Text, maybe of several lines.
    pub description: &'a str,
    /// Whether it is a demonstration's: no page and no program can ask for that, only what fills a demonstration.
    pub demo: bool,
}

/// The models of an organization, by name.
///
/// # Errors
/// Those of [`access::authorize`].
pub async fn list(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<ModelsPage> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let now = platform.clock.now();
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let models = sqlx::query!(
        r#"select m.name, m.description, m.demo, m.records - m.forgotten as "kept!", latest.occurred_at as "latest: Option<DateTime<Utc>>"
        from orgtrail.models m
        left join lateral (select r.occurred_at from orgtrail.model_records r
            where r.organization_id = $1 and r.model_id = m.id order by r.occurred_at desc, r.number desc limit 1) latest on true
        where m.organization_id = $1 order by m.name"#,
        access.organization().id
    )
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    let models = models.into_iter().map(|row| ModelRow {
        name: row.name,
        description: row.description,
        demo: row.demo,
        records: row.kept,
        latest: row.latest.map(|at| moment(at, now)),
    });
    Ok(ModelsPage { models: models.collect(), manageable: access.allows(Operation::ManageModels) })
}

/// Makes a model without records; records `model.created`, and answers its name.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] for `name` and `description`; [`Error::Taken`] if another model has the name;
/// [`Error::LimitExceeded`] where there are [`MAX_MODELS`].
pub async fn create(platform: &Platform, viewer: &Viewer, slug: &str, wanted: Wanted<'_>) -> Result<String> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageModels).await?;
    let (name, description) = (model_name(wanted.name)?, description(wanted.description)?);
    let model =
        Model { id: storage::new_id(platform.clock.now())?, name, description, demo: wanted.demo, records: 0, kept: 0 };
    let mut change = Change::begin(platform, &access).await?;
    ensure_room(change.connection(), &access).await?;
    sqlx::query!(
        "insert into orgtrail.models (id, organization_id, name, description, demo, created_at)
        values ($1, $2, $3, $4, $5, coalesce($6, clock_timestamp()))",
        model.id,
        access.organization().id,
        model.name,
        model.description,
        model.demo,
        platform.clock.simulated_now()
    )
    .execute(change.connection())
    .await
    .map_err(taken)?;
    change.commit(model.event(Action::ModelCreated).next(&model.state())).await?;
    Ok(model.name)
}

/// Refuses one model too many. The organization's row is locked, so that of two who make the last one at once only one succeeds.
async fn ensure_room(connection: &mut PgConnection, access: &Access) -> Result<()> {
    let organization = access.organization().id;
    sqlx::query!("select id from orgtrail.organizations where id = $1 for no key update", organization)
        .fetch_one(&mut *connection)
        .await?;
    let models = sqlx::query_scalar!(
        r#"select count(*) as "count!" from orgtrail.models where organization_id = $1"#,
        organization
    );
    if models.fetch_one(connection).await? < MAX_MODELS {
        return Ok(());
    }
    Err(Error::LimitExceeded(format!("An organization has at most {MAX_MODELS} models: delete one that nobody uses.")))
}

/// Deletes a model with its records; records `model.deleted`. Its name is free again. An export of it that runs is broken off.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such model.
pub async fn delete(platform: &Platform, viewer: &Viewer, slug: &str, model: &str) -> Result<()> {
    let access = access::authorize(platform, viewer, slug, Operation::ManageModels).await?;
    let mut change = Change::begin(platform, &access).await?;
    let model = Model::hold(&mut change, &access, model).await?;
    // A million records take longer than anything else that is changed here; nobody waits for them but who uses this model.
    sqlx::query!("set local statement_timeout = '2min'").execute(change.connection()).await?;
    sqlx::query!(
        "delete from orgtrail.models where organization_id = $1 and id = $2",
        access.organization().id,
        model.id
    )
    .execute(change.connection())
    .await?;
    change.commit(model.event(Action::ModelDeleted).previous(&model.state())).await?;
    Ok(())
}

fn taken(error: sqlx::Error) -> Error {
    if storage::violates(&error, "models_name") {
        return Error::taken("name", "Another model of this organization has this name: choose another one.");
    }
    error.into()
}
