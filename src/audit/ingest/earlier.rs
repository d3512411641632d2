//! What was sent before: answers by the keys of their requests, and events by their senders' ids.

use std::collections::HashMap;

use sqlx::PgConnection;
use uuid::Uuid;

use super::group::Chosen;
use super::{Incoming, Placed, Request};
use crate::audit::append::Recorded;
use crate::{Error, Result};

/// Events by the ids that their senders gave them: the hash of what was sent, and where it is.
pub(super) type Known = HashMap<String, (Vec<u8>, Placed)>;

/// For each request the answer to an earlier one with the same key, or the refusal of a key that was sent with another body.
pub(super) async fn replies(
    connection: &mut PgConnection,
    organization: Uuid,
    requests: &[&Request],
) -> Result<Vec<Option<Result<Vec<Placed>>>>> {
    let keyed = || requests.iter().filter_map(|request| Some((request.token, request.key.as_deref()?)));
    let (tokens, keys): (Vec<Uuid>, Vec<&str>) = keyed().unzip();
    if keys.is_empty() {
        return Ok(requests.iter().map(|_| None).collect());
    }
    let found = sqlx::query!(
        r#"select sender_id, key, body_sha256, answer from orgtrail.ingest_requests
        where organization_id = $1 and (sender_id, key) in (select * from unnest($2::uuid[], $3::text[]))"#,
        organization,
        &tokens,
        &keys as _
    )
    .fetch_all(connection)
    .await?;
    let found: HashMap<_, _> =
        found.iter().map(|row| ((row.sender_id, row.key.as_str()), (&row.body_sha256, &row.answer))).collect();
    let reply = |request: &&Request| {
        let (sha256, answer) = found.get(&(request.token, request.key.as_deref()?))?;
        if request.sha256 == sha256.as_slice() {
            return Some(serde_json::from_value((*answer).clone()).map_err(Error::internal));
        }
        let message = "This key was sent before with another body: choose a new one.";
        Some(Err(Error::invalid("Idempotency-Key", message)))
    };
    Ok(requests.iter().map(reply).collect())
}

/// The events of the requests that were sent before, by their ids.
pub(super) async fn known(connection: &mut PgConnection, organization: Uuid, requests: &[&Request]) -> Result<Known> {
    let events = requests.iter().flat_map(|request| &request.events);
    let ids: Vec<&str> = events.filter_map(|event| event.client_id.as_deref()).collect();
    if ids.is_empty() {
        return Ok(Known::new());
    }
    let found = sqlx::query!(
        "select client_id, sha256, event_id, index from orgtrail.ingested_ids where organization_id = $1 and client_id = any($2)",
        organization,
        &ids as _
    )
    .fetch_all(connection)
    .await?;
    let known = found.into_iter().map(|row| {
        let place = Placed { id: row.event_id, index: row.index, client_id: Some(row.client_id.clone()), known: true };
        (row.client_id, (row.sha256, place))
    });
    Ok(known.collect())
}

/// Notes the ids of new events; false if one of them is noted already.
pub(super) async fn note_ids(
    connection: &mut PgConnection,
    organization: Uuid,
    new: &[&Incoming],
    recorded: &[Recorded],
) -> Result<bool> {
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
        organization,
        &ids as _,
        &hashes as _,
        &events,
        &indexes
    )
    .execute(connection)
    .await?;
    Ok(usize::try_from(noted.rows_affected()).is_ok_and(|rows| rows == ids.len()))
}

/// Notes the answers of requests under their keys; false if there is one already.
pub(super) async fn note_answers(
    connection: &mut PgConnection,
    organization: Uuid,
    answered: &[Chosen<'_>],
) -> Result<bool> {
    let keyed: Vec<_> = answered.iter().filter_map(|chosen| Some((chosen, chosen.request.key.as_deref()?))).collect();
    if keyed.is_empty() {
        return Ok(true);
    }
    let tokens: Vec<Uuid> = keyed.iter().map(|(chosen, _)| chosen.request.token).collect();
    let keys: Vec<&str> = keyed.iter().map(|(_, key)| *key).collect();
    let hashes: Vec<&[u8]> = keyed.iter().map(|(chosen, _)| chosen.request.sha256.as_slice()).collect();
    let answers = keyed.iter().map(|(chosen, _)| serde_json::to_string(&chosen.places));
    let answers: Vec<String> = answers.collect::<Result<_, _>>().map_err(Error::internal)?;
    let noted = sqlx::query!(
        "insert into orgtrail.ingest_requests (organization_id, sender_id, key, body_sha256, answer)
        select $1, sender_id, key, body_sha256, answer::json
        from unnest($2::uuid[], $3::text[], $4::bytea[], $5::text[]) as sent (sender_id, key, body_sha256, answer)
        on conflict do nothing",
        organization,
        &tokens,
        &keys as _,
        &hashes as _,
        &answers
    )
    .execute(connection)
    .await?;
    Ok(usize::try_from(noted.rows_affected()).is_ok_and(|rows| rows == keys.len()))
}
