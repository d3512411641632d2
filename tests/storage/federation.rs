//! Real input: the schemas of a public test suite of federation, as its package has them. `npm ci` in `end2end` brings it.

use std::collections::BTreeMap;
use std::path::Path;

use orgtrail::graph::compose::{Source, compose};

/// The tests of the suite that hold schemas.
const FILES: [&str; 2] = ["compose.test.ts", "composeAndValidate.test.ts"];

/// One file of the suite.
fn read(file: &str) -> String {
    let folder = "end2end/node_modules/@apollo/federation/src/composition/__tests__";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file);
    std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}; run `npm ci` in end2end", path.display()))
}

/// The schemas of each test, by its title. What stands before the first test is one set for all.
fn sets(file: &str) -> Vec<(String, Vec<String>)> {
    let text = read(file);
    let mut blocks = text.split(" it(").flat_map(|block| block.split("\nit("));
    let common = blocks.next().map(|block| ("the services of all".to_owned(), schemas(block)));
    let own = blocks.filter_map(|block| {
        let quote = block.trim_start().chars().next().filter(|first| "'\"`".contains(*first))?;
        let title = block.trim_start().split(quote).nth(1)?;
        Some((title.to_owned(), schemas(block)))
    });
    common.into_iter().chain(own).filter(|(_, schemas)| schemas.len() > 1).collect()
}

/// The templates that are whole schemas.
fn schemas(block: &str) -> Vec<String> {
    let templates = block.split("gql`").skip(1).filter_map(|rest| rest.split('`').next());
    templates.filter(|template| !template.contains("${")).map(str::to_owned).collect()
}

/// What becomes of a set: `composes`, or the first thing that is wrong with it.
fn told(schemas: &[String]) -> String {
    let names: Vec<String> = (0..schemas.len()).map(|number| format!("s{number}")).collect();
    let source = |(name, sdl)| Source { name, url: "", sdl };
    let pairs = names.iter().map(String::as_str).zip(schemas.iter().map(String::as_str));
    // Not every set of the suite has a root type.
    let sources: Vec<_> = pairs.chain([("roots", "type Query { roots: Int }")]).map(source).collect();
    match compose(&sources) {
        Ok(_) => "composes".to_owned(),
        Err(faults) => faults[0].to_string(),
    }
}

#[test]
fn a_public_suite_composes_or_says_why_not() {
    let table: BTreeMap<String, String> = FILES
        .iter()
        .flat_map(|file| {
            sets(file).into_iter().map(move |(title, schemas)| (format!("{file}: {title}"), told(&schemas)))
        })
        .collect();
    let composing = table.values().filter(|told| *told == "composes").count();
    assert!(composing >= 5 && table.len() - composing >= 5, "{composing} of {}", table.len());
    let lines: String = table.iter().map(|(title, told)| format!("{title}: {told}\n")).collect();
    insta::assert_snapshot!(lines, @r"
    compose.test.ts: adds @key information to types using basic string notation: composes
    compose.test.ts: adds @key information to types using selection set notation: composes
    compose.test.ts: adds @provides information for object types within list types: composes
    compose.test.ts: adds @provides information to fields using a nested field set: s0:7:20: there is no type `Sku` here
    compose.test.ts: adds @provides information to fields using a simple field set: composes
    compose.test.ts: adds @requires information to fields using a nested field set: s1:3:20: there is no type `Sku` here
    compose.test.ts: adds @requires information to fields using a simple field set: composes
    compose.test.ts: adds correct @provides information to fields on value types: composes
    compose.test.ts: adds externals map from service to externals for @external fields: composes
    compose.test.ts: allows extension of the Mutation type with no base type definition: composes
    compose.test.ts: allows extension of the Query type with no base type definition: composes
    compose.test.ts: allows extensions to overwrite other extension fields: The Product.price field has conflicting types in different subgraphs: Int! in s0 but Float! in s2
    compose.test.ts: allows overwriting a type that implements an interface improperly: The Product.id field has conflicting types in different subgraphs: ID! in s0 but String! in s1
    compose.test.ts: does not redefine fields with @external when composing: composes
    compose.test.ts: extends enum types: composes
    compose.test.ts: extends input types: The ProductInput.sku field is not defined in all subgraphs, but it is required in s0
    compose.test.ts: extensions field on GraphQLSchema includes serviceList: composes
    compose.test.ts: handles collisions of base types as expected (newest takes precedence): composes
    compose.test.ts: handles collisions on type extensions as expected: composes
    compose.test.ts: keeps executable directives in the schema: composes
    compose.test.ts: preserves @key information with respect to types across different services: composes
    compose.test.ts: preserves arguments for fields: composes
    compose.test.ts: reports multiple errors correctly: composes
    compose.test.ts: should include types from different services: composes
    compose.test.ts: treats interfaces with @extends as interface extensions: composes
    compose.test.ts: treats root Mutations type definition as an extension, not base definitions: composes
    compose.test.ts: treats root Query type definition as an extension, not base definitions: composes
    compose.test.ts: treats types with @extends as type extensions: composes
    compose.test.ts: works when extension service is first: composes
    compose.test.ts: works when extension service is second: composes
    compose.test.ts: works with multiple extensions on the same type: composes
    composeAndValidate.test.ts: composed type implements ALL interfaces that value types implement: composes
    composeAndValidate.test.ts: composition of full-SDL schemas without any errors: composes
    composeAndValidate.test.ts: on field type mismatch: composes
    composeAndValidate.test.ts: on invalid usages of default operation names: s0: The Query type has the default name for a root but is itself not a root. This is not valid in a federation context.
    composeAndValidate.test.ts: on kind mismatch: composes
    composeAndValidate.test.ts: on union types mismatch: composes
    composeAndValidate.test.ts: preserves executable and purges type-system directives: composes
    composeAndValidate.test.ts: should merge @tag on Object Type fields: composes
    composeAndValidate.test.ts: the services of all: composes
    composeAndValidate.test.ts: treats interfaces with @extends as interface extensions: composes
    composeAndValidate.test.ts: treats types with @extends as type extensions: composes
    composeAndValidate.test.ts: when a type extension has no base: composes
    composeAndValidate.test.ts: when used as an entity: composes
    ");
}
