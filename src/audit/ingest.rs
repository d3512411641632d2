//! Events of other products (contract §6): read strictly, recorded all or none, and each of them once however often it is sent.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::PgConnection;
use uuid::Uuid;

use super::append::{Draft, Recorded};
use super::change::Batch;
use crate::identity::access::{self, Access, Operation};
use crate::identity::viewer::{Identity, Viewer};
use crate::platform::Platform;
use crate::{Error, Result};

mod document;
mod parse;

use parse::Incoming;
pub use parse::{Format, MAX_EVENT_BYTES, MAX_EVENTS};

/// How often a request is tried whose ids or key somebody else sends at the same moment: the second time they are there to be found.
const ATTEMPTS: usize = 3;

/// What was sent.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The `Idempotency-Key`, 1 to 255 bytes, where there is one.
    pub key: Option<&'a str>,
    /// The events.
    pub body: &'a [u8],
    /// How they are written.
    pub format: Format,
}

/// What became of a submission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Each event, in the order in which it was sent.
    pub events: Vec<Placed>,
    /// Whether this is the answer to an earlier request with the same key.
    pub is_replayed: bool,
}

impl Receipt {
    /// Whether this request has recorded anything.
    #[must_use]
    pub fn is_new(&self) -> bool {
        !self.is_replayed && self.events.iter().any(|event| !event.known)
    }
}

/// Where an event is in the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placed {
    /// Its id here, a UUIDv7.
    pub id: Uuid,
    /// Its position in the organization's trail.
    pub index: i64,
    /// The id that its sender gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// Whether it was recorded by an earlier request.
    pub known: bool,
}

/// Records events of another product for the organization with this slug. When this answers, they are committed.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] naming the event and the field, for what cannot be read, and for a key or an id that was
/// sent before with something else; [`Error::Conflict`] while somebody else sends the same; [`Error::Unavailable`].
/// Nothing is recorded then.
pub async fn record(platform: &Platform, viewer: &Viewer, slug: &str, sent: Submission<'_>) -> Result<Receipt> {
    let access = access::authorize(platform, viewer, slug, Operation::SendEvents).await?;
    let Identity::AccessToken(token) = &viewer.identity else { return Err(Error::Unauthenticated) };
    let events = parse::events(sent.body, sent.format, platform.clock.now(), token.id)?;
    let request =
        Request { platform, access: &access, token: token.id, key: sent.key, sha256: Sha256::digest(sent.body).into() };
    for _ in 1..ATTEMPTS {
        if let Some(receipt) = request.record(&events).await? {
            return Ok(receipt);
        }
    }
    let busy = || Error::Conflict("The same events are being sent at this very moment: try again.".to_owned());
    request.record(&events).await?.ok_or_else(busy)
}

/// A request whose events are read.
struct Request<'a> {
    platform: &'a Platform,
    access: &'a Access,
    token: Uuid,
    key: Option<&'a str>,
    sha256: [u8; 32],
}

impl Request<'_> {
    /// Records what is new, in one transaction; nothing if somebody else recorded the same meanwhile, and it has to be looked at anew.
    async fn record(&self, events: &[Incoming]) -> Result<Option<Receipt>> {
        let mut batch = Batch::begin(self.platform, self.access).await?;
        if let Some(answer) = self.answered(batch.connection()).await? {
            return Ok(Some(Receipt { events: answer, is_replayed: true }));
        }
        let known = self.known(batch.connection(), events).await?;
        let new: Vec<&Incoming> =
            events.iter().zip(&known).filter(|(_, known)| known.is_none()).map(|(event, _)| event).collect();
        let drafts: Vec<Draft> = new.iter().map(|event| event.draft.clone()).collect();
        let recorded = batch.append(&drafts).await?;
        let placed = placed(events, known, &recorded);
        let is_first =
            self.remember(batch.connection(), &new, &recorded).await? && self.keep(batch.connection(), &placed).await?;
        if !is_first {
            return Ok(None);
        }
        batch.commit().await?;
        Ok(Some(Receipt { events: placed, is_replayed: false }))
    }

    /// The answer to an earlier request with the same key.
    async fn answered(&self, connection: &mut PgConnection) -> Result<Option<Vec<Placed>>> {
        let Some(key) = self.key else { return Ok(None) };
        let earlier = sqlx::query!(
            "select body_sha256, answer from orgtrail.ingest_requests where organization_id = $1 and access_token_id = $2 and key = $3",
            self.access.organization().id,
            self.token,
            key
        )
        .fetch_optional(connection)
        .await?;
        let Some(earlier) = earlier else { return Ok(None) };
        if earlier.body_sha256 != self.sha256 {
            return Err(Error::invalid(
                "Idempotency-Key",
                "This key was sent before with another body: choose a new one.",
            ));
        }
        serde_json::from_value(earlier.answer).map(Some).map_err(Error::internal)
    }

    /// For each event where it is, if its id was sent before.
    async fn known(&self, connection: &mut PgConnection, events: &[Incoming]) -> Result<Vec<Option<Placed>>> {
        let ids: Vec<&str> = events.iter().filter_map(|event| event.client_id.as_deref()).collect();
        if ids.is_empty() {
            return Ok(vec![None; events.len()]);
        }
        let found = sqlx::query!(
            "select client_id, sha256, event_id, index from orgtrail.ingested_ids where organization_id = $1 and client_id = any($2)",
            self.access.organization().id,
            &ids as _
        )
        .fetch_all(connection)
        .await?;
        let place = |event: &Incoming| {
            let Some(row) = found.iter().find(|row| Some(&row.client_id) == event.client_id.as_ref()) else {
                return Ok(None);
            };
            if row.sha256 != event.sha256 {
                let message = "An event with this id was sent before, and was another one.";
                return Err(Error::invalid(&event.id_path, message));
            }
            Ok(Some(Placed { id: row.event_id, index: row.index, client_id: event.client_id.clone(), known: true }))
        };
        events.iter().map(place).collect()
    }

    /// Notes the ids of new events; false if one of them is noted already.
    async fn remember(&self, connection: &mut PgConnection, new: &[&Incoming], recorded: &[Recorded]) -> Result<bool> {
        let named = || new.iter().zip(recorded).filter(|(event, _)| event.client_id.is_some());
        let ids: Vec<&str> = named().filter_map(|(event, _)| event.client_id.as_deref()).collect();
        if ids.is_empty() {
            return Ok(true);
        }
        let hashes: Vec<&[u8]> = named().map(|(event, _)| event.sha256.as_slice()).collect();
        let events: Vec<Uuid> = named().map(|(_, place)| place.id).collect();
        let indexes: Vec<i64> = named().map(|(_, place)| place.index).collect();
        let noted = sqlx::query!(
            "insert into orgtrail.ingested_ids (organization_id, client_id, sha256, event_id, index)
            select $1, client_id, sha256, event_id, index
            from unnest($2::text[], $3::bytea[], $4::uuid[], $5::bigint[]) as sent (client_id, sha256, event_id, index)
            on conflict do nothing",
            self.access.organization().id,
            &ids as _,
            &hashes as _,
            &events,
            &indexes
        )
        .execute(connection)
        .await?;
        Ok(usize::try_from(noted.rows_affected()).is_ok_and(|rows| rows == ids.len()))
    }

    /// Keeps the answer under the request's key; false if there is one already.
    async fn keep(&self, connection: &mut PgConnection, answer: &[Placed]) -> Result<bool> {
        let Some(key) = self.key else { return Ok(true) };
        let kept = sqlx::query!(
            "insert into orgtrail.ingest_requests (organization_id, access_token_id, key, body_sha256, answer)
            values ($1, $2, $3, $4, $5) on conflict do nothing",
            self.access.organization().id,
            self.token,
            key,
            self.sha256.as_slice(),
            serde_json::to_value(answer).map_err(Error::internal)?
        )
        .execute(connection)
        .await?;
        Ok(kept.rows_affected() == 1)
    }
}

/// Every event with its place: known ones where they are, the others where they were just recorded.
fn placed(events: &[Incoming], known: Vec<Option<Placed>>, recorded: &[Recorded]) -> Vec<Placed> {
    let mut recorded = recorded.iter();
    let place = |(event, known): (&Incoming, Option<Placed>)| {
        known.or_else(|| {
            let Recorded { id, index, .. } = recorded.next()?;
            Some(Placed { id: *id, index: *index, client_id: event.client_id.clone(), known: false })
        })
    };
    events.iter().zip(known).filter_map(place).collect()
}
