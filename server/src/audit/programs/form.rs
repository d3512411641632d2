//! The forms of events as programs send them and are told of them, for the description of the routes. What is sent is read by the domain, member
//! by member, so that a refusal can name its place.
#![expect(dead_code, clippy::large_enum_variant, reason = "forms: the values are the domain's")]

use utoipa::ToSchema;
use uuid::Uuid;

/// One event, or several.
#[derive(ToSchema)]
#[serde(untagged)]
pub(super) enum SentEvents {
    /// One.
    One(SentEvent),
    /// Several.
    Several(Several),
}

/// Several events.
#[derive(ToSchema)]
pub(super) struct Several {
    #[schema(min_items = 1, max_items = 1000)]
    events: Vec<SentEvent>,
}

/// An event of another product; at most 64 KiB.
#[derive(ToSchema)]
pub(super) struct SentEvent {
    /// A dotted name of two to four words of small letters, digits and underscores; none of the platform's own.
    #[schema(max_length = 100, example = "invoice.paid")]
    action: String,
    /// Who did it.
    actor: SentActor,
    /// An id of the sender's, unique in the organization: sent again, the event is not recorded again.
    #[schema(min_length = 1, max_length = 256)]
    id: Option<String>,
    /// When it happened: from the first day that is kept to five minutes ahead. The moment of recording without it.
    #[schema(format = DateTime)]
    occurred_at: Option<String>,
    /// What it is about.
    object: Option<SentObject>,
    /// How it ended; `success` without it.
    outcome: Option<SentOutcome>,
    /// The state before, kept byte for byte but for secrets.
    #[schema(value_type = Option<Object>)]
    previous: Option<()>,
    /// The state after.
    #[schema(value_type = Option<Object>)]
    next: Option<()>,
    /// Address of the actor.
    ip: Option<String>,
    /// Client of the actor.
    #[schema(max_length = 512)]
    user_agent: Option<String>,
    /// Id of the actor's request.
    #[schema(max_length = 256)]
    request_id: Option<String>,
}

/// Who did it: a user, an access token, or both.
#[derive(ToSchema)]
pub(super) struct SentActor {
    user: Option<SentUser>,
    access_token: Option<SentToken>,
}

/// A user of the sender's.
#[derive(ToSchema)]
pub(super) struct SentUser {
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    #[schema(max_length = 512)]
    name: Option<String>,
    #[schema(max_length = 512)]
    email: Option<String>,
}

/// An access token of the sender's.
#[derive(ToSchema)]
pub(super) struct SentToken {
    #[schema(min_length = 1, max_length = 256)]
    id: String,
    #[schema(max_length = 512)]
    name: Option<String>,
}

/// What an event is about.
#[derive(ToSchema)]
pub(super) struct SentObject {
    /// A word; the first of the action without it.
    r#type: Option<String>,
    #[schema(max_length = 256)]
    id: Option<String>,
    #[schema(max_length = 512)]
    name: Option<String>,
}

/// How an event ended.
#[derive(ToSchema)]
#[schema(rename_all = "lowercase")]
pub(super) enum SentOutcome {
    Success,
    Failure,
    Denied,
    Empty,
    Aborted,
}

/// Where an event is in the trail.
#[derive(ToSchema)]
pub(super) struct PlacedEvent {
    /// Its id here, a UUIDv7.
    id: Uuid,
    /// Its position in the organization's trail.
    index: i64,
    /// The id that its sender gave it.
    #[schema(nullable = false)]
    client_id: Option<String>,
    /// Whether it was recorded by an earlier request.
    known: bool,
}
