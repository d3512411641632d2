//! The place of a running export: a lease that ends by itself if the server dies, and the two events that frame the export.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use sqlx::{PgConnection, Postgres, Transaction};
use uuid::Uuid;

use super::super::action::Action;
use super::super::append::{NewEvent, Object};
use super::super::change::Change;
use super::super::event::Outcome;
use super::super::moment::rfc3339;
use super::super::query::ExportQuery;
use super::super::refusal;
use super::{ExportId, Head};
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

/// One of the organization's places for exports, as a lease.
#[derive(Clone)]
pub(super) struct Place {
    platform: Platform,
    access: Access,
    id: ExportId,
}

impl Place {
    /// Takes a place for a new export.
    pub(super) async fn take(platform: &Platform, access: Access) -> Result<Self> {
        let place = Self { platform: platform.clone(), access, id: storage::new_id(platform.clock.now())? };
        let mut transaction = place.transaction().await?;
        place.lease(&mut transaction).await?;
        transaction.commit().await?;
        Ok(place)
    }

    pub(super) fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn id(&self) -> ExportId {
        self.id
    }

    fn organization(&self) -> Uuid {
        self.access.organization().id
    }

    async fn transaction(&self) -> Result<Transaction<'static, Postgres>> {
        storage::begin(&self.platform.database.exports, self.organization()).await
    }

    /// Takes it for 30 seconds, or keeps it for another 30: one at a time per organization, so that no two take the last place.
    async fn lease(&self, connection: &mut PgConnection) -> Result<()> {
        sqlx::query!(
            "select pg_advisory_xact_lock(hashtextextended('orgtrail.running_exports' || $1::text, 0))",
            self.organization().to_string()
        )
        .fetch_one(&mut *connection)
        .await?;
        sqlx::query!(
            "delete from orgtrail.running_exports where organization_id = $1 and leased_until < clock_timestamp()",
            self.organization()
        )
        .execute(&mut *connection)
        .await?;
        let taken = sqlx::query!(
            "insert into orgtrail.running_exports (id, organization_id, leased_until)
            select $1, $2, clock_timestamp() + interval '30 seconds'
            where (select count(*) from orgtrail.running_exports where organization_id = $2 and id <> $1) < $3
            on conflict (id) do update set leased_until = excluded.leased_until",
            self.id,
            self.organization(),
            RUNNING
        )
        .execute(connection)
        .await?;
        if taken.rows_affected() == 1 { Ok(()) } else { Err(refusal::too_many_exports(RUNNING)) }
    }

    /// Gives back the place of an export that came to nothing. If that fails, the lease ends by itself.
    pub(super) async fn give_back(&self) {
        if let Err(cause) = self.delete().await {
            tracing::warn!(%cause, export = %self.id, "the place of an export was not given back: it is free in 30 seconds");
        }
    }

    async fn delete(&self) -> Result<()> {
        let mut transaction = self.transaction().await?;
        self.free(&mut transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    async fn free(&self, connection: &mut PgConnection) -> Result<()> {
        sqlx::query!(
            "delete from orgtrail.running_exports where organization_id = $1 and id = $2",
            self.organization(),
            self.id
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}

/// A running export: its place, and what its two events say.
#[derive(Clone)]
pub struct Ticket {
    place: Place,
    rows: i64,
    facts: Value,
}

impl Ticket {
    /// Commits `audit_log.export.requested`, if the place is still to be had after the time that measuring took.
    pub(super) async fn request(place: &Place, query: &ExportQuery, head: &Head) -> Result<Self> {
        let ticket = Self { place: place.clone(), rows: head.rows, facts: facts(query, head) };
        let mut change = Change::begin(&place.platform, &place.access).await?;
        place.lease(change.connection()).await?;
        change.commit(ticket.event(Action::AuditLogExportRequested).next(&ticket.facts)).await?;
        Ok(ticket)
    }

    /// Checks that the viewer may still export, with the role and credential of this moment, and keeps the place for another 30 seconds.
    ///
    /// # Errors
    /// Those of authorization, [`Error::Unavailable`]: the transfer must be broken off.
    pub async fn renew(&self) -> Result<()> {
        self.place.access.renew(&self.place.platform, Operation::ExportAuditLog).await?;
        let mut transaction = self.place.transaction().await?;
        let kept = sqlx::query!(
            "update orgtrail.running_exports set leased_until = clock_timestamp() + interval '30 seconds' where organization_id = $1 and id = $2",
            self.place.organization(),
            self.place.id
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
            tracing::error!(%cause, export = %self.place.id, ?end, "the end of an export could not be recorded");
        }
    }

    async fn record(&self, end: End, receipt: Receipt) -> Result<()> {
        let mut change = Change::begin_record(&self.place.platform, &self.place.access).await?;
        self.place.free(change.connection()).await?;
        let outcome = match end {
            End::Complete if self.rows == 0 => Outcome::Empty,
            End::Complete => Outcome::Success,
            End::Aborted => Outcome::Aborted,
            End::Failed => Outcome::Failure,
        };
        let mut facts = self.facts.clone();
        facts["bytes_sent"] = receipt.bytes.into();
        facts["sha256"] = receipt.sha256.map(|digest| HEXLOWER.encode(&digest)).into();
        change.commit(self.event(Action::AuditLogExportDownloaded).next(&facts).outcome(outcome)).await?;
        Ok(())
    }

    fn event(&self, action: Action) -> NewEvent {
        let organization = self.place.access.organization();
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
