//! The names of graphs, branches and subgraphs.

use crate::organization::slug;
use crate::{Error, Result};

/// The branch that every graph has.
pub const MAIN: &str = "main";

/// Words that are pages beside the graphs.
const RESERVED: [&str; 1] = ["new"];

/// Most characters of a description.
const MAX_DESCRIPTION: usize = 500;

/// Accepts the slug of a graph as typed: formed as an organization's.
///
/// # Errors
/// [`Error::Invalid`] for the field `slug`.
pub fn graph_slug(typed: &str) -> Result<String> {
    if !slug::is_well_formed(typed) {
        return Err(Error::invalid("slug", slug::RULE));
    }
    if RESERVED.contains(&typed) {
        return Err(Error::invalid("slug", format!("“{typed}” is reserved for a page: choose another slug.")));
    }
    Ok(typed.to_owned())
}

/// Accepts a description as typed, without surrounding white space: at most 500 characters, lines among them.
///
/// # Errors
/// [`Error::Invalid`] for the field `description`.
pub fn description(typed: &str) -> Result<String> {
    let text = typed.trim().replace("\r\n", "\n");
    let length = text.chars().count();
    if length > MAX_DESCRIPTION {
        let told = format!("A description has at most {MAX_DESCRIPTION} characters; this one has {length}.");
        return Err(Error::invalid("description", told));
    }
    if text.chars().any(|character| character.is_control() && character != '\n') {
        return Err(Error::invalid("description", "A description has no control characters but line breaks."));
    }
    Ok(text)
}

/// Accepts the name of a branch as typed: 1–60 characters of `A-Z a-z 0-9 . _ -`, a letter or digit first, so that it is a segment of an
/// address as it is.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn branch(field: &str, typed: &str) -> Result<String> {
    let first = typed.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
    let others = typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if first && others && typed.len() <= 60 {
        return Ok(typed.to_owned());
    }
    let rule =
        "The name of a branch has 1 to 60 characters of A-Z, a-z, 0-9, ., _ and -, with a letter or digit first.";
    Err(Error::invalid(field, rule))
}

/// Accepts the name of a subgraph as typed: 1–60 characters of `A-Z a-z 0-9 -`, a letter first: what
/// composing takes.
///
/// # Errors
/// [`Error::Invalid`] for the field `name`.
pub fn subgraph(typed: &str) -> Result<String> {
    let first = typed.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    let others = typed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if first && others && typed.len() <= 60 {
        return Ok(typed.to_owned());
    }
    let rule = "The name of a subgraph has 1 to 60 characters of A-Z, a-z, 0-9 and -, with a letter first.";
    Err(Error::invalid("name", rule))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names() {
        for slug in ["ab", "docs", "inventory-2"] {
            assert_eq!(graph_slug(slug).unwrap(), slug);
        }
        for name in ["main", "v1.2", "7", "a_b-c", &"x".repeat(60)] {
            assert_eq!(branch("name", name).unwrap(), name);
        }
        for name in ["a", "Products", "line-items-2", &"x".repeat(60)] {
            assert_eq!(subgraph(name).unwrap(), name);
        }
        assert_eq!(description("  Two\r\nlines ").unwrap(), "Two\nlines");
    }

    #[test]
    fn refuses_what_could_be_taken_for_something_else() {
        for slug in ["new", "a", "-a", "A1", "a/b", "", "\0\0"] {
            assert_eq!(graph_slug(slug).unwrap_err().field(), Some("slug"), "{slug:?}");
        }
        for name in ["", ".", "..", ".git", "a/b", "a b", "é", "a\0", "<b>", &"x".repeat(61)] {
            assert_eq!(branch("from", name).unwrap_err().field(), Some("from"), "{name:?}");
        }
        for name in ["", "1a", "_a", "a_b", "a.b", "a/b", "=1", "\u{202e}a", &"x".repeat(61)] {
            assert_eq!(subgraph(name).unwrap_err().field(), Some("name"), "{name:?}");
        }
        for text in ["a\0", "\u{1b}[31m", &"é".repeat(501)] {
            assert_eq!(description(text).unwrap_err().field(), Some("description"), "{text:?}");
        }
    }
}
