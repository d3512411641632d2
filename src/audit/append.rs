//! Appending to the trail, under the lock of its head: the only place where events are written.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::action::Action;
use super::csv::{self, Escaping};
use super::event::{Actor, Kind, Outcome};
use super::operation::OperationFacts;
use super::redact::Redactor;
use super::words;
use crate::identity::viewer::Origin;
use crate::platform::{Clock, Platform};
use crate::storage;
use crate::{Error, Result};

mod columns;

use columns::Columns;

/// What an event is about: type, id and name at the time.
#[derive(Debug, Clone)]
pub struct Object {
    kind: &'static str,
    id: String,
    name: String,
}

impl Object {
    /// An object of ours.
    pub fn new(kind: &'static str, id: impl ToString, name: impl Into<String>) -> Self {
        Self { kind, id: id.to_string(), name: name.into() }
    }

    /// Its id, as events hold it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }
}

/// One of our own events, before the change it belongs to gives it actor, origin, place and time.
#[derive(Debug, Clone)]
pub struct NewEvent {
    action: Action,
    object: Object,
    pub(super) outcome: Outcome,
    previous: Option<String>,
    next: Option<String>,
    export: Option<ExportFacts>,
}

impl NewEvent {
    /// `action` was done to `object`, with success.
    #[must_use]
    pub fn new(action: Action, object: Object) -> Self {
        Self { action, object, outcome: Outcome::Success, previous: None, next: None, export: None }
    }

    /// The object's whole state before.
    #[must_use]
    pub fn previous(mut self, state: &serde_json::Value) -> Self {
        self.previous = Some(state.to_string());
        self
    }

    /// The object's whole state after.
    #[must_use]
    pub fn next(mut self, state: &serde_json::Value) -> Self {
        self.next = Some(state.to_string());
        self
    }

    /// It ended otherwise than well.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// It took records out of a model.
    #[must_use]
    pub(crate) fn exported(mut self, facts: ExportFacts) -> Self {
        self.export = Some(facts);
        self
    }

    /// The event as done by `actor` from `origin`.
    pub(super) fn by(self, actor: &Actor, origin: &Origin) -> Draft {
        Draft {
            outcome: self.outcome,
            actor: actor.clone(),
            object_type: self.object.kind.to_owned(),
            object_id: Some(self.object.id),
            object_name: Some(self.object.name),
            previous: self.previous,
            next: self.next,
            origin: origin.clone(),
            export: self.export,
            ..Draft::new(self.action)
        }
    }
}

/// An event that has everything but its place in the trail: `index`, `id`, `recorded_at`.
#[derive(Debug, Clone)]
pub struct Draft {
    /// Kind.
    pub kind: Kind,
    /// Dotted name, one of the catalogue or another product's.
    pub action: String,
    /// When it happened, where that is not the moment of recording: claimed by another product, or the moment of a sign-in attempt.
    pub claimed_at: Option<DateTime<Utc>>,
    /// Who did it.
    pub actor: Actor,
    /// What it is about.
    pub object_type: String,
    /// Its id.
    pub object_id: Option<String>,
    /// Its name at the time.
    pub object_name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// State before: JSON text, kept byte for byte.
    pub previous: Option<String>,
    /// State after: JSON text, kept byte for byte.
    pub next: Option<String>,
    /// Where it came from.
    pub origin: Origin,
    /// The access token that sent another product's event.
    pub source_access_token_id: Option<Uuid>,
    /// Facts of a sign-in attempt.
    pub login: Option<LoginFacts>,
    /// Facts of a mutation.
    pub operation: Option<OperationFacts>,
    /// Facts of an export of a model's records.
    pub export: Option<ExportFacts>,
}

/// What only a sign-in attempt has.
#[derive(Debug, Clone)]
pub struct LoginFacts {
    /// `login`, `signup`.
    pub method: String,
    /// The address as typed.
    pub email: String,
}

/// What only an export of a model's records has.
#[derive(Debug, Clone)]
pub struct ExportFacts {
    /// Name of the model at the time.
    pub model: String,
    /// Records that were taken out.
    pub rows: i64,
    /// SHA-256 of what was taken out, where that is whole.
    pub sha256: Option<[u8; 32]>,
    /// Whether the model is a demonstration's: not among an organization's exports (contract §5).
    pub of_demo: bool,
}

impl Draft {
    /// A successful event of ours without an actor yet, about an object of the action's type.
    #[must_use]
    pub fn new(action: Action) -> Self {
        Self::named(action.kind(), action.name(), action.object_type())
    }

    /// A successful event with a name that need not be of the catalogue.
    #[must_use]
    pub fn named(kind: Kind, action: &str, object_type: &str) -> Self {
        Self {
            kind,
            action: action.to_owned(),
            claimed_at: None,
            actor: Actor::default(),
            object_type: object_type.to_owned(),
            object_id: None,
            object_name: None,
            outcome: Outcome::Success,
            previous: None,
            next: None,
            origin: Origin::default(),
            source_access_token_id: None,
            login: None,
            operation: None,
            export: None,
        }
    }

    /// What a search finds it by.
    fn words(&self) -> String {
        let (user, token) = (self.actor.user.as_ref(), self.actor.access_token.as_ref());
        let texts = [
            Some(self.action.as_str()),
            user.map(|user| user.id.as_str()),
            user.and_then(|user| user.name.as_deref()),
            user.and_then(|user| user.email.as_deref()),
            token.map(|token| token.id.as_str()),
            token.and_then(|token| token.name.as_deref()),
            Some(self.object_type.as_str()),
            self.object_id.as_deref(),
            self.object_name.as_deref(),
            self.login.as_ref().map(|login| login.email.as_str()),
            self.operation.as_ref().and_then(|operation| operation.name.as_deref()),
            self.origin.ip.as_deref(),
        ];
        let documents = [self.previous.as_deref(), self.next.as_deref()];
        words::of_event(texts.into_iter().flatten(), documents.into_iter().flatten())
    }

    /// Bytes of its nine-column CSV record in an escaping. The time does not matter: it always has the same length.
    fn csv_length(&self, escaping: Escaping) -> i32 {
        let (user, token) = (self.actor.user.as_ref(), self.actor.access_token.as_ref());
        let fields: [&str; 9] = [
            "2026-01-01T00:00:00.000000Z",
            token.map_or("", |token| &token.id),
            token.and_then(|token| token.name.as_deref()).unwrap_or(""),
            user.map_or("", |user| &user.id),
            user.and_then(|user| user.name.as_deref()).unwrap_or(""),
            user.and_then(|user| user.email.as_deref()).unwrap_or(""),
            &self.action,
            self.previous.as_deref().unwrap_or(""),
            self.next.as_deref().unwrap_or(""),
        ];
        i32::try_from(csv::record_length(&fields.map(str::as_bytes), escaping)).unwrap_or(i32::MAX)
    }
}

/// A draft as it is kept: without what is secret in it, and with what takes longer to find out than all the rest of writing it. So this is
/// done before anybody has to wait for the head.
#[derive(Debug)]
pub struct Measured {
    draft: Draft,
    /// Bytes of its nine-column CSV record in the two escapings.
    csv_safe_length: i32,
    csv_raw_length: i32,
    words: String,
}

impl Measured {
    /// A draft of the organization that the redactor is of.
    pub(super) fn new(redactor: &Redactor, draft: Draft) -> Self {
        let draft = redactor.draft(draft);
        let (safe, raw) = (draft.csv_length(Escaping::FormulaSafe), draft.csv_length(Escaping::Raw));
        Self { csv_safe_length: safe, csv_raw_length: raw, words: draft.words(), draft }
    }

    /// Its kind.
    pub(super) fn kind(&self) -> Kind {
        self.draft.kind
    }

    /// The drafts of an organization, in their order.
    pub(super) fn all(platform: &Platform, organization: Uuid, drafts: Vec<Draft>) -> Vec<Self> {
        let redactor = platform.keys.redaction.of(organization);
        drafts.into_iter().map(|draft| Self::new(&redactor, draft)).collect()
    }
}

/// Where an event has gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Id, a UUIDv7 of the moment of recording.
    pub id: Uuid,
    /// Position in the organization's trail.
    pub index: i64,
    /// Moment of recording.
    pub recorded_at: DateTime<Utc>,
}

/// Appends `drafts`, without what is secret in them, in their order to the trail of `organization`, to which the transaction is bound, and leaves the head locked until it
/// ends: so this comes last, and indexes are given in the order of commits.
pub(crate) async fn append(
    connection: &mut PgConnection,
    organization: Uuid,
    platform: &Platform,
    drafts: Vec<Draft>,
) -> Result<Vec<Recorded>> {
    let measured = Measured::all(platform, organization, drafts);
    append_measured(connection, organization, &platform.clock, &measured.iter().collect::<Vec<_>>()).await
}

/// Likewise, what was measured before.
pub(super) async fn append_measured(
    connection: &mut PgConnection,
    organization: Uuid,
    clock: &Clock,
    events: &[&Measured],
) -> Result<Vec<Recorded>> {
    if events.is_empty() {
        return Ok(Vec::new());
    }
    let mut columns = Columns::of(events);
    let places = take_places(connection, organization, clock, events.len()).await?;
    columns.place(events, &places);
    columns.insert(connection, organization).await?;
    Ok(places)
}

/// Locks the head and moves it on by `count` places, a microsecond apart at least.
async fn take_places(
    connection: &mut PgConnection,
    organization: Uuid,
    clock: &Clock,
    count: usize,
) -> Result<Vec<Recorded>> {
    let count = i64::try_from(count).map_err(Error::internal)?;
    let head = sqlx::query!(
        r#"update orgtrail.trail_heads set
            next_index = next_index + $2,
            last_recorded_at = greatest(coalesce($3, clock_timestamp()), last_recorded_at + interval '1 microsecond') + ($2 - 1) * interval '1 microsecond'
        where organization_id = $1
        returning next_index, last_recorded_at, clock_timestamp() as "now!""#,
        organization,
        count,
        clock.simulated_now()
    )
    .fetch_optional(&mut *connection)
    .await?
    .ok_or_else(|| Error::internal(format!("organization {organization} has no trail")))?;
    refuse_a_head_in_the_future(head.last_recorded_at - TimeDelta::microseconds(count - 1), head.now)?;
    (1..=count)
        .map(|place| {
            let recorded_at = head.last_recorded_at - TimeDelta::microseconds(count - place);
            Ok(Recorded { id: storage::new_id(recorded_at)?, index: head.next_index - count + place - 1, recorded_at })
        })
        .collect()
}

/// After a jump of the clock the trail must not run ahead of it: refused and said, not repaired (contract §9).
fn refuse_a_head_in_the_future(first: DateTime<Utc>, now: DateTime<Utc>) -> Result<()> {
    if first - now <= TimeDelta::seconds(5) {
        return Ok(());
    }
    let (first, now) =
        (first.to_rfc3339_opts(SecondsFormat::Millis, true), now.to_rfc3339_opts(SecondsFormat::Millis, true));
    let cause = format!(
        "the trail's last event is at {first}, but the database's clock shows {now}: set the clock right, or wait"
    );
    Err(Error::Unavailable(cause.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_slightly_ahead_is_fine_and_far_ahead_is_refused() {
        let now = DateTime::<Utc>::UNIX_EPOCH;
        assert!(refuse_a_head_in_the_future(now + TimeDelta::seconds(5), now).is_ok());
        let refused = refuse_a_head_in_the_future(now + TimeDelta::seconds(6), now).unwrap_err();
        assert_eq!(refused.status(), 503);
    }
}
