//! How much one document may ask for, measured before anything of it is validated or executed.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet};
use async_graphql::{Pos, Variables};
use async_graphql_value::{ConstValue, Value};

use super::error::Refused;
use super::sent::holds_nul;

/// Most tokens of a document; comments, commas and spaces are none.
pub const TOKENS: usize = 2_000;

/// Deepest nesting of brackets, and of fragments in fragments.
pub const NESTING: usize = 32;

/// Most directives.
pub const DIRECTIVES: usize = 16;

/// Deepest field, the first ones being at 1: the usual question for the schema has 15.
pub const DEPTH: usize = 15;

/// Most objects that may be answered; `first` multiplies what is below it.
pub const COMPLEXITY: u64 = 2_000;

/// Most fields once every fragment is spelled out: fragments that repeat each other grow by powers.
pub const FIELDS: u64 = 4_000;

/// Most fields at the root, by whatever alias.
pub const ROOT_FIELDS: usize = 8;

/// Measures the operation that is to run; answers the names of its fields at the root.
///
/// # Errors
/// `LIMIT_EXCEEDED`, naming the limit; `BAD_USER_INPUT` for fragments that spread themselves or do not exist, for a NUL character, and for
/// a mutation with several fields at the root.
pub fn measure(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    variables: &Variables,
) -> Result<Vec<String>, Refused> {
    let mut walk = Walk { document, operation, variables, fragments: HashMap::new() };
    let size = walk.set(&operation.selection_set.node)?;
    let over = [
        (size.fields > FIELDS, format!("{FIELDS} fields, with every fragment spelled out")),
        (size.depth > DEPTH, format!("{DEPTH} levels of fields")),
        (size.objects > COMPLEXITY, format!("{COMPLEXITY} objects (`first` multiplies what is below it)")),
    ];
    if let Some((_, limit)) = over.into_iter().find(|(over, _)| *over) {
        return Err(exceeded(&limit));
    }
    let mut root = Vec::new();
    walk.root_fields(&operation.selection_set.node, &mut root);
    if root.len() > ROOT_FIELDS {
        return Err(exceeded(&format!("{ROOT_FIELDS} fields at the root, by whatever alias")));
    }
    Ok(root)
}

/// The refusal of a document that is larger than `limit`.
#[must_use]
pub fn exceeded(limit: &str) -> Refused {
    Refused::new("LIMIT_EXCEEDED", format!("This document asks for too much: at most {limit}."), None)
}

/// How large a selection is.
#[derive(Debug, Clone, Copy, Default)]
struct Size {
    depth: usize,
    fields: u64,
    objects: u64,
}

impl Size {
    fn add(&mut self, other: Self) {
        self.depth = self.depth.max(other.depth);
        self.fields = self.fields.saturating_add(other.fields);
        self.objects = self.objects.saturating_add(other.objects);
    }
}

struct Walk<'a> {
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
    variables: &'a Variables,
    /// Each fragment is measured once; nothing: it is being measured.
    fragments: HashMap<&'a str, Option<Size>>,
}

impl<'a> Walk<'a> {
    fn set(&mut self, set: &'a SelectionSet) -> Result<Size, Refused> {
        let mut size = Size::default();
        for selection in &set.items {
            size.add(match &selection.node {
                Selection::Field(field) => self.field(&field.node, field.pos)?,
                Selection::InlineFragment(fragment) => self.set(&fragment.node.selection_set.node)?,
                Selection::FragmentSpread(spread) => self.fragment(&spread.node.fragment_name.node, spread.pos)?,
            });
        }
        Ok(size)
    }

    /// A field with fields of its own is an object; the others are free.
    fn field(&mut self, field: &'a Field, position: Pos) -> Result<Size, Refused> {
        for (_, value) in &field.arguments {
            if value
                .node
                .clone()
                .into_const_with(|_| Ok::<_, Refused>(ConstValue::Null))
                .is_ok_and(|value| holds_nul(&value))
            {
                return Err(Refused::bad_input("No text may have a NUL character.", Some(position)));
            }
        }
        let below = self.set(&field.selection_set.node)?;
        let objects = if field.selection_set.node.items.is_empty() {
            0
        } else {
            below.objects.saturating_mul(self.first(field)).saturating_add(1)
        };
        Ok(Size { depth: below.depth + 1, fields: below.fields.saturating_add(1), objects })
    }

    fn fragment(&mut self, name: &'a str, position: Pos) -> Result<Size, Refused> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(Refused::bad_input("This fragment spreads itself.", Some(position)));
            }
            None => {}
        }
        let unknown = || Refused::bad_input("There is no fragment of this name in the document.", Some(position));
        let fragment = self.document.fragments.get(name).ok_or_else(unknown)?;
        self.fragments.insert(name, None);
        let size = self.set(&fragment.node.selection_set.node)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    /// The multiplier of a field; 1 where it has none, or one that is refused later.
    fn first(&self, field: &Field) -> u64 {
        let given = field.get_argument("first").map(|value| &value.node);
        let number = match given {
            Some(Value::Number(number)) => number.as_u64(),
            Some(Value::Variable(name)) => match self.variables.get(name).or_else(|| self.default(name)) {
                Some(ConstValue::Number(number)) => number.as_u64(),
                _ => None,
            },
            _ => None,
        };
        number.unwrap_or(1).max(1)
    }

    fn default(&self, variable: &str) -> Option<&ConstValue> {
        let mut defined = self.operation.variable_definitions.iter();
        defined.find(|defined| defined.node.name.node == variable)?.node.default_value()
    }

    /// The fields at the root, in their order: small, because the whole has been measured.
    fn root_fields(&self, set: &SelectionSet, into: &mut Vec<String>) {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => into.push(field.node.name.node.to_string()),
                Selection::InlineFragment(fragment) => self.root_fields(&fragment.node.selection_set.node, into),
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.root_fields(&fragment.node.selection_set.node, into);
                    }
                }
            }
        }
    }
}
