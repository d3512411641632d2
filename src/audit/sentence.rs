//! The sentence of an event: what happened, in words, before its dotted name.
//!
//! Each action has a few templates; the first whose condition holds and whose every part is known is taken, and the last of each
//! needs nothing, so that missing or hostile JSON costs words but never the row. What people wrote is only ever a part, never
//! read as a template.

#[cfg(feature = "postgres")]
mod state;
#[cfg(feature = "postgres")]
mod table;
#[cfg(feature = "postgres")]
mod template;

#[cfg(feature = "postgres")]
use super::action::Action;
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
    let state = state::State::of(facts);
    let templates = Action::parse(facts.action).map_or(table::OTHERS, table::templates);
    let taken = templates.iter().find_map(|template| Some((template, template.fill(&state)?)));
    let (says_outcome, parts) = match taken {
        Some((template, parts)) => (template.says_outcome(), parts),
        None => (false, vec![SentencePart { text: state.words_of_action(), strong: false }]),
    };
    if says_outcome { parts } else { with_outcome(facts.outcome, parts) }
}

/// What did not simply succeed says so first: the rest of the sentence tells what was tried.
#[cfg(feature = "postgres")]
fn with_outcome(outcome: Outcome, mut parts: Sentence) -> Sentence {
    let prefix = match outcome {
        Outcome::Success | Outcome::Empty => return parts,
        Outcome::Failure => "Failed: ",
        Outcome::Denied => "Refused: ",
        Outcome::Aborted => "Broken off: ",
    };
    parts.insert(0, SentencePart { text: prefix.to_owned(), strong: false });
    parts
}

#[cfg(all(test, feature = "postgres"))]
mod tests;
