//! Models: what is added is kept as it was sent, all or none and once; what is exported is exactly that, and is recorded with what was taken.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::TryStreamExt;
use orgtrail::audit::logs::{self, Asked};
use orgtrail::export::{End, Export, Receipt, line_ends};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::model::{export, records, registry};
use orgtrail::{Error, Result};
use serde_json::Value;
use sqlx::PgPool;

use crate::fixture::{Fixture, INSUFFICIENT_PRIVILEGE, INTEGRITY, Tenant, code, refusal, run};

async fn add(fixture: &Fixture, viewer: &Viewer, key: Option<&str>, lines: &str) -> Result<records::Added> {
    let sent = records::Submission { key, body: lines.to_owned().into() };
    records::add(&fixture.platform, viewer, "acme", "fraud", sent).await
}

/// The query string of everything that the last days hold.
fn whole(fixture: &Fixture) -> String {
    let today = fixture.platform.clock.now().date_naive();
    format!("start={}&end={today}", today - TimeDelta::days(9))
}

async fn start(fixture: &Fixture, viewer: &Viewer, more: &str) -> Result<Export> {
    export::start(&fixture.platform, viewer, "acme", "fraud", &format!("{}{more}", whole(fixture))).await
}

/// Reads an export to its end, and gives its place back.
async fn read(export: Export) -> String {
    let ticket = export.ticket();
    let bytes = export.into_stream().map_ok(Vec::from).try_concat().await.unwrap();
    let receipt = Receipt { bytes: bytes.len() as u64, lines: line_ends(&bytes), sha256: Some([0xab; 32]) };
    ticket.finish(End::Complete, receipt).await;
    String::from_utf8(bytes).unwrap()
}

/// The number and the text of every record of a page, newest first.
async fn shown(fixture: &Fixture, viewer: &Viewer, query: &str) -> Vec<(i64, String)> {
    let page = records::page(&fixture.platform, viewer, "acme", "fraud", query).await.unwrap();
    page.records.into_iter().map(|record| (record.number, record.content)).collect()
}

/// Records with one time each, the later ones earlier in the file now and then; three share each time.
fn lines(count: i64, at: DateTime<Utc>) -> Vec<(String, String)> {
    let nasty = ["=SUM(A1)", "two\\nlines", "\\\"quoted\\\"", "é", "'tis"];
    let line = |number: i64| {
        let time = (at - TimeDelta::microseconds(number % 7)).to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        let text = nasty[usize::try_from(number).unwrap() % nasty.len()].repeat(usize::try_from(number % 40).unwrap());
        let line = format!("{{ \"n\":{number}, \"time\" :\"{time}\",\"text\":\"{text}\",\"x\":1.0e2}}");
        (time, line)
    };
    (0..count).map(line).collect()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_added_is_kept_all_or_none(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{\"a\": 1.0}\n{\"a\":2}").await;
    let owner = &acme.owner;
    let refused = add(&fixture, owner, None, "{}\n[]\n{").await.unwrap_err();
    assert_eq!((refused.status(), refused.faults().len()), (422, 2));
    assert_eq!(shown(&fixture, owner, "").await, [(1, "{\"a\":2}".to_owned()), (0, "{\"a\": 1.0}".to_owned())]);
    let added = add(&fixture, owner, None, "{\"a\":3}").await.unwrap();
    assert_eq!((added.first, added.last, added.records), (2, 2, 1));
    let last = fixture.trail(acme.id).await.pop().unwrap();
    let facts: Value = serde_json::from_str(last.next.as_deref().unwrap()).unwrap();
    assert_eq!(
        (last.action.as_str(), &facts["records"], &facts["first"]),
        ("model.records.added", &1.into(), &2.into())
    );
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_key_adds_once(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{}").await;
    fixture.model(&acme, "other", "{}").await;
    let program = fixture.token(&acme, &acme.owner, &[Scope::ModelsWrite]).await;
    let first = add(&fixture, &program, Some("k"), "{\"a\":1}").await.unwrap();
    let before = fixture.trail(acme.id).await;
    let again = add(&fixture, &program, Some("k"), "{\"a\":1}").await.unwrap();
    assert_eq!((first.is_replayed, again.is_replayed, again.first), (false, true, first.first));
    assert_eq!(fixture.trail(acme.id).await, before);
    let other = add(&fixture, &program, Some("k"), "{\"a\":2}").await.unwrap_err();
    assert_eq!((other.status(), other.field()), (422, Some("Idempotency-Key")));
    // The same to another model is another request.
    let sent = records::Submission { key: Some("k"), body: "{\"a\":1}".into() };
    let elsewhere = records::add(&fixture.platform, &program, "acme", "other", sent).await.unwrap_err();
    assert_eq!(elsewhere.field(), Some("Idempotency-Key"));
    let at_once = (0..6).map(|_| add(&fixture, &program, Some("l"), "{}\n{}"));
    let added = futures::future::join_all(at_once).await;
    let firsts: Vec<i64> = added.into_iter().flatten().map(|added| added.first).collect();
    assert_eq!(firsts, [first.first + 1; 6]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn many_who_add_at_once_leave_no_gap(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{}").await;
    let mut people = Vec::new();
    for name in ["ada", "grace", "linus"] {
        people.push(fixture.member(&acme, name, Role::Member).await);
    }
    let adding = (0..12).map(|turn| add(&fixture, &people[turn % 3], None, "{}\n{}\n{}"));
    let mut ranges: Vec<(i64, i64)> =
        futures::future::try_join_all(adding).await.unwrap().iter().map(|added| (added.first, added.last)).collect();
    ranges.sort_unstable();
    assert_eq!(ranges, (0..12).map(|turn| (1 + turn * 3, 3 + turn * 3)).collect::<Vec<_>>());
}

/// Whoever goes round the use case is refused: records do not change, and come with their count and an event only.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn no_record_comes_goes_or_changes_in_silence(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{}").await;
    for statement in [
        "update orgtrail.model_records set content = '{}'",
        "delete from orgtrail.model_records",
        "truncate orgtrail.model_records",
        "update orgtrail.models set name = 'other'",
    ] {
        let mut bound = fixture.bound(acme.id).await;
        assert_eq!(refusal(statement, &mut *bound).await, INSUFFICIENT_PRIVILEGE, "{statement}");
    }
    let insert = "insert into orgtrail.model_records select organization_id, model_id, number + 1, occurred_at, content, csv_safe_length, csv_raw_length, ndjson_length
        from orgtrail.model_records";
    let mut bound = fixture.bound(acme.id).await;
    assert_eq!(refusal(insert, &mut *bound).await, INTEGRITY);
    for statement in ["update orgtrail.models set records = records + 1", "delete from orgtrail.models"] {
        let mut bound = fixture.bound(acme.id).await;
        run(statement, &mut *bound).await.unwrap();
        assert_eq!(code(bound.commit().await), INTEGRITY, "{statement}");
    }
    // Control: counted, they come in, and it is the commit that wants the event.
    let mut bound = fixture.bound(acme.id).await;
    run("update orgtrail.models set records = records + 1", &mut *bound).await.unwrap();
    run(insert, &mut *bound).await.unwrap();
    assert_eq!(code(bound.commit().await), INTEGRITY);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_export_is_every_record_of_its_range_newest_first(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::days(1);
    let sent = lines(9_000, at);
    let body: String = sent.iter().map(|(_, line)| format!("{line}\r\n")).collect();
    fixture.model(&acme, "fraud", &body).await;
    let mut newest: Vec<(usize, &(String, String))> = sent.iter().enumerate().collect();
    newest.sort_by_key(|(number, (time, _))| std::cmp::Reverse((time, *number)));
    let csv = |field: &str| format!("\"{}\"", field.replace('"', "\"\""));
    let wanted_csv: String = newest
        .iter()
        .map(|(number, (time, line))| format!("{},{},{}\r\n", csv(time), csv(&number.to_string()), csv(line)))
        .collect();
    let wanted_ndjson: String = newest
        .iter()
        .map(|(number, (time, line))| format!("{{\"time\":\"{time}\",\"number\":{number},\"record\":{line}}}\n"))
        .collect();
    let header = "\"time\",\"number\",\"record\"\r\n";
    for (more, wanted) in [
        ("", format!("{header}{wanted_csv}")),
        ("&csv=raw&bom=1", format!("\u{feff}{header}{wanted_csv}")),
        ("&format=ndjson", wanted_ndjson),
    ] {
        let export = start(&fixture, &acme.owner, more).await.unwrap();
        let head = export.head().clone();
        let found = read(export).await;
        assert_eq!((head.rows, head.content_length), (9_000, wanted.len() as u64), "{more}");
        assert!(found == wanted, "{more}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_added_meanwhile_is_not_in_it_and_deletion_breaks_it(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let now = fixture.platform.clock.now();
    let body: String = lines(2_000, now).into_iter().map(|(_, line)| line + "\n").collect();
    fixture.model(&acme, "fraud", &body).await;
    let export = start(&fixture, &acme.owner, "").await.unwrap();
    add(&fixture, &acme.owner, None, &body).await.unwrap();
    assert_eq!(read(export).await.lines().count(), 2_001);
    let export = start(&fixture, &acme.owner, "").await.unwrap();
    registry::delete(&fixture.platform, &acme.owner, "acme", "fraud").await.unwrap();
    assert!(export.into_stream().try_collect::<Vec<_>>().await.is_err());
}

/// The trail of exports: each is requested, then ends; the log of exports has those that took something out.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_export_is_recorded_with_what_was_taken(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}").await;
    read(start(&fixture, &acme.owner, "").await.unwrap()).await;
    for (end, lines) in [(End::Aborted, 2), (End::Failed, 1), (End::Aborted, 0)] {
        let export = start(&fixture, &acme.owner, "").await.unwrap();
        export.ticket().finish(end, Receipt { bytes: 30, lines, sha256: None }).await;
    }
    let long_ago = fixture.platform.clock.now().date_naive() - TimeDelta::days(80);
    let empty = format!("start={long_ago}&end={long_ago}");
    let empty = export::start(&fixture.platform, &acme.owner, "acme", "fraud", &empty).await.unwrap();
    assert_eq!(read(empty).await, "\"time\",\"number\",\"record\"\r\n");
    let trail = fixture.trail(acme.id).await.into_iter().filter(|event| event.action.starts_with("model.export"));
    let told: Vec<String> = trail.map(|event| format!("{} {} {}", event.kind, event.action, event.outcome)).collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    operation model.export.requested success
    export model.exported success
    operation model.export.requested success
    export model.exported aborted
    operation model.export.requested success
    export model.exported failure
    operation model.export.requested success
    export model.exported aborted
    operation model.export.requested success
    export model.exported empty
    ");
    let asked = Asked { first: 10, ..Asked::default() };
    let log = logs::exports(&fixture.platform, &acme.owner, "acme", &asked).await.unwrap();
    let told: Vec<_> = log
        .entries
        .iter()
        .map(|entry| {
            let sha256 = entry.export_sha256.as_deref().map(|sha256| sha256.len());
            (entry.export_model.as_deref().unwrap(), entry.export_rows.unwrap(), entry.common.outcome.as_str(), sha256)
        })
        .collect();
    assert_eq!(told, [("fraud", 1, "aborted", None), ("fraud", 3, "success", Some(32))]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn exports_of_demonstrations_are_not_among_the_organizations(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let wanted = registry::Wanted { name: "fraud", description: "", demo: true };
    registry::create(&fixture.platform, &acme.owner, "acme", wanted).await.unwrap();
    add(&fixture, &acme.owner, None, "{}").await.unwrap();
    read(start(&fixture, &acme.owner, "").await.unwrap()).await;
    assert_eq!(fixture.trail(acme.id).await.pop().unwrap().action, "model.exported");
    let asked = Asked { first: 10, ..Asked::default() };
    assert!(logs::exports(&fixture.platform, &acme.owner, "acme", &asked).await.unwrap().entries.is_empty());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn places_are_shared_with_exports_of_the_trail(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.model(&acme, "fraud", "{}").await;
    let token = fixture.token(&acme, &acme.owner, &[Scope::ModelsExport]).await;
    let one = start(&fixture, &token, "").await.unwrap();
    let _other = crate::export::start(&fixture, &acme, "").await;
    assert!(matches!(start(&fixture, &acme.owner, "").await.err().unwrap(), Error::LimitExceeded(_)));
    run("update orgtrail.access_tokens set last_used_at = now()", &fixture.superuser).await.unwrap();
    one.ticket().renew().await.unwrap();
    let id = token_id(&token);
    orgtrail::identity::access_token::revoke(&fixture.platform, &acme.owner, "acme", id).await.unwrap();
    assert_eq!(one.ticket().renew().await.unwrap_err().status(), 401);
    read(one).await;
    start(&fixture, &acme.owner, "").await.unwrap();
}

fn token_id(viewer: &Viewer) -> uuid::Uuid {
    match &viewer.identity {
        orgtrail::identity::viewer::Identity::AccessToken(token) => token.id,
        _ => panic!("a token"),
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn pages_go_back_and_forth(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let body: String = lines(120, fixture.platform.clock.now()).into_iter().map(|(_, line)| line + "\n").collect();
    fixture.model(&acme, "fraud", &body).await;
    let page =
        async |query: String| records::page(&fixture.platform, &acme.owner, "acme", "fraud", &query).await.unwrap();
    let first = page(String::new()).await;
    let second = page(format!("after={}", first.older.as_deref().unwrap())).await;
    let third = page(format!("after={}", second.older.as_deref().unwrap())).await;
    assert_eq!([first.records.len(), second.records.len(), third.records.len()], [50, 50, 20]);
    assert_eq!((first.newer.as_ref(), third.older.as_ref()), (None, None));
    let back = page(format!("before={}", third.newer.as_deref().unwrap())).await;
    assert_eq!(back.records, second.records);
    let mut all: Vec<i64> = [first.records, second.records, third.records].concat().iter().map(|r| r.number).collect();
    all.sort_unstable();
    assert_eq!(all, (0..120).collect::<Vec<_>>());
    let elsewhere = format!("range=7d&after={}", first.older.unwrap());
    let refused = records::page(&fixture.platform, &acme.owner, "acme", "fraud", &elsewhere).await.unwrap_err();
    assert!(matches!(refused, Error::BadCursor));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn names_are_unique_and_free_again(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let create = async |name: &str| {
        let wanted = registry::Wanted { name, description: " Two\r\nlines ", demo: false };
        registry::create(&fixture.platform, &acme.owner, "acme", wanted).await
    };
    create("fraud").await.unwrap();
    assert!(matches!(create("fraud").await.unwrap_err(), Error::Taken(_)));
    assert_eq!(create("Fraud").await.unwrap_err().field(), Some("name"));
    let model = &registry::list(&fixture.platform, &acme.owner, "acme").await.unwrap().models[0];
    assert_eq!((model.name.as_str(), model.description.as_str(), model.records), ("fraud", "Two\nlines", 0));
    registry::delete(&fixture.platform, &acme.owner, "acme", "fraud").await.unwrap();
    assert_eq!(registry::delete(&fixture.platform, &acme.owner, "acme", "fraud").await.unwrap_err().status(), 404);
    create("fraud").await.unwrap();
}

/// Of another organization there is nothing to be seen, added or taken out.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn models_of_others_are_not_there(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other): (Tenant, Tenant) = (fixture.organization("acme").await, fixture.organization("other").await);
    fixture.model(&other, "fraud", "{}").await;
    for viewer in [&other.owner, &acme.owner] {
        assert_eq!(add(&fixture, viewer, None, "{}").await.unwrap_err().status(), 404);
        assert_eq!(start(&fixture, viewer, "").await.err().unwrap().status(), 404);
        let page = records::page(&fixture.platform, viewer, "acme", "fraud", "").await;
        assert_eq!(page.unwrap_err().status(), 404);
    }
}
