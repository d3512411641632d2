//! Names of people, organizations and tokens.

use crate::{Error, Result};

/// Accepts a name as typed, without surrounding white space: 1–100 characters, none of them a control character. Everything else, markup
/// and right-to-left marks included, is kept as it is and made harmless where it is shown.
///
/// # Errors
/// [`Error::Invalid`] for `field`.
pub fn parse(field: &str, typed: &str) -> Result<String> {
    let name = typed.trim();
    let length = name.chars().count();
    if !(1..=100).contains(&length) {
        return Err(Error::invalid(field, format!("A name has 1 to 100 characters; this one has {length}.")));
    }
    if name.chars().any(char::is_control) {
        return Err(Error::invalid(field, "A name has no line breaks or other control characters."));
    }
    Ok(name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn keeps_names_as_they_are() {
        for name in ["Ada", "<b>Ada</b>", "=1+1", "😀 Ünïcødé", "\u{202e}ada", &"é".repeat(100)] {
            assert_eq!(parse("name", name).unwrap(), name);
        }
        assert_eq!(parse("name", "  Ada  ").unwrap(), "Ada");
    }

    #[test]
    fn refuses_empty_long_and_control() {
        for name in ["", "   ", &"é".repeat(101), "a\nb", "a\0b"] {
            assert!(parse("name", name).is_err(), "{name:?}");
        }
    }
}
