//! The parsers of the domain, with what must be so of whatever they accept: a panic is a find. Read by the tests as well
//! (`server/tests/http/fuzz/parsers.rs`).

use std::str::from_utf8;

use chrono::{DateTime, Utc};
use orgtrail::audit::cursor::{CursorKey, Position};
use orgtrail::audit::diff::diff;
use orgtrail::audit::ingest::{Format, MAX_EVENTS, parse};
use orgtrail::audit::query::{ExportQuery, PageQuery};
use orgtrail::audit::range::TimeRange;
use orgtrail::audit::redact::RedactionKey;
use orgtrail::graph::compose::{Source, compose};
use orgtrail::graph::{manifest, schema};
use orgtrail::identity::access_token::{Secret, addresses, expiry};
use orgtrail::identity::email::Email;
use orgtrail::identity::link_secret::LinkSecret;
use orgtrail::model::{ndjson, query};
use orgtrail::organization::name;
use orgtrail::organization::slug::Slug;
use serde_json::value::RawValue;
use uuid::Uuid;

/// A name, which is that of a folder of seeds, and what is fed with any bytes.
pub type Parser = (&'static str, fn(&[u8]));

/// Those of the domain.
pub const PARSERS: [Parser; 12] = [
    ("cursor", cursor),
    ("diff", difference),
    ("events_json", events_json),
    ("events_ndjson", events_ndjson),
    ("export_query", export_query),
    ("manifest", submitted_manifest),
    ("page_query", page_query),
    ("records", records),
    ("records_query", records_query),
    ("redaction", redaction),
    ("schema", published_schema),
    ("words", words),
];

/// The time at which everything is read: always the same, so that what was found is found again.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_225_600, 0).unwrap_or_default()
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<&RawValue>(text).is_ok()
}

fn page_query(bytes: &[u8]) {
    let Ok(raw) = from_utf8(bytes) else { return };
    let Ok(asked) = PageQuery::parse(raw, now()) else { return };
    let link = asked.to_query_string();
    let followed = PageQuery::parse(&link, now());
    let is_same = |followed: &PageQuery| followed.filter == asked.filter && followed.to_query_string() == link;
    assert!(followed.as_ref().is_ok_and(is_same), "{link} leads to {followed:?}");
}

fn export_query(bytes: &[u8]) {
    let Ok(raw) = from_utf8(bytes) else { return };
    let Ok(asked) = ExportQuery::parse(raw, now()) else { return };
    let link = asked.to_query_string();
    let followed = ExportQuery::parse(&link, now());
    assert!(followed.as_ref().is_ok_and(|followed| *followed == asked), "{link} leads to {followed:?}");
}

fn records_query(bytes: &[u8]) {
    let Ok(raw) = from_utf8(bytes) else { return };
    let _of_page = query::RecordsQuery::parse(raw, now());
    let _of_export = query::ExportQuery::parse(raw, now());
}

fn events_json(bytes: &[u8]) {
    events(bytes, Format::Json);
}

fn events_ndjson(bytes: &[u8]) {
    events(bytes, Format::Ndjson);
}

fn events(bytes: &[u8], format: Format) {
    let Ok(events) = parse::events(bytes, format, now(), Uuid::nil()) else { return };
    assert!((1..=MAX_EVENTS).contains(&events.len()));
    for event in events {
        let documents = [&event.draft.previous, &event.draft.next];
        assert!(documents.into_iter().flatten().all(|document| is_json(document)), "{:?}", event.draft);
    }
}

fn records(bytes: &[u8]) {
    let Ok(records) = ndjson::read(bytes, now()) else { return };
    assert!(records.iter().all(|record| is_json(&record.content)), "{records:?}");
}

/// What is no cursor of ours is none; what we make is.
fn cursor(bytes: &[u8]) {
    let key = CursorKey::derive(b"a secret");
    let text = String::from_utf8_lossy(bytes);
    if let Ok(position) = key.open("a list", &text) {
        assert_eq!(key.seal("a list", position), text);
    }
    if let Ok((window, position)) = key.open_in("a list", &text) {
        assert_eq!(key.seal_in("a list", window, position), text);
    }
    let (numbers, _) = bytes.as_chunks::<8>();
    let [at, index, start, end, ..] = numbers else { return };
    let time = |bytes: &[u8; 8]| DateTime::from_timestamp_micros(i64::from_be_bytes(*bytes));
    let (Some(occurred_at), Some(start), Some(end)) = (time(at), time(start), time(end)) else { return };
    let (position, window) = (Position { occurred_at, index: i64::from_be_bytes(*index) }, TimeRange { start, end });
    assert_eq!(key.open("a list", &key.seal("a list", position)).ok(), Some(position));
    let opened = key.open_in("a list", &key.seal_in("a list", window, position)).ok();
    assert!(opened.is_some_and(|(of, at)| of == window && at == position));
}

/// What was JSON still is.
fn redaction(bytes: &[u8]) {
    let (text, key) = (String::from_utf8_lossy(bytes), RedactionKey::derive(b"a secret"));
    let Ok(redactor) = key.map(|key| key.of(Uuid::nil())) else { return };
    let redacted = redactor.document(&text);
    assert!(!is_json(&text) || redacted.as_deref().is_none_or(is_json), "{redacted:?}");
    let _document = redactor.graphql(&text);
}

/// Two states, with a line feed between them.
fn difference(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (previous, next) = text.split_once('\n').unwrap_or((&text, ""));
    let _shown = diff(Some(previous), Some(next));
    let (changed, _same) = diff(Some(previous), Some(previous));
    assert!(changed.is_empty(), "nothing differs from itself: {changed:?}");
}

/// The schema of whatever documents there are.
const API: &str = "type Query { products(first: Int): [Product!]! } type Product { id: ID! name: String }";

fn submitted_manifest(bytes: &[u8]) {
    let Ok(submitted) = manifest::read(bytes) else { return };
    let operations = manifest::validate(API, &submitted.documents);
    assert!(
        operations.is_ok_and(|operations| operations.len() == submitted.documents.len())
            || !submitted.documents.is_empty()
    );
}

/// A schema, beside one that is fine.
fn published_schema(bytes: &[u8]) {
    let Ok(sdl) = schema::text(bytes) else { return };
    if schema::unsafe_to_read("a", sdl).is_some() {
        return;
    }
    let other = Source { name: "other", url: "", sdl: API };
    for sources in [vec![Source { name: "one", url: "", sdl }], vec![Source { name: "one", url: "", sdl }, other]] {
        let _composed = compose(&sources);
    }
}

/// What people type into forms, and what links and programs carry, each as it is taken.
const WORDS: [fn(&str) -> orgtrail::Result<String>; 6] = [
    |typed| Ok(Email::parse(typed)?.as_str().to_owned()),
    |typed| Ok(Slug::parse(typed)?.as_str().to_owned()),
    |typed| name::parse("name", typed),
    |sent| Ok(LinkSecret::parse(sent)?.expose().to_owned()),
    |sent| Ok(Secret::parse(sent)?.expose().to_owned()),
    |typed| Ok(addresses::parse(typed)?.join(" ")),
];

/// What is taken is taken once more as it is then.
fn words(bytes: &[u8]) {
    let Ok(typed) = from_utf8(bytes) else { return };
    for take in WORDS {
        let Ok(taken) = take(typed) else { continue };
        assert_eq!(take(&taken).ok().as_ref(), Some(&taken), "{typed:?}");
    }
    let Ok(Some(end)) = expiry::parse(typed, None) else { return };
    assert_eq!(expiry::parse(&expiry::last_day(end), None).ok(), Some(Some(end)), "{typed:?}");
}
