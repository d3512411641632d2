//! Partitions of the trail: made ahead by whoever comes first. How they go: `retention.rs`.

use chrono::NaiveDate;
use orgtrail::storage::{self, Database};
use sqlx::PgPool;

use crate::fixture::{Fixture, code, run};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

async fn months(superuser: &PgPool) -> Vec<String> {
    sqlx::query_scalar("select relname::text from pg_class join pg_inherits on oid = inhrelid where inhparent = 'orgtrail.events'::regclass order by 1")
        .fetch_all(superuser)
        .await
        .unwrap()
}

async fn make(database: &Database, first: &str, last: &str) -> i32 {
    storage::make_partitions(database, day(first), day(last)).await.unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn making_them_again_makes_none(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let database = &fixture.platform.database;
    assert_eq!(make(database, "2031-01-31", "2031-03-01").await, 3);
    assert_eq!(make(database, "2031-01-31", "2031-03-01").await, 0);
    assert_eq!(make(database, "2031-01-31", "2031-04-01").await, 1);
    let made: Vec<_> =
        months(&fixture.superuser).await.into_iter().filter(|name| name.starts_with("events_2031")).collect();
    assert_eq!(made, ["events_2031_01", "events_2031_02", "events_2031_03", "events_2031_04"]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn servers_that_make_them_at_once_make_each_once(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let database = &fixture.platform.database;
    let (a, b, c) = tokio::join!(
        make(database, "2031-01-01", "2031-06-30"),
        make(database, "2031-01-01", "2031-06-30"),
        make(database, "2031-04-01", "2031-09-30")
    );
    assert_eq!(a + b + c, 9);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_month_begins_and_ends_in_utc(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let mut connection = fixture.app().acquire().await.unwrap();
    run("set time zone 'Pacific/Kiritimati'", &mut *connection).await.unwrap();
    run("select orgtrail.make_partitions('2031-05-01', '2031-05-01')", &mut *connection).await.unwrap();
    run("set time zone 'UTC'", &mut *connection).await.unwrap();
    let bounds: String =
        sqlx::query_scalar("select pg_get_expr(relpartbound, oid) from pg_class where relname = 'events_2031_05'")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
    assert_eq!(bounds, "FOR VALUES FROM ('2031-05-01 00:00:00+00') TO ('2031-06-01 00:00:00+00')");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn absurd_spans_are_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let before = months(&fixture.superuser).await;
    assert!(storage::make_partitions(&fixture.platform.database, day("1990-01-01"), day("2031-01-01")).await.is_err());
    assert_eq!(months(&fixture.superuser).await, before);
}

/// What went into the default partition for want of another stays there, and keeps no later month from being made.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_month_that_came_too_late_does_not_stop_the_next_ones(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    record_at(&fixture, day("2031-05-15")).await;
    assert_eq!(make(&fixture.platform.database, "2031-04-01", "2031-07-31").await, 3);
    assert_eq!(make(&fixture.platform.database, "2031-04-01", "2031-07-31").await, 0);
    let made: Vec<_> =
        months(&fixture.superuser).await.into_iter().filter(|name| name.starts_with("events_2031")).collect();
    assert_eq!(made, ["events_2031_04", "events_2031_06", "events_2031_07"]);
}

async fn record_at(fixture: &Fixture, day: NaiveDate) {
    run(
        format!(
            "with bound (organization) as (select set_config('app.organization_id', gen_random_uuid()::text, true)::uuid)
            insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, object_type, outcome,
                csv_safe_length, csv_raw_length, words)
            select organization, 0, gen_random_uuid(), 'change', 'a.b', '{day}', '{day}', 'ada', 'a', 'success', 1, 1, '' from bound"
        ),
        &fixture.superuser,
    )
    .await
    .unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_servers_role_drops_no_partition_itself(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    for name in months(&fixture.superuser).await {
        assert_eq!(code(run(format!("drop table orgtrail.{name}"), fixture.app()).await.map(drop)), "42501");
        assert_eq!(
            code(
                run(format!("alter table orgtrail.events detach partition orgtrail.{name}"), fixture.app())
                    .await
                    .map(drop)
            ),
            "42501"
        );
    }
}
