//! E-mail addresses as typed, and the key under which two spellings are the same.

use crate::{Error, Result};

/// An address that can be somebody's: one `@`, something before it, a host after it, at most 320 bytes, no white space or control character.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Longest address in bytes.
    pub const MAX_BYTES: usize = 320;

    /// Accepts an address as a person types it; surrounding spaces are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for the field `email`.
    pub fn parse(typed: &str) -> Result<Self> {
        let address = typed.trim();
        let plausible = address
            .split_once('@')
            .is_some_and(|(local, host)| !local.is_empty() && host.len() >= 3 && !host.contains('@'));
        let clean = !address.chars().any(|c| c.is_whitespace() || c.is_control());
        if plausible && clean && address.len() <= Self::MAX_BYTES {
            return Ok(Self(address.to_owned()));
        }
        Err(Error::invalid("email", "Write an e-mail address like ada@example.com, at most 320 bytes long."))
    }

    /// The address as typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which the address is unique: lower-cased.
    #[must_use]
    pub fn key(&self) -> String {
        key(&self.0)
    }
}

/// The key of any typed text, address or not, so that throttling does not depend on well-formedness.
#[must_use]
pub fn key(typed: &str) -> String {
    typed.trim().to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_addresses_and_folds_case() {
        assert_eq!(Email::parse(" Ada@Acme.Example ").unwrap().key(), "ada@acme.example");
    }

    #[test]
    fn refuses_what_cannot_be_an_address() {
        let long = format!("{}@example.com", "a".repeat(320));
        for typed in [
            "",
            "ada",
            "@acme.example",
            "ada@",
            "a@b@c.de",
            "ada lovelace@acme.example",
            "ada\u{0}@acme.example",
            &long,
        ] {
            assert!(Email::parse(typed).is_err(), "{typed:?}");
        }
    }
}
