use super::*;
use crate::graphql::limits::{COMPLEXITY, DIRECTIVES, NESTING, ROOT_FIELDS, TOKENS};

fn read(text: &str) -> Result<Document, String> {
    read_with(text, None, r#"{"n":100}"#)
}

fn read_with(text: &str, name: Option<&str>, variables: &str) -> Result<Document, String> {
    let variables = Variables::from_json(serde_json::from_str(variables).unwrap());
    Document::read(text, name, &variables).map_err(|refused| {
        let error = serde_json::to_value(&refused.into_response().errors[0]).unwrap();
        format!("{}: {}", error["extensions"]["code"].as_str().unwrap(), error["message"].as_str().unwrap())
    })
}

#[test]
fn what_it_is_follows_from_the_document() {
    let text =
        "query A { x } mutation B($a: Int = 1) { ...F } fragment F on Mutation { renamed: renameTeam(a: $a) { id } }";
    let document = read_with(text, Some("B"), "{}").unwrap();
    assert_eq!((document.kind, document.name.as_deref()), (OperationType::Mutation, Some("B")));
    assert_eq!(document.root_fields, ["renameTeam"]);
    assert_eq!(read("{ a b: a ... { c } }").unwrap().root_fields, ["a", "a", "c"]);
}

#[test]
fn the_hash_does_not_see_spaces_and_comments() {
    let hash = |text: &str| read(text).unwrap().sha256;
    assert_eq!(
        hash("query A($n: Int){a(n:$n,b:1){c}}"),
        hash("query A ( $n : Int ) { # c\n a(n: $n b: 1) {\r\n c, } }")
    );
    assert_ne!(hash("{ a(b: \"x y\") }"), hash("{ a(b: \"x  y\") }"));
    assert_ne!(hash("{ ab }"), hash("{ a b }"));
}

#[test]
fn the_operation_must_be_clear() {
    for (text, name) in [("query A { a } query B { a }", None), ("query A { a }", Some("B")), ("{ a }", Some("A"))] {
        assert!(read_with(text, name, "{}").unwrap_err().contains("operationName"), "{text}");
    }
    assert_eq!(read("query A { a }").unwrap().name.as_deref(), Some("A"));
}

#[test]
fn a_mutation_has_one_field() {
    let refused = read("mutation { a b }").unwrap_err();
    assert!(refused.starts_with("BAD_USER_INPUT: A mutation has exactly one field"), "{refused}");
    assert!(read("mutation { a a: a }").is_err());
    assert!(read("mutation { a }").is_ok());
}

/// Each limit: what just fits, and one more of it.
#[test]
fn limits() {
    let nested = |levels: usize| format!("{}a{}", "{ a ".repeat(levels - 1) + "{ ", " }".repeat(levels));
    let bombs = |fragments: u32| {
        let spreads = |n| format!("fragment F{n} on Q {{ ...F{0} ...F{0} }} ", n + 1);
        format!("{{ ...F0 }} {} fragment F{fragments} on Q {{ a }}", (0..fragments).map(spreads).collect::<String>())
    };
    let cases = [
        (
            "tokens",
            format!("{{ a(b: [{}]) }}", "1 ".repeat(TOKENS - 9)),
            format!("{{ a(b: [{}]) }}", "1 ".repeat(TOKENS)),
        ),
        ("levels", nested(15), nested(16)),
        (
            "brackets",
            format!("{{ a(b: {}{}) }}", "[".repeat(NESTING - 2), "]".repeat(NESTING - 2)),
            "{ a(b: ".to_owned() + &"[".repeat(100_000),
        ),
        (
            "directives",
            format!("{{ a {} }}", "@b ".repeat(DIRECTIVES)),
            format!("{{ a {} }}", "@b ".repeat(DIRECTIVES + 1)),
        ),
        (
            "root",
            format!("{{ {} }}", "a ".repeat(ROOT_FIELDS)),
            format!("{{ ...F }} fragment F on Q {{ {} }}", "a ".repeat(ROOT_FIELDS + 1)),
        ),
        ("fields", "{ a { ...F0 } }".to_owned() + bombs(11).trim_start_matches("{ ...F0 }"), bombs(60)),
        (
            "objects",
            format!("{{ a(first: {}) {{ b {{ c }} }} }}", COMPLEXITY - 1),
            format!("{{ a(first: {COMPLEXITY}) {{ b {{ c }} }} }}"),
        ),
    ];
    for (what, fits, over) in cases {
        assert_eq!(read(&fits).err(), None, "{what}");
        let refused = read(&over).unwrap_err();
        assert!(refused.starts_with("LIMIT_EXCEEDED") && refused.contains(what), "{what}: {refused}");
    }
}

#[test]
fn first_multiplies_what_is_below_wherever_it_comes_from() {
    let nested =
        |first: &str| format!("query A($n: Int = 100) {{ a(first: {first}) {{ b(first: {first}) {{ c {{ d }} }} }} }}");
    for first in ["100", "$n"] {
        assert!(read(&nested(first)).unwrap_err().contains("objects"), "{first}");
        assert!(read_with(&nested(first), None, "{}").unwrap_err().contains("objects"), "{first}");
    }
    assert!(read_with(&nested("$n"), None, r#"{"n":3}"#).is_ok());
    assert!(read(&nested("1844674407370955161")).unwrap_err().contains("objects"));
}

#[test]
fn fragments_exist_and_do_not_spread_themselves() {
    for text in [
        "{ ...F } fragment F on Q { a ...F }",
        "{ ...F } fragment F on Q { ...G } fragment G on Q { a { ...F } }",
        "{ ...F }",
    ] {
        assert!(read(text).unwrap_err().starts_with("BAD_USER_INPUT"), "{text}");
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "{",
        "}",
        "query",
        "{ a(",
        "{ a(b: \"\\u0000\") }",
        "{ a(b: {c: [\"\\u0000\"]}) }",
        "{ \0 }",
        "{ a(b: \"",
        "type A { a: Int }",
    ] {
        assert!(read(text).unwrap_err().starts_with("BAD_USER_INPUT"), "{text}");
    }
}

/// The question that GraphiQL, code generators and `gql` ask first.
#[test]
fn the_usual_question_for_the_schema_fits() {
    let of_type = (0..9).fold("kind name".to_owned(), |inner, _| format!("kind name ofType {{ {inner} }}"));
    let text = format!(
        "query IntrospectionQuery {{ __schema {{ description queryType {{ name kind }} mutationType {{ name kind }} subscriptionType {{ name kind }}
          types {{ ...FullType }} directives {{ name description isRepeatable locations args(includeDeprecated: true) {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ kind name description specifiedByURL isOneOf
          fields(includeDeprecated: true) {{ name description args(includeDeprecated: true) {{ ...InputValue }} type {{ ...TypeRef }} isDeprecated deprecationReason }}
          inputFields(includeDeprecated: true) {{ ...InputValue }} interfaces {{ ...TypeRef }}
          enumValues(includeDeprecated: true) {{ name description isDeprecated deprecationReason }} possibleTypes {{ ...TypeRef }} }}
        fragment InputValue on __InputValue {{ name description type {{ ...TypeRef }} defaultValue isDeprecated deprecationReason }}
        fragment TypeRef on __Type {{ {of_type} }}"
    );
    assert_eq!(read(&text).err(), None);
}

#[test]
fn secrets_are_known_by_where_they_are_put() {
    let document = read(
        "mutation A($a: String, $b: [String], $c: String, $n: Int) { f(input: { newPassword: $a, tokens: [$b], name: $c, first: $n }) { ...G } }
        fragment G on X { g(secret: $d) }",
    );
    assert_eq!(document.unwrap().secrets, ["a", "b", "d"]);
    assert_eq!(read("{ f(secret: $a) }").unwrap().secrets, ["a"]);
    assert!(read("query A($a: String = \"x\") { f(secret: $a) }").unwrap_err().contains("default"));
    assert!(read("query A($a: String = \"x\") { f(name: $a) }").is_ok());
}
