//! The two ways to write: a [`Change`] of ours with the events that say so, and a [`Batch`] of other products' events.

use sqlx::PgConnection;
use uuid::Uuid;

use super::append::{self, Draft, Measured, NewEvent, Recorded};
use super::event::{Actor, Outcome};
use crate::identity::access::Access;
use crate::identity::viewer::Origin;
use crate::meter::Tally;
use crate::platform::{Clock, Platform};
use crate::storage;
use crate::{Error, Result};

/// A transaction bound to an authorized viewer and one organization. It can only be committed together with at least one event, and
/// dropping it undoes everything: a change without its event cannot be written.
pub struct Change {
    transaction: storage::Transaction,
    organization: Uuid,
    actor: Actor,
    origin: Origin,
    platform: Platform,
}

impl Change {
    /// Begins a change by an authorized viewer. What the authorization rested on is read again and held until the change ends: whoever lost
    /// the right a moment ago changes nothing any more.
    ///
    /// # Errors
    /// Those of [`crate::identity::access::authorize`]; [`Error::Conflict`] if the viewer's rights are others now but would still do.
    pub async fn begin(platform: &Platform, access: &Access) -> Result<Self> {
        Self::begin_on(platform, access, &[]).await
    }

    /// Begins a change of the memberships of `users`, or of what depends on them: these are held too.
    ///
    /// # Errors
    /// As [`Change::begin`].
    pub(crate) async fn begin_on(platform: &Platform, access: &Access, users: &[Uuid]) -> Result<Self> {
        let mut change = Self::begin_record(platform, access).await?;
        access.hold(&mut change.transaction, platform.clock.now(), users).await?;
        Ok(change)
    }

    /// Begins what only records something that has happened already: a refusal, a look, the end of an export. It is recorded whatever
    /// rights the viewer has left.
    pub(crate) async fn begin_record(platform: &Platform, access: &Access) -> Result<Self> {
        Self::begin_in(platform, access.organization().id, access.actor().clone(), access.origin().clone()).await
    }

    /// Begins the change that creates `organization`: nobody can be authorized in it before it exists.
    pub(crate) async fn begin_in(
        platform: &Platform,
        organization: Uuid,
        actor: Actor,
        origin: Origin,
    ) -> Result<Self> {
        let transaction = storage::begin(&platform.database.writes, organization).await?;
        Ok(Self { transaction, organization, actor, origin, platform: platform.clone() })
    }

    /// The connection on which to alter rows.
    pub fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Commits the change with the event that says so.
    ///
    /// # Errors
    /// [`Error::Unavailable`]; [`Error::Conflict`] if the last owner would go. Nothing is changed then.
    pub async fn commit(self, event: NewEvent) -> Result<Recorded> {
        self.commit_all(event, Vec::new()).await
    }

    /// Commits the change with several events, in their order; answers where the first has gone.
    ///
    /// # Errors
    /// As [`Change::commit`].
    pub async fn commit_all(self, first: NewEvent, rest: Vec<NewEvent>) -> Result<Recorded> {
        let outcome = first.outcome;
        let events = std::iter::once(first).chain(rest);
        let drafts: Vec<Draft> = events.map(|event| event.by(&self.actor, &self.origin)).collect();
        self.finish(drafts, outcome)
            .await?
            .into_iter()
            .next()
            .ok_or_else(|| Error::internal("a change without an event"))
    }

    /// Records the mutation of the request, which ended so, and nothing else.
    pub(super) async fn commit_mutation(self, outcome: Outcome) -> Result<()> {
        self.finish(Vec::new(), outcome).await.map(drop)
    }

    /// Appends the drafts, and the mutation of which they came if it is not recorded yet, and commits.
    async fn finish(mut self, mut drafts: Vec<Draft>, outcome: Outcome) -> Result<Vec<Recorded>> {
        let sent = self.origin.mutation.as_ref().and_then(|mutation| mutation.unrecorded());
        drafts.extend(sent.map(|facts| facts.draft(&self.actor, &self.origin, outcome)));
        let tally = Tally::of(drafts.iter().map(|draft| draft.kind));
        let recorded = append::append(&mut self.transaction, self.organization, &self.platform, drafts).await?;
        self.transaction.commit().await.map_err(refused)?;
        tally.committed();
        self.origin.set_recorded();
        Ok(recorded)
    }
}

/// What the deferred rules of the database say at commit, for people.
fn refused(error: sqlx::Error) -> Error {
    if storage::violates(&error, "last_owner_stays") {
        return Error::Conflict(
            "An organization keeps at least one owner: make somebody else an owner first.".to_owned(),
        );
    }
    error.into()
}

/// A transaction for events of other products, of authorized senders and bound to one organization. Unlike a [`Change`] it alters nothing
/// else that is the platform's: what it rests on was asked a moment ago, and is not held.
pub struct Batch {
    transaction: storage::Transaction,
    organization: Uuid,
    clock: Clock,
    tally: Tally,
}

impl Batch {
    /// Begins a batch of an organization for which every sender is authorized.
    ///
    /// # Errors
    /// [`Error::Unavailable`].
    pub(super) async fn begin(platform: &Platform, organization: Uuid) -> Result<Self> {
        let transaction = storage::begin(&platform.database.writes, organization).await?;
        Ok(Self { transaction, organization, clock: platform.clock.clone(), tally: Tally::default() })
    }

    /// Records the events in their order, in one transaction; the answer comes after the commit.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: nothing is recorded then.
    pub async fn record(platform: &Platform, access: &Access, drafts: &[Draft]) -> Result<Vec<Recorded>> {
        let mut batch = Self::begin(platform, access.organization().id).await?;
        let measured = Measured::all(platform, batch.organization, drafts.to_vec());
        let recorded = batch.append(&measured.iter().collect::<Vec<_>>()).await?;
        batch.commit().await?;
        Ok(recorded)
    }

    /// The organization.
    pub(super) fn organization(&self) -> Uuid {
        self.organization
    }

    /// The connection on which to note what was sent.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Appends the events in their order. No other batch or change of the organization gets on until this one ends.
    pub(super) async fn append(&mut self, events: &[&Measured]) -> Result<Vec<Recorded>> {
        let recorded = append::append_measured(&mut self.transaction, self.organization, &self.clock, events).await?;
        self.tally.add(events.iter().map(|event| event.kind()));
        Ok(recorded)
    }

    /// Commits the events.
    pub(super) async fn commit(self) -> Result<()> {
        self.transaction.commit().await?;
        self.tally.committed();
        Ok(())
    }
}
