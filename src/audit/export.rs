//! The export of the trail (contract §4): what is asked, who may, and what the engine of exports is told to read and to record.

use futures::FutureExt;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{Postgres, QueryBuilder};
use std::sync::Arc;
use uuid::Uuid;

use super::action::Action;
use super::append::Object;
use super::cursor::Position;
use super::moment::rfc3339;
use super::query::ExportQuery;
use super::reading::Reading;
use super::refusal;
use super::store::{self, Direction, Selection, Totals, Window};
use crate::Result;
use crate::export::{Place, Plan, Recording, Source};
use crate::identity::access::Operation;
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage::Planning;

pub(super) mod layout;
pub(super) mod record;

pub use crate::export::{End, Export, ExportId, Head, Receipt, Ticket};
use layout::Layout;

/// Grants an export: checks the query and the viewer, takes one of the organization's places, fixes the last index, learns the exact length,
/// commits `audit_log.export.requested`, and reads the first bytes.
///
/// # Errors
/// [`crate::Error::Unauthenticated`], [`crate::Error::Invalid`] naming the parameter and the allowed values, [`crate::Error::NotFound`],
/// [`crate::Error::Forbidden`] (recorded), [`crate::Error::LimitExceeded`] if two are running, [`crate::Error::Unavailable`].
pub async fn start(platform: &Platform, viewer: &Viewer, raw_query: &str) -> Result<Export> {
    viewer.actor()?;
    let query = ExportQuery::parse(raw_query, platform.clock.now())?;
    let operation = Operation::ExportAuditLog;
    let access = refusal::authorize(platform, viewer, &query.organization, operation).await?;
    let place = Place::take(platform, access, operation).await?;
    place.run(plan(platform, &place, query)).await
}

/// The upper bound of the export, and what lies under it, as one snapshot sees them.
async fn plan(platform: &Platform, place: &Place, query: ExportQuery) -> Result<Plan> {
    let organization = place.access().organization();
    let layout = Layout::of(&query);
    let recording = Recording {
        requested: Action::AuditLogExportRequested,
        ended: Action::AuditLogExportDownloaded,
        object: Object::new("audit_log", organization.id, &organization.slug),
        facts: facts(&query),
        model: None,
    };
    let (header, file_name) = (layout.header(&query), layout.file_name(&organization.slug, &query.range));
    let trail = Trail { organization: organization.id, query, layout, last_index: None };
    let reading = Reading::of_export(&platform.database, organization.id).planned(Planning::Anew);
    let bounds = reading.ask(&trail.selection(), |selection, connection| bounds(connection, selection).boxed()).await?;
    let (last_index, totals) = bounds;
    Ok(Plan {
        source: Arc::new(Trail { last_index: Some(last_index), ..trail }),
        last_index,
        rows: totals.events,
        stored_bytes: totals.csv_raw_bytes,
        written_bytes: layout.stored_bytes(&totals),
        header,
        content_type: layout.content_type(),
        file_name,
        escaping: layout.escaping(),
        recording,
    })
}

/// The last index, and what there is up to it.
async fn bounds(connection: &mut PgConnection, selection: &Selection<'_>) -> Result<(i64, Totals)> {
    let last_index = store::head(connection, selection.organization).await?.last_index;
    Ok((last_index, store::totals(connection, selection).await?))
}

/// The events of an export.
struct Trail {
    organization: Uuid,
    query: ExportQuery,
    layout: Layout,
    last_index: Option<i64>,
}

impl Trail {
    fn selection(&self) -> Selection<'_> {
        Selection {
            organization: self.organization,
            filter: &self.query.filter,
            range: self.query.range.range,
            last_index: self.last_index,
            with_rows: false,
        }
    }

    fn of_window(&self, columns: [&str; 2], from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        let mut sql = QueryBuilder::new("select ");
        sql.push(columns[0]).push(", ").push(columns[1]);
        self.selection().push_window(&mut sql, Window { from, direction: Direction::Older, rows });
        sql
    }
}

impl Source for Trail {
    fn records(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        self.of_window(["e.index", record::columns(self.layout)], from, rows)
    }

    fn edge(&self, from: Option<Position>, rows: i64) -> QueryBuilder<Postgres> {
        let mut sql = self.of_window(["e.occurred_at", "e.index"], from, rows);
        sql.push(" offset ").push_bind(rows - 1);
        sql
    }

    fn write(&self, row: &PgRow, out: &mut Vec<u8>) -> Result<()> {
        record::write(self.layout, row, out)
    }
}

/// What both events say of an export, beside what is known when it begins; its id is filled in then.
fn facts(query: &ExportQuery) -> Value {
    let filter = query.filter.view();
    json!({
        "export_id": null,
        "start": rfc3339(query.range.range.start),
        "end": rfc3339(query.range.range.end),
        "kinds": filter.kinds,
        "actions": filter.actions,
        "actor": filter.actor.map(|actor| actor.value),
        "object": filter.object,
        "words": filter.words,
        "format": query.format.as_str(),
        "profile": query.profile.as_str(),
    })
}
