use super::*;

fn source<'a>(name: &'a str, sdl: &'a str) -> Source<'a> {
    Source { name, url: "https://example.com", sdl }
}

fn faults(sources: &[Source<'_>]) -> Vec<String> {
    compose(sources).map_or_else(|faults| faults.iter().map(ToString::to_string).collect(), |_| Vec::new())
}

const PRODUCTS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
    type Query { products: [Product!]! }
    type Product @key(fields: "id") { id: ID! name: String! }
"#;

const REVIEWS: &str = r#"
    extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
    type Query { reviews: [Review!]! }
    type Review { text: String! product: Product! }
    type Product @key(fields: "id") { id: ID! reviews: [Review!]! }
"#;

#[test]
fn subgraphs_become_one_supergraph() {
    let made = compose(&[source("products", PRODUCTS), source("line-items", REVIEWS)]).unwrap();
    insta::assert_snapshot!(made.api, @r"
    type Product {
      id: ID!
      name: String!
      reviews: [Review!]!
    }

    type Review {
      product: Product!
      text: String!
    }

    type Query {
      products: [Product!]!
      reviews: [Review!]!
    }
    ");
    assert!(made.supergraph.contains("join__Graph") && made.supergraph.contains("LINE_ITEMS"), "{}", made.supergraph);
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let cases = [
        vec![source("products", "type Query {\n  a: Int\n  b: }")],
        vec![source("products", "type Query { a: % }")],
        vec![source("products", " \n ")],
        vec![source("products", "query { a }")],
        vec![source("products", "type Query { a: Missing }")],
        vec![source("products", "type Product { id: ID }")],
        vec![source("a", "type Query { a: Int }"), source("b", "type Query { a: String }")],
        vec![
            source("a", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\") type Query { a: Int }"),
            source("b", "extend schema @link(url: \"https://specs.apollo.dev/federation/v2.3\") type Query { a: Int }"),
        ],
        vec![source("a", "type Query { t: T } type T @key(fields: \"missing\") { id: ID! }")],
    ];
    let told: Vec<String> = cases.iter().map(|sources| faults(sources).join("\n")).collect();
    insta::assert_snapshot!(told.join("\n---\n"), @r#"
    products:3:6: unexpected closing brace ('}') token
    ---
    products:1:17: Unexpected character "%"
    ---
    products:1:1: the graphql document was empty, please provide at least one definition
    ---
    products:1:1: unexpected query token
    ---
    products:1:17: there is no type `Missing` here
    ---
    None of the subgraphs define any root (Query, Mutation, Subscription) type. The federated graph cannot be empty.
    ---
    The Query.a field has conflicting types in different subgraphs: Int in a but String in b
    ---
    The field `Query.a` is resolved by multiple subgraphs, but not marked as `@shareable`. The field must be marked as `@shareable` in at least one of the subgraphs: a, b
    ---
    a: Error in @key at T: the missing field does not exist on T
    "#);
}

/// Whether it was told where a subgraph is served makes no difference.
#[test]
fn schemas_of_federation_1_compose() {
    let product = "type Query { products: [Product] } type Product @key(fields: \"id\") { id: ID! name: String }";
    let stock = "extend type Product @key(fields: \"id\") { id: ID! @external stock: Int } type Page { size: Int } extend type Query { page: Page }";
    let others = "type Page { size: Int } extend type Query { other: Page }";
    for url in ["", "https://example.com"] {
        let sources = [("a", product), ("b", stock), ("c", others)].map(|(name, sdl)| Source { name, url, sdl });
        assert_eq!(faults(&sources), [""; 0], "{url}");
    }
}

#[test]
fn subgraphs_without_federation_compose_as_well() {
    assert_eq!(faults(&[source("a", "type Query { a: Int }"), source("b", "type Query { b: [[Int!]]! }")]), [""; 0]);
}

#[test]
fn hostile_schemas_are_refused_and_nothing_overflows() {
    let nested = |open: &str| open.repeat(200_000);
    for sdl in [
        format!("type Query {{ a: {}", nested("[")),
        format!("type Query {{ a(b: Int = {}", nested("[")),
        format!("type Query {{ a(b: J = {}", nested("{a:")),
        format!("type T @key(fields: \"{}\") {{ id: ID }}", nested("a{")),
        format!("type T @key(fields: \"\"\"{}\"\"\") {{ id: ID }}", nested("a{")),
        nested("{"),
        nested("type "),
        nested("@"),
        nested("\""),
        nested("& "),
        format!("\"\"\"{}", nested("\\")),
        format!("type Query {{ a: {}Int{} }}", "[".repeat(10), "]".repeat(10)),
        "\u{feff}type Query { a: Int @deprecated(reason: \"\\u{110000}\") }".to_owned(),
        "extend schema @link(url: \"\", import: [{ name: 1 }])\ntype Query { a: Int }".to_owned(),
        "extend type Query @key(fields: 1) { a: Int @external @requires(fields: \"\") @provides(fields: \"{\") }"
            .to_owned(),
        "type A implements A & A { a: A } type Query { a: A }".to_owned(),
        "interface I implements J { a: I } interface J implements I { a: J } type Query { a: I }".to_owned(),
        "input I { i: I! = {} } type Query { a(i: I): Int }".to_owned(),
        "directive @d(a: Int @d) on FIELD_DEFINITION | ARGUMENT_DEFINITION type Query { a: Int @d }".to_owned(),
        "union U = U type Query { u: U }".to_owned(),
        "type Query { __schema: Int }".to_owned(),
        "schema { query: Q } type Query { a: Int }".to_owned(),
        "type Query { a(b: Int = 99999999999999999999): Int }".to_owned(),
    ] {
        // Whether it is refused is the libraries' matter for the last ones: they answer.
        let _ = compose(&[source("a", &sdl), source("b", "type Query { b: Int }")]);
    }
}

/// The library panics at a number that nothing here sees before, because its first digit is escaped.
#[test]
fn what_breaks_a_library_is_refused() {
    let sdl = r#"type Query { a: A } type A @key(fields: "a(b: \u00399999999999999999999)") { a(b: Int): Int }"#;
    let faults = compose(&[source("a", sdl)]).unwrap_err();
    assert!(faults[0].message.contains("beyond the library"), "{faults:?}");
}

/// 5 MB: some thousand types.
#[test]
fn large_schemas_compose() {
    const TYPES: usize = 25_000;
    let types: String = (0..TYPES)
        .map(|number| {
            let next = (number + 1) % TYPES;
            format!(
                "\"A thing of some kind, with a description as people write them.\"\ntype Thing{number} {{\n  id: ID!\n  \
                \"What it is called.\"\n  name(first: Int = 10, after: String): [String!]!\n  next: Thing{next}\n  price: Float\n}}\n"
            )
        })
        .collect();
    let sdl = format!("type Query {{ things: [Thing0!]! }}\n{types}");
    assert!((5_000_000..schema::MAX_BYTES).contains(&sdl.len()), "{}", sdl.len());
    let made = compose(&[source("things", &sdl), source("other", "type Query { other: Int }")]).unwrap();
    assert!(made.api.contains("Thing24999"));
}
