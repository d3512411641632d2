//! Requests of one organization in one transaction: what was sent before is found, the rest is appended, and its ids and answers are noted.

use std::collections::HashSet;

use uuid::Uuid;

use super::earlier::{self, Known};
use super::{Incoming, Placed, Receipt, Request};
use crate::audit::append::Recorded;
use crate::audit::change::Batch;
use crate::platform::Platform;
use crate::{Error, Result, meter};

/// Records what is new of the requests, and answers them. No answer has a request that shares a key or an id with another one before it: it
/// has to be looked at anew, when that is recorded. If somebody else recorded the same meanwhile, nothing is recorded, and whatever is new
/// has no answer.
pub(super) async fn record(platform: &Platform, requests: &[&Request]) -> Result<Vec<Option<Result<Receipt>>>> {
    let Some(first) = requests.first() else { return Ok(Vec::new()) };
    meter::grouped(requests.len());
    let mut batch = Batch::begin(platform, first.organization).await?;
    let replies = earlier::replies(batch.connection(), first.organization, requests).await?;
    let known = earlier::known(batch.connection(), first.organization, requests).await?;
    let mut taken = Taken::default();
    let mut answers = Vec::with_capacity(requests.len());
    let mut chosen = Vec::new();
    for (at, (request, reply)) in requests.iter().zip(replies).enumerate() {
        let answer = match reply {
            Some(reply) => Some(reply.map(|events| Receipt { events, is_replayed: true })),
            None => match places(request, &known) {
                Err(refused) => Some(Err(refused)),
                Ok(places) => {
                    if taken.take(request, &places) {
                        chosen.push(Chosen { at, request, places });
                    }
                    None
                }
            },
        };
        answers.push(answer);
    }
    if append(batch, &mut chosen).await? {
        for Chosen { at, places, .. } in chosen {
            answers[at] = Some(Ok(Receipt { events: places.into_iter().flatten().collect(), is_replayed: false }));
        }
    }
    Ok(answers)
}

/// A request that is recorded now, with the places of its events: none yet for those that are new.
pub(super) struct Chosen<'a> {
    at: usize,
    pub(super) request: &'a Request,
    pub(super) places: Vec<Option<Placed>>,
}

/// Appends what is new, and commits; false if somebody else recorded some of it meanwhile, and nothing was.
async fn append(mut batch: Batch, chosen: &mut [Chosen<'_>]) -> Result<bool> {
    let new: Vec<&Incoming> = chosen.iter().flat_map(Chosen::unplaced).collect();
    let events: Vec<_> = new.iter().map(|incoming| &incoming.event).collect();
    let recorded = batch.append(&events).await?;
    let organization = batch.organization();
    let mut is_first = earlier::note_ids(batch.connection(), organization, &new, &recorded).await?;
    let mut recorded = recorded.into_iter();
    for request in chosen.iter_mut() {
        request.place(&mut recorded);
    }
    is_first = is_first && earlier::note_answers(batch.connection(), organization, chosen).await?;
    if is_first {
        batch.commit().await?;
    }
    Ok(is_first)
}

impl<'a> Chosen<'a> {
    /// The events that are not recorded yet.
    fn unplaced(&self) -> impl Iterator<Item = &'a Incoming> {
        self.request.events.iter().zip(&self.places).filter(|(_, place)| place.is_none()).map(|(event, _)| event)
    }

    /// Gives the new events their places.
    fn place(&mut self, recorded: &mut impl Iterator<Item = Recorded>) {
        for (event, place) in self.request.events.iter().zip(&mut self.places) {
            if place.is_none() {
                *place = recorded.next().map(|Recorded { id, index, .. }| Placed {
                    id,
                    index,
                    client_id: event.client_id.clone(),
                    known: false,
                });
            }
        }
    }
}

/// For each event of a request where it is, if its id was sent before.
fn places(request: &Request, known: &Known) -> Result<Vec<Option<Placed>>> {
    let place = |event: &Incoming| match event.client_id.as_ref().and_then(|id| known.get(id)) {
        Some((sha256, _)) if *sha256 != event.sha256 => {
            let message = "An event with this id was sent before, and was another one.";
            Err(Error::invalid(&event.id_path, message))
        }
        found => Ok(found.map(|(_, place)| place.clone())),
    };
    request.events.iter().map(place).collect()
}

/// What the requests that are recorded now claim for themselves.
#[derive(Default)]
struct Taken<'a> {
    keys: HashSet<(Uuid, &'a str)>,
    ids: HashSet<&'a str>,
}

impl<'a> Taken<'a> {
    /// Takes the request's key and its new ids; false, and nothing is taken, if another has one of them.
    fn take(&mut self, request: &'a Request, places: &[Option<Placed>]) -> bool {
        let new = request.events.iter().zip(places).filter(|(_, place)| place.is_none());
        let ids: Vec<&str> = new.filter_map(|(event, _)| event.client_id.as_deref()).collect();
        let key = request.key.as_deref().map(|key| (request.token, key));
        if ids.iter().any(|id| self.ids.contains(id)) || key.is_some_and(|key| self.keys.contains(&key)) {
            return false;
        }
        self.ids.extend(ids);
        self.keys.extend(key);
        true
    }
}
