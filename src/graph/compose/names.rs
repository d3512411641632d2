//! Types that a schema names and does not define, or defines twice. The composing library takes for granted that there are none.

use std::collections::HashSet;

use cynic_parser::type_system::{Definition, FieldDefinition, InputValueDefinition, Type, TypeDefinition};
use cynic_parser::{Span, TypeSystemDocument};

use crate::error::Fault;

/// Scalars that every schema has.
const BUILT_IN: [&str; 5] = ["Boolean", "Float", "ID", "Int", "String"];

/// Most faults of one sort: each counts the lines before it, and a hostile schema has a hundred thousand.
const MAX_FAULTS: usize = 100;

/// A type that is named, and where.
type Named<'a> = (&'a str, Span);

/// A fault for each place that names a type which the schema does not have.
pub(super) fn undefined(part: &str, sdl: &str, document: &TypeSystemDocument) -> Vec<Fault> {
    let types = || {
        document.definitions().filter_map(|definition| match definition {
            Definition::Type(definition) | Definition::TypeExtension(definition) => Some(definition),
            _ => None,
        })
    };
    let known: HashSet<&str> = types().map(|definition| definition.name()).chain(BUILT_IN).collect();
    let unknown = types().flat_map(named).filter(|(name, _)| !known.contains(name));
    unknown
        .take(MAX_FAULTS)
        .map(|(name, span)| Fault::at(part, sdl, span.start, format!("there is no type `{name}` here")))
        .collect()
}

/// A fault for each type that is defined again.
pub(super) fn repeated(part: &str, sdl: &str, document: &TypeSystemDocument) -> Vec<Fault> {
    let mut seen = HashSet::new();
    let types = document.definitions().filter_map(|definition| match definition {
        Definition::Type(definition) => Some(definition),
        _ => None,
    });
    let again = types.filter(|definition| !seen.insert(definition.name()));
    let told = |definition: TypeDefinition<'_>| {
        let message = format!("the type `{}` is defined already", definition.name());
        Fault::at(part, sdl, definition.span().start, message)
    };
    again.take(MAX_FAULTS).map(told).collect()
}

/// The types that a definition names.
fn named(definition: TypeDefinition<'_>) -> Vec<Named<'_>> {
    match definition {
        TypeDefinition::Object(object) => {
            let interfaces = object.implements_interfaces().map(|name| (name, object.span()));
            interfaces.chain(object.fields().flat_map(of_field)).collect()
        }
        TypeDefinition::Interface(interface) => {
            let interfaces = interface.implements_interfaces().map(|name| (name, interface.span()));
            interfaces.chain(interface.fields().flat_map(of_field)).collect()
        }
        TypeDefinition::Union(union) => union.members().map(|member| (member.name(), member.span())).collect(),
        TypeDefinition::InputObject(input) => input.fields().map(of_input).collect(),
        TypeDefinition::Scalar(_) | TypeDefinition::Enum(_) => Vec::new(),
    }
}

fn of_field(field: FieldDefinition<'_>) -> Vec<Named<'_>> {
    field.arguments().map(of_input).chain([of_type(field.ty())]).collect()
}

fn of_input(input: InputValueDefinition<'_>) -> Named<'_> {
    of_type(input.ty())
}

fn of_type(ty: Type<'_>) -> Named<'_> {
    (ty.name(), ty.name_span())
}
