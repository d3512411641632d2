//! The records of a model: adding them, all or none. What is there: `records/reading.rs`.

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::export::layout;
use super::ndjson::{self, Incoming};
use super::row::Model;
use super::sent_once::SentOnce;
use crate::audit::action::Action;
use crate::audit::append::NewEvent;
use crate::audit::change::Change;
use crate::audit::moment::rfc3339;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::{Identity, Viewer};
use crate::platform::{Platform, work};
use crate::{Error, Result};

mod reading;

pub use reading::page;

/// Most records that are added at once.
pub const MAX_RECORDS: usize = 10_000;

/// Longest record, in bytes as it is sent.
pub const MAX_RECORD_BYTES: usize = 64 * 1024;

/// Most bytes that are sent at once.
pub const MAX_BODY_BYTES: usize = 8 * 1024 * 1024;

/// What was sent.
#[derive(Debug, Clone)]
pub struct Submission<'a> {
    /// The `Idempotency-Key` of an access token's request, 1 to 255 bytes, or what the page gave its form ([`ModelView::once`]), where there is one.
    ///
    /// [`ModelView::once`]: super::view::ModelView::once
    pub key: Option<&'a str>,
    /// Records, one in each line.
    pub body: Bytes,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// Name of the model.
    pub model: String,
    /// Number of records that were added.
    pub records: i64,
    /// Number of the first of them in the model.
    pub first: i64,
    /// Number of the last.
    pub last: i64,
    /// Whether this is the answer to an earlier request with the same key.
    #[serde(skip)]
    pub is_replayed: bool,
}

/// Adds records to a model, all or none; records `model.records.added`. When this answers, they are committed.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::NotFound`] if there is no such model; [`Error::Faulty`] naming each line that is no record;
/// [`Error::Invalid`] if there are none or too many, and for a key that was sent before with something else; [`Error::Conflict`] while somebody
/// else sends the same key; [`Error::Unavailable`]. Nothing is added then.
pub async fn add(platform: &Platform, viewer: &Viewer, slug: &str, model: &str, sent: Submission<'_>) -> Result<Added> {
    let access = access::authorize(platform, viewer, slug, Operation::AddRecords).await?;
    if sent.body.len() > MAX_BODY_BYTES {
        return Err(Error::invalid("records", format!("Send at most {MAX_BODY_BYTES} bytes at once.")));
    }
    let (body, now) = (sent.body.clone(), platform.clock.now());
    let records = work::compute(platform, move || ndjson::read(&body, now)).await??;
    let mut change = Change::begin(platform, &access).await?;
    let model = Model::hold(&mut change, &access, model).await?;
    let sent_once = sent_once(&access, viewer, &model, &sent);
    if let Some(sent_once) = &sent_once
        && let Some(answer) = sent_once.answered::<Added>(change.connection()).await?
    {
        return Ok(Added { is_replayed: true, ..answer });
    }
    let added = insert(change.connection(), &access, &model, &records).await?;
    if let Some(sent_once) = &sent_once
        && !sent_once.keep(change.connection(), &added).await?
    {
        return Err(Error::Conflict("The same key is being sent at this very moment: try again.".to_owned()));
    }
    change.commit(event(&model, &added, &records, &sent.body)).await?;
    Ok(added)
}

/// The request as one that may be sent again: by an access token, or by the form of one page, to one model.
fn sent_once<'a>(access: &Access, viewer: &Viewer, model: &Model, sent: &Submission<'a>) -> Option<SentOnce<'a>> {
    let sha256: [u8; 32] = Sha256::new().chain_update(model.id).chain_update(&sent.body).finalize().into();
    let (sender, key) = match &viewer.identity {
        Identity::AccessToken(token) => (token.id, sent.key.map(Cow::from)),
        // Whoever goes back to the page may send another file with what it gave for the first.
        Identity::User(user) => (user.id, sent.key.map(|page| format!("{page} {}", HEXLOWER.encode(&sha256)).into())),
        Identity::Anonymous | Identity::Operator => return None,
    };
    Some(SentOnce { organization: access.organization().id, sender, key, sha256 })
}

/// Numbers the records and stores them.
async fn insert(connection: &mut PgConnection, access: &Access, model: &Model, records: &[Incoming]) -> Result<Added> {
    let count = i64::try_from(records.len()).map_err(Error::internal)?;
    let rows = Columns::of(model.records, records);
    let organization: Uuid = access.organization().id;
    sqlx::query!(
        "update orgtrail.models set records = records + $3 where organization_id = $1 and id = $2",
        organization,
        model.id,
        count
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!(
        "insert into orgtrail.model_records
            (organization_id, model_id, number, occurred_at, content, csv_safe_length, csv_raw_length, ndjson_length)
        select $1, $2, number, occurred_at, content::json, csv_safe_length, csv_raw_length, ndjson_length
        from unnest($3::bigint[], $4::timestamptz[], $5::text[], $6::integer[], $7::integer[], $8::integer[])
            as sent (number, occurred_at, content, csv_safe_length, csv_raw_length, ndjson_length)",
        organization,
        model.id,
        &rows.number,
        &rows.occurred_at,
        &rows.content as _,
        &rows.csv_safe_length,
        &rows.csv_raw_length,
        &rows.ndjson_length
    )
    .execute(connection)
    .await?;
    let (first, last) = (model.records, model.records + count - 1);
    Ok(Added { model: model.name.clone(), records: count, first, last, is_replayed: false })
}

/// Records turned on their side: one array per column.
#[derive(Default)]
struct Columns<'a> {
    number: Vec<i64>,
    occurred_at: Vec<DateTime<Utc>>,
    content: Vec<&'a str>,
    csv_safe_length: Vec<i32>,
    csv_raw_length: Vec<i32>,
    ndjson_length: Vec<i32>,
}

impl<'a> Columns<'a> {
    fn of(first: i64, records: &'a [Incoming]) -> Self {
        let mut columns = Self::default();
        for (number, record) in (first..).zip(records) {
            let lengths = layout::lengths(number, record.content.as_bytes());
            columns.number.push(number);
            columns.occurred_at.push(record.at);
            columns.content.push(&record.content);
            columns.csv_safe_length.push(lengths.csv_safe);
            columns.csv_raw_length.push(lengths.csv_raw);
            columns.ndjson_length.push(lengths.ndjson);
        }
        columns
    }
}

fn event(model: &Model, added: &Added, records: &[Incoming], body: &[u8]) -> NewEvent {
    let times = || records.iter().map(|record| record.at);
    let facts = json!({
        "model": model.name,
        "records": added.records,
        "first": added.first,
        "last": added.last,
        "earliest": times().min().map(rfc3339),
        "latest": times().max().map(rfc3339),
        "bytes": body.len(),
        "sha256": HEXLOWER.encode(&Sha256::digest(body)),
    });
    model.event(Action::ModelRecordsAdded).next(&facts)
}
