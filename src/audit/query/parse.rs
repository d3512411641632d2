//! From query strings to queries, and back.

use chrono::{DateTime, Utc};

use super::{ExportQuery, PageQuery};
use crate::{Error, Result};

impl PageQuery {
    /// Parameters of the page.
    pub const PARAMETERS: [&str; 12] = ["range", "start", "end", "tz", "kind", "action", "actor", "object", "q", "before", "after", "event"];

    /// Reads the page's query string (without `?`).
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let _ = (raw, now);
        Err(Error::invalid("query", "not yet"))
    }

    /// The same list in canonical form, without page and open event: what links are made of, and the scope of cursors.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        String::new()
    }

    /// The export that downloads what this page's filters show; always names range and kinds.
    #[must_use]
    pub fn export_query(&self, organization: &str) -> String {
        let _ = organization;
        String::new()
    }
}

impl ExportQuery {
    /// Parameters of the export.
    pub const PARAMETERS: [&str; 13] =
        ["organization", "start", "end", "tz", "kind", "action", "actor", "object", "q", "profile", "csv", "format", "bom"];

    /// Reads the export's query string (without `?`).
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter and what is allowed.
    pub fn parse(raw: &str, now: DateTime<Utc>) -> Result<Self> {
        let _ = (raw, now);
        Err(Error::invalid("query", "not yet"))
    }

    /// The same export in canonical form.
    #[must_use]
    pub fn to_query_string(&self) -> String {
        String::new()
    }
}
