use std::{env, fs};

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};

use super::*;

#[test]
fn docs_schema_is_what_is_served() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema.graphql");
    let made = sdl();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &made).unwrap();
    }
    let committed = fs::read_to_string(path).unwrap_or_default();
    assert!(committed == made, "docs/schema.graphql is not what is served: UPDATE_DOCS=1 cargo test docs_schema");
}

/// Types, fields, arguments and values without a description.
#[test]
fn everything_is_described() {
    let mut bare = Vec::new();
    for definition in parse_schema(sdl()).unwrap().definitions {
        let TypeSystemDefinition::Type(definition) = definition else { continue };
        let of = definition.node;
        let name = of.name.node;
        let mut look = |described: bool, what: String| {
            if !described {
                bare.push(what);
            }
        };
        look(of.description.is_some() || name == "Query" || name == "Mutation", name.to_string());
        match of.kind {
            TypeKind::Object(object) => {
                for field in object.fields {
                    look(field.node.description.is_some(), format!("{name}.{}", field.node.name.node));
                    for argument in field.node.arguments {
                        look(
                            argument.node.description.is_some(),
                            format!("{name}.{}({})", field.node.name.node, argument.node.name.node),
                        );
                    }
                }
            }
            TypeKind::InputObject(input) => {
                for field in input.fields {
                    look(field.node.description.is_some(), format!("{name}.{}", field.node.name.node));
                }
            }
            TypeKind::Enum(values) => {
                for value in values.values {
                    look(value.node.description.is_some(), format!("{name}.{}", value.node.value.node));
                }
            }
            _ => {}
        }
    }
    assert_eq!(bare, Vec::<String>::new());
}
