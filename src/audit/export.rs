//! The export of the trail (contract §4): what is asked, who may, how long it will be, and its bytes, a batch at a time.
//!
//! An export is pulled: between two batches it holds no connection, no transaction and no snapshot. It is whole because events never
//! change and because its last index was fixed before it began. Whoever carries the bytes to the reader calls [`Export::next_chunk`] until
//! it is done, [`Ticket::renew`] about once a second, however slow the reader is, and [`Ticket::finish`] once.

use bytes::Bytes;
use futures::{Stream, stream};
use uuid::Uuid;

use super::query::ExportQuery;
use super::refusal;
use super::store::{self, Selection};
use crate::identity::access::{Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

mod batch;
pub(super) mod layout;
pub(super) mod record;
mod ticket;

use batch::{Batch, Batches};
pub use layout::Head;
use layout::Layout;
use ticket::Place;
pub use ticket::{End, Receipt, Ticket};

/// An export that was granted and recorded as requested, before its first byte.
pub struct Export {
    head: Head,
    ticket: Ticket,
    batches: Batches,
    /// The first bytes, read before the answer begins: what cannot be read is refused, not broken off.
    first: Option<Chunk>,
}

/// Grants an export: checks the query and the viewer, takes one of the organization's places, fixes the last index, learns the exact length,
/// commits `audit_log.export.requested`, and reads the first bytes. The place comes before all work that grows with the trail.
///
/// # Errors
/// [`Error::Unauthenticated`], [`Error::Invalid`] naming the parameter and the allowed values, [`Error::NotFound`], [`Error::Forbidden`]
/// (recorded), [`Error::LimitExceeded`] if two are running, [`Error::Unavailable`].
pub async fn start(platform: &Platform, viewer: &Viewer, raw_query: &str) -> Result<Export> {
    viewer.actor()?;
    let query = ExportQuery::parse(raw_query, platform.clock.now())?;
    let access = refusal::authorize(platform, viewer, &query.organization, Operation::ExportAuditLog).await?;
    let place = Place::take(platform, access).await?;
    match begin(platform, &place, query).await {
        Ok(export) => Ok(export),
        Err(cause) => {
            place.give_back().await;
            Err(cause)
        }
    }
}

async fn begin(platform: &Platform, place: &Place, query: ExportQuery) -> Result<Export> {
    let access = place.access();
    let (last_index, totals) = measure(platform, access, &query).await?;
    let layout = Layout::of(&query);
    let mut batches =
        Batches::new(platform.clone(), access.organization().id, query.clone(), layout, last_index, &totals);
    let bytes = match layout.stored_bytes(&totals) {
        Some(stored) => stored,
        None => batches.clone().count_bytes().await?,
    };
    let head = Head::new(access, &query, layout, place.id(), totals.events, bytes);
    let ticket = Ticket::request(place, &query, &head).await?;
    match first_chunk(&mut batches, layout.header(&query)).await {
        Ok(first) => Ok(Export { head, ticket, batches, first: Some(first) }),
        Err(cause) => {
            ticket.finish(End::Failed, Receipt::default()).await;
            Err(cause)
        }
    }
}

/// The upper bound of the export, and what lies under it, as one snapshot sees them.
async fn measure(platform: &Platform, access: &Access, query: &ExportQuery) -> Result<(i64, store::Totals)> {
    let organization = access.organization().id;
    let mut transaction = storage::begin_snapshot(&platform.database.exports, organization).await?;
    let last_index = store::head(&mut transaction, organization).await?.last_index;
    let selection =
        Selection { organization, filter: &query.filter, range: query.range.range, last_index: None, with_rows: false };
    let totals = store::totals(&mut transaction, &selection).await?;
    transaction.commit().await?;
    Ok((last_index, totals))
}

async fn first_chunk(batches: &mut Batches, mut header: Vec<u8>) -> Result<Chunk> {
    let rest = match batches.next().await? {
        Some(batch) => {
            let (first, rest) = batch.read().await?;
            header.extend(first);
            rest
        }
        None => None,
    };
    Ok(Chunk(Part::Read(header.into(), rest)))
}

/// Some bytes of an export, about 1 MiB: to be had wherever it suits, also beside the next ones.
pub struct Chunk(Part);

enum Part {
    Read(Bytes, Option<Batch>),
    ToRead(Batch),
}

impl Chunk {
    /// The bytes; and where they would have been too many, the chunk that comes before all others.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`]: the transfer must be broken off then, never ended.
    pub async fn read(self) -> Result<(Bytes, Option<Self>)> {
        let (bytes, rest) = match self.0 {
            Part::Read(bytes, rest) => (bytes, rest),
            Part::ToRead(batch) => {
                let (bytes, rest) = batch.read().await?;
                (bytes.into(), rest)
            }
        };
        Ok((bytes, rest.map(|batch| Self(Part::ToRead(batch)))))
    }
}

impl Export {
    /// What is known before the first byte: the headers of the answer.
    #[must_use]
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// The place that it holds, to be renewed and given back.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        self.ticket.clone()
    }

    /// The next chunk; nothing when it is done.
    ///
    /// # Errors
    /// As [`Chunk::read`].
    pub async fn next_chunk(&mut self) -> Result<Option<Chunk>> {
        match self.first.take() {
            Some(first) => Ok(Some(first)),
            None => Ok(self.batches.next().await?.map(|batch| Chunk(Part::ToRead(batch)))),
        }
    }

    /// The bytes of the whole export, chunk by chunk, one after the other: for those that are in no hurry.
    pub fn into_stream(self) -> impl Stream<Item = Result<Bytes>> {
        stream::try_unfold((self, None, 0), |(mut export, rest, bytes)| async move {
            let Some(chunk) = (match rest {
                Some(rest) => Some(rest),
                None => export.next_chunk().await?,
            }) else {
                export.check_whole(bytes)?;
                return Ok(None);
            };
            let (read, rest) = Chunk::read(chunk).await?;
            let bytes = bytes + read.len() as u64;
            Ok(Some((read, (export, rest, bytes))))
        })
    }

    /// Whether what was written is exactly what was promised.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is not: the transfer must be broken off then.
    pub fn check_whole(&self, bytes: u64) -> Result<()> {
        if bytes == self.head.content_length && self.batches.is_done() {
            return Ok(());
        }
        Err(Error::internal(format!(
            "export {} has {bytes} bytes of {} promised",
            self.head.id, self.head.content_length
        )))
    }
}

/// Id of an export, as in the header `Audit-Export-Id` and in its events.
pub type ExportId = Uuid;
