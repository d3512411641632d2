//! Templates: `[place]` is set in bold, `{place}` is not; what a place may be, `state.rs` says.

use super::state::State;
use crate::audit::event::Outcome;
use crate::audit::view::{Sentence, SentencePart};

/// One way to tell of an event.
pub(super) enum Template {
    /// Whenever its places are known.
    Always(&'static str),
    /// If a field differs between the two states.
    Changed(&'static str, &'static str),
    /// If it ended so; the template says it itself.
    Ended(Outcome, &'static str),
}

impl Template {
    /// The sentence; nothing if the condition does not hold or a place is not known.
    pub(super) fn fill(&self, state: &State<'_>) -> Option<Sentence> {
        let holds = match self {
            Self::Always(_) => true,
            Self::Changed(field, _) => state.is_changed(field),
            Self::Ended(outcome, _) => state.facts.outcome == *outcome,
        };
        if holds { fill(self.text(), state) } else { None }
    }

    /// Whether it says itself how it ended.
    pub(super) const fn says_outcome(&self) -> bool {
        matches!(self, Self::Ended(..))
    }

    pub(super) const fn text(&self) -> &'static str {
        match self {
            Self::Always(text) | Self::Changed(_, text) | Self::Ended(_, text) => text,
        }
    }
}

fn fill(text: &str, state: &State<'_>) -> Option<Sentence> {
    let mut parts = Sentence::new();
    for piece in pieces(text) {
        let (text, strong) = match piece {
            Piece::Words(words) => (words.to_owned(), false),
            Piece::Place { name, strong } => (state.words(name)?, strong),
        };
        parts.push(SentencePart { text, strong });
    }
    Some(parts)
}

/// A part of a template.
pub(super) enum Piece<'a> {
    Words(&'a str),
    Place { name: &'a str, strong: bool },
}

/// Takes a template apart. Each piece ends where the next opens or closes.
pub(super) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let cut = text.split_inclusive(['[', ']', '{', '}']);
    cut.map(|piece| {
        let inner = piece.trim_end_matches(['[', ']', '{', '}']);
        match piece.as_bytes().last() {
            Some(b']') => Piece::Place { name: inner, strong: true },
            Some(b'}') => Piece::Place { name: inner, strong: false },
            _ => Piece::Words(inner),
        }
    })
    .filter(|piece| !matches!(piece, Piece::Words("")))
}
