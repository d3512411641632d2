//! Events of other products (contract §6): read strictly, recorded all or none, and each of them once however often it is sent.
//!
//! Each request is authorized and read by itself; recorded together is whatever waits at that moment
//! ([ADR 0023](../../docs/adr/0023-group-commit.md)).

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::append::Measured;
use crate::identity::access::{self, Operation};
use crate::identity::viewer::{Identity, Viewer};
use crate::platform::Platform;
use crate::platform::gather::Gather;
use crate::{Error, Result, trace};

pub(crate) mod document;
mod earlier;
mod group;
pub mod parse;

use parse::Parsed;
pub(crate) use parse::claimed_time;
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

/// A request of an authorized sender whose events were read, and may be recorded. Only [`read`] makes it.
#[derive(Debug)]
struct Request {
    organization: Uuid,
    token: Uuid,
    key: Option<String>,
    /// Hash of the body.
    sha256: [u8; 32],
    events: Vec<Incoming>,
}

/// An event that was read.
#[derive(Debug)]
struct Incoming {
    /// Where its id is in the request, for refusals.
    id_path: String,
    /// The id that its sender gave it.
    client_id: Option<String>,
    /// Hash of what was sent.
    sha256: [u8; 32],
    /// It, but for its place.
    event: Measured,
}

/// Authorizes and reads a request with events of another product for the organization with this slug.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] naming the event and the field, for what cannot be read.
async fn read(platform: &Platform, viewer: &Viewer, slug: &str, sent: Submission<'_>) -> Result<Request> {
    let access = access::authorize(platform, viewer, slug, Operation::SendEvents).await?;
    let Identity::AccessToken(token) = &viewer.identity else { return Err(Error::Unauthenticated) };
    let organization = access.organization().id;
    let parsed = parse::events(sent.body, sent.format, platform.clock.now(), token.id)?;
    let redactor = platform.keys.redaction.of(organization);
    // What takes long is done here, where requests are beside each other: those that are recorded together go one after the other.
    let incoming = |Parsed { id_path, client_id, sha256, draft }| Incoming {
        id_path,
        client_id,
        sha256,
        event: Measured::new(&redactor, draft),
    };
    let events = parsed.into_iter().map(incoming).collect();
    let (key, sha256) = (sent.key.map(str::to_owned), Sha256::digest(sent.body).into());
    Ok(Request { organization, token: token.id, key, sha256, events })
}

/// Most that is recorded together, in bytes of what was sent. An event counts for [`LEAST_WEIGHT`] at least, so that it is some 1,000 events.
const TOGETHER: usize = 1024 * 1024;

/// What the smallest event counts for, in bytes.
const LEAST_WEIGHT: usize = 1024;

/// Most that waits for one organization's trail, in bytes of what was sent.
const WAITING: usize = 16 * 1024 * 1024;

/// Requests that wait to be recorded, by organization.
pub struct IngestQueues(Gather<Uuid, Request, Receipt>);

impl Default for IngestQueues {
    fn default() -> Self {
        Self(Gather::new(TOGETHER, WAITING))
    }
}

impl IngestQueues {
    /// How many requests wait.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.waiting()
    }
}

/// Records events of another product for the organization with this slug, together with what else waits for that. When this answers, they are
/// committed.
///
/// # Errors
/// Those of [`access::authorize`]; [`Error::Invalid`] naming the event and the field, for what cannot be read, and for a key or an id that was
/// sent before with something else; [`Error::Conflict`] while somebody else sends the same; [`Error::Unavailable`], also if too much waits.
/// Nothing is recorded then.
pub async fn record(platform: &Platform, viewer: &Viewer, slug: &str, sent: Submission<'_>) -> Result<Receipt> {
    let weight = sent.body.len();
    let request = read(platform, viewer, slug, sent).await?;
    let (organization, weight) = (request.organization, weight.max(request.events.len() * LEAST_WEIGHT));
    let together = |requests: Vec<Request>| async move { record_all(platform, &requests).await };
    let _span = trace::gathering();
    platform.gathering.events.0.run(organization, request, weight, together).await
}

/// Records requests of one organization, in one transaction where that can be, and answers each, in their order. When this answers, they are
/// committed. What becomes of one is what would have become of it alone: all of it is recorded, or nothing.
///
/// An answer is [`Error::Invalid`] for a key or an id that was sent before with something else; [`Error::Conflict`] while somebody else
/// sends the same; [`Error::Unavailable`]. Nothing of the request is recorded then.
async fn record_all(platform: &Platform, requests: &[Request]) -> Vec<Result<Receipt>> {
    let mut answers: Vec<Option<Result<Receipt>>> = requests.iter().map(|_| None).collect();
    loop {
        let open: Vec<usize> = (0..requests.len()).filter(|at| answers[*at].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let waiting: Vec<&Request> = open.iter().map(|at| &requests[*at]).collect();
        for (at, answer) in open.into_iter().zip(settle(platform, &waiting).await) {
            answers[at] = answer;
        }
    }
    answers.into_iter().flatten().collect()
}

/// The answers of at least one of the requests; none for those that have to wait for another of them.
async fn settle(platform: &Platform, requests: &[&Request]) -> Vec<Option<Result<Receipt>>> {
    match group::record(platform, requests).await {
        Ok(answers) if answers.iter().any(Option::is_some) => answers,
        Err(Error::Unavailable(cause)) => {
            let unavailable = |_| Some(Err(Error::Unavailable(cause.to_string().into())));
            requests.iter().map(unavailable).collect()
        }
        // Somebody else sends the same at this moment, or something of one of them cannot be kept: each by itself, so that it harms no other.
        Ok(_) | Err(_) => {
            let mut answers = Vec::with_capacity(requests.len());
            for request in requests {
                answers.push(Some(alone(platform, request).await));
            }
            answers
        }
    }
}

/// Records one request by itself, anew while somebody else records the same.
async fn alone(platform: &Platform, request: &Request) -> Result<Receipt> {
    for _ in 0..ATTEMPTS {
        if let Some(answer) = group::record(platform, &[request]).await?.into_iter().flatten().next() {
            return answer;
        }
    }
    Err(Error::Conflict("The same events are being sent at this very moment: try again.".to_owned()))
}
