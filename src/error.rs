//! The one error of the domain: every refusal a person or a program can meet, and the failures that are ours.

use std::fmt;

/// The result of every use case.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did not do what was asked.
///
/// The doors (pages, server functions, REST) dress it once; nothing but [`Error::Internal`] and [`Error::Unavailable`] has a cause worth logging.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody is signed in, or the credential is not valid (401).
    #[error("you are not signed in")]
    Unauthenticated,
    /// What was sent as an access token is none, or not a good one; says what can be told without saying which tokens exist (401).
    #[error("{0}")]
    BadToken(&'static str),
    /// The e-mail address and the password do not belong together; the same for every cause (R-13, 401).
    #[error("the e-mail address or the password is wrong")]
    WrongCredentials,
    /// The viewer is known but the role or scope does not allow this (403); says who can help.
    #[error("{0}")]
    Forbidden(String),
    /// It does not exist, or belongs to an organization that the viewer is not in: the same answer (R-20, 404).
    #[error("there is nothing here, or you may not know of it")]
    NotFound,
    /// Input that cannot be accepted (422).
    #[error("{0}")]
    Invalid(Invalid),
    /// Input that was read and found wrong, maybe in several places (422); nothing was changed.
    #[error("{0}")]
    Faulty(Faulty),
    /// A cursor that this server did not make, or made for another organization, filter or window (400).
    #[error("this cursor does not belong to this list: start again from the first page")]
    BadCursor,
    /// What was asked for existed and is no longer kept; says what is (410).
    #[error("{0}")]
    Expired(String),
    /// Somebody else changed the same thing, or a rule of the whole organization would be broken (409).
    #[error("{0}")]
    Conflict(String),
    /// What a field names belongs to somebody else already (409).
    #[error("{0}")]
    Taken(Invalid),
    /// Too many of something at once (429).
    #[error("{0}")]
    LimitExceeded(String),
    /// Too many attempts (429); try again after so many seconds.
    #[error("too many attempts: try again in {retry_after_seconds} s")]
    Throttled {
        /// Whole seconds until another attempt is looked at, at least 1.
        retry_after_seconds: u64,
    },
    /// A part that is needed cannot answer at the moment (503); nothing was changed.
    #[error("this cannot be done right now: try again in a moment")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A fault of ours (500); the cause is logged at the boundary and never shown.
    #[error("something went wrong on our side")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// One refused input: which field, what is wrong with it, what is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// Name of the field or query parameter as the caller wrote it.
    pub field: String,
    /// A whole sentence for a person, naming the allowed values.
    pub message: String,
}

impl fmt::Display for Invalid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.field, self.message)
    }
}

mod fault;

pub use fault::{Fault, Faulty};

impl Error {
    /// Refuses the input `field` with a sentence that names the allowed values.
    pub fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Invalid(Invalid { field: field.into(), message: message.into() })
    }

    /// Refuses the input `field`, because what it names is somebody else's, with a sentence that says so.
    pub fn taken(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::Taken(Invalid { field: field.into(), message: message.into() })
    }

    /// A fault of ours, with its cause for the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// The input that it is about, for the doors that can point at it.
    #[must_use]
    pub fn field(&self) -> Option<&str> {
        match self {
            Self::Invalid(input) | Self::Taken(input) => Some(&input.field),
            Self::Faulty(input) => Some(&input.field),
            _ => None,
        }
    }

    /// What is wrong with it, place by place, for the doors that can list it; empty for other errors.
    #[must_use]
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::Faulty(input) => &input.faults,
            _ => &[],
        }
    }

    /// What happened, in a whole sentence for a person: with a capital first and a full stop last.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::Invalid(input) | Self::Taken(input) => input.message.clone(),
            Self::Faulty(input) => input.in_short(),
            other => sentence(&other.to_string()),
        }
    }

    /// The HTTP status that every door answers with.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Unauthenticated | Self::BadToken(_) | Self::WrongCredentials => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound => 404,
            Self::Invalid(_) | Self::Faulty(_) => 422,
            Self::BadCursor => 400,
            Self::Expired(_) => 410,
            Self::Conflict(_) | Self::Taken(_) => 409,
            Self::LimitExceeded(_) | Self::Throttled { .. } => 429,
            Self::Unavailable(_) => 503,
            Self::Internal(_) => 500,
        }
    }

    /// The code of GraphQL's `extensions.code`, also used in problem JSON and by the pages.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unauthenticated | Self::BadToken(_) | Self::WrongCredentials => "UNAUTHENTICATED",
            Self::Forbidden(_) => "FORBIDDEN",
            Self::NotFound => "NOT_FOUND",
            Self::Invalid(_) | Self::Faulty(_) => "BAD_USER_INPUT",
            Self::BadCursor | Self::Expired(_) => "BAD_CURSOR",
            Self::Conflict(_) | Self::Taken(_) => "CONFLICT",
            Self::LimitExceeded(_) => "LIMIT_EXCEEDED",
            Self::Throttled { .. } => "RATE_LIMITED",
            Self::Unavailable(_) => "UNAVAILABLE",
            Self::Internal(_) => "INTERNAL",
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    let stop = if text.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{first}{}{stop}", letters.as_str())
}

#[cfg(test)]
mod tests {
    use super::Error;

    #[test]
    fn messages_are_whole_sentences() {
        assert_eq!(Error::Unauthenticated.message(), "You are not signed in.");
        assert_eq!(Error::Forbidden("Only an owner can.".to_owned()).message(), "Only an owner can.");
        assert_eq!(Error::invalid("q", "Too long.").message(), "Too long.");
    }

    #[test]
    fn a_taken_name_is_a_conflict_at_its_field() {
        let taken = Error::taken("slug", "This address is taken.");
        assert_eq!((taken.status(), taken.code(), taken.field()), (409, "CONFLICT", Some("slug")));
        assert_eq!(taken.message(), "This address is taken.");
        assert_eq!(Error::Conflict("No owner would be left.".to_owned()).field(), None);
    }
}
