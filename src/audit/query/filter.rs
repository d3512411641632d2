//! The filters of the trail: values that cannot hold what may not be asked.

use crate::audit::action::{self, Relatives};
use crate::audit::event::Kind;
use crate::audit::view::{ActorChoice, FilterView};
use crate::{Error, Result};

/// Which events of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// Their kinds, at least one, in the order of [`Kind::ALL`].
    pub kinds: Vec<Kind>,
    /// Their actions, at most [`MAX_ACTIONS`]; any if empty.
    pub actions: Vec<ActionPattern>,
    /// Who did it.
    pub actor: Option<ActorFilter>,
    /// To what.
    pub object: Option<ObjectFilter>,
    /// Words that they contain.
    pub words: Option<Words>,
}

/// Actions and groups that one filter may name.
pub const MAX_ACTIONS: usize = 50;

/// The word of the URL for every kind.
pub(super) const ALL_KINDS: &str = "all";

impl Default for EventFilter {
    /// What the page starts with: kind `change`.
    fn default() -> Self {
        Self { kinds: vec![Kind::Change], actions: Vec::new(), actor: None, object: None, words: None }
    }
}

impl EventFilter {
    /// The names of the chosen actions, groups spelled out, for `= any(…)`; nothing if any action will do.
    #[must_use]
    pub fn action_names(&self) -> Option<Vec<String>> {
        let mut names: Vec<String> = self.actions.iter().flat_map(ActionPattern::names).collect();
        names.sort_unstable();
        names.dedup();
        (!names.is_empty()).then_some(names)
    }

    /// The filter in the words of the URL, for forms and chips. The actor's label is its id until storage knows its name.
    #[must_use]
    pub fn view(&self) -> FilterView {
        FilterView {
            kinds: self.kinds.iter().map(|kind| kind.as_str().to_owned()).collect(),
            actions: self.actions.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
            actor: self.actor.as_ref().map(ActorFilter::choice),
            object: self.object.as_ref().map(ToString::to_string),
            words: self.words.as_ref().map(|words| words.as_str().to_owned()),
        }
    }
}

/// The kinds as in the URL.
pub(super) fn kinds_text(kinds: &[String]) -> String {
    if kinds.len() == Kind::ALL.len() { ALL_KINDS.to_owned() } else { kinds.join(",") }
}

/// A dotted name, or a group of the catalogue like `member.*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Accepts any well-formed name, and the groups that the catalogue has.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `action`.
    pub fn parse(text: &str) -> Result<Self> {
        if action::is_well_formed(text) || action::expand(text).is_some() {
            return Ok(Self(text.to_owned()));
        }
        let groups: Vec<_> = action::Group::ALL.iter().map(|group| format!("{}.*", group.name())).collect();
        let form = format!("An action is a dotted name like member.updated, or a group: {}.", groups.join(", "));
        Err(Error::invalid("action", form))
    }

    /// As in the URL.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The names that it stands for: itself, or its group's.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let own = || vec![self.0.clone()];
        action::expand(&self.0).map_or_else(own, |names| names.into_iter().map(str::to_owned).collect())
    }
}

/// An id of the trail, ours or another product's: 1 to 512 bytes of text without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// Longest id in bytes.
    pub const MAX_BYTES: usize = 512;

    fn parse(field: &str, text: &str) -> Result<Self> {
        let sound = (1..=Self::MAX_BYTES).contains(&text.len()) && !text.contains(char::is_control);
        let refused = || Error::invalid(field, "An id has 1 to 512 bytes and no control characters.");
        sound.then(|| Self(text.to_owned())).ok_or_else(refused)
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// An actor by its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ActorFilter {
    /// `user:ID`.
    User(Id),
    /// `token:ID`.
    Token(Id),
}

impl ActorFilter {
    /// Accepts `user:ID` or `token:ID`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `actor`.
    pub fn parse(text: &str) -> Result<Self> {
        match text.split_once(':') {
            Some(("user", id)) => Id::parse("actor", id).map(Self::User),
            Some(("token", id)) => Id::parse("actor", id).map(Self::Token),
            _ => Err(Error::invalid("actor", "An actor is user:ID or token:ID.")),
        }
    }

    fn choice(&self) -> ActorChoice {
        let (id, note) = match self {
            Self::User(id) => (id, "user"),
            Self::Token(id) => (id, "access token"),
        };
        ActorChoice { value: self.to_string(), label: id.0.clone(), note: note.to_owned() }
    }
}

impl std::fmt::Display for ActorFilter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(out, "user:{}", id.0),
            Self::Token(id) => write!(out, "token:{}", id.0),
        }
    }
}

/// An object type, or one object: `member` or `member:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectFilter {
    object_type: String,
    object_id: Option<Id>,
}

impl ObjectFilter {
    /// Accepts `type` or `type:ID`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `object`.
    pub fn parse(text: &str) -> Result<Self> {
        let (object_type, id) = text.split_once(':').map_or((text, None), |(object_type, id)| (object_type, Some(id)));
        if !action::is_word(object_type) || object_type.len() > action::MAX_NAME_BYTES {
            return Err(Error::invalid("object", "An object is a type like member or access_token, or type:ID."));
        }
        let object_id = id.map(|id| Id::parse("object", id)).transpose()?;
        Ok(Self { object_type: object_type.to_owned(), object_id })
    }

    /// The object type.
    #[must_use]
    pub fn object_type(&self) -> &str {
        &self.object_type
    }

    /// The one object's id, if one was asked for.
    #[must_use]
    pub fn object_id(&self) -> Option<&str> {
        self.object_id.as_ref().map(Id::as_str)
    }

    /// The types of objects that are meant: one, and with an id those that share it.
    #[must_use]
    pub fn types(&self) -> Vec<String> {
        let own = std::iter::once(self.object_type.as_str());
        own.chain(self.relatives().same_id.iter().copied()).map(str::to_owned).collect()
    }

    /// The types whose events belong to the history of the one object too; none where a whole type was asked for.
    #[must_use]
    pub fn relatives(&self) -> Relatives {
        self.object_id.as_ref().map_or(Relatives::NONE, |_| action::relatives(&self.object_type))
    }
}

impl std::fmt::Display for ObjectFilter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.object_id {
            Some(id) => write!(out, "{}:{}", self.object_type, id.0),
            None => out.write_str(&self.object_type),
        }
    }
}

/// Words to search for: at most 200 characters, with at least one letter or digit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Longest text in characters.
    pub const MAX_CHARS: usize = 200;

    /// Accepts words as typed; spaces around them are dropped.
    ///
    /// # Errors
    /// [`Error::Invalid`] for `q`.
    pub fn parse(text: &str) -> Result<Self> {
        let words = text.trim();
        if words.chars().count() > Self::MAX_CHARS {
            return Err(Error::invalid("q", "Search for at most 200 characters."));
        }
        if !words.contains(char::is_alphanumeric) {
            return Err(Error::invalid("q", "Search for words: at least one letter or digit."));
        }
        Ok(Self(words.to_owned()))
    }

    /// As typed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The words, each of which must begin a word of the event.
    pub fn tokens(&self) -> impl Iterator<Item = String> {
        crate::audit::words::split(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_spelled_out_once() {
        let actions = ["team.member.*", "team.member.added", "invoice.paid"]
            .map(|text| ActionPattern::parse(text).unwrap())
            .into();
        let filter = EventFilter { actions, ..EventFilter::default() };
        assert_eq!(filter.view().actions, ["team.member.*", "team.member.added", "invoice.paid"]);
        let names = filter.action_names().unwrap();
        assert_eq!(names, ["invoice.paid", "team.member.added", "team.member.removed", "team.member.updated"]);
        assert_eq!(EventFilter::default().action_names(), None);
    }

    #[test]
    fn refused_actions() {
        for text in ["", "*", ".*", "member*", "Member.updated", "member", "invoice.*", "member.*.x", "member.updated "]
        {
            let refused = ActionPattern::parse(text).unwrap_err().to_string();
            assert!(
                refused.starts_with("action: An action is a dotted name like member.updated, or a group: graph.*,"),
                "{refused}"
            );
        }
    }

    #[test]
    fn actors_and_objects_are_read_and_printed_alike() {
        for text in ["user:0199f3c2-7c1e-7000-8000-000000000001", "token:a:b", "user:é"] {
            assert_eq!(ActorFilter::parse(text).unwrap().to_string(), text);
        }
        for text in ["member", "access_token_graph", "invoice:2026/11:7"] {
            assert_eq!(ObjectFilter::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ObjectFilter::parse("invoice:2026/11:7").unwrap().object_id(), Some("2026/11:7"));
    }

    #[test]
    fn refused_actors_objects_and_words() {
        let long = format!("user:{}", "x".repeat(513));
        insta::assert_snapshot!(ActorFilter::parse("ada").unwrap_err(), @"actor: An actor is user:ID or token:ID.");
        insta::assert_snapshot!(ActorFilter::parse("group:1").unwrap_err(), @"actor: An actor is user:ID or token:ID.");
        insta::assert_snapshot!(ActorFilter::parse("user:").unwrap_err(), @"actor: An id has 1 to 512 bytes and no control characters.");
        insta::assert_snapshot!(ActorFilter::parse("user:a\nb").unwrap_err(), @"actor: An id has 1 to 512 bytes and no control characters.");
        insta::assert_snapshot!(ActorFilter::parse(&long).unwrap_err(), @"actor: An id has 1 to 512 bytes and no control characters.");
        insta::assert_snapshot!(ObjectFilter::parse("Member").unwrap_err(), @"object: An object is a type like member or access_token, or type:ID.");
        insta::assert_snapshot!(ObjectFilter::parse("member:").unwrap_err(), @"object: An id has 1 to 512 bytes and no control characters.");
        insta::assert_snapshot!(Words::parse("?!").unwrap_err(), @"q: Search for words: at least one letter or digit.");
        insta::assert_snapshot!(Words::parse(&"é".repeat(201)).unwrap_err(), @"q: Search for at most 200 characters.");
    }

    #[test]
    fn words_are_cut_where_the_index_cuts_them() {
        let words = Words::parse("  ada@acme.example café\u{2029}42 ").unwrap();
        assert_eq!(words.tokens().collect::<Vec<_>>(), ["ada", "acme", "example", "café", "42"]);
        assert!(Words::parse(&"é".repeat(200)).is_ok());
    }
}
