//! The place of a running export: a lease that ends by itself if the server dies, and the two events that frame the export.

use serde_json::{Value, json};
use std::fmt::Write as _;

use super::super::action::Action;
use super::super::append::{NewEvent, Object};
use super::super::change::Change;
use super::super::event::Outcome;
use super::super::moment::rfc3339;
use super::super::query::ExportQuery;
use super::super::refusal;
use super::Head;
use crate::identity::access::{Access, Operation};
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Exports that may run at once for an organization (contract §4).
const RUNNING: i64 = 2;

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

/// What the reader has taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Bytes.
    pub bytes: u64,
    /// SHA-256 of them, of a whole export only.
    pub sha256: Option<[u8; 32]>,
}

/// The place that a running export holds.
#[derive(Clone)]
pub struct Ticket {
    platform: Platform,
    access: Access,
    head: Head,
    facts: Value,
}

impl Ticket {
    /// Takes a place and commits `audit_log.export.requested`, in one transaction.
    pub(super) async fn take(platform: &Platform, access: Access, query: &ExportQuery, head: &Head) -> Result<Self> {
        let ticket = Self { platform: platform.clone(), facts: facts(query, head), access, head: head.clone() };
        let mut change = Change::begin(platform, &ticket.access).await?;
        ticket.lease(&mut change).await?;
        change.commit(ticket.event(Action::AuditLogExportRequested).next(&ticket.facts)).await?;
        Ok(ticket)
    }

    /// One at a time per organization, so that no two take the last place.
    async fn lease(&self, change: &mut Change) -> Result<()> {
        let organization = self.access.organization().id;
        sqlx::query!(
            "select pg_advisory_xact_lock(hashtextextended('orgtrail.running_exports' || $1::text, 0))",
            organization.to_string()
        )
        .fetch_one(change.connection())
        .await?;
        sqlx::query!(
            "delete from orgtrail.running_exports where organization_id = $1 and leased_until < clock_timestamp()",
            organization
        )
        .execute(change.connection())
        .await?;
        let taken = sqlx::query!(
            "insert into orgtrail.running_exports (id, organization_id, leased_until)
            select $1, $2, clock_timestamp() + interval '30 seconds'
            where (select count(*) from orgtrail.running_exports where organization_id = $2) < $3",
            self.head.id,
            organization,
            RUNNING
        )
        .execute(change.connection())
        .await?;
        if taken.rows_affected() == 1 { Ok(()) } else { Err(refusal::too_many_exports(RUNNING)) }
    }

    /// Checks that the viewer may still export, with the role and credential of this moment, and keeps the place for another 30 seconds.
    ///
    /// # Errors
    /// Those of authorization, [`Error::Unavailable`]: the transfer must be broken off.
    pub async fn renew(&self) -> Result<()> {
        self.access.renew(&self.platform, Operation::ExportAuditLog).await?;
        let organization = self.access.organization().id;
        let mut transaction = storage::begin(&self.platform.database.exports, organization).await?;
        let kept = sqlx::query!(
            "update orgtrail.running_exports set leased_until = clock_timestamp() + interval '30 seconds' where organization_id = $1 and id = $2",
            organization,
            self.head.id
        )
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        if kept.rows_affected() == 1 {
            Ok(())
        } else {
            Err(Error::internal("the place of a running export was given away"))
        }
    }

    /// Gives the place back and commits `audit_log.export.downloaded`. If that cannot be written, `requested` without an end remains as
    /// evidence, and the log of the server says so.
    pub async fn finish(&self, end: End, receipt: Receipt) {
        if let Err(cause) = self.record(end, receipt).await {
            tracing::error!(%cause, export = %self.head.id, ?end, "the end of an export could not be recorded");
        }
    }

    async fn record(&self, end: End, receipt: Receipt) -> Result<()> {
        let mut change = Change::begin(&self.platform, &self.access).await?;
        sqlx::query!(
            "delete from orgtrail.running_exports where organization_id = $1 and id = $2",
            self.access.organization().id,
            self.head.id
        )
        .execute(change.connection())
        .await?;
        let outcome = match end {
            End::Complete if self.head.rows == 0 => Outcome::Empty,
            End::Complete => Outcome::Success,
            End::Aborted => Outcome::Aborted,
            End::Failed => Outcome::Failure,
        };
        let mut facts = self.facts.clone();
        facts["bytes_sent"] = receipt.bytes.into();
        facts["sha256"] = receipt.sha256.map(|digest| hex(&digest)).into();
        change.commit(self.event(Action::AuditLogExportDownloaded).next(&facts).outcome(outcome)).await?;
        Ok(())
    }

    fn event(&self, action: Action) -> NewEvent {
        let organization = self.access.organization();
        NewEvent::new(action, Object::new("audit_log", organization.id, &organization.slug))
    }
}

/// What both events say of an export.
fn facts(query: &ExportQuery, head: &Head) -> Value {
    let filter = query.filter.view();
    json!({
        "export_id": head.id,
        "start": rfc3339(query.range.range.start),
        "end": rfc3339(query.range.range.end),
        "kinds": filter.kinds,
        "actions": filter.actions,
        "actor": filter.actor.map(|actor| actor.value),
        "object": filter.object,
        "words": filter.words,
        "format": query.format.as_str(),
        "profile": query.profile.as_str(),
        "escaping": head.escaping,
        "rows": head.rows,
        "bytes": head.content_length,
    })
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
