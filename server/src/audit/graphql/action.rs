//! The catalogue as an enum: written out by the library's means for types that are known at run time, because the catalogue is one table.

use std::borrow::Cow;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::Field;
use async_graphql::registry::{Deprecation, MetaEnumValue, MetaType, MetaTypeId, Registry};
use async_graphql::{
    ContextSelectionSet, InputType, InputValueError, InputValueResult, Name, OutputType, Positioned, ServerResult,
    Value,
};
use orgtrail::audit::action::Action;

const NAME: &str = "AuditLogAction";

/// An action of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CatalogueAction(pub Action);

impl CatalogueAction {
    /// The action of an event, if the platform recorded it itself.
    pub(super) fn of(name: &str) -> Option<Self> {
        Action::parse(name).map(Self)
    }

    /// Its dotted name as a name of GraphQL: `TEAM_MEMBER_ADDED`.
    fn word(action: Action) -> String {
        action.name().replace('.', "_").to_uppercase()
    }

    fn meta(_: &mut Registry) -> MetaType {
        let value = |action: Action| {
            let description = format!("`{}`: {}.", action.name(), action.description());
            let value = MetaEnumValue {
                name: Self::word(action),
                description: Some(description),
                deprecation: Deprecation::NoDeprecated,
                visible: None,
                inaccessible: false,
                tags: Vec::new(),
                directive_invocations: Vec::new(),
            };
            (Self::word(action), value)
        };
        MetaType::Enum {
            name: NAME.to_owned(),
            description: Some(
                "What the platform itself records. Other products' events have names of their own.".to_owned(),
            ),
            enum_values: Action::ALL.into_iter().map(value).collect::<IndexMap<_, _>>(),
            visible: None,
            inaccessible: false,
            tags: Vec::new(),
            rust_typename: Some(std::any::type_name::<Self>()),
            directive_invocations: Vec::new(),
            requires_scopes: Vec::new(),
        }
    }
}

impl InputType for CatalogueAction {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(NAME)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_input_type::<Self, _>(MetaTypeId::Enum, Self::meta)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let word = match &value {
            Some(Value::Enum(name)) => name.as_str(),
            Some(Value::String(name)) => name.as_str(),
            _ => return Err(InputValueError::expected_type(value.unwrap_or_default())),
        };
        let found = Action::ALL.into_iter().find(|action| Self::word(*action) == word);
        found.map(Self).ok_or_else(|| InputValueError::custom("this is no action of the catalogue"))
    }

    fn to_value(&self) -> Value {
        Value::Enum(Name::new(Self::word(self.0)))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

impl OutputType for CatalogueAction {
    fn type_name() -> Cow<'static, str> {
        Cow::Borrowed(NAME)
    }

    fn create_type_info(registry: &mut Registry) -> String {
        registry.create_output_type::<Self, _>(MetaTypeId::Enum, Self::meta)
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(InputType::to_value(self))
    }
}
