//! The export of a model's records by range (contract §6, §9): what is asked, who may, and what the engine of exports reads and records.

use futures::FutureExt;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Postgres, QueryBuilder};
use std::sync::Arc;
use uuid::Uuid;

use super::query::ExportQuery;
use super::row::Model;
use crate::Result;
use crate::audit::action::Action;
use crate::audit::cursor::Position;
use crate::audit::moment::rfc3339;
use crate::audit::range::TimeRange;
use crate::audit::reading::{Reading, last_index};
use crate::audit::refusal;
pub use crate::export::{End, Export, Receipt, Ticket};
use crate::export::{ExportedModel, Place, Plan, Recording, Source};
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage::{self, Planning};

pub(super) mod layout;

use layout::Layout;

/// Grants an export: checks the query and the viewer, takes one of the organization's places, fixes the last record, learns the exact length,
/// commits `model.export.requested`, and reads the first bytes.
///
/// # Errors
/// Those of [`access::authorize`]; [`crate::Error::Invalid`] naming the parameter and the allowed values; [`crate::Error::NotFound`] if there
/// is no such model; [`crate::Error::LimitExceeded`] if two exports are running; [`crate::Error::Unavailable`].
pub async fn start(platform: &Platform, viewer: &Viewer, slug: &str, model: &str, raw_query: &str) -> Result<Export> {
    let operation = Operation::ExportModel;
    let access = access::identify(platform, viewer, slug, operation).await?;
    if let Err(refused) = access.require(operation) {
        record_refusal(platform, &access, model).await?;
        return Err(refused);
    }
    let query = ExportQuery::parse(raw_query, platform.clock.now())?;
    let place = Place::take(platform, access, operation).await?;
    place.run(plan(platform, &place, model, &query)).await
}

/// A refused export of a model that is there is on the trail, as a refused one of the trail is (contract §9).
async fn record_refusal(platform: &Platform, access: &Access, model: &str) -> Result<()> {
    let mut transaction = storage::begin(&platform.database.reads, access.organization().id).await?;
    let model = Model::find(&mut transaction, access, model).await?;
    transaction.commit().await?;
    refusal::record_refusal(platform, access, Action::ModelExportRequested, model.object()).await
}

/// The upper bound of the export, and what lies under it, as one snapshot sees them.
async fn plan(platform: &Platform, place: &Place, model: &str, query: &ExportQuery) -> Result<Plan> {
    let organization = place.access().organization();
    let layout = Layout::of(query);
    let reading = Reading::of_export(&platform.database, organization.id).planned(Planning::Anew);
    let about = (place.access(), model, query);
    let bounds = reading
        .ask(&about, |(access, model, query), connection| Bounds::find(connection, access, model, query).boxed());
    let Bounds { last_index, model, records, totals } = bounds.await?;
    let header = layout.header(query.bom);
    Ok(Plan {
        source: Arc::new(records),
        last_index,
        rows: totals.records,
        stored_bytes: totals.csv_raw_bytes,
        written_bytes: Some(totals.written(layout)),
        content_type: layout.content_type(),
        file_name: layout.file_name(&organization.slug, &model.name, &query.range),
        escaping: layout.escaping(),
        recording: recording(&model, query, &header),
        header,
    })
}

fn recording(model: &Model, query: &ExportQuery, header: &[u8]) -> Recording {
    let header_lines = u64::from(!header.is_empty());
    Recording {
        requested: Action::ModelExportRequested,
        ended: Action::ModelExported,
        object: model.object(),
        facts: facts(model, query),
        model: Some(ExportedModel { name: model.name.clone(), is_demo: model.demo, header_lines }),
    }
}

/// What both events say of an export, beside what is known when it begins; its id is filled in then.
fn facts(model: &Model, query: &ExportQuery) -> Value {
    json!({
        "export_id": null,
        "model": model.name,
        "start": rfc3339(query.range.range.start),
        "end": rfc3339(query.range.range.end),
        "format": query.format.as_str(),
    })
}

/// What is exported: a model's records up to the last one, when the trail went so far.
struct Bounds {
    last_index: i64,
    model: Model,
    records: Records,
    totals: Totals,
}

impl Bounds {
    async fn find(connection: &mut PgConnection, access: &Access, model: &str, query: &ExportQuery) -> Result<Self> {
        let organization = access.organization().id;
        let model = Model::find(connection, access, model).await?;
        let (range, layout) = (query.range.range, Layout::of(query));
        let records = Records { organization, model: model.id, range, before: model.records, layout };
        let totals = records.totals(connection).await?;
        Ok(Self { last_index: last_index(connection, organization).await?, model, records, totals })
    }
}

/// Number of records, and the lengths of all of them.
struct Totals {
    records: i64,
    csv_safe_bytes: i64,
    csv_raw_bytes: i64,
    ndjson_bytes: i64,
}

impl Totals {
    fn written(&self, layout: Layout) -> i64 {
        match layout {
            Layout::Csv(escaping) => layout::of_escaping(escaping, self.csv_safe_bytes, self.csv_raw_bytes),
            Layout::Ndjson => self.ndjson_bytes,
        }
    }
}

/// The records of an export: those of a range that were there when it began.
struct Records {
    organization: Uuid,
    model: Uuid,
    range: TimeRange,
    /// Number of the first one that came later.
    before: i64,
    layout: Layout,
}

impl Records {
    async fn totals(&self, connection: &mut PgConnection) -> Result<Totals> {
        let totals = sqlx::query_as!(
            Totals,
            r#"select count(*) as "records!", coalesce(sum(csv_safe_length), 0)::bigint as "csv_safe_bytes!",
                coalesce(sum(csv_raw_length), 0)::bigint as "csv_raw_bytes!", coalesce(sum(ndjson_length), 0)::bigint as "ndjson_bytes!"
            from orgtrail.model_records
            where organization_id = $1 and model_id = $2 and occurred_at >= $3 and occurred_at < $4 and number < $5"#,
            self.organization,
            self.model,
            self.range.start,
            self.range.end,
            self.before
        );
        Ok(totals.fetch_one(connection).await?)
    }

    fn of_window(&self, columns: &'static str, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("select ");
        sql.push(columns).push(" from orgtrail.model_records where organization_id = ").push_bind(self.organization);
        sql.push(" and model_id = ").push_bind(self.model);
        sql.push(" and occurred_at >= ").push_bind(self.range.start);
        sql.push(" and occurred_at < ").push_bind(self.range.end);
        sql.push(" and number < ").push_bind(self.before);
        if let Some(Position { occurred_at, index }) = from {
            sql.push(" and (occurred_at, number) < (").push_bind(occurred_at).push(", ").push_bind(index).push(")");
        }
        sql.push(" order by occurred_at desc, number desc limit ").push_bind(rows);
        sql
    }
}

impl Source for Records {
    fn records(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        self.of_window("number, occurred_at, content", from, rows)
    }

    fn edge(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        let mut sql = self.of_window("occurred_at, number", from, rows);
        sql.push(" offset ").push_bind(rows - 1);
        sql
    }

    fn write(&self, row: &PgRow, out: &mut Vec<u8>) -> Result<()> {
        self.layout.write(row, out)
    }
}
