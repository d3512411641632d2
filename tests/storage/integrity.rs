//! The daily look at everything: nothing is told where all is well, and each way of breaking something is told by its name.

use chrono::TimeDelta;
use orgtrail::platform::Clock;
use orgtrail::storage::guards;
use orgtrail::upkeep::{self, Job, Retention};
use sqlx::{AssertSqlSafe, PgPool};
use std::path::Path;
use std::{env, fs};

use crate::fixture::{Fixture, Tenant, claimed, run};

pub async fn problems(fixture: &Fixture) -> Vec<String> {
    found_by(Job::Integrity, fixture).await.unwrap()
}

pub async fn found_by(job: Job, fixture: &Fixture) -> orgtrail::Result<Vec<String>> {
    Ok(job.run(&fixture.platform, Retention::default()).await?.problems.unwrap())
}

/// Those of one trail, a line for each.
pub fn of_trail(found: &[String], tenant: &Tenant) -> String {
    let whose = tenant.id.to_string();
    found.iter().filter(|line| line.contains(&whose)).cloned().collect::<Vec<_>>().join("\n")
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
    Job::Partitions.run(&fixture.platform, Retention::default()).await.unwrap();
    fixture.organization("young").await;
    Job::Retention.run(&fixture.platform, Retention::default()).await.unwrap();
    assert_eq!(problems(&fixture).await, Vec::<String>::new(), "after a pruning, and with more months");
}

/// Each weakening of the schema, and what the problem has to name.
const WEAKENED: [(&str, &str); 18] = [
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
    ("grant create on schema orgtrail to public", "It does not belong there: grant create on schema to EVERYBODY"),
    ("grant create on schema orgtrail to orgtrail_app", "It is missing: grant usage on schema to orgtrail_app"),
    ("alter schema orgtrail owner to postgres", "It does not belong there: schema of postgres"),
    (
        "alter default privileges for role orgtrail_owner in schema orgtrail grant update on tables to orgtrail_app",
        "It does not belong there: default privileges of orgtrail_owner on what is r: {orgtrail_app=w/orgtrail_owner}",
    ),
    (
        "create rule silent as on insert to orgtrail.trail_days do instead nothing",
        "It does not belong there: rule silent on table trail_days: CREATE RULE silent",
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

/// Likewise of roles, which all databases of a Postgres have together: nobody else sees them before the commit, and it never comes.
const EMPOWERED: [(&str, &str); 13] = [
    ("create role intruder login in role orgtrail_owner", "role intruder is a member of orgtrail_owner"),
    ("create role intruder login noinherit in role orgtrail_migrate", "role intruder is a member of orgtrail_lookup"),
    (
        "create role between in role orgtrail_lookup; create role intruder login in role between",
        "role intruder is a member of orgtrail_lookup",
    ),
    ("grant orgtrail_owner to orgtrail_app", "role orgtrail_app is a member of orgtrail_owner"),
    ("grant pg_write_all_data to orgtrail_app", "role orgtrail_app is a member of pg_write_all_data"),
    ("grant postgres to orgtrail_migrate", "role orgtrail_migrate is a member of postgres"),
    ("alter role orgtrail_migrate superuser", "role orgtrail_migrate SUPERUSER"),
    ("alter role orgtrail_app bypassrls", "role orgtrail_app bypassrls"),
    ("create role reports login in role orgtrail_verify", "role reports is a member of orgtrail_verify"),
    ("grant orgtrail_lookup to orgtrail_verify", "role orgtrail_verify is a member of orgtrail_lookup"),
    ("alter role orgtrail_verify bypassrls", "role orgtrail_verify bypassrls"),
    ("alter role orgtrail_owner login", "role orgtrail_owner LOGIN"),
    ("alter role orgtrail_lookup nobypassrls", "It is missing: role orgtrail_lookup bypassrls"),
];

/// What differs between installations that are as they should be.
const HARMLESS: [&str; 6] = [
    // A managed Postgres: its administrator made the roles, and is a member of each from PostgreSQL 16 on.
    "create role administrator login createrole createdb;
    grant orgtrail_owner, orgtrail_lookup, orgtrail_migrate, orgtrail_app to administrator with admin option",
    "create role second_superuser login superuser in role orgtrail_owner",
    // The provider's way of signing in.
    "create role of_provider; grant of_provider to orgtrail_app, orgtrail_migrate",
    "create role first_server login in role orgtrail_app; alter role orgtrail_app nologin",
    "alter role orgtrail_migrate nologin",
    "create role backup login bypassrls in role pg_read_all_data",
];

/// What the guards would tell if this were so.
async fn found_if(weakening: &str, fixture: &Fixture) -> Vec<String> {
    let mut transaction = fixture.superuser.begin().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(weakening.to_owned())).execute(&mut *transaction).await.unwrap();
    run("set local role orgtrail_app", &mut *transaction).await.unwrap();
    let found = guards::problems(&mut *transaction).await.unwrap();
    transaction.rollback().await.unwrap();
    found
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_power_that_a_role_should_not_have_is_told(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    for (weakening, told) in EMPOWERED {
        let found = found_if(weakening, &fixture).await.join("\n");
        assert!(found.contains(told), "{weakening}: {found}");
    }
    for difference in HARMLESS {
        assert_eq!(found_if(difference, &fixture).await, Vec::<String>::new(), "{difference}");
    }
    assert_eq!(problems(&fixture).await, Vec::<String>::new(), "nothing of it stayed");
}

/// Each way in which somebody with all powers might change what is kept, and what the problem has to say.
const TAMPERED: [(&str, &str); 8] = [
    ("delete from orgtrail.events where index = 2", "event 2 is missing, or not what was recorded."),
    ("delete from orgtrail.event_positions where index = 3", "event 3 is missing, or not what was recorded."),
    (
        "update orgtrail.event_positions set event_id = gen_random_uuid() where index = 1",
        "event 1 is missing, or not what was recorded.",
    ),
    (
        "update orgtrail.events set csv_safe_length = csv_safe_length + 1 where index = 4",
        "are not those of its events.",
    ),
    (
        "update orgtrail.events set actor_user_name = actor_user_name || '!' where index = 2",
        "event 2 is longer or shorter than when recorded.",
    ),
    (
        "update orgtrail.events set next = '{\"paid'::text::json where index >= 2",
        "events 2, 3, 4 are no longer readable.",
    ),
    ("update orgtrail.trail_days set events = events + 1", "are not those of its events."),
    ("update orgtrail.trail_heads set next_index = next_index - 1", "lies beyond the head of the log."),
];

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_change_of_what_is_kept_is_told(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    // Lets text be stored as JSON that is none, as a broken disk would.
    run("create cast (text as json) without function", &fixture.superuser).await.unwrap();
    for (number, (tampering, told)) in TAMPERED.into_iter().enumerate() {
        let slug = format!("acme-{number}");
        let tenant = fixture.organization(&slug).await;
        let now = fixture.platform.clock.now();
        fixture
            .record(&tenant, &[claimed("invoice.paid", now - TimeDelta::days(1)), claimed("invoice.sent", now)])
            .await;
        fixture.record(&tenant, &[claimed("invoice.paid", now)]).await;
        assert_eq!(of_trail(&problems(&fixture).await, &tenant), "", "{tampering}: before");
        tamper(&fixture, &tenant, tampering).await;
        let found = of_trail(&problems(&fixture).await, &tenant);
        assert!(found.contains(told), "{tampering}: {found}");
    }
}

/// Does what triggers would refuse, to one organization, and puts them back.
pub async fn tamper(fixture: &Fixture, tenant: &Tenant, statement: &str) {
    let mut transaction = fixture.superuser.begin().await.unwrap();
    let guarded = "select format('%s', relid) from pg_partition_tree('orgtrail.events') union all select 'orgtrail.event_positions'";
    let guarded: Vec<String> = sqlx::query_scalar(guarded).fetch_all(&mut *transaction).await.unwrap();
    run("set local session_replication_role = replica", &mut *transaction).await.unwrap();
    for table in &guarded {
        run(format!("alter table {table} disable trigger append_only"), &mut *transaction).await.unwrap();
    }
    let also = if statement.contains("where") { "and" } else { "where" };
    run(format!("{statement} {also} organization_id = '{}'", tenant.id), &mut *transaction).await.unwrap();
    for table in &guarded {
        run(format!("alter table {table} enable always trigger append_only"), &mut *transaction).await.unwrap();
    }
    transaction.commit().await.unwrap();
}

/// An organization with 40 events of another product, of today.
pub async fn with_events(fixture: &Fixture, slug: &str) -> Tenant {
    let tenant = fixture.organization(slug).await;
    let event = claimed("invoice.paid", fixture.platform.clock.now());
    fixture.record(&tenant, &vec![event; 40]).await;
    tenant
}

/// Whoever reads an event of this index is told this SQLSTATE, as where its place on the disk is gone.
pub async fn break_at(index: i64, code: &str, fixture: &Fixture) {
    let function = format!(
        "create or replace function public.broken(index bigint) returns boolean language plpgsql as $$ begin
            if index = {index} then raise exception 'no such block' using errcode = '{code}'; end if;
            return true;
        end $$"
    );
    run(function, &fixture.superuser).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_cannot_be_read_is_told_beside_everything_else(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (first, broken, last) = (
        with_events(&fixture, "first").await,
        with_events(&fixture, "broken").await,
        fixture.organization("last").await,
    );
    for tenant in [&first, &broken, &last] {
        tamper(&fixture, tenant, "delete from orgtrail.event_positions where index = 0").await;
    }
    tamper(&fixture, &broken, "delete from orgtrail.event_positions where index = 39").await;
    break_at(17, "XX001", &fixture).await;
    let policy = format!(
        "create policy broken on orgtrail.events as restrictive using (organization_id <> '{}' or public.broken(index))",
        broken.id
    );
    run(policy, &fixture.superuser).await.unwrap();
    for code in ["XX001", "58030", "57014"] {
        break_at(17, code, &fixture).await;
        let found = problems(&fixture).await;
        for tenant in [&first, &last] {
            let found = of_trail(&found, tenant);
            assert!(
                found.ends_with(": event 0 is missing, or not what was recorded.") && found.lines().count() == 1,
                "{found}"
            );
        }
        let found = of_trail(&found, &broken);
        for told in ["event 17 cannot be read: ", "events 0, 39 are missing", "the events of 2"] {
            assert_eq!(found.matches(told).count(), 1, "{code}, {told}: {found}");
        }
        assert!(found.contains("no such block"), "{found}");
    }
}

/// The database is stopping, full, or gone: that is nothing that a trail is to blame for.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_database_that_is_gone_fails_the_job(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    with_events(&fixture, "acme").await;
    run(
        "create function public.broken(index bigint) returns boolean language sql as 'select true'",
        &fixture.superuser,
    )
    .await
    .unwrap();
    run("create policy broken on orgtrail.events as restrictive using (public.broken(index))", &fixture.superuser)
        .await
        .unwrap();
    for code in ["57P01", "53200", "08006", "55P03"] {
        break_at(17, code, &fixture).await;
        for job in [Job::Recent, Job::Integrity] {
            assert_eq!(found_by(job, &fixture).await.unwrap_err().status(), 503, "{code}");
        }
    }
    break_at(-1, "57P01", &fixture).await;
    for job in [Job::Recent, Job::Integrity] {
        assert_eq!(of_acme(&found_by(job, &fixture).await.unwrap()), "", "the control");
    }
    fixture.platform.database.exports.close().await;
    for job in [Job::Recent, Job::Integrity] {
        assert_eq!(found_by(job, &fixture).await.unwrap_err().status(), 503);
    }
}

/// Of the trails; that there is a policy more is told as well.
pub fn of_acme(found: &[String]) -> String {
    found.iter().filter(|line| line.contains("The trail of")).cloned().collect::<Vec<_>>().join("\n")
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_was_recorded_within_the_hour_is_looked_at_often(superuser: PgPool) {
    let fixture = Fixture::at(superuser, Clock::Real.now() - TimeDelta::hours(3)).await;
    let recent = || async { found_by(Job::Recent, &fixture).await.unwrap() };
    let (quiet, busy) = (with_events(&fixture, "quiet").await, with_events(&fixture, "busy").await);
    fixture.platform.clock.set(fixture.platform.clock.now() + TimeDelta::hours(2));
    let event = claimed("invoice.paid", fixture.platform.clock.now());
    fixture.record(&busy, &[event.clone(), event]).await;
    for tenant in [&quiet, &busy] {
        tamper(&fixture, tenant, "update orgtrail.events set action = action || '.twice' where index = 7").await;
    }
    assert_eq!(recent().await, Vec::<String>::new(), "nothing of the last hour");
    assert_eq!(problems(&fixture).await.len(), 2, "the daily look");
    let newest = fixture.trail(busy.id).await.len() - 1;
    tamper(&fixture, &busy, &format!("delete from orgtrail.events where index = {newest}")).await;
    let found = recent().await;
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        of_trail(&found, &busy).ends_with(&format!("event {newest} is missing, or not what was recorded.")),
        "{found:?}"
    );
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn events_without_a_month_are_told(superuser: PgPool) {
    let fixture = Fixture::at(superuser, Clock::Real.now() - TimeDelta::days(200)).await;
    let tenant = fixture.organization("acme").await;
    assert_eq!(problems(&fixture).await, Vec::<String>::new());
    assert_eq!(upkeep::events_without_month(&fixture.platform).await.unwrap(), 0);
    fixture.platform.clock.set(Clock::Real.now());
    let event = claimed("invoice.paid", fixture.platform.clock.now());
    fixture.record(&tenant, &[event.clone(), event]).await;
    assert_eq!(
        problems(&fixture).await,
        [
            "Events (2) are in the partition orgtrail.events_default: their month had none of its own when they were recorded."
        ]
    );
    assert_eq!(upkeep::events_without_month(&fixture.platform).await.unwrap(), 2);
    let before = fixture.trail(tenant.id).await;
    let moving = include_str!("../../docs/operate/postgres.md")
        .split("```sql\n")
        .find(|block| block.contains("detach partition"));
    let moving = moving.and_then(|block| block.split("```").next()).unwrap();
    sqlx::raw_sql(moving).execute(&fixture.superuser).await.unwrap();
    assert_eq!(problems(&fixture).await, Vec::<String>::new(), "moved as the documentation says");
    assert_eq!(fixture.trail(tenant.id).await, before);
}
