//! What counts as a change, and that no document is too strange to show.

use proptest::prelude::*;

use super::*;

/// `path: before → after` of the changed fields, then `path` of the unchanged ones.
fn shown(previous: Option<&str>, next: Option<&str>) -> (Vec<String>, Vec<String>) {
    let (changed, unchanged) = diff(previous, next);
    let value = |value: Option<String>| value.unwrap_or_else(|| "–".to_owned());
    let change = |field: FieldDiff| format!("{}: {} → {}", field.path, value(field.before), value(field.after));
    (changed.into_iter().map(change).collect(), unchanged.into_iter().map(|field| field.path).collect())
}

fn changed(previous: &str, next: &str) -> Vec<String> {
    shown(Some(previous), Some(next)).0
}

#[test]
fn changed_fields_come_apart_from_unchanged_ones() {
    let previous = r#"{"user_id":"u1","name":"Grace","role":"member","teams":["data"]}"#;
    let next = r#"{"user_id":"u1","name":"Grace","role":"admin","teams":["data", "platform"]}"#;
    let (changed, unchanged) = shown(Some(previous), Some(next));
    assert_eq!(changed, [r#"role: "member" → "admin""#, r#"teams: ["data"] → ["data", "platform"]"#]);
    assert_eq!(unchanged, ["user_id", "name"]);
}

#[test]
fn created_and_deleted_objects_show_every_field() {
    let team = r#"{"id":"t1","limits":{"seats":5,"more":{}}}"#;
    assert_eq!(shown(None, Some(team)).0, [r#"id: – → "t1""#, "limits.seats: – → 5", "limits.more: – → {}"]);
    assert_eq!(shown(Some(team), None).0, [r#"id: "t1" → –"#, "limits.seats: 5 → –", "limits.more: {} → –"]);
    assert_eq!(shown(None, None), (vec![], vec![]));
}

#[test]
fn nested_objects_are_taken_apart_and_names_quoted_where_needed() {
    assert_eq!(changed(r#"{"a":{"b":{"c":1}}}"#, r#"{"a":{"b":{"c":2},"d":3}}"#), ["a.b.c: 1 → 2", "a.d: – → 3"]);
    assert_eq!(changed(r#"{"a.b":1,"":1}"#, r#"{"a.b":2,"":2}"#), ["\"a.b\": 1 → 2", "\"\": 1 → 2"]);
    assert_eq!(changed(r#"{"a":{"b":1}}"#, r#"{"a":null}"#), [r#"a: {"b":1} → null"#]);
}

#[test]
fn numbers_are_shown_as_written_and_spelling_is_no_change() {
    assert_eq!(
        changed(r#"{"n":1.10,"big":123456789012345678901}"#, r#"{"n":1.1,"big":1E5}"#),
        ["n: 1.10 → 1.1", "big: 123456789012345678901 → 1E5"]
    );
    assert!(changed(r#"{"s":"A","o":[{"x":1,"y":2}]}"#, r#"{ "o":[{"y":2, "x":1}], "s":"\u0041" }"#).is_empty());
}

#[test]
fn what_is_no_object_is_compared_whole() {
    assert_eq!(changed("[1]", r#"{"a":1}"#), [r#"(whole): [1] → {"a":1}"#]);
    assert_eq!(shown(Some("null"), None).0, ["(whole): null → –"]);
    assert_eq!(changed("{\"a\":", "not JSON"), ["(whole): {\"a\": → not JSON"]);
    assert_eq!(shown(Some("not JSON"), Some("not JSON")).1, ["(whole)"]);
}

#[test]
fn the_last_of_repeated_names_counts() {
    assert_eq!(changed(r#"{"a":1,"b":0,"a":2}"#, r#"{"a":2,"b":1}"#), ["b: 0 → 1"]);
}

#[test]
fn hidden_characters_are_visible_and_layout_is_kept() {
    let next = "{\"na\u{202e}me\":[\n  \"x\u{200f}\"\n]}";
    assert_eq!(shown(None, Some(next)).0, ["\"na⟨U+202E⟩me\": – → [\n  \"x⟨U+200F⟩\"\n]"]);
}

#[test]
fn depth_and_number_of_fields_are_bounded() {
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    assert_eq!(diff(None, Some(&deep)).0[0].path, ["a"; MAX_DEPTH].join("."));
    let bottomless = format!("{{\"a\":{}", "[".repeat(60_000));
    assert_eq!(diff(None, Some(&bottomless)).0[0].path, WHOLE);
    let many: Vec<_> = (0..1234).map(|number| format!("\"f{number}\":{number}")).collect();
    let (changed, _) = diff(None, Some(&format!("{{{}}}", many.join(","))));
    assert_eq!((changed.len(), changed[MAX_FIELDS].path.as_str()), (MAX_FIELDS + 1, "(734 more fields)"));
}

proptest! {
    #[test]
    fn no_text_is_a_panic(previous in any::<String>(), next in "[\\[\\]{}:,\"a1\\\\ ]{0,60}") {
        let _ = diff(Some(&previous), Some(&next));
        let _ = diff(Some(&next), None);
    }

    #[test]
    fn a_document_does_not_differ_from_itself(name in any::<String>(), text in any::<String>(), number in any::<f64>()) {
        let document = serde_json::json!({ name: { "text": text, "number": number } }).to_string();
        prop_assert!(diff(Some(&document), Some(&document)).0.is_empty());
    }
}
