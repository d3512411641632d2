//! What pages show of the viewer.

use serde::{Deserialize, Serialize};

use crate::error::Fault;

pub mod access_token;

/// The signed-in user, as every page's frame shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewerView {
    /// Name.
    pub name: String,
    /// E-mail address.
    pub email: String,
    /// The organizations of the user, by name.
    pub organizations: Vec<OrganizationLink>,
}

/// An organization that the viewer is a member of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrganizationLink {
    /// Slug, the first segment of its pages.
    pub slug: String,
    /// Name to read.
    pub name: String,
    /// The viewer's role in it: `owner`, `admin` or `member`.
    pub role: String,
}

/// A session of the viewer's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRow {
    /// UUID that names it, and is good for nothing else.
    pub id: String,
    /// Browser and system: `Firefox on Linux`.
    pub client: String,
    /// Address of the client that began it, if it is known.
    pub address: Option<String>,
    /// When it was begun: `22 Nov 2026 12:01:07`, UTC.
    pub since: String,
    /// When it was last used, to the minute: `3 minutes ago`.
    pub last_seen: String,
    /// When it was begun, in RFC 3339.
    pub since_at: String,
    /// When it was last used, in RFC 3339.
    pub last_seen_at: String,
    /// Whether it is the one that asks.
    pub is_present: bool,
}

/// What waited in the session for the page after a form (contract §9): shown once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flash {
    /// Path of the form's server function that it answers, e.g. `/api/login`.
    pub form: String,
    /// What was done, if it was done.
    pub notice: Option<String>,
    /// What was refused, if it was refused.
    pub error: Option<String>,
    /// Field at which the error belongs.
    pub field: Option<String>,
    /// What was typed, never a password: name and value.
    pub typed: Vec<(String, String)>,
    /// The places of what was refused, where it is wrong in several.
    #[serde(default)]
    pub faults: Vec<Fault>,
}

impl Flash {
    /// What was typed in `field`, if this flash answers `form`.
    #[must_use]
    pub fn typed(&self, form: &str, field: &str) -> Option<&str> {
        let mine = self.form == form;
        self.typed.iter().find(|(name, _)| mine && name == field).map(|(_, value)| value.as_str())
    }

    /// The error at `field` of `form`; `None` as field asks for the one that belongs to no field.
    #[must_use]
    pub fn error_at(&self, form: &str, field: Option<&str>) -> Option<&str> {
        let here = self.form == form && self.field.as_deref() == field;
        self.error.as_deref().filter(|_| here)
    }
}
