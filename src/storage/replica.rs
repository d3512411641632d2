//! The replica: a streaming copy of the database that may answer reads, as long as whoever watches it finds it good.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::channel::oneshot;
use futures::future::Shared;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;

use super::distrust::Distrust;
use super::{exports_pool, reads_pool};

/// How long a read waits for a connection to the replica before it asks the primary: short, since that has the answer too.
const PATIENCE: Duration = Duration::from_millis(250);

/// A streaming replica, with pools of its own: whatever becomes of it, nobody waits for a connection to the primary because of it. It is not
/// asked before it was admitted.
#[derive(Clone, Debug)]
pub struct Replica {
    /// Pages and lists.
    pub reads: PgPool,
    /// Batches of exports.
    pub exports: PgPool,
    standing: Arc<Standing>,
}

/// Why a replica may not be asked.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    /// It, or the primary beside which it is looked at, does not answer.
    #[error("it does not answer: {0}")]
    Silent(#[from] sqlx::Error),
    /// The primary was changed for another, and the replica may have what that one never got.
    #[error("it does not follow the timeline of the primary, or not yet")]
    OtherTimeline,
    /// It is not what it should be: a sentence for the operator.
    #[error("{0}")]
    Wrong(&'static str),
}

impl Replica {
    /// Opens its pools lazily.
    pub(super) fn new(app: &PgConnectOptions, distrust: &Distrust) -> Self {
        let (reads, exports) = (reads_pool(app, PATIENCE, distrust), exports_pool(app, PATIENCE, distrust));
        Self { reads, exports, standing: Arc::default() }
    }

    /// Looks whether it is the copy of `primary` that it should be; answers how many bytes of the write-ahead log it has yet to replay.
    ///
    /// # Errors
    /// [`Unfit`].
    pub async fn inspect(&self, primary: &PgPool) -> Result<i64, Unfit> {
        let copy = facts_of_replica(&self.reads).await?;
        let original = facts_of_primary(primary).await?;
        compare(&copy, &original)
    }

    /// Lets it be asked from now on.
    pub fn admit(&self) {
        self.standing.admit();
    }

    /// Lets it not be asked any more. Who waits for its answer asks the primary instead.
    pub fn set_aside(&self) {
        self.standing.set_aside();
    }

    /// What comes when it is set aside; none if it is.
    pub(crate) fn gone(&self) -> Option<Gone> {
        self.standing.gone()
    }
}

/// Comes when the replica is set aside.
pub(crate) type Gone = Shared<oneshot::Receiver<()>>;

/// Whether the replica may be asked. While it may, the sender is kept, and its end is what those who were told so hear of.
#[derive(Debug, Default)]
struct Standing(Mutex<Option<(oneshot::Sender<()>, Gone)>>);

impl Standing {
    fn admit(&self) {
        self.lock().get_or_insert_with(|| {
            let (sender, gone) = oneshot::channel();
            (sender, gone.shared())
        });
    }

    fn set_aside(&self) {
        *self.lock() = None;
    }

    fn gone(&self) -> Option<Gone> {
        self.lock().as_ref().map(|(_, gone)| gone.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<(oneshot::Sender<()>, Gone)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is so of a database.
struct Facts {
    is_recovering: bool,
    role: String,
    database: String,
    system: i64,
    timeline: i32,
    /// Bytes of the write-ahead log that were written; of a replica: that were replayed.
    log: i64,
}

async fn facts_of_replica(replica: &PgPool) -> Result<Facts, sqlx::Error> {
    sqlx::query_as!(
        Facts,
        r#"select pg_is_in_recovery() as "is_recovering!", current_user::text as "role!", current_database()::text as "database!",
            system_identifier as "system!", timeline_id as "timeline!", coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint as "log!"
        from pg_control_system(), pg_control_checkpoint()"#
    )
    .fetch_one(replica)
    .await
}

/// The timeline is in the name of the file that is being written: after a failover the control file has it only some time later.
async fn facts_of_primary(primary: &PgPool) -> Result<Facts, sqlx::Error> {
    sqlx::query_as!(
        Facts,
        r#"select pg_is_in_recovery() as "is_recovering!", current_user::text as "role!", current_database()::text as "database!",
            system_identifier as "system!", ('x' || left(pg_walfile_name(written), 8))::bit(32)::integer as "timeline!",
            (written - '0/0')::bigint as "log!"
        from pg_control_system(), pg_current_wal_lsn() as written"#
    )
    .fetch_one(primary)
    .await
}

/// How many bytes of the write-ahead log a copy has yet to replay, if it is one.
fn compare(copy: &Facts, original: &Facts) -> Result<i64, Unfit> {
    let checks = [
        (!copy.is_recovering, "It is no replica: it takes writes."),
        (copy.system != original.system, "It is a copy of another database server than that of DATABASE_URL."),
        (copy.database != original.database, "It must name the same database as DATABASE_URL."),
        (copy.role != original.role, "It must name the same role as DATABASE_URL."),
    ];
    if let Some((_, what)) = checks.iter().find(|(is_wrong, _)| *is_wrong) {
        return Err(Unfit::Wrong(what));
    }
    if copy.timeline != original.timeline {
        return Err(Unfit::OtherTimeline);
    }
    Ok(original.log - copy.log)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let (role, database) = ("orgtrail_app".to_owned(), "orgtrail".to_owned());
        Facts { is_recovering: true, role, database, system: 7, timeline: 1, log: 0 }
    }

    #[test]
    fn only_a_copy_of_the_same_will_do() {
        let compared = |copy: Facts| compare(&copy, &Facts { is_recovering: false, log: 42, ..facts() });
        assert!(matches!(compared(facts()), Ok(42)));
        assert!(matches!(compared(Facts { timeline: 2, ..facts() }), Err(Unfit::OtherTimeline)));
        for (copy, said) in [
            (Facts { is_recovering: false, ..facts() }, "takes writes"),
            (Facts { system: 8, ..facts() }, "another database server"),
            (Facts { database: "other".to_owned(), ..facts() }, "same database"),
            (Facts { role: "postgres".to_owned(), ..facts() }, "same role"),
        ] {
            assert!(matches!(compared(copy), Err(Unfit::Wrong(wrong)) if wrong.contains(said)), "{said}");
        }
    }

    #[test]
    fn who_was_told_that_it_may_be_asked_hears_that_it_may_not() {
        let standing = Standing::default();
        assert!(standing.gone().is_none(), "before it was admitted");
        standing.admit();
        let gone = standing.gone().unwrap();
        standing.admit();
        assert!(gone.clone().now_or_never().is_none(), "it was admitted all the time");
        standing.set_aside();
        assert!(gone.now_or_never().is_some() && standing.gone().is_none());
        standing.admit();
        assert!(standing.gone().unwrap().now_or_never().is_none(), "it may come back");
    }
}
