//! The bytes of an export: those of an independent writer, of exactly the promised length, whatever the layout and wherever batches are cut.

use std::pin::pin;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt};
use orgtrail::audit::append::Draft;
use orgtrail::audit::csv::FULL_COLUMNS;
use orgtrail::audit::event::{Actor, Outcome};
use orgtrail::audit::export::{self, End, Export, Receipt};
use orgtrail::identity::viewer::Origin;
use sqlx::PgPool;

use crate::expected::{self, STANDARD};
use crate::fixture::{Fixture, Tenant, claimed};

/// The query string of everything that the last days hold.
pub fn query(fixture: &Fixture, tenant: &Tenant, more: &str) -> String {
    let today = fixture.platform.clock.now().date_naive();
    format!("organization={}&start={}&end={today}{more}", tenant.slug, today - TimeDelta::days(9))
}

pub async fn start(fixture: &Fixture, tenant: &Tenant, more: &str) -> Export {
    export::start(&fixture.platform, &tenant.owner, &query(fixture, tenant, more)).await.unwrap()
}

/// Reads an export to its end, and gives its place back.
pub async fn finish(export: Export) -> Vec<u8> {
    let ticket = export.ticket();
    let bytes = export.into_stream().map_ok(Vec::from).try_concat().await.unwrap();
    ticket.finish(End::Complete, Receipt { bytes: bytes.len() as u64, ..Receipt::default() }).await;
    bytes
}

/// Where two files differ, readably.
fn assert_same(found: &[u8], wanted: &[u8]) {
    if found == wanted {
        return;
    }
    let (found, wanted) = (String::from_utf8_lossy(found), String::from_utf8_lossy(wanted));
    for (number, (found, wanted)) in found.lines().zip(wanted.lines()).enumerate() {
        assert_eq!(found, wanted, "line {number}");
    }
    panic!("{} bytes instead of {}", found.len(), wanted.len());
}

/// Events with every field that can be there, present and absent, ordinary and nasty.
async fn varied(fixture: &Fixture, tenant: &Tenant) {
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::days(1);
    let names = ["Ada", "=SUM(A1)", "\"quoted\", and more", "two\r\nlines", "'tis", "ｆｕｌｌ ＝", "\u{1}\u{1f}"];
    let drafts: Vec<Draft> = (0_i64..700)
        .map(|number| {
            let name = names[usize::try_from(number).unwrap() % names.len()];
            let mut draft = claimed("invoice.paid", at - TimeDelta::minutes(number / 3));
            draft.object_id = (number % 2 == 0).then(|| format!("{number}"));
            draft.object_name = (number % 3 == 0).then(|| name.to_owned());
            draft.previous = (number % 2 == 0).then(|| {
                format!("{{ \"name\":\n\t{:?},\"n\" : 1.0e2 }}", "é".repeat(usize::try_from(number).unwrap()))
            });
            draft.next = (number % 5 != 0).then(|| r#"{"a":"\u00e9","b":[1, 2]}"#.to_owned());
            draft.actor =
                if number % 4 == 0 { Actor::access_token("-1", name) } else { Actor::user("u", name, "ada@x") };
            draft.outcome = Outcome::ALL[usize::try_from(number).unwrap() % 5];
            draft.origin = Origin {
                ip: Some("192.0.2.1".to_owned()),
                user_agent: Some(name.to_owned()),
                request_id: None,
                mutation: None,
            };
            draft
        })
        .collect();
    fixture.record(tenant, &drafts).await;
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn every_layout_is_what_an_independent_writer_writes(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    varied(&fixture, &tenant).await;
    let rows = expected::rows(&fixture.superuser, tenant.id, "kind = 'change'").await;
    assert!(rows.len() > 700);
    let marked = [b"\xEF\xBB\xBF".to_vec(), expected::csv(&rows, STANDARD, true)].concat();
    let layouts = [
        ("", expected::csv(&rows, STANDARD, true)),
        ("&csv=raw", expected::csv(&rows, STANDARD, false)),
        ("&bom=1", marked),
        ("&profile=full", expected::csv(&rows, FULL_COLUMNS.len(), true)),
        ("&profile=full&csv=raw", expected::csv(&rows, FULL_COLUMNS.len(), false)),
        ("&format=ndjson", expected::ndjson(&rows)),
    ];
    for (layout, wanted) in layouts {
        // What exports record of themselves is no part of `rows`.
        let found = finish(
            start(&fixture, &tenant, &format!("{layout}&action=invoice.paid,organization.created,member.created"))
                .await,
        )
        .await;
        assert_same(&found, &wanted);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn filters_bound_the_export_as_they_bound_the_page(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    varied(&fixture, &tenant).await;
    let filters = [
        ("&kind=all&actor=user:u", "actor_user_id = 'u'"),
        ("&actor=token:-1", "actor_access_token_id = '-1'"),
        ("&object=invoice:30", "object_id = '30'"),
        (
            "&action=invoice.paid,member.*&q=sum",
            "action = 'invoice.paid' and (actor_user_name ~ 'SUM' or actor_access_token_name ~ 'SUM' or object_name ~ 'SUM')",
        ),
    ];
    for (filter, condition) in filters {
        let rows = expected::rows(&fixture.superuser, tenant.id, condition).await;
        assert!(!rows.is_empty(), "{filter}");
        assert_same(&finish(start(&fixture, &tenant, filter).await).await, &expected::csv(&rows, STANDARD, true));
    }
}

/// Twelve thousand small events at three moments, so that every batch ends among events of the same microsecond, and some that fill a
/// batch alone.
async fn many_ties(fixture: &Fixture, tenant: &Tenant) -> DateTime<Utc> {
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::days(1);
    let drafts: Vec<Draft> =
        (0_i64..1000).map(|number| claimed("a.b", at - TimeDelta::microseconds(number % 3))).collect();
    for _ in 0..12 {
        fixture.record(tenant, &drafts).await;
    }
    let large = Draft {
        next: Some(format!("\"{}\"", "x".repeat(1_200_000))),
        ..claimed("a.b", at - TimeDelta::microseconds(1))
    };
    fixture.record(tenant, &[large.clone(), claimed("a.b", at), large]).await;
    at
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn ties_at_the_edges_of_batches_are_neither_lost_nor_doubled(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    many_ties(&fixture, &tenant).await;
    let rows = expected::rows(&fixture.superuser, tenant.id, "action = 'a.b'").await;
    assert_eq!(rows.len(), 12_003);
    for (more, wanted) in
        [("&action=a.b", expected::csv(&rows, STANDARD, true)), ("&action=a.b&format=ndjson", expected::ndjson(&rows))]
    {
        let export = start(&fixture, &tenant, more).await;
        assert_eq!(export.head().rows, 12_003);
        assert_same(&finish(export).await, &wanted);
    }
}

/// Batches are cut by the average length: without another cut, all the long ones here would come in one of them, 12 MiB at once.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn long_records_among_short_ones_come_in_chunks_of_bounded_size(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let at = fixture.platform.clock.now().trunc_subsecs(6) - TimeDelta::days(1);
    let mut drafts = vec![claimed("a.b", at); 3_000];
    for draft in &mut drafts[1_500..1_700] {
        draft.next = Some(format!("\"{}\"", "x".repeat(64_000)));
    }
    fixture.record(&tenant, &drafts).await;
    let rows = expected::rows(&fixture.superuser, tenant.id, "action = 'a.b'").await;
    let chunks: Vec<_> = start(&fixture, &tenant, "&action=a.b").await.into_stream().try_collect().await.unwrap();
    assert_same(&chunks.concat(), &expected::csv(&rows, STANDARD, true));
    assert!(chunks.iter().all(|chunk| chunk.len() < 2 * 1024 * 1024 + 65_000));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn events_that_arrive_meanwhile_are_not_in_it(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let at = many_ties(&fixture, &tenant).await;
    let rows = expected::rows(&fixture.superuser, tenant.id, "action = 'a.b'").await;
    let mut chunks = pin!(start(&fixture, &tenant, "&action=a.b").await.into_stream());
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
        // Newer than everything, older than everything, and between.
        let drafts = [-1, 2, 1_000_000].map(|micros| claimed("a.b", at - TimeDelta::microseconds(micros)));
        fixture.record(&tenant, &drafts).await;
    }
    assert_same(&bytes, &expected::csv(&rows, STANDARD, true));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn no_export_holds_anything_between_two_chunks(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    many_ties(&fixture, &tenant).await;
    let busy = async || {
        let sql =
            "select count(*) from pg_stat_activity where datname = current_database() and usename = 'orgtrail_app'
            and (state <> 'idle' or xact_start is not null or backend_xmin is not null)";
        sqlx::query_scalar::<_, i64>(sql).fetch_one(&fixture.superuser).await.unwrap()
    };
    let mut export = pin!(start(&fixture, &tenant, "").await.into_stream());
    let mut chunks = 0;
    while export.try_next().await.unwrap().is_some() {
        chunks += 1;
        assert_eq!(busy().await, 0);
        // None of the pool's connections is taken: all of them can be had at once.
        let pool = &fixture.platform.database.exports;
        let all = (0..pool.options().get_max_connections()).map(|_| pool.acquire());
        assert!(futures::future::try_join_all(all).await.is_ok());
    }
    assert!(chunks > 3);
    // Control: a transaction that is open is seen.
    let _open = fixture.bound(tenant.id).await;
    assert_eq!(busy().await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_export_says_what_it_will_be(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let days =
        query(&fixture, &tenant, "").replace("organization=acme&start=", "audit-logs_acme_").replace("&end=", "_");
    let told = async |more: &str| {
        let export = start(&fixture, &tenant, more).await;
        let head = export.head().clone();
        finish(export).await;
        (head.file_name, head.content_type, head.escaping)
    };
    let csv = "text/csv; charset=utf-8; header=present";
    assert_eq!(told("").await, (format!("{days}.csv"), csv, Some("formula-safe-v1")));
    assert_eq!(told("&csv=raw").await, (format!("{days}-raw.csv"), csv, Some("raw")));
    assert_eq!(told("&format=ndjson").await, (format!("{days}.ndjson"), "application/x-ndjson", None));
}
