//! Which events `auditLogs` shows: the filters of the page.

use async_graphql::{Enum, InputObject};
use orgtrail::audit::event::Kind;
use orgtrail::audit::query::filter::MAX_ACTIONS;
use orgtrail::audit::query::{ActionPattern, ActorFilter, EventFilter, ObjectFilter, Words};
use orgtrail::{Error, Result};

use super::action::CatalogueAction;

/// What sort of thing an event records.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum AuditLogKind {
    /// Something in the organization changed; also every event that another product sends.
    Change,
    /// An attempt to sign in, or a change of somebody's own account.
    Login,
    /// Something was asked of the platform after signing in.
    Operation,
    /// Data was taken out of a model.
    Export,
}

impl AuditLogKind {
    /// The kind of a stored event.
    pub(super) fn of(word: &str) -> Self {
        match Kind::parse(word) {
            Some(Kind::Login) => Self::Login,
            Some(Kind::Operation) => Self::Operation,
            Some(Kind::Export) => Self::Export,
            Some(Kind::Change) | None => Self::Change,
        }
    }

    fn kind(self) -> Kind {
        match self {
            Self::Change => Kind::Change,
            Self::Login => Kind::Login,
            Self::Operation => Kind::Operation,
            Self::Export => Kind::Export,
        }
    }
}

/// Which events. All that are given must hold.
#[derive(InputObject, Default)]
#[graphql(name = "AuditLogFilter")]
pub struct Filter {
    /// Their kinds; `[CHANGE]` where none is given.
    kinds: Option<Vec<AuditLogKind>>,
    /// Actions of the catalogue, any of them.
    catalogue_actions: Option<Vec<CatalogueAction>>,
    /// Actions by their dotted names, any of them: also other products', and groups such as `member.*` or `team.member.*`.
    actions: Option<Vec<String>>,
    /// Who did it: `user:ID` or `token:ID`.
    actor: Option<String>,
    /// What it is about: a type such as `member`, or one object: `member:ID`.
    object: Option<String>,
    /// Words, for each of which the event has one that begins so.
    words: Option<String>,
}

impl Filter {
    /// The filter as the page has it.
    pub(super) fn parse(self) -> Result<EventFilter> {
        let named = self.catalogue_actions.unwrap_or_default().into_iter().map(|action| action.0.name().to_owned());
        let names: Vec<String> = named.chain(self.actions.unwrap_or_default()).collect();
        if names.len() > MAX_ACTIONS {
            return Err(Error::invalid("actions", format!("At most {MAX_ACTIONS} actions; a group counts once.")));
        }
        let mut filter = EventFilter {
            actions: names.iter().map(|name| ActionPattern::parse(name)).collect::<Result<_>>()?,
            actor: self.actor.as_deref().map(ActorFilter::parse).transpose()?,
            object: self.object.as_deref().map(ObjectFilter::parse).transpose()?,
            words: self.words.as_deref().map(Words::parse).transpose()?,
            ..EventFilter::default()
        };
        if let Some(chosen) = self.kinds {
            let chosen: Vec<Kind> = chosen.into_iter().map(AuditLogKind::kind).collect();
            filter.kinds = Kind::ALL.into_iter().filter(|kind| chosen.contains(kind)).collect();
        }
        if filter.kinds.is_empty() {
            return Err(Error::invalid("kinds", "Name at least one kind, or none of them by leaving `kinds` out."));
        }
        Ok(filter)
    }
}
