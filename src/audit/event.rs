//! The words of an event: its kind, outcome and actor.

use serde::{Deserialize, Serialize};

/// What sort of thing an event records (contract §1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something in the organization changed; also every event that another product sends.
    Change,
    /// An attempt to sign in, successful or not.
    Login,
    /// Something was asked of the platform after sign-in.
    Operation,
    /// Data was taken out of a model.
    Export,
}

impl Kind {
    /// Every kind, in the order in which pages offer them.
    pub const ALL: [Self; 4] = [Self::Change, Self::Login, Self::Operation, Self::Export];

    /// The word stored in the database and used in URLs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Login => "login",
            Self::Operation => "operation",
            Self::Export => "export",
        }
    }

    /// The kind that a word of a URL or a row names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// How it ended (contract §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was tried and failed.
    Failure,
    /// It was refused.
    Denied,
    /// It was done and there was nothing in it.
    Empty,
    /// It was broken off half-way.
    Aborted,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 5] = [Self::Success, Self::Failure, Self::Denied, Self::Empty, Self::Aborted];

    /// The word stored in the database and shown on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Denied => "denied",
            Self::Empty => "empty",
            Self::Aborted => "aborted",
        }
    }

    /// The outcome that a stored word names.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// Who did it: snapshots taken at the time, never looked up again (contract §1).
///
/// Ids are text because other products' ids are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The user, where a user did it.
    pub user: Option<ActorUser>,
    /// The access token, where a token did it; our own changes then have no user.
    pub access_token: Option<ActorToken>,
}

/// The user half of an [`Actor`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorUser {
    /// UUID of the user, or another product's id.
    pub id: String,
    /// Name at the time.
    pub name: Option<String>,
    /// E-mail address at the time.
    pub email: Option<String>,
}

/// The access-token half of an [`Actor`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorToken {
    /// UUID of the access token, or another product's id.
    pub id: String,
    /// Name at the time.
    pub name: Option<String>,
}

impl Actor {
    /// A user as actor.
    pub fn user(id: impl Into<String>, name: impl Into<String>, email: impl Into<String>) -> Self {
        let user = ActorUser { id: id.into(), name: Some(name.into()), email: Some(email.into()) };
        Self { user: Some(user), access_token: None }
    }

    /// An access token as actor; the user columns stay empty.
    pub fn access_token(id: impl Into<String>, name: impl Into<String>) -> Self {
        let access_token = ActorToken { id: id.into(), name: Some(name.into()) };
        Self { user: None, access_token: Some(access_token) }
    }
}
