//! A page of a model: what it is, and its records of a range, newest first.

use chrono::{DateTime, Utc};
use futures::FutureExt;
use sqlx::postgres::PgConnection;
use sqlx::{FromRow, QueryBuilder};

use crate::Result;
use crate::audit::cursor::{self, Position};
use crate::audit::moment::moment;
use crate::audit::query::Position as Asked;
use crate::audit::query::link;
use crate::audit::reading::Reading;
use crate::audit::view::PAGE_SIZE;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::model::query::RecordsQuery;
use crate::model::row::Model;
use crate::model::view::{ModelRights, ModelView, RecordRow, SHOWN_CHARS};
use crate::platform::Platform;
use crate::storage::{self, Planning};

/// A model with the records that the query string `raw_query` of its page asks for.
///
/// # Errors
/// Those of [`access::authorize`]; [`crate::Error::Invalid`] naming the parameter; [`crate::Error::BadCursor`];
/// [`crate::Error::NotFound`] if there is no such model.
pub async fn page(platform: &Platform, viewer: &Viewer, slug: &str, model: &str, raw_query: &str) -> Result<ModelView> {
    let access = access::authorize(platform, viewer, slug, Operation::ReadOrganization).await?;
    let now = platform.clock.now();
    let query = RecordsQuery::parse(raw_query, now)?;
    let reading = Reading::of(&platform.database, access.organization().id).planned(Planning::Once);
    let about = (platform, &access, model, &query);
    let shown = reading.ask(&about, |(platform, access, model, query), connection| {
        Shown::find(connection, platform, access, model, query).boxed()
    });
    let Shown { model, created_at, scope, from, found } = shown.await?;
    let Cut { records, newer, older } = Cut::of(found, from);
    let seal = |position: Position| platform.keys.cursor.seal(&scope, position);
    Ok(ModelView {
        id: model.id.to_string(),
        name: model.name,
        description: model.description,
        demo: model.demo,
        created: moment(created_at, now),
        total: model.kept,
        records: records.into_iter().map(|record| record.view(now)).collect(),
        newer: newer.map(seal),
        older: older.map(seal),
        export_query: link::export_of_range(&query.range.view),
        range: query.range.view,
        rights: rights(&access),
        once: storage::new_id(now)?.to_string(),
    })
}

/// What the page shows.
struct Shown {
    model: Model,
    created_at: DateTime<Utc>,
    /// What its cursors are good for.
    scope: String,
    from: Start,
    found: Vec<Found>,
}

impl Shown {
    async fn find(
        connection: &mut PgConnection,
        platform: &Platform,
        access: &Access,
        model: &str,
        query: &RecordsQuery,
    ) -> Result<Self> {
        let model = Model::find(connection, access, model).await?;
        let created_at = created_at(connection, access, &model).await?;
        let scope = format!("records {} {}", model.id, link::range(&query.range.view));
        let from = Start::of(platform, &scope, query.position.as_ref())?;
        let found = records(connection, access, &model, query, from).await?;
        Ok(Self { model, created_at, scope, from, found })
    }
}

fn rights(access: &Access) -> ModelRights {
    ModelRights {
        manage: access.allows(Operation::ManageModels),
        add: access.allows(Operation::AddRecords),
        export: access.allows(Operation::ExportModel),
    }
}

async fn created_at(connection: &mut PgConnection, access: &Access, model: &Model) -> Result<DateTime<Utc>> {
    let created_at = sqlx::query_scalar!(
        "select created_at from orgtrail.models where organization_id = $1 and id = $2",
        access.organization().id,
        model.id
    );
    Ok(created_at.fetch_one(connection).await?)
}

/// Where a page begins, and which way it is read.
#[derive(Clone, Copy)]
struct Start {
    from: Option<Position>,
    towards_newer: bool,
}

impl Start {
    fn of(platform: &Platform, scope: &str, asked: Option<&Asked>) -> Result<Self> {
        let key: &cursor::CursorKey = &platform.keys.cursor;
        Ok(match asked {
            None => Self { from: None, towards_newer: false },
            Some(Asked::After(cursor)) => Self { from: Some(key.open(scope, cursor)?), towards_newer: false },
            Some(Asked::Before(cursor)) => Self { from: Some(key.open(scope, cursor)?), towards_newer: true },
        })
    }
}

#[derive(FromRow)]
struct Found {
    number: i64,
    occurred_at: DateTime<Utc>,
    content: String,
}

impl Found {
    fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, index: self.number }
    }

    fn view(self, now: DateTime<Utc>) -> RecordRow {
        let shown = usize::try_from(SHOWN_CHARS).unwrap_or_default();
        let cut = self.content.char_indices().nth(shown).map(|(end, _)| end);
        let mut content = self.content;
        content.truncate(cut.unwrap_or(content.len()));
        RecordRow { number: self.number, time: moment(self.occurred_at, now), content, is_cut: cut.is_some() }
    }
}

/// One record more than a page shows: it says whether there are more; and of each one character more, likewise.
async fn records(
    connection: &mut PgConnection,
    access: &Access,
    model: &Model,
    query: &RecordsQuery,
    start: Start,
) -> Result<Vec<Found>> {
    let (comparison, order) = if start.towards_newer { (">", "asc") } else { ("<", "desc") };
    let mut sql = QueryBuilder::new("select number, occurred_at, left(content::text, ");
    sql.push_bind(SHOWN_CHARS + 1).push(") as content from orgtrail.model_records where organization_id = ");
    sql.push_bind(access.organization().id).push(" and model_id = ").push_bind(model.id);
    sql.push(" and occurred_at >= ").push_bind(query.range.range.start);
    sql.push(" and occurred_at < ").push_bind(query.range.range.end);
    if let Some(Position { occurred_at, index }) = start.from {
        sql.push(format!(" and (occurred_at, number) {comparison} (")).push_bind(occurred_at);
        sql.push(", ").push_bind(index).push(")");
    }
    sql.push(format!(" order by occurred_at {order}, number {order} limit ")).push_bind(PAGE_SIZE + 1);
    Ok(sql.build_query_as().fetch_all(connection).await?)
}

/// The records of a page, newest first, and where the pages beside it begin.
struct Cut {
    records: Vec<Found>,
    newer: Option<Position>,
    older: Option<Position>,
}

impl Cut {
    fn of(mut records: Vec<Found>, Start { from, towards_newer }: Start) -> Self {
        let shown = usize::try_from(PAGE_SIZE).unwrap_or_default();
        let more = records.len() > shown;
        records.truncate(shown);
        if towards_newer {
            records.reverse();
        }
        let (has_newer, has_older) = if towards_newer { (more, true) } else { (from.is_some(), more) };
        // An emptied page still leads back.
        let newer = records.first().map(Found::position).or(from).filter(|_| has_newer);
        let older = records.last().map(Found::position).or(from).filter(|_| has_older);
        Self { records, newer, older }
    }
}
