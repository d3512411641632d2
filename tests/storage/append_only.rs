//! The trail is append-only: for the server's role by grants, for everybody else by triggers that nothing skips.

use chrono::{Days, NaiveDate};
use orgtrail::storage;
use sqlx::{Connection, PgConnection, PgPool};

use crate::fixture::{Fixture, INSUFFICIENT_PRIVILEGE, refusal, run};

/// The tables of the trail: the parent, its partitions, the default partition and the positions.
async fn tables(superuser: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select format('%s', oid::regclass) from pg_class
        where relnamespace = 'orgtrail'::regnamespace and relkind in ('r', 'p') and relname ~ '^event' order by 1",
    )
    .fetch_all(superuser)
    .await
    .unwrap()
}

fn attempts(table: &str) -> [String; 3] {
    [
        format!("update {table} set recorded_at = recorded_at"),
        format!("delete from {table}"),
        format!("truncate {table} cascade"),
    ]
}

/// A row in every table: row triggers cannot refuse what touches no row.
async fn fill(superuser: &PgPool) {
    run(
        "with bound (organization) as (
            select set_config('app.organization_id', gen_random_uuid()::text, true)::uuid
        ), place (at, index) as (
            select to_timestamp(right(relname, 7), 'YYYY_MM') + interval '10 days', row_number() over () from pg_class where relname ~ '^events_\\d{4}_\\d{2}$'
            union all select timestamptz '1999-01-01', 0
        ), placed as (
            insert into orgtrail.event_positions (organization_id, index, event_id, recorded_at) select organization, index, gen_random_uuid(), at from place, bound
        )
        insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, object_type, outcome,
            csv_safe_length, csv_raw_length, words)
        select organization, index, gen_random_uuid(), 'change', 'a.b', at, at, 'ada', 'a', 'success', 1, 1, '' from place, bound",
        superuser,
    )
    .await
    .unwrap();
}

/// Every attempt that `connection` is not refused, or for another reason than a lack of privilege.
async fn not_refused(tables: &[String], connection: &mut PgConnection) -> Vec<(String, String)> {
    let mut slipped = Vec::new();
    for attempt in tables.iter().flat_map(|table| attempts(table)) {
        let code = refusal(&attempt, &mut *connection).await;
        if code != INSUFFICIENT_PRIVILEGE {
            slipped.push((attempt, code));
        }
    }
    slipped
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_servers_role_cannot_change_the_trail(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tables = tables(&fixture.superuser).await;
    assert!(tables.len() > 6 && tables.contains(&"orgtrail.events_default".to_owned()), "{tables:?}");
    let mut app = fixture.app().acquire().await.unwrap();
    assert_eq!(not_refused(&tables, &mut app).await, []);
    // Control: the same role is not refused everything.
    assert_eq!(refusal("select from orgtrail.events", &mut *app).await, "done");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_servers_role_reaches_no_partition_past_its_parent(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let mut app = fixture.app().acquire().await.unwrap();
    for partition in tables(&fixture.superuser).await.iter().filter(|table| table.starts_with("orgtrail.events_")) {
        assert_eq!(refusal(format!("select from {partition}"), &mut *app).await, INSUFFICIENT_PRIVILEGE, "{partition}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn not_even_a_superuser_who_skips_triggers_changes_the_trail(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    fill(&fixture.superuser).await;
    let tables = tables(&fixture.superuser).await;
    let mut connection = fixture.superuser.acquire().await.unwrap();
    assert_eq!(not_refused(&tables, &mut connection).await, []);
    run("set session_replication_role = replica", &mut *connection).await.unwrap();
    assert_eq!(not_refused(&tables, &mut connection).await, []);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn it_is_the_triggers_that_refuse_a_superuser(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    fill(&fixture.superuser).await;
    let mut connection = fixture.superuser.acquire().await.unwrap();
    for table in tables(&fixture.superuser).await {
        for attempt in attempts(&table) {
            let mut transaction = connection.begin().await.unwrap();
            run("set local session_replication_role = origin", &mut *transaction).await.unwrap();
            // The parent's disabled triggers are its partitions' too.
            for guarded in tables_of(&table, &fixture.superuser).await {
                run(format!("alter table {guarded} disable trigger user"), &mut *transaction).await.unwrap();
            }
            assert_eq!(refusal(&attempt, &mut *transaction).await, "done", "{attempt}");
            transaction.rollback().await.unwrap();
        }
    }
}

async fn tables_of(table: &str, superuser: &PgPool) -> Vec<String> {
    if table == "orgtrail.events" { tables(superuser).await } else { vec![table.to_owned()] }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_partition_made_later_is_guarded_too(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let before = tables(&fixture.superuser).await;
    let later = NaiveDate::from_ymd_opt(2031, 7, 15).unwrap();
    assert_eq!(storage::make_partitions(&fixture.platform.database, later, later + Days::new(40)).await.unwrap(), 2);
    let made: Vec<_> = tables(&fixture.superuser).await.into_iter().filter(|table| !before.contains(table)).collect();
    assert_eq!(made, ["orgtrail.events_2031_07", "orgtrail.events_2031_08"]);
    fill(&fixture.superuser).await;
    let mut app = fixture.app().acquire().await.unwrap();
    assert_eq!(not_refused(&made, &mut app).await, []);
    let mut connection = fixture.superuser.acquire().await.unwrap();
    run("set session_replication_role = replica", &mut *connection).await.unwrap();
    assert_eq!(not_refused(&made, &mut connection).await, []);
}
