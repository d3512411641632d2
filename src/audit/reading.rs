//! The way to read what belongs to an organization: from a replica that has all that the primary has, else from the primary
//! ([ADR 0026](../../docs/adr/0026-reading-from-a-replica.md)).
//!
//! The length of a trail is the version of its organization: whatever is changed there is committed with an event, and a replica shows
//! commits in their order. So a replica whose trail is as long as the primary's was a moment ago shows everything that anybody had done or
//! seen by then, through whichever server. What changes without an event (names of accounts, sessions, the last use of a token), and what
//! decides who may read, is asked of the primary only.

use std::pin::pin;

use futures::future::{BoxFuture, Either, select};
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::store;
use crate::meter::ReplicaAsked;
use crate::storage::replica::Replica;
use crate::storage::{self, Database, Planning};
use crate::{Error, Result};

/// A read of one organization's rows. Nothing is asked before [`Reading::ask`].
pub(crate) struct Reading<'a> {
    database: &'a Database,
    organization: Uuid,
    planning: Planning,
    is_export: bool,
    last_index: Option<i64>,
}

/// What is asked: of a connection, about something. Boxed, since no other type says that it may go from thread to thread whatever it borrows.
pub(crate) type Question<A, T> = for<'q> fn(&'q A, &'q mut PgConnection) -> BoxFuture<'q, Result<T>>;

/// What came of asking a replica.
enum Asked<T> {
    /// It had everything, and answered.
    Answered(Result<T>),
    /// Somebody else has to be asked.
    Not(ReplicaAsked),
}

/// An answer, and the last index of the trail from which it is.
struct Answer<T> {
    of: T,
    last_index: i64,
}

impl<'a> Reading<'a> {
    /// A read for a page or a list, which shows at least what is committed now.
    pub(crate) fn of(database: &'a Database, organization: Uuid) -> Self {
        Self { database, organization, planning: Planning::Usual, is_export: false, last_index: None }
    }

    /// A read for an export: it has connections of its own, and more time.
    pub(crate) fn of_export(database: &'a Database, organization: Uuid) -> Self {
        Self { is_export: true, ..Self::of(database, organization) }
    }

    /// The same, its questions planned so.
    pub(crate) fn planned(self, planning: Planning) -> Self {
        Self { planning, ..self }
    }

    /// The same, of what was there when the trail ended at `last_index`: what came later is not asked for.
    pub(crate) fn up_to(self, last_index: i64) -> Self {
        Self { last_index: Some(last_index), ..self }
    }

    /// The answer to a question `about` something, whose parts all see the same state. It may be asked twice: of a replica that fails midway, then
    /// of the primary.
    ///
    /// # Errors
    /// Those of `question`; [`Error::Unavailable`] if the primary does not answer.
    pub(crate) async fn ask<A: Sync, T: Send>(self, about: &A, question: Question<A, T>) -> Result<T> {
        if let Some(replica) = &self.database.replica {
            match self.ask_replica(replica, about, question).await? {
                Asked::Answered(answer) => {
                    ReplicaAsked::Answered.count();
                    return answer;
                }
                Asked::Not(why) => why.count(),
            }
        }
        let mut transaction = storage::begin_reading(self.primary(), self.organization, self.planning).await?;
        let answer = question(about, &mut transaction).await?;
        transaction.commit().await?;
        Ok(answer)
    }

    fn primary(&self) -> &PgPool {
        if self.is_export { &self.database.exports } else { &self.database.reads }
    }

    async fn ask_replica<A: Sync, T: Send>(
        &self,
        replica: &Replica,
        about: &A,
        question: Question<A, T>,
    ) -> Result<Asked<T>> {
        let Some(gone) = replica.gone() else { return Ok(Asked::Not(ReplicaAsked::SetAside)) };
        let least = match self.last_index {
            Some(fixed) => fixed,
            None => self.last_index_of_primary().await?,
        };
        let pool = if self.is_export { &replica.exports } else { &replica.reads };
        let answer = match select(pin!(self.answer_of(pool, least, about, question)), gone).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => return Ok(Asked::Not(ReplicaAsked::Failed)),
        };
        match answer {
            Ok(None) => Ok(Asked::Not(ReplicaAsked::Behind)),
            Ok(Some(answer)) if self.is_admitted(least, answer.last_index).await? => Ok(Asked::Answered(Ok(answer.of))),
            Ok(Some(_)) => Ok(Asked::Not(ReplicaAsked::Ahead)),
            Err(cause @ (Error::Unavailable(_) | Error::Internal(_))) => {
                tracing::debug!(%cause, source = ?std::error::Error::source(&cause), "a replica could not answer");
                Ok(Asked::Not(ReplicaAsked::Failed))
            }
            Err(refusal) => Ok(Asked::Answered(Err(refusal))),
        }
    }

    /// The answer of a replica whose trail goes to `least` or further.
    async fn answer_of<A: Sync, T: Send>(
        &self,
        replica: &PgPool,
        least: i64,
        about: &A,
        question: Question<A, T>,
    ) -> Result<Option<Answer<T>>> {
        let begun = storage::begin_reading_of_replica(replica, self.organization, self.planning).await;
        let mut transaction = begun.map_err(|cause| Error::Unavailable(Box::new(cause)))?;
        let last_index = match last_index(&mut transaction, self.organization).await {
            Ok(last_index) if last_index >= least => last_index,
            // It may not know the organization yet.
            Ok(_) | Err(Error::NotFound) => return Ok(None),
            Err(cause) => return Err(cause),
        };
        let of = question(about, &mut transaction).await?;
        transaction.commit().await?;
        Ok(Some(Answer { of, last_index }))
    }

    /// Whether the primary shows as much as a replica that was seen at `last_index`. A replica may show a commit a moment before the primary does
    /// (a long one, where the primary waits for other replicas): whoever saw it there would miss it at the next look.
    async fn is_admitted(&self, least: i64, last_index: i64) -> Result<bool> {
        let knows_enough = self.last_index.is_some() || last_index == least;
        Ok(knows_enough || self.last_index_of_primary().await? >= last_index)
    }

    async fn last_index_of_primary(&self) -> Result<i64> {
        let mut transaction = storage::begin(self.primary(), self.organization).await?;
        let last_index = last_index(&mut transaction, self.organization).await?;
        transaction.commit().await?;
        Ok(last_index)
    }
}

/// The last index of an organization's trail; −1 if it has no event.
pub(crate) async fn last_index(connection: &mut PgConnection, organization: Uuid) -> Result<i64> {
    Ok(store::head(connection, organization).await?.last_index)
}
