//! The names of models.

use crate::organization::slug;
use crate::{Error, Result};

/// Words that are pages beside the models.
const RESERVED: [&str; 1] = ["new"];

/// What a name is made of, for people.
const RULE: &str =
    "The name of a model has 2 to 39 characters of a-z, 0-9 and -, with no hyphen first, last or doubled.";

/// Accepts the name of a model as typed: formed as an organization's slug, so that it is a segment of an address and a part of a file's name
/// as it is.
///
/// # Errors
/// [`Error::Invalid`] for the field `name`.
pub fn model_name(typed: &str) -> Result<String> {
    if !slug::is_well_formed(typed) {
        return Err(Error::invalid("name", RULE));
    }
    if RESERVED.contains(&typed) {
        return Err(Error::invalid("name", format!("“{typed}” is reserved for a page: choose another name.")));
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_names() {
        for name in ["fraud", "fraud-2", "42", &"x".repeat(39)] {
            assert_eq!(model_name(name).unwrap(), name);
        }
    }

    #[test]
    fn refuses_what_could_be_taken_for_something_else() {
        for name in ["", "a", "new", "A1", "-a", "a--b", "a/b", "..", "a b", "é1", "a\0", "=1+1", &"x".repeat(40)] {
            assert_eq!(model_name(name).unwrap_err().field(), Some("name"), "{name:?}");
        }
    }
}
