//! Events for trying and measuring at size: those of two invented other products, claimed over the 90 days, recorded now.

mod cast;
mod product;
mod times;
mod words;
mod writer;

use std::num::NonZeroU64;

use chrono::{DateTime, Days, NaiveTime, Utc};
use futures::{StreamExt, stream};
use orgtrail::audit::append::Draft;
use orgtrail::audit::change::Batch;
use orgtrail::identity::access::{self, Access, Operation};
use orgtrail::identity::viewer::Viewer;
use orgtrail::platform::Platform;
use orgtrail::storage;
use orgtrail::{Error, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::stage::find_token;
use super::{DemoError, EVENT_TOKENS, ORGANIZATION, Progress};
use times::Times;
use writer::Writer;

/// Events in one transaction: enough for the statement to count for little.
const BATCH: usize = 2_000;

/// Batches under way: one that Postgres takes, one that is measured.
const AT_ONCE: u8 = 2;

/// How many words wait for their index until a writer stops to put them there.
const QUEUE: &str = "64MB";

/// Likewise, while another connection does that: no writer has to stop.
const QUEUE_WHILE_MERGING: &str = "1GB";

/// Any number; another one makes other events.
const SEED: u64 = 0x0e7e_4175_b16d;

/// Adds `count` events of kind `change` to the trail of the demo; each call adds others. While Postgres takes one batch, the next is
/// made and measured on another core. More at once would be of no use: the head of the trail lets one writer in at a time. Where there is a
/// `superuser`, words go into their index meanwhile.
///
/// # Errors
/// [`DemoError::Failed`]; the batches before are recorded then.
pub async fn add_events(
    platform: &Platform,
    superuser: Option<&PgConnectOptions>,
    count: NonZeroU64,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), DemoError> {
    let Some(superuser) = superuser else { return record_all(platform, QUEUE, count, progress).await };
    tokio::select! {
        recorded = record_all(platform, QUEUE_WHILE_MERGING, count, progress) => recorded?,
        Err(failed) = words::keep_merging(superuser) => return Err(Error::from(failed).into()),
    }
    words::merge_all(superuser).await.map_err(Error::from)?;
    Ok(())
}

async fn record_all(
    platform: &Platform,
    queue: &'static str,
    count: NonZeroU64,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<(), DemoError> {
    let access = access::authorize(platform, &Viewer::operator(), ORGANIZATION, Operation::ReadOrganization).await?;
    let writer = writer(platform, access.organization().id, count.get()).await?;
    let platform = patient(platform, queue);
    let mut recording = stream::iter(writer)
        .chunks(BATCH)
        .map(|drafts| record(platform.clone(), access.clone(), drafts))
        .buffered(usize::from(AT_ONCE));
    let mut done = 0;
    while let Some(recorded) = recording.next().await {
        done += recorded?;
        progress(Progress { done, of: count.get() });
    }
    Ok(())
}

/// Records a batch beside whatever else is going on; answers its size.
async fn record(platform: Platform, access: Access, drafts: Vec<Draft>) -> Result<u64, Error> {
    let recording = tokio::spawn(async move { Batch::record(&platform, &access, &drafts).await });
    Ok(recording.await.map_err(Error::internal)??.len() as u64)
}

/// The platform with connections for its writes that may take their time: the limits of the others are for single requests. Words of many
/// batches go into their index together: when as many wait as `queue` says.
fn patient(platform: &Platform, queue: &'static str) -> Platform {
    let options = (*platform.database.writes.connect_options()).clone().options([
        ("statement_timeout", "10min"),
        ("lock_timeout", "1min"),
        ("work_mem", "64MB"),
        ("gin_pending_list_limit", queue),
    ]);
    let writes = PgPoolOptions::new().max_connections(u32::from(AT_ONCE)).connect_lazy_with(options);
    let mut database = platform.database.clone();
    database.writes = writes;
    Platform { database, ..platform.clone() }
}

/// A writer of `count` events: other ones for each length of the trail.
async fn writer(platform: &Platform, organization: Uuid, count: u64) -> Result<Writer> {
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let next_index =
        sqlx::query_scalar!("select next_index from orgtrail.trail_heads where organization_id = $1", organization)
            .fetch_one(&mut *transaction)
            .await?;
    transaction.commit().await?;
    let mut sources = [None; EVENT_TOKENS.len()];
    for (source, name) in sources.iter_mut().zip(EVENT_TOKENS) {
        *source = find_token(platform, name).await?;
    }
    let now = platform.clock.now();
    let random = fastrand::Rng::with_seed(SEED ^ u64::try_from(next_index).unwrap_or_default());
    Ok(Writer::new(random, Times::new(earliest(now), now, count), sources))
}

/// The earliest moment that an event may claim: the start of the first of 90 days (contract §9).
fn earliest(now: DateTime<Utc>) -> DateTime<Utc> {
    let first_day = now.date_naive() - Days::new(89);
    first_day.and_time(NaiveTime::MIN).and_utc()
}
