//! Retention: whole months of the trail go when all of them is older, each trail says so before, and what is left is as complete as it was.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use orgtrail::audit::export;
use orgtrail::audit::feed;
use orgtrail::audit::page;
use orgtrail::platform::Clock;
use orgtrail::storage;
use orgtrail::upkeep::{Job, Retention};
use orgtrail::{Error, Result};
use serde_json::Value;
use sqlx::PgPool;

use crate::fixture::{Fixture, INSUFFICIENT_PRIVILEGE, INTEGRITY, Stored, Tenant, claimed, code, lines, refusal, run};

fn today() -> DateTime<Utc> {
    Clock::Real.now()
}

/// The first day of the month that everything kept begins in or after: what lies before it has expired.
fn first_month_kept(days: u64) -> NaiveDate {
    (today() - Days::new(days)).date_naive().with_day(1).unwrap()
}

/// `acme` with an event for every ten days of the last eight months, and `young`, made today. The clock shows today.
async fn grown(superuser: PgPool) -> (Fixture, Tenant, Tenant) {
    let start = today() - Months::new(8);
    let fixture = Fixture::at(superuser, start).await;
    storage::make_partitions(&fixture.platform.database, start.date_naive(), today().date_naive()).await.unwrap();
    let acme = fixture.organization("acme").await;
    let mut at = start;
    while at < today() - TimeDelta::days(10) {
        at += TimeDelta::days(10);
        fixture.platform.clock.set(at);
        // Two days before it was recorded: some belong to a day of the month before.
        fixture.record(&acme, &[claimed("invoice.paid", at - TimeDelta::days(2)), claimed("invoice.sent", at)]).await;
    }
    fixture.platform.clock.set(today());
    let young = fixture.organization("young").await;
    (fixture, acme, young)
}

async fn prune(fixture: &Fixture, days: u32) -> Result<u64> {
    Ok(Job::Retention.run(&fixture.platform, Retention::of_days(days).unwrap()).await?.removed)
}

async fn months(fixture: &Fixture) -> Vec<String> {
    let sql = "select relname::text from pg_class join pg_inherits on oid = inhrelid
        where inhparent = 'orgtrail.events'::regclass and relname <> 'events_default' order by 1";
    lines(sql, &fixture.superuser).await.lines().map(str::to_owned).collect()
}

fn prunings(trail: &[Stored]) -> Vec<Value> {
    let pruned = trail.iter().filter(|event| event.action == "retention.pruned");
    pruned.map(|event| serde_json::from_str(event.next.as_deref().unwrap()).unwrap()).collect()
}

/// The sums of days are what is there, and the positions have no gap.
async fn assert_sums_and_positions(fixture: &Fixture) {
    let strays = lines(
        "with counted as (
            select organization_id, (occurred_at at time zone 'UTC')::date as day, kind, count(*) as events,
                sum(csv_safe_length) as csv_safe_bytes, sum(csv_raw_length) as csv_raw_bytes
            from orgtrail.events group by 1, 2, 3
        )
        select format('%s %s', c, d) from counted c full join orgtrail.trail_days d using (organization_id, day, kind, events, csv_safe_bytes, csv_raw_bytes)
        where c is null or d is null
        union all
        select format('%s of %s', count(*), next_index) from orgtrail.trail_heads left join orgtrail.event_positions using (organization_id)
        group by organization_id, next_index having count(index) <> next_index or max(index) <> next_index - 1",
        &fixture.superuser,
    )
    .await;
    assert_eq!(strays, "");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_older_goes_and_what_is_left_is_complete(superuser: PgPool) {
    let (fixture, acme, young) = grown(superuser).await;
    let (before, others) = (fixture.trail(acme.id).await, fixture.trail(young.id).await);
    let removed = prune(&fixture, 90).await.unwrap();
    let kept = first_month_kept(90);
    let expected: Vec<_> = before.iter().filter(|event| event.recorded_at.date_naive() >= kept).collect();
    let after = fixture.trail(acme.id).await;
    assert!(expected.len() >= 10 && before.len() - expected.len() >= 10);
    assert_eq!(after[..expected.len()].iter().collect::<Vec<_>>(), expected);
    assert_eq!(usize::try_from(removed).unwrap(), before.len() - expected.len());
    assert!(months(&fixture).await[0] == kept.format("events_%Y_%m").to_string());
    // Each month left an event in the trails that had any of it, and in no other.
    let told = prunings(&after);
    assert!(told.len() >= 4, "{told:?}");
    assert_eq!(told.iter().map(|pruned| pruned["events"].as_i64().unwrap()).sum::<i64>(), expected[0].index);
    assert_eq!(told.last().unwrap()["first_kept"], expected[0].index);
    assert_eq!(told.last().unwrap()["until"], format!("{kept}T00:00:00.000000Z"));
    assert_eq!(after.len() - expected.len(), told.len());
    assert_eq!(fixture.trail(young.id).await, others);
    assert_sums_and_positions(&fixture).await;
    // Done again there is nothing to do.
    assert_eq!(prune(&fixture, 90).await.unwrap(), 0);
    assert_eq!(fixture.trail(acme.id).await, after);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn feed_pages_counts_and_exports_go_on(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    let now = today().date_naive();
    let query = format!("organization=acme&kind=change&start={}&end={now}", now - Days::new(89));
    let counted = async || {
        let count = page::count(platform, owner, "acme", &query.replace("organization=acme&", "")).await.unwrap();
        format!("{count:?}")
    };
    let before = counted().await;
    prune(&fixture, 90).await.unwrap();
    assert_eq!(counted().await, before);
    let kept = fixture.trail(acme.id).await[0].index;
    let Err(Error::Expired(told)) = feed::read(platform, owner, "acme", Some(0), 10).await else { panic!() };
    assert_eq!(told, format!("Events before {kept} are no longer kept: go on with after={}.", kept - 1));
    for after in [None, Some(kept - 1)] {
        let first = feed::read(platform, owner, "acme", after, 1).await.unwrap();
        let first: Value = serde_json::from_slice(&first.lines).unwrap();
        assert_eq!(first["index"], kept);
    }
    let page = page::events(platform, owner, "acme", &query.replace("organization=acme&", "")).await.unwrap();
    assert!(!page.events.is_empty());
    export::start(platform, owner, &query).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_longer_retention_keeps_more(superuser: PgPool) {
    let (fixture, _, _) = grown(superuser).await;
    assert!(prune(&fixture, 200).await.unwrap() > 0);
    assert_eq!(months(&fixture).await[0], first_month_kept(200).format("events_%Y_%m").to_string());
    assert!(prune(&fixture, 90).await.unwrap() > 0);
    assert_eq!(months(&fixture).await[0], first_month_kept(90).format("events_%Y_%m").to_string());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nothing_within_ninety_days_goes_whatever_is_asked(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let kept = months(&fixture).await;
    let kept = kept.iter().filter(|name| **name >= first_month_kept(90).format("events_%Y_%m").to_string());
    let mut asked = 0;
    for month in kept.map(|name| format!("{}-01", name.trim_start_matches("events_").replace('_', "-"))) {
        for days in [-100_000, 0, 89, 90] {
            for call in [format!("settle_month('{month}', {days})"), format!("drop_month('{month}', {days})")] {
                let mut bound = fixture.bound(acme.id).await;
                let refused = refusal(format!("select orgtrail.{call}"), &mut *bound).await;
                assert_eq!(refused, INSUFFICIENT_PRIVILEGE, "{call}");
                asked += 1;
            }
        }
    }
    assert!(asked >= 24);
}

/// The oldest month of the trail, as the functions want it.
async fn oldest(fixture: &Fixture) -> String {
    months(fixture).await[0].trim_start_matches("events_").replace('_', "-") + "-01"
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn no_month_goes_that_a_trail_has_not_settled_with_an_event(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    // The months before the organization was made have nothing to settle.
    let month = fixture.trail(acme.id).await[0].recorded_at.format("%Y-%m-01").to_string();
    let drop = format!("select orgtrail.drop_month('{month}', 90)");
    assert_eq!(refusal(&drop, fixture.app()).await, INSUFFICIENT_PRIVILEGE);
    let mut transaction = fixture.bound(acme.id).await;
    run(format!("select orgtrail.settle_month('{month}', 90)"), &mut *transaction).await.unwrap();
    assert_eq!(code(transaction.commit().await), INTEGRITY, "without an event");
    // Nobody says so of their own accord.
    let mut bound = fixture.bound(acme.id).await;
    let claim = format!("insert into orgtrail.prunings values ('{}', '{month}', 0, 100)", acme.id);
    assert_eq!(refusal(claim, &mut *bound).await, INSUFFICIENT_PRIVILEGE);
    assert_eq!(refusal(&drop, fixture.app()).await, INSUFFICIENT_PRIVILEGE);
}

/// Months go from the beginning of a trail: where something is missing, people have to look.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_trail_with_a_gap_keeps_its_month(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let before = months(&fixture).await;
    let mut tampered = fixture.superuser.begin().await.unwrap();
    for statement in
        ["alter table orgtrail.events disable trigger user", "set local session_replication_role = replica"]
    {
        run(statement, &mut *tampered).await.unwrap();
    }
    let month = fixture.trail(acme.id).await[0].recorded_at.format("events_%Y_%m").to_string();
    run(format!("alter table orgtrail.{month} disable trigger user"), &mut *tampered).await.unwrap();
    run("delete from orgtrail.events where index = 0", &mut *tampered).await.unwrap();
    tampered.commit().await.unwrap();
    assert_eq!(prune(&fixture, 90).await.unwrap_err().status(), 500);
    let left = months(&fixture).await;
    assert!(left.contains(&month) && before.ends_with(&left), "{left:?}");
    assert_eq!(prunings(&fixture.trail(acme.id).await), Vec::<Value>::new());
}

/// Broken off between the trails' events and the drop, it goes on where it was: nothing is told twice, and nothing is lost.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn broken_off_it_goes_on_where_it_was(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let before = fixture.trail(acme.id).await;
    let month = oldest(&fixture).await;
    // Somebody reads the trail for longer than the drop waits.
    let mut reader = fixture.superuser.begin().await.unwrap();
    run("select from orgtrail.events limit 1", &mut *reader).await.unwrap();
    assert!(prune(&fixture, 90).await.is_err());
    assert_eq!(oldest(&fixture).await, month, "it is still there");
    let between = fixture.trail(acme.id).await;
    assert!(prunings(&between).len() <= 1 && between.starts_with(&before));
    reader.rollback().await.unwrap();
    prune(&fixture, 90).await.unwrap();
    let told = prunings(&fixture.trail(acme.id).await);
    let mut until: Vec<_> = told.iter().map(|pruned| pruned["until"].as_str().unwrap()).collect();
    until.dedup();
    assert_eq!(until.len(), told.len());
    let kept = fixture.trail(acme.id).await[0].index;
    assert_eq!(told.iter().map(|pruned| pruned["events"].as_i64().unwrap()).sum::<i64>(), kept);
    assert_sums_and_positions(&fixture).await;
}

/// Two servers at once, should the lock between them ever break: each month is told once and dropped once.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn two_at_once_tell_each_month_once(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let (one, other) = tokio::join!(prune(&fixture, 90), prune(&fixture, 90));
    assert!(one.is_ok() || other.is_ok());
    prune(&fixture, 90).await.unwrap();
    let trail = fixture.trail(acme.id).await;
    assert_eq!(prunings(&trail).iter().map(|told| told["events"].as_i64().unwrap()).sum::<i64>(), trail[0].index);
    assert_sums_and_positions(&fixture).await;
}

/// The id of an event that is no longer kept is free again; those of kept ones are not.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn ids_that_senders_gave_go_with_their_events(superuser: PgPool) {
    let (fixture, acme, _) = grown(superuser).await;
    let note = format!(
        "insert into orgtrail.ingested_ids (organization_id, client_id, sha256, event_id, index)
        select organization_id, 'e' || index, sha256(''), event_id, index from orgtrail.event_positions where organization_id = '{}'",
        acme.id
    );
    run(note, &fixture.superuser).await.unwrap();
    let removed = prune(&fixture, 90).await.unwrap();
    let forgotten = Job::Organizations.run(&fixture.platform, Retention::default()).await.unwrap().removed;
    assert_eq!(forgotten, removed);
    let left = lines("select min(index)::text from orgtrail.ingested_ids", &fixture.superuser).await;
    assert_eq!(left, fixture.trail(acme.id).await[0].index.to_string());
}
