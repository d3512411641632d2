//! The place of a running export: one of the few that an organization has, as a lease that ends by itself if the server dies.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Export, ExportId, Plan};
use crate::identity::access::{Access, Operation};
use crate::meter::Busy;
use crate::platform::Platform;
use crate::storage;
use crate::{Error, Result};

/// Exports that may run at once for an organization (contract §4).
pub const RUNNING: i64 = 2;

/// Exports that may run at once in a server, whatever organizations they are of.
pub const RUNNING_HERE: usize = 8;

/// How many exports run in this server.
#[derive(Debug, Default)]
pub struct RunningExports(AtomicUsize);

/// One of the server's places for exports: free when it is dropped.
struct PlaceHere(Arc<RunningExports>);

impl PlaceHere {
    fn take(running: &Arc<RunningExports>) -> Result<Self> {
        let one_more = |count| (count < RUNNING_HERE).then_some(count + 1);
        match running.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self(Arc::clone(running))),
            Err(_) => Err(too_many(&format!("{RUNNING_HERE} exports are running here already"))),
        }
    }
}

impl Drop for PlaceHere {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of the organization's places for exports, as a lease, and one of the server's.
#[derive(Clone)]
pub(crate) struct Place {
    platform: Platform,
    access: Access,
    /// What its viewer must be allowed as long as it runs.
    operation: Operation,
    id: ExportId,
    /// Held by all clones, for as long as the export runs.
    _here: Arc<PlaceHere>,
}

impl Place {
    /// Takes a place for a new export. It comes before all work that grows with what is exported.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`] if two of the organization or eight of the server are running, [`Error::Unavailable`].
    pub(crate) async fn take(platform: &Platform, access: Access, operation: Operation) -> Result<Self> {
        let id = storage::new_id(platform.clock.now())?;
        let here = Arc::new(PlaceHere::take(&platform.exports)?);
        let place = Self { platform: platform.clone(), access, operation, id, _here: here };
        let mut transaction = place.transaction().await?;
        place.lease(&mut transaction).await?;
        transaction.commit().await?;
        Ok(place)
    }

    /// Begins the export that is planned in it, or gives it back.
    ///
    /// # Errors
    /// Those of planning and beginning it.
    pub(crate) async fn run(&self, plan: impl Future<Output = Result<Plan>>) -> Result<Export> {
        let begun = match plan.await {
            Ok(plan) => plan.begin(self).await,
            Err(cause) => Err(cause),
        };
        if begun.is_err() {
            self.give_back().await;
        }
        begun
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(super) fn platform(&self) -> &Platform {
        &self.platform
    }

    pub(super) fn id(&self) -> ExportId {
        self.id
    }

    pub(super) fn organization(&self) -> Uuid {
        self.access.organization().id
    }

    /// A short transaction of the exports' pool.
    pub(super) async fn transaction(&self) -> Result<storage::Transaction> {
        storage::begin(&self.platform.database.exports, self.organization()).await
    }

    /// Takes it for 30 seconds, or keeps it for another 30: one at a time per organization, so that no two take the last place.
    pub(super) async fn lease(&self, connection: &mut PgConnection) -> Result<()> {
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
        if taken.rows_affected() == 1 {
            return Ok(());
        }
        Err(too_many(&format!("{RUNNING} exports of this organization are running already")))
    }

    /// Checks that the viewer may still export, with the role and credential of this moment, and keeps the place for another 30 seconds.
    pub(super) async fn renew(&self) -> Result<()> {
        self.access.renew(&self.platform, self.operation).await?;
        let mut transaction = self.transaction().await?;
        let kept = sqlx::query!(
            "update orgtrail.running_exports set leased_until = clock_timestamp() + interval '30 seconds' where organization_id = $1 and id = $2",
            self.organization(),
            self.id
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

    /// Gives back the place of an export that came to nothing. If that fails, the lease ends by itself.
    async fn give_back(&self) {
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

    /// Gives it back in a transaction that does more.
    pub(super) async fn free(&self, connection: &mut PgConnection) -> Result<()> {
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

fn too_many(running: &str) -> Error {
    Busy::Exports.refused();
    Error::LimitExceeded(format!("{running}: wait until one of them has ended."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_has_eight_places_and_gets_them_back() {
        let running = Arc::default();
        let mut taken: Vec<_> = (0..RUNNING_HERE).map(|_| PlaceHere::take(&running).unwrap()).collect();
        assert!(matches!(PlaceHere::take(&running), Err(Error::LimitExceeded(_))));
        taken.pop();
        taken.push(PlaceHere::take(&running).unwrap());
        assert!(PlaceHere::take(&running).is_err());
        drop(taken);
        assert_eq!(running.0.load(Ordering::Relaxed), 0);
    }
}
