//! What another product sent is what is kept, shown and exported, byte for byte; and it is as long as is stored with it.

use chrono::{SubsecRound, TimeDelta};
use orgtrail::audit::append::Draft;
use orgtrail::audit::event::Actor;
use orgtrail::audit::page;
use sqlx::PgPool;

use crate::expected;
use crate::fixture::{Fixture, claimed};

/// JSON that a parser would give back otherwise.
const DOCUMENTS: [&str; 9] = [
    "{}",
    " {\t\"a\" :1 ,\r\n\n  \"b\":[ ] }\n",
    r#"{"a":1.0e2,"b":100,"c":1E+2,"d":100.000,"e":-0.0,"f":12345678901234567890123456789.10}"#,
    r#"{"b":1,"a":2,"b":3,"b":1}"#,
    r#"{"a":"\u00e9\u0041\/\ud83d\ude00","é":"é/A😀","\u0000":"\u0000"}"#,
    r#"{"formula":"=1+1","quote":"\"","apostrophe":"'"}"#,
    r#"{"a":{"b":{"c":[[[[]]]]}}}"#,
    "null",
    "\"=text\"",
];

/// Names made to break CSV and spreadsheets.
const NAMES: [&str; 16] = [
    "Ada",
    "",
    " ",
    "\"",
    "\"\"",
    "a\"b,c",
    "a\r\nb",
    "=1+1",
    "+1",
    " -1",
    "@x",
    "\tx",
    "\rx",
    "＝x",
    "'quoted'",
    "\u{202e}é😀\u{feff}",
];

/// Every name with every document, before and after.
fn drafts(fixture: &Fixture) -> Vec<Draft> {
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::hours(1);
    let pairs = DOCUMENTS.iter().flat_map(|document| NAMES.map(|name| (*document, name)));
    pairs
        .map(|(document, name)| Draft {
            actor: actor(name),
            previous: Some(document.to_owned()),
            next: Some(format!(" {document}")),
            ..claimed("a.b", at)
        })
        .collect()
}

fn actor(name: &str) -> Actor {
    let (user, token) =
        (Actor::user(format!("-{name}"), name, format!("{name}@x")), Actor::access_token(format!("={name}"), name));
    Actor { user: user.user, access_token: token.access_token }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn documents_are_kept_byte_for_byte(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let drafts = drafts(&fixture);
    let recorded = fixture.record(&tenant, &drafts).await;
    let trail = fixture.trail(tenant.id).await;
    for (draft, recorded) in drafts.iter().zip(&recorded) {
        let stored = &trail[usize::try_from(recorded.index).unwrap()];
        assert_eq!((&stored.previous, &stored.next), (&draft.previous, &draft.next));
    }
    for (draft, recorded) in drafts.iter().zip(&recorded).step_by(NAMES.len()) {
        let shown = page::event(&fixture.platform, &tenant.owner, "acme", &recorded.id.to_string()).await.unwrap();
        assert_eq!((&shown.previous, &shown.next), (&draft.previous, &draft.next));
    }
}

/// More distinct words than Postgres lets one event be found by.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_event_of_very_many_words_is_kept_whole(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let words: Vec<String> = (0..300_000).map(|number| format!("w{number}")).collect();
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::hours(1);
    let draft = Draft { next: Some(format!("[\"{}\"]", words.join("\",\""))), ..claimed("zoo.opened", at) };
    fixture.record(&tenant, std::slice::from_ref(&draft)).await;
    assert_eq!(fixture.trail(tenant.id).await.pop().unwrap().next, draft.next);
    for (asked, found) in [("opened", 1), ("w17", 1), ("w299999", 0)] {
        let shown = page::events(&fixture.platform, &tenant.owner, "acme", &format!("q={asked}")).await.unwrap();
        assert_eq!(shown.events.len(), found, "{asked}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn stored_lengths_are_those_of_the_records(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.record(&tenant, &drafts(&fixture)).await;
    let mut stored = fixture.trail(tenant.id).await;
    stored.sort_by_key(|event| std::cmp::Reverse((event.occurred_at, event.index)));
    let rows = expected::rows(&fixture.superuser, tenant.id, "true").await;
    assert_eq!(rows.len(), stored.len());
    for (row, event) in rows.iter().zip(stored) {
        let lengths = [true, false].map(|safe| i32::try_from(expected::record_length(row, safe)).unwrap());
        assert_eq!([event.csv_safe_length, event.csv_raw_length], lengths, "{row:?}");
    }
}
