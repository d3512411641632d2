use std::fmt::Write;

use super::*;

const API: &str = "type Query { product(id: ID!): Product } type Mutation { rename(id: ID!, name: String!): Product } type Product { id: ID! name: String }";

fn documents(texts: &[&str]) -> Vec<Document> {
    let document = |(number, text): (usize, &&str)| Document { id: format!("d{number}"), text: (*text).to_owned() };
    texts.iter().enumerate().map(document).collect()
}

fn faults(texts: &[&str]) -> Vec<String> {
    validate(API, &documents(texts))
        .map_or_else(|faults| faults.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

#[test]
fn both_forms_are_read() {
    let relay = br#"{ "a1": "query A { product(id: 1) { id } }", "b2": "{ product(id: 2) { id } }" }"#;
    let apollo = br#"{ "format": "apollo-persisted-query-manifest", "version": 1, "operations": [
        { "id": "a1", "name": "A", "type": "query", "body": "query A { product(id: 1) { id } }" },
        { "id": "b2", "name": "B", "type": "query", "body": "{ product(id: 2) { id } }" }
    ] }"#;
    let (relay, apollo) = (read(relay).unwrap(), read(apollo).unwrap());
    assert_eq!((relay.format, apollo.format), (Format::Relay, Format::Apollo));
    assert_eq!(relay.documents, apollo.documents);
    let operations = validate(API, &relay.documents).unwrap();
    assert_eq!(operations[0], Operation { kind: "query", name: "A".to_owned() });
    assert_eq!(operations[1].name, "");
}

#[test]
fn what_is_no_manifest_is_refused() {
    let many = format!("{{{}}}", (0..=MAX_DOCUMENTS).map(|id| format!("\"{id}\":\"\"")).collect::<Vec<_>>().join(","));
    let deep = "[".repeat(100_000);
    for (bytes, part) in [
        (b"".as_slice(), "8 MiB"),
        (&vec![b' '; MAX_BYTES + 1], "8 MiB"),
        (b"[]", "JSON object"),
        (b"{\"a\": \"\xff\"}", "JSON object"),
        (b"{", "JSON object"),
        (b"{}", "5000"),
        (many.as_bytes(), "5000"),
        (deep.as_bytes(), "JSON object"),
        (br#"{"format": "other", "version": 1, "operations": []}"#, "format"),
        (br#"{"format": "apollo-persisted-query-manifest", "version": 2, "operations": []}"#, "version 1"),
        (br#"{"operations": 1}"#, "JSON object"),
        (br#"{"a": 1, "b": "{ product }", "c": null}"#, "a: this is no text; c: this is no text"),
        (br#"{"a": "", "a": ""}"#, "a: this id is there twice"),
        (br#"{"": ""}"#, "an id has"),
        (br#"{"a\u0000": ""}"#, "an id has"),
        (br#"{"a": "\u0000"}"#, "NUL"),
    ] {
        let error = read(bytes).unwrap_err();
        assert_eq!((error.status(), error.field()), (422, Some("manifest")));
        assert!(error.message().contains(part), "{part}: {}", error.message());
    }
}

#[test]
fn every_bad_document_is_named() {
    let told = faults(&[
        "query Fine { product(id: 1) { id } }",
        "query A { product(id: 1) { price } }",
        "query B($id: ID!) {\n  product { id }\n}",
        "mutation { rename(id: 1) { id } }",
        "{ product(id: 1) { id ",
        "",
        "type Query { a: Int }",
        "query A { product(id: 1) { id } } query B { product(id: 1) { id } }",
        "fragment F on Product { id }",
        "{ product(id: 1) { ...F } } fragment F on Product { ...F }",
    ]);
    insta::assert_snapshot!(told.join("\n"), @r"
    d1:1:11: interface, union and object types must have a subselection set
    d1:1:28: type `Product` does not have a field `price`
    d2:1:9: unused variable: `$id`
    d2:2:3: the required argument `Query.product(id:)` is not provided
    d3:1:12: the required argument `Mutation.rename(name:)` is not provided
    d4:1:23: syntax error: expected R_CURLY, got EOF
    d4:1:23: syntax error: expected R_CURLY, got EOF
    d5:1:1: syntax error: Unexpected <EOF>.
    d6:1:1: an executable document must not contain an object type definition
    d7: a document has exactly one operation
    d8:1:1: fragment `F` must be used in an operation
    d9:1:29: `F` fragment cannot reference itself
    ");
}

#[test]
fn hostile_documents_are_refused_and_nothing_overflows() {
    let nested = "{product(id:1)".repeat(100_000);
    assert!(faults(&[&nested])[0].contains("nested"));
    let mut bomb = String::from("{ ...F0 }\n");
    for number in 0..500 {
        writeln!(bomb, "fragment F{number} on Query {{ ...F{} ...F{} }}", number + 1, number + 1).unwrap();
    }
    bomb += "fragment F500 on Query { product(id: 1) { id } }";
    let _ = validate(API, &documents(&[&bomb])); // Whatever the validator says of it, it says it.
}
