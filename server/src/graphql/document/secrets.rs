//! Variables that hold a secret. Their names are the client's, so that they are known by where they are put: `newPassword: $a`.

use async_graphql::Name;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql_value::Value;
use orgtrail::audit::redact::names_secret;

use crate::graphql::error::Refused;

/// The variables of a document that was measured. Any operation of it counts, because all of its text is recorded.
///
/// # Errors
/// For one with a default value: a secret would stand in the text, where nothing says that it is one.
pub(super) fn variables(document: &ExecutableDocument) -> Result<Vec<String>, Refused> {
    let mut found = Vec::new();
    for (_, operation) in document.operations.iter() {
        of_set(&operation.node.selection_set.node, &mut found);
    }
    for fragment in document.fragments.values() {
        of_set(&fragment.node.selection_set.node, &mut found);
    }
    let mut defined = document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    match defined.find(|defined| defined.node.default_value.is_some() && found.contains(&defined.node.name.node)) {
        Some(defined) => {
            let told = "A secret has no default value: send it as the value of the variable.";
            Err(Refused::bad_input(told, Some(defined.pos)))
        }
        None => Ok(found.iter().map(ToString::to_string).collect()),
    }
}

fn of_set(set: &SelectionSet, found: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                for (name, value) in &field.node.arguments {
                    of_value(&name.node, &value.node, found);
                }
                of_set(&field.node.selection_set.node, found);
            }
            Selection::InlineFragment(fragment) => of_set(&fragment.node.selection_set.node, found),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// What is put where `name` stands.
fn of_value(name: &str, value: &Value, found: &mut Vec<Name>) {
    match value {
        Value::Variable(variable) if names_secret(name) => found.push(variable.clone()),
        Value::List(values) => values.iter().for_each(|value| of_value(name, value, found)),
        Value::Object(fields) => fields.iter().for_each(|(name, value)| of_value(name, value, found)),
        _ => {}
    }
}
