//! What is read and what is refused, and where.

use super::*;

const EVENT: &str = r#"{"id":"e-1","action":"invoice.created","occurred_at":"2026-11-20T10:00:00+01:00",
    "actor":{"user":{"id":"u1","name":"Ada","email":"ada@x.example"},"access_token":{"id":"t1","name":"robot"}},
    "object":{"type":"line_item","id":"i1","name":"Tea"},"outcome":"denied","previous":null,
    "next":{ "price" : 1.10, "a":[{}, "é"] },"ip":"2001:DB8::1","user_agent":"curl/8","request_id":"r1"}"#;

fn now() -> DateTime<Utc> {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn parse(body: &str) -> Result<Vec<Parsed>> {
    events(body.as_bytes(), Format::Json, now(), Uuid::nil())
}

/// The field and the message with which a body is refused.
fn refused(body: &str) -> (String, String) {
    let Error::Invalid(refused) = parse(body).unwrap_err() else { panic!("{body}") };
    (refused.field, refused.message)
}

#[test]
fn an_event_is_read_whole_and_its_documents_are_kept_as_they_are() {
    let [event] = parse(EVENT).unwrap().try_into().unwrap();
    let draft = event.draft;
    assert_eq!((event.client_id.as_deref(), draft.action.as_str()), (Some("e-1"), "invoice.created"));
    assert_eq!(draft.claimed_at.map(|at| at.to_rfc3339()).as_deref(), Some("2026-11-20T09:00:00+00:00"));
    assert_eq!(
        (draft.actor.user.unwrap().id, draft.actor.access_token.unwrap().name),
        ("u1".into(), Some("robot".into()))
    );
    assert_eq!((draft.object_type.as_str(), draft.object_id.as_deref()), ("line_item", Some("i1")));
    assert_eq!((draft.previous, draft.next.as_deref()), (None, Some(r#"{ "price" : 1.10, "a":[{}, "é"] }"#)));
    assert_eq!((draft.outcome, draft.origin.ip.as_deref()), (Outcome::Denied, Some("2001:db8::1")));
}

#[test]
fn one_several_and_lines() {
    let least = r#"{"action":"a.b","actor":{"user":{"id":"1"}}}"#;
    assert_eq!(parse(least).unwrap()[0].draft.object_type, "a");
    assert_eq!(parse(&format!(r#"{{"events":[{least},{least}]}}"#)).unwrap().len(), 2);
    let lines = format!("{least}\r\n\n{least}\n");
    assert_eq!(events(lines.as_bytes(), Format::Ndjson, now(), Uuid::nil()).unwrap().len(), 2);
    let many = |number: usize| format!(r#"{{"events":[{}]}}"#, vec![least; number].join(","));
    assert_eq!(parse(&many(MAX_EVENTS)).unwrap().len(), MAX_EVENTS);
    assert_eq!((refused(&many(0)).0, refused(&many(MAX_EVENTS + 1)).0), ("events".into(), "events".into()));
}

#[test]
fn a_refusal_names_its_place() {
    let event = |rest: &str| format!(r#"{{"action":"a.b","actor":{{"user":{{"id":"1"}}}}{rest}}}"#);
    let deep = format!(r#","next":{{"a":{}1{}}}"#, "[".repeat(32), "]".repeat(32));
    let long_key = format!(r#","next":{{"{}":1}}"#, "k".repeat(257));
    for (body, field) in [
        ("[]".to_owned(), "body"),
        ("{".to_owned(), "body"),
        (r#"{"events":[],"more":1}"#.to_owned(), "more"),
        (r#"{"events":{}}"#.to_owned(), "events"),
        (r#"{"action":"a.b"}"#.to_owned(), "actor"),
        (r#"{"action":"a.b","actor":{}}"#.to_owned(), "actor"),
        (r#"{"action":"a.b","actor":{"user":{}}}"#.to_owned(), "actor.user.id"),
        (r#"{"action":"a.b","actor":{"user":{"id":1}}}"#.to_owned(), "actor.user.id"),
        (r#"{"action":"member.created","actor":{"user":{"id":"1"}}}"#.to_owned(), "action"),
        (r#"{"action":"Nope","actor":{"user":{"id":"1"}}}"#.to_owned(), "action"),
        (event(r#","colour":1"#), "colour"),
        (event(r#","action":"a.b""#), "action"),
        (event(r#","next":[]"#), "next"),
        (event(r#","next":{"a":{"b":1,"b":2}}"#), "next.a.b"),
        (event(r#","next":{"a":["x","\u0000"]}"#), "next.a[1]"),
        (event(r#","next":{"a":"\ud800"}"#), "next.a"),
        (event(&deep), &format!("next.a{}", "[0]".repeat(31))),
        (event(&long_key), "next"),
        (event(r#","ip":"somewhere""#), "ip"),
        (event(r#","outcome":"maybe""#), "outcome"),
        (event(r#","object":{"type":"Line Item"}"#), "object.type"),
        (event(r#","occurred_at":"2026-11-22""#), "occurred_at"),
        (event(r#","occurred_at":"2026-08-24T23:59:59Z""#), "occurred_at"),
        (event(r#","occurred_at":"2026-11-22T12:05:01Z""#), "occurred_at"),
        (event(r#","user_agent":"a\nb""#), "user_agent"),
        (event(&format!(r#","next":{{"a":"{}"}}"#, "x".repeat(MAX_EVENT_BYTES))), "body"),
        (format!(r#"{{"events":[{0},{0}]}}"#, event(r#","id":"x""#)), "events[1].id"),
    ] {
        assert_eq!(refused(&body).0, field, "{body:.200}");
    }
    assert!(parse(&event(r#","occurred_at":"2026-08-25T00:00:00Z""#)).is_ok(), "the first day that is kept");
    assert!(parse(&event(r#","next":{"a":{"b":1},"c":{"b":1}}"#)).is_ok());
    assert_eq!(events(b"{\"a\xff\":1}", Format::Json, now(), Uuid::nil()).unwrap_err().field(), Some("body"));
}
