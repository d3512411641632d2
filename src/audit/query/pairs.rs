//! A query string, taken apart strictly.

use crate::{Error, Result};

/// Longest query string in bytes.
pub const MAX_QUERY_BYTES: usize = 8 * 1024;

/// The parameters of a query string: each known, each once, none empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Takes `raw` (without `?`) apart; an empty value counts as absent.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter that is unknown, repeated or cannot be decoded.
    pub fn parse(raw: &str, allowed: &[&str]) -> Result<Self> {
        let _ = (raw, allowed);
        Err(Error::invalid("query", "not yet"))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}
