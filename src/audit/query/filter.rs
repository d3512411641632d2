//! The filters of the trail: values that cannot hold what may not be asked.

use crate::audit::event::Kind;
use crate::audit::view::FilterView;
use crate::{Error, Result};

/// Which events of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Their kinds, at least one, in the order of [`Kind::ALL`].
    pub kinds: Vec<Kind>,
    /// Their actions; any if empty.
    pub actions: Vec<ActionPattern>,
    /// Who did it.
    pub actor: Option<ActorFilter>,
    /// To what.
    pub object: Option<ObjectFilter>,
    /// Words that they contain.
    pub words: Option<Words>,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self { kinds: vec![Kind::Change], actions: Vec::new(), actor: None, object: None, words: None }
    }
}

impl EventFilter {
    /// The names of the chosen actions, groups spelled out, for `= any(…)`; nothing if any action will do.
    #[must_use]
    pub fn action_names(&self) -> Option<Vec<String>> {
        None
    }

    /// The filter in the words of the URL, for forms and chips. The actor's label is its id until storage knows better.
    #[must_use]
    pub fn view(&self) -> FilterView {
        FilterView::default()
    }
}

/// A dotted name, or a group of the catalogue like `member.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Accepts one pattern.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `action`.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.to_owned()))
    }

    /// As in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An actor by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorFilter {
    /// `user:ID`.
    User(ActorId),
    /// `token:ID`.
    Token(ActorId),
}

/// Id of an actor: 1 to 256 bytes of text, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActorId(String);

impl ActorId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ActorFilter {
    /// Accepts `user:ID` or `token:ID`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `actor`.
    pub fn parse(text: &str) -> Result<Self> {
        let _ = ActorId(text.to_owned());
        Err(Error::invalid("actor", "not yet"))
    }
}

/// An object type, or one object: `member` or `member:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFilter {
    object_type: String,
    object_id: Option<String>,
}

impl ObjectFilter {
    /// Accepts `type` or `type:ID`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `object`.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self { object_type: text.to_owned(), object_id: None })
    }

    /// The object type.
    #[must_use]
    pub fn object_type(&self) -> &str {
        &self.object_type
    }

    /// The one object's id, if one was asked for.
    #[must_use]
    pub fn object_id(&self) -> Option<&str> {
        self.object_id.as_deref()
    }
}

/// Words to search for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Accepts at most 200 characters with at least one letter or digit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `q`.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.to_owned()))
    }

    /// As typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words, each of which an event must contain.
    pub fn tokens(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }
}
