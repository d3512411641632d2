//! The daily look at everything: nothing is told where all is well, and each way of breaking something is told by its name.

use chrono::TimeDelta;
use orgtrail::platform::Clock;
use orgtrail::storage::guards;
use orgtrail::upkeep::{Job, Retention};
use sqlx::PgPool;
use std::path::Path;
use std::{env, fs};

use crate::fixture::{Fixture, claimed, run};

async fn problems(fixture: &Fixture) -> Vec<String> {
    Job::Integrity.run(&fixture.platform, Retention::default()).await.unwrap().problems.unwrap()
}

/// `src/storage/guards.txt` is what the migrations make. Written anew with `UPDATE_DOCS=1`.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn docs_guards_are_what_the_migrations_make(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let made = guards::written_down(fixture.app()).await.unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage/guards.txt");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), made);
    assert!(made.lines().count() > 100);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nothing_is_told_where_all_is_well(superuser: PgPool) {
    let fixture = Fixture::at(superuser, Clock::Real.now() - TimeDelta::days(150)).await;
    let tenant = fixture.organization("acme").await;
    fixture.record(&tenant, &[claimed("invoice.paid", fixture.platform.clock.now() - TimeDelta::days(3))]).await;
    assert_eq!(problems(&fixture).await, Vec::<String>::new());
    fixture.platform.clock.set(Clock::Real.now());
    fixture.organization("young").await;
    Job::Retention.run(&fixture.platform, Retention::default()).await.unwrap();
    Job::Partitions.run(&fixture.platform, Retention::default()).await.unwrap();
    assert_eq!(problems(&fixture).await, Vec::<String>::new(), "after a pruning, and with more months");
}

/// Each weakening of the schema, and what the problem has to name.
const WEAKENED: [(&str, &str); 13] = [
    (
        "alter table orgtrail.events_default disable trigger append_only",
        "It is missing: trigger always, CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON orgtrail.events_default",
    ),
    (
        "alter table orgtrail.events enable trigger never_truncated",
        "It does not belong there: trigger enabled, CREATE TRIGGER never_truncated",
    ),
    (
        "drop trigger last_owner_stays on orgtrail.memberships",
        "It is missing: trigger enabled, CREATE CONSTRAINT TRIGGER last_owner_stays",
    ),
    (
        "alter table orgtrail.access_tokens no force row level security",
        "access_tokens of orgtrail_owner, row security NOT FORCED",
    ),
    ("alter table orgtrail.invites disable row level security", "invites of orgtrail_owner, no row security"),
    ("drop policy tenant on orgtrail.graphs", "It is missing: table graphs"),
    ("create policy everybody on orgtrail.teams using (true)", "everybody for ALL"),
    ("grant delete on orgtrail.events to orgtrail_app", "may change or delete rows of orgtrail.events"),
    ("grant select on orgtrail.users to public", "It does not belong there: grant select on table users to EVERYBODY"),
    (
        "grant update (scopes, last_used_at, id) on orgtrail.access_tokens to orgtrail_app",
        "on table access_tokens to orgtrail_app",
    ),
    (
        "create or replace function orgtrail.require_event() returns trigger language plpgsql as 'begin return null; end'",
        "function require_event()",
    ),
    (
        "create function orgtrail.anything() returns void language sql security definer as ''",
        "function anything() of postgres with its powers",
    ),
    (
        "alter function orgtrail.trails() reset all",
        "function trails() of orgtrail_lookup with its powers, settings none",
    ),
];

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_weakening_of_the_schema_is_told(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    for (weakening, told) in WEAKENED {
        assert!(!problems(&fixture).await.join("\n").contains(told), "{told}: before");
        run(weakening, &fixture.superuser).await.unwrap();
        let found = problems(&fixture).await.join("\n");
        assert!(found.contains(told), "{weakening}: {found}");
    }
}

/// Each way in which somebody with all powers might change what is kept, and what the problem has to say.
const TAMPERED: [(&str, &str); 6] = [
    ("delete from orgtrail.events where index = 2", "1 have no event or another, first 2."),
    ("delete from orgtrail.event_positions where index = 3", "1 have no event or another, first 3."),
    (
        "update orgtrail.event_positions set event_id = gen_random_uuid() where index = 1",
        "1 have no event or another, first 1.",
    ),
    (
        "update orgtrail.events set csv_safe_length = csv_safe_length + 1 where index = 4",
        "are not those of its events.",
    ),
    ("update orgtrail.trail_days set events = events + 1", "are not those of its events."),
    ("update orgtrail.trail_heads set next_index = next_index - 1", "lies beyond its head."),
];

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_change_of_what_is_kept_is_told(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    for (number, (tampering, told)) in TAMPERED.into_iter().enumerate() {
        let slug = format!("acme-{number}");
        let tenant = fixture.organization(&slug).await;
        let now = fixture.platform.clock.now();
        fixture
            .record(&tenant, &[claimed("invoice.paid", now - TimeDelta::days(1)), claimed("invoice.sent", now)])
            .await;
        fixture.record(&tenant, &[claimed("invoice.paid", now)]).await;
        let whose = tenant.id.to_string();
        let of_it = |found: &[String]| {
            found.iter().filter(|line| line.contains(&whose)).cloned().collect::<Vec<_>>().join("\n")
        };
        assert_eq!(of_it(&problems(&fixture).await), "", "{tampering}: before");
        tamper(
            &fixture,
            &format!(
                "{tampering} {} organization_id = '{whose}'",
                if tampering.contains("where") { "and" } else { "where" }
            ),
        )
        .await;
        let found = of_it(&problems(&fixture).await);
        assert!(found.contains(told), "{tampering}: {found}");
    }
}

/// Does what triggers would refuse, and puts these back.
async fn tamper(fixture: &Fixture, statement: &str) {
    let mut transaction = fixture.superuser.begin().await.unwrap();
    let guarded = "select format('%s', relid) from pg_partition_tree('orgtrail.events') union all select 'orgtrail.event_positions'";
    let guarded: Vec<String> = sqlx::query_scalar(guarded).fetch_all(&mut *transaction).await.unwrap();
    run("set local session_replication_role = replica", &mut *transaction).await.unwrap();
    for table in &guarded {
        run(format!("alter table {table} disable trigger append_only"), &mut *transaction).await.unwrap();
    }
    run(statement, &mut *transaction).await.unwrap();
    for table in &guarded {
        run(format!("alter table {table} enable always trigger append_only"), &mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}
