//! What the audit-log page shows: plain values that the server makes and the browser prints.
//!
//! Times arrive as text in UTC, so that both sides print the same and the browser carries no time-zone database.

use serde::{Deserialize, Serialize};

/// One page of the trail, newest first, at most [`PAGE_SIZE`] events.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventPage {
    /// The range that was read.
    pub range: RangeView,
    /// The filters as understood, for the form and the chips.
    pub filter: FilterView,
    /// The events, newest first.
    pub events: Vec<EventRow>,
    /// Cursor for `before=`: the page of newer events, if there is one.
    pub newer: Option<String>,
    /// Cursor for `after=`: the page of older events, if there is one.
    pub older: Option<String>,
    /// Whether the organization's trail holds any event that this page could show without filters.
    pub trail_is_empty: bool,
    /// Moment up to which the trail was complete when it was read.
    pub complete_through: Moment,
    /// What is wrong with the trail, if anything is known to be.
    pub damage: Option<Damage>,
    /// Query string of the export that downloads what the filters show, without `?`; always names range and kinds.
    pub export_query: String,
}

/// What was found when the trail was read again: it is not as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// When it was found first.
    pub found_at: Moment,
    /// A sentence for each thing that is wrong, at most 20.
    pub problems: Vec<String>,
}

/// Events on one page (contract §3).
pub const PAGE_SIZE: i64 = 50;

/// A moment, printed once on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// RFC 3339, UTC, microseconds, `Z`: for `<time datetime>` and for scripts.
    pub rfc3339: String,
    /// For reading, in UTC: `22 Nov 2026 03:11:39`.
    pub utc: String,
    /// Distance to the server's clock when the page was made: `4 minutes ago`.
    pub relative: String,
}

/// The resolved bounds of a page, in the zone that the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeView {
    /// The preset in the URL (`24h`, `7d`, `30d`, `90d`, `month`), or none for typed dates.
    pub preset: Option<String>,
    /// First calendar day, `YYYY-MM-DD`, in `zone`.
    pub first_day: String,
    /// Last calendar day (included), `YYYY-MM-DD`, in `zone`.
    pub last_day: String,
    /// First day that can be chosen: today − 89, in `zone`.
    pub earliest_day: String,
    /// Today in `zone`: the last day that can be chosen.
    pub today: String,
    /// Name of the zone (IANA), `UTC` unless chosen.
    pub zone: String,
    /// Whether both bounds are whole days in `zone`; a link names them as days then, as instants otherwise.
    pub whole_days: bool,
    /// For reading: `24 Oct – 22 Nov 2026`, with times where the bounds are not whole days.
    pub label: String,
    /// First instant, RFC 3339 UTC (included).
    pub start: String,
    /// Last instant, RFC 3339 UTC (excluded).
    pub end: String,
}

/// The filters as understood, in the form in which the URL holds them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilterView {
    /// Chosen kinds; the page starts with `change`.
    pub kinds: Vec<String>,
    /// Chosen actions and groups (`member.*`).
    pub actions: Vec<String>,
    /// The chosen actor.
    pub actor: Option<ActorChoice>,
    /// Object filter as in the URL: `member` or `member:ID`.
    pub object: Option<String>,
    /// Words to search for.
    pub words: Option<String>,
}

/// An actor that the picker offers or the filter names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorChoice {
    /// As in the URL: `user:ID` or `token:ID`.
    pub value: String,
    /// Name to read; the id where the trail knows no name.
    pub label: String,
    /// Second line: e-mail address, or `access token`.
    pub note: String,
}

/// One row of the table. The JSON of an event is not in it: only the opened event's is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventRow {
    /// UUID of the event.
    pub id: String,
    /// Position in the trail.
    pub index: i64,
    /// `change`, `login`, `operation`, `export`.
    pub kind: String,
    /// Dotted name.
    pub action: String,
    /// When it happened.
    pub occurred_at: Moment,
    /// Who did it.
    pub actor: ActorView,
    /// The sentence of the catalogue.
    pub sentence: Sentence,
    /// `success`, `failure`, `denied`, `empty`, `aborted`.
    pub outcome: String,
    /// Address of the client, if known.
    pub ip: Option<String>,
    /// What only its kind has, in the further column of a table of that kind alone: the e-mail as typed, the name that the client gave to
    /// an operation, the number of rows taken out; none for changes.
    pub extra: Option<String>,
}

/// A sentence in parts, so that names can be set in bold without markup in data.
pub type Sentence = Vec<SentencePart>;

/// A piece of a [`Sentence`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentencePart {
    /// The text, with control and bidi characters made visible.
    pub text: String,
    /// Whether it names something (bold).
    pub strong: bool,
}

/// An actor as the table shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorView {
    /// The filter that shows everything this actor did: `user:ID` or `token:ID`; none if there is no actor (a sign-in by a stranger).
    pub filter: Option<String>,
    /// Name to read.
    pub name: String,
    /// Second line: e-mail address, or `access token · by Linus T.`.
    pub note: String,
    /// Whether an access token did it.
    pub is_token: bool,
    /// One or two letters for the avatar.
    pub initials: String,
}

/// Everything about one event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventDetail {
    /// The row of the table.
    pub row: EventRow,
    /// When the server wrote it down.
    pub recorded_at: Moment,
    /// Object type, e.g. `member`.
    pub object_type: String,
    /// Object id.
    pub object_id: Option<String>,
    /// Object name at the time.
    pub object_name: Option<String>,
    /// Filter for the history of this object: `member:ID`.
    pub object_filter: Option<String>,
    /// Id of the request that did it.
    pub request_id: Option<String>,
    /// Client's User-Agent as sent.
    pub user_agent: Option<String>,
    /// Further facts of the event's kind, in reading order: name and value.
    pub facts: Vec<(String, String)>,
    /// The fields that differ between previous and next.
    pub changed: Vec<FieldDiff>,
    /// The fields that are the same in both.
    pub unchanged: Vec<FieldDiff>,
    /// `previous` byte for byte.
    pub previous: Option<String>,
    /// `next` byte for byte.
    pub next: Option<String>,
}

/// One field of previous and next, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldDiff {
    /// Dotted path, e.g. `teams` or `settings.url`.
    pub path: String,
    /// JSON text before; none where the field did not exist.
    pub before: Option<String>,
    /// JSON text after; none where the field no longer exists.
    pub after: Option<String>,
}

/// What the download will contain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportCount {
    /// Number of events.
    pub events: i64,
    /// Bytes of the nine-column CSV in its default form, header included.
    pub bytes: i64,
}
