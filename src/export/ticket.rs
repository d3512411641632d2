//! The two events that frame an export: requested, before its first byte, and how it ended, after its last.

use data_encoding::HEXLOWER;
use serde_json::Value;

use super::{Head, Place};
use crate::audit::action::Action;
use crate::audit::append::{ExportFacts, NewEvent, Object};
use crate::audit::change::Change;
use crate::audit::event::Outcome;
use crate::{Result, meter};

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The reader has taken the last byte.
    Complete,
    /// The reader went away or stalled, the right to export was lost, or the server stopped.
    Aborted,
    /// It could not be read to the end.
    Failed,
}

impl End {
    /// Every end.
    pub const ALL: [Self; 3] = [Self::Complete, Self::Aborted, Self::Failed];

    /// As metrics and traces name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Aborted => "aborted",
            Self::Failed => "failed",
        }
    }
}

/// What the reader has taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes.
    pub bytes: u64,
    /// Line ends among them: where a record is a line, they tell how many were taken.
    pub lines: u64,
    /// SHA-256 of them, of a whole export only.
    pub sha256: Option<[u8; 32]>,
}

/// How an export is recorded.
#[derive(Clone)]
pub(crate) struct Recording {
    /// Before the first byte.
    pub requested: Action,
    /// After the last.
    pub ended: Action,
    /// What is exported.
    pub object: Object,
    /// What both events say of it, an object: beside what its [`Head`] says.
    pub facts: Value,
    /// Where it is the export of a model's records, each of which is a line.
    pub model: Option<ExportedModel>,
}

/// The model of an export.
#[derive(Clone)]
pub(crate) struct ExportedModel {
    /// Name at the time.
    pub name: String,
    /// Whether it is a demonstration's.
    pub is_demo: bool,
    /// Lines before the first record.
    pub header_lines: u64,
}

/// A running export: its place, and what is recorded of it.
#[derive(Clone)]
pub struct Ticket {
    place: Place,
    rows: i64,
    recording: Recording,
}

impl Ticket {
    /// Commits that the export was requested, and keeps the place from then on.
    pub(super) async fn request(place: &Place, mut recording: Recording, head: &Head) -> Result<Self> {
        recording.facts["export_id"] = head.id.to_string().into();
        recording.facts["escaping"] = head.escaping.into();
        recording.facts["rows"] = head.rows.into();
        recording.facts["bytes"] = head.content_length.into();
        let mut change = Change::begin(place.platform(), place.access()).await?;
        place.lease(change.connection()).await?;
        let event = NewEvent::new(recording.requested, recording.object.clone()).next(&recording.facts);
        change.commit(event).await?;
        Ok(Self { place: place.clone(), rows: head.rows, recording })
    }

    /// Checks that the viewer may still export, with the role and credential of this moment, and keeps the place for another 30 seconds.
    ///
    /// # Errors
    /// Those of authorization, [`crate::Error::Unavailable`]: the transfer must be broken off.
    pub async fn renew(&self) -> Result<()> {
        self.place.renew().await
    }

    /// A question about the export is not answered, though nothing takes so long: the connections that there are are not used again.
    pub fn distrust_connections(&self) {
        self.place.platform().database.distrust();
    }

    /// Gives the place back and commits how the export ended. If that cannot be written, `requested` without an end remains as
    /// evidence, and the log of the server says so.
    pub async fn finish(&self, end: End, receipt: Receipt) {
        meter::exported(end, receipt);
        if let Err(cause) = self.record(end, receipt).await {
            tracing::error!(%cause, export = %self.place.id(), ?end, "the end of an export could not be recorded");
        }
    }

    async fn record(&self, end: End, receipt: Receipt) -> Result<()> {
        let mut change = Change::begin_record(self.place.platform(), self.place.access()).await?;
        self.place.free(change.connection()).await?;
        let mut facts = self.recording.facts.clone();
        facts["bytes_sent"] = receipt.bytes.into();
        facts["sha256"] = receipt.sha256.map(|digest| HEXLOWER.encode(&digest)).into();
        let mut event = NewEvent::new(self.recording.ended, self.recording.object.clone()).outcome(self.outcome(end));
        if let Some(model) = &self.recording.model {
            let rows_sent = self.rows_sent(model, receipt);
            facts["rows_sent"] = rows_sent.into();
            event = event.exported(ExportFacts {
                model: model.name.clone(),
                rows: rows_sent,
                sha256: receipt.sha256,
                of_demo: model.is_demo,
            });
        }
        change.commit(event.next(&facts)).await?;
        Ok(())
    }

    fn outcome(&self, end: End) -> Outcome {
        match end {
            End::Complete if self.rows == 0 => Outcome::Empty,
            End::Complete => Outcome::Success,
            End::Aborted => Outcome::Aborted,
            End::Failed => Outcome::Failure,
        }
    }

    /// Whole records that the reader has taken.
    fn rows_sent(&self, model: &ExportedModel, receipt: Receipt) -> i64 {
        let rows = receipt.lines.saturating_sub(model.header_lines);
        i64::try_from(rows).unwrap_or(self.rows).min(self.rows)
    }
}
