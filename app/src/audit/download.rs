//! The download, carried from the export engine to the reader: whole, or broken off so that nobody takes it for whole.
//!
//! A task of its own reads ahead, so that the database works while batches are written and read; it holds no connection while the reader
//! stalls. That the reader does so for too long is for the server to see: then the reader's side is gone. Beside it the right to export
//! is asked again every second (contract §9: lost rights end a running export within 2 s).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use orgtrail::export::{End, Export, Head, Receipt, Ticket, line_ends};
use orgtrail::trace;
use sha2::{Digest, Sha256};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::wire::Refusal;

/// How often the right to export is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// How long a question of an export is waited for: much longer than the database lets it take.
const LONGEST_QUESTION: Duration = Duration::from_mins(1);
/// Chunks that are read at once, so that the database and this process both have something to do all the time.
const READ_AHEAD: usize = 3;
/// Bytes given to the connection at once: small, so that progress is seen; not so small that it costs.
const SLICE: usize = 64 * 1024;

/// The downloads that run in this process, so that a stopping server can break them off and wait until that is recorded.
#[derive(Debug, Clone, Default)]
pub struct Downloads {
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Downloads {
    /// Breaks off every download and waits until each has recorded its end.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// The bytes of `export`; the stream fails unless it comes to exactly the promised end.
    pub fn carry(&self, export: Export) -> impl Stream<Item = Result<Bytes, Refusal>> + Send + use<> {
        let (sender, receiver) = channel(1);
        let progress = Arc::new(Progress {
            length: export.head().content_length,
            taken: AtomicU64::new(0),
            lines: AtomicU64::new(0),
            broken: CancellationToken::new(),
        });
        self.tasks.spawn(produce(export, sender, progress.clone(), self.stop.clone()).in_current_span());
        slices(receiver, progress)
    }
}

/// The headers of the answer that carries an export (contract §4).
#[must_use]
pub fn headers(head: &Head) -> Vec<(HeaderName, String)> {
    let mut headers = vec![
        (CONTENT_TYPE, head.content_type.to_owned()),
        (CONTENT_LENGTH, head.content_length.to_string()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", head.file_name)),
        (CACHE_CONTROL, "no-store".to_owned()),
        (HeaderName::from_static("audit-export-id"), head.id.to_string()),
        (HeaderName::from_static("audit-export-rows"), head.rows.to_string()),
    ];
    headers.extend(head.escaping.map(|escaping| (HeaderName::from_static("audit-csv-escaping"), escaping.to_owned())));
    headers
}

/// What the reader has taken, as the task sees it; and whether to break off, as the reader's side sees it.
struct Progress {
    length: u64,
    taken: AtomicU64,
    lines: AtomicU64,
    broken: CancellationToken,
}

impl Progress {
    fn taken(&self) -> u64 {
        self.taken.load(Ordering::Acquire)
    }

    fn take(&self, slice: &[u8]) {
        // The bytes last: who sees them sees their lines too.
        self.lines.fetch_add(line_ends(slice), Ordering::AcqRel);
        self.taken.fetch_add(slice.len() as u64, Ordering::AcqRel);
    }

    fn receipt(&self, sha256: Option<[u8; 32]>) -> Receipt {
        Receipt { bytes: self.taken(), lines: self.lines.load(Ordering::Acquire), sha256 }
    }

    fn is_whole(&self) -> bool {
        self.taken() == self.length
    }
}

/// Reads the export until the reader has everything or something ends it early, then records the end.
async fn produce(export: Export, sender: Sender<Bytes>, progress: Arc<Progress>, stop: CancellationToken) {
    let (ticket, span) = (export.ticket(), trace::export(export.head().rows));
    let mut hash = Sha256::new();
    let end = tokio::select! {
        end = feed(export, &sender, &mut hash) => end,
        () = lost(&ticket) => End::Aborted,
        () = stop.cancelled() => End::Aborted,
    };
    // The reader's side may have gone because it had everything.
    let end = if progress.is_whole() { End::Complete } else { end };
    if end != End::Complete {
        progress.broken.cancel();
    }
    let receipt = progress.receipt((end == End::Complete).then(|| hash.finalize().into()));
    trace::exported(&span, end, receipt);
    ticket.finish(end, receipt).await;
}

async fn feed(export: Export, sender: &Sender<Bytes>, hash: &mut Sha256) -> End {
    match pass_on(export, sender, hash).await {
        // Everything is on its way: it is over when the reader's side lets go.
        Ok(()) => sender.closed().await,
        Err(error) => {
            crate::wire::refuse(error);
            return End::Failed;
        }
    }
    End::Aborted
}

/// Sends the chunks in their order, while the next ones are read. Ends early if the reader's side is gone.
async fn pass_on(mut export: Export, sender: &Sender<Bytes>, hash: &mut Sha256) -> orgtrail::Result<()> {
    let ticket = export.ticket();
    let mut reading = VecDeque::with_capacity(READ_AHEAD);
    let mut bytes = 0;
    loop {
        while reading.len() < READ_AHEAD {
            let (cut, chunk) = to_its_end(&ticket, async move {
                let chunk = export.next_chunk().await;
                (export, chunk)
            })
            .await?;
            export = cut;
            let Some(chunk) = chunk? else { break };
            // A task of its own holds its connection no longer than it reads, whatever the reader does.
            reading.push_back(tokio::spawn(chunk.read().in_current_span()));
        }
        let Some(next) = reading.pop_front() else { return export.check_whole(bytes) };
        let (chunk, rest) = answered(&ticket, next).await??;
        if let Some(rest) = rest {
            reading.push_front(tokio::spawn(rest.read().in_current_span()));
        }
        hash.update(&chunk);
        bytes += chunk.len() as u64;
        export.check_so_far(bytes, reading.is_empty())?;
        if sender.send(chunk).await.is_err() {
            return Ok(());
        }
    }
}

/// Once begun, a question to the database is asked to its end, though nobody waits for it any more: dropped midway, its connection would go
/// back to the others with a transaction open.
async fn to_its_end<T: Send + 'static>(
    ticket: &Ticket,
    question: impl Future<Output = T> + Send + 'static,
) -> orgtrail::Result<T> {
    answered(ticket, tokio::spawn(question.in_current_span())).await
}

/// The answer to a question. If none comes for so long, the database is gone without a word, and so are the connections to it.
async fn answered<T>(ticket: &Ticket, mut question: JoinHandle<T>) -> orgtrail::Result<T> {
    match timeout(LONGEST_QUESTION, &mut question).await {
        Ok(answer) => answer.map_err(orgtrail::Error::internal),
        Err(elapsed) => {
            ticket.distrust_connections();
            question.abort();
            Err(orgtrail::Error::Unavailable(elapsed.into()))
        }
    }
}

/// Ends when the viewer may no longer export.
async fn lost(ticket: &Ticket) {
    let mut again = interval(ASK_AGAIN);
    loop {
        again.tick().await;
        let renewing = ticket.clone();
        let renewed = to_its_end(ticket, async move { renewing.renew().await }).await.flatten();
        if renewed.is_err() {
            return;
        }
    }
}

/// The reader's side.
fn slices(receiver: Receiver<Bytes>, progress: Arc<Progress>) -> impl Stream<Item = Result<Bytes, Refusal>> + Send {
    stream::unfold(Some((receiver, Bytes::new(), progress)), |state| async move {
        let (mut receiver, mut chunk, progress) = state?;
        if chunk.is_empty() && !progress.is_whole() {
            chunk = tokio::select! {
                biased;
                () = progress.broken.cancelled() => Bytes::new(),
                next = receiver.recv() => next.unwrap_or_default(),
            };
        }
        if progress.is_whole() {
            return None;
        }
        if chunk.is_empty() || progress.broken.is_cancelled() {
            return Some((Err(broken_off()), None));
        }
        let slice = chunk.split_to(chunk.len().min(SLICE));
        progress.take(&slice);
        Some((Ok(slice), Some((receiver, chunk, progress))))
    })
    .boxed()
}

/// Nobody reads it: the transfer is broken by it.
fn broken_off() -> Refusal {
    Refusal::new(503, "UNAVAILABLE", "The download was broken off.")
}
