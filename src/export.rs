//! The engine of exports, of the trail and of models alike (contract §4, §9): how long one will be, and its bytes, a batch at a time.
//!
//! An export is pulled: between two batches it holds no connection, no transaction and no snapshot. It is whole because what it reads
//! never changes and because its last record was fixed before it began. Whoever carries the bytes to the reader calls
//! [`Export::next_chunk`] until it is done, [`Ticket::renew`] about once a second, however slow the reader is, and [`Ticket::finish`] once.

use bytes::Bytes;
use futures::{Stream, stream};
use std::sync::Arc;
use uuid::Uuid;

use crate::{Error, Result};

mod batch;
mod place;
mod ticket;

pub(crate) use batch::Source;
use batch::{Batch, Batches};
pub(crate) use place::Place;
pub use place::{RUNNING, RUNNING_HERE, RunningExports};
pub use ticket::{End, Receipt, Ticket};
pub(crate) use ticket::{ExportedModel, Recording};

/// An export that was granted and recorded as requested, before its first byte.
pub struct Export {
    head: Head,
    ticket: Ticket,
    batches: Batches,
    /// The first bytes, read before the answer begins: what cannot be read is refused, not broken off.
    first: Option<Chunk>,
}

/// What is known of an export before its first byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Id of the export: header `Audit-Export-Id`.
    pub id: ExportId,
    /// Number of records: header `Audit-Export-Rows`.
    pub rows: i64,
    /// Exact number of bytes.
    pub content_length: u64,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// File name, of validated parts only.
    pub file_name: String,
    /// Header `Audit-Csv-Escaping`; none for NDJSON.
    pub escaping: Option<&'static str>,
}

/// How many lines end in these bytes: what a [`Receipt`] counts.
#[must_use]
pub fn line_ends(bytes: &[u8]) -> u64 {
    memchr::memchr_iter(b'\n', bytes).count() as u64
}

/// Id of an export, as in the header `Audit-Export-Id` and in its events.
pub type ExportId = Uuid;

/// An export that is about to begin: what was counted, and how it is written and recorded.
pub(crate) struct Plan {
    /// What it reads.
    pub source: Arc<dyn Source>,
    /// Last index of the organization's trail when it was planned: whoever has the trail so far has all of its records.
    pub last_index: i64,
    /// Number of records up to its last one.
    pub rows: i64,
    /// Stored bytes of all of them, from which batches get their size.
    pub stored_bytes: i64,
    /// Bytes of all of them as they are written, where that is known without reading them.
    pub written_bytes: Option<i64>,
    /// The bytes before the first record.
    pub header: Vec<u8>,
    /// `Content-Type`.
    pub content_type: &'static str,
    /// File name, of validated parts only.
    pub file_name: String,
    /// Header `Audit-Csv-Escaping`; none for NDJSON.
    pub escaping: Option<&'static str>,
    /// Its two events.
    pub recording: Recording,
}

impl Plan {
    /// Begins the export in its place: learns the exact length, commits that it was requested, and reads the first bytes.
    ///
    /// # Errors
    /// [`Error::Unavailable`] or [`Error::Internal`]; the place is given back by the caller, unless its end was recorded.
    pub(crate) async fn begin(self, place: &Place) -> Result<Export> {
        let mut batches = Batches::new(place, self.source, self.last_index, self.rows, self.stored_bytes);
        let records = match self.written_bytes {
            Some(bytes) => bytes,
            None => batches.clone().count_bytes().await?,
        };
        let head = Head {
            id: place.id(),
            rows: self.rows,
            content_length: u64::try_from(records).unwrap_or_default() + self.header.len() as u64,
            content_type: self.content_type,
            file_name: self.file_name,
            escaping: self.escaping,
        };
        let ticket = Ticket::request(place, self.recording, &head).await?;
        match first_chunk(&mut batches, self.header).await {
            Ok(first) => Ok(Export { head, ticket, batches, first: Some(first) }),
            Err(cause) => {
                ticket.finish(End::Failed, Receipt::default()).await;
                Err(cause)
            }
        }
    }
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

    /// Whether so many bytes may be sent: the last one that was promised only if it is the last of all, since the reader takes what has the
    /// promised length for the whole.
    ///
    /// # Errors
    /// [`Error::Internal`] if there is more than was promised: the transfer must be broken off before.
    pub fn check_so_far(&self, bytes: u64, is_last: bool) -> Result<()> {
        let promised = self.head.content_length;
        if bytes < promised || (bytes == promised && is_last) { Ok(()) } else { Err(self.not_whole(bytes)) }
    }

    /// Whether what was written is exactly what was promised.
    ///
    /// # Errors
    /// [`Error::Internal`] if it is not: the transfer must be broken off then.
    pub fn check_whole(&self, bytes: u64) -> Result<()> {
        if bytes == self.head.content_length && self.batches.is_done() {
            return Ok(());
        }
        Err(self.not_whole(bytes))
    }

    fn not_whole(&self, bytes: u64) -> Error {
        Error::internal(format!("export {} has {bytes} bytes of {} promised", self.head.id, self.head.content_length))
    }
}
