//! The sentence of an event: what happened, in words, before its dotted name.

#[cfg(feature = "postgres")]
use super::event::Outcome;
#[cfg(feature = "postgres")]
use super::view::{Sentence, SentencePart};

/// What the sentence of an event is made from; everything but the action and the outcome may be missing.
#[cfg(feature = "postgres")]
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Dotted name, of the catalogue or another product's.
    pub action: &'a str,
    /// How it ended.
    pub outcome: Outcome,
    /// Object type, e.g. `member`.
    pub object_type: &'a str,
    /// Name of the object at the time.
    pub object_name: Option<&'a str>,
    /// JSON text of the object before.
    pub previous: Option<&'a str>,
    /// JSON text of the object after.
    pub next: Option<&'a str>,
    /// How somebody signed in or up (`login`, `signup`, `acceptInvite` …); kind `login` only.
    pub login_method: Option<&'a str>,
    /// Name of the operation as the client sent it; kind `operation` only.
    pub operation_name: Option<&'a str>,
    /// Name of the model that was exported; kind `export` only.
    pub export_model: Option<&'a str>,
    /// Rows that were exported; kind `export` only.
    pub export_rows: Option<i64>,
}

/// The sentence of an event.
#[cfg(feature = "postgres")]
#[must_use]
pub fn sentence(facts: &Facts<'_>) -> Sentence {
    vec![SentencePart { text: facts.action.to_owned(), strong: false }]
}
