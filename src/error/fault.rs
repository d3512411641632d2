//! Input that is wrong in several places: what is wrong, place by place.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Error;

/// Most places that are told; the others are counted.
const MAX_TOLD: usize = 50;

/// Most characters of what is told of one place.
const MAX_CHARS: usize = 500;

/// Places that the short form of the whole names.
const IN_SHORT: usize = 3;

/// One input with what is wrong in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    /// Name of the field as the caller wrote it.
    pub field: String,
    /// A whole sentence for a person: what was refused, and that nothing was changed.
    pub message: String,
    /// What is wrong, at most 50 places.
    pub faults: Vec<Fault>,
    /// How many further places are not told.
    pub further: usize,
}

/// One place in an input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// The subgraph or document that has it, where that is known.
    pub part: Option<String>,
    /// Line, from 1, where it is known.
    pub line: Option<u32>,
    /// Column in characters, from 1, where it is known.
    pub column: Option<u32>,
    /// What is wrong, as the library says it.
    pub message: String,
}

impl Fault {
    /// Something wrong with the whole.
    pub fn new(message: impl Into<String>) -> Self {
        let mut message: String = message.into();
        if let Some((cut, _)) = message.char_indices().nth(MAX_CHARS) {
            message.truncate(cut);
            message.push('…');
        }
        Self { part: None, line: None, column: None, message }
    }

    /// Something wrong with one part.
    pub fn of(part: &str, message: impl Into<String>) -> Self {
        Self { part: Some(part.to_owned()), ..Self::new(message) }
    }

    /// Something wrong in the text of one part, `offset` bytes from its start.
    pub fn at(part: &str, text: &str, offset: usize, message: impl Into<String>) -> Self {
        let before = text.get(..offset.min(text.len())).unwrap_or_default();
        let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line: u32::try_from(line).ok(), column: u32::try_from(column).ok(), ..Self::of(part, message) }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(part) = &self.part {
            write!(out, "{part}")?;
            if let (Some(line), Some(column)) = (self.line, self.column) {
                write!(out, ":{line}:{column}")?;
            }
            out.write_str(": ")?;
        }
        out.write_str(&self.message)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.field, self.in_short())
    }
}

impl Faulty {
    /// The sentence alone, for who lists the places below it.
    #[must_use]
    pub fn headline(&self) -> String {
        match self.further {
            0 => self.message.clone(),
            further => format!("{} {further} more places are not listed.", self.message),
        }
    }

    /// The sentence with the first places, for who cannot list them.
    pub(super) fn in_short(&self) -> String {
        let told: Vec<String> = self.faults.iter().take(IN_SHORT).map(ToString::to_string).collect();
        let more = self.faults.len().saturating_sub(IN_SHORT) + self.further;
        let rest = if more == 0 { String::new() } else { format!("; and {more} more") };
        format!("{} {}{rest}", self.message, told.join("; "))
    }
}

impl Error {
    /// Refuses the input `field` for what is wrong in it, with a sentence that says what was refused.
    pub fn faulty(field: impl Into<String>, message: impl Into<String>, mut faults: Vec<Fault>) -> Self {
        let further = faults.len().saturating_sub(MAX_TOLD);
        faults.truncate(MAX_TOLD);
        Self::Faulty(Faulty { field: field.into(), message: message.into(), faults, further })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_lines_and_characters() {
        let text = "äö\nb é!";
        let at = |offset| {
            let fault = Fault::at("a", text, offset, "wrong");
            (fault.line, fault.column)
        };
        assert_eq!(at(0), (Some(1), Some(1)));
        assert_eq!(at(text.find('!').unwrap()), (Some(2), Some(4)));
        assert_eq!(at(1000), (Some(2), Some(5)));
        assert_eq!(Fault::at("a", text, 0, "wrong").to_string(), "a:1:1: wrong");
        assert_eq!(Fault::new("x".repeat(1000)).message.chars().count(), MAX_CHARS + 1);
    }

    #[test]
    fn a_long_list_is_told_in_part_and_counted() {
        let faults = (0..60).map(|number| Fault::of("a", number.to_string())).collect();
        let error = Error::faulty("schema", "This schema does not compose.", faults);
        assert_eq!((error.status(), error.field(), error.faults().len()), (422, Some("schema"), 50));
        let Error::Faulty(faulty) = &error else { unreachable!("that is what was made") };
        assert_eq!(faulty.headline(), "This schema does not compose. 10 more places are not listed.");
        assert_eq!(error.message(), "This schema does not compose. a: 0; a: 1; a: 2; and 57 more");
    }
}
