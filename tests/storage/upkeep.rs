//! Upkeep: done once in its time however many servers there are, and what is over goes when its time has come and not before.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::identity::access_token::{self, Scope, Wanted, list};
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::sign_in::sign_in;
use orgtrail::identity::viewer::Viewer;
use orgtrail::model::records;
use orgtrail::organization::invites;
use orgtrail::platform::Clock;
use orgtrail::upkeep::{self, Job, Lane, Report, Retention, Turn, partitions};
use sqlx::PgPool;

use crate::account::begin_session;
use crate::fixture::{Fixture, INTEGRITY, code, number, origin, run};

async fn count(fixture: &Fixture, what: &str) -> i64 {
    number(format!("select count(*) from orgtrail.{what}"), &mut fixture.superuser.acquire().await.unwrap()).await
}

async fn done(fixture: &Fixture, job: Job) -> Report {
    job.run(&fixture.platform, Retention::default()).await.unwrap()
}

/// What the machine's clock shows.
fn today() -> DateTime<Utc> {
    Clock::Real.now()
}

/// One server's turns, as the server takes them; answers the jobs that it did.
async fn turn(fixture: &Fixture) -> Vec<Job> {
    let mut all = Vec::new();
    for lane in Lane::ALL {
        let Some(mut turn) = Turn::take(&fixture.platform, lane).await.unwrap() else { continue };
        let due = turn.due().await.unwrap();
        for job in &due {
            let report = done(fixture, *job).await;
            turn.succeeded(*job, &report).await.unwrap();
        }
        turn.end().await.unwrap();
        all.extend(due);
    }
    in_order(all)
}

fn in_order(mut jobs: Vec<Job>) -> Vec<Job> {
    jobs.sort_by_key(|job| Job::ALL.iter().position(|known| known == job));
    jobs
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn one_server_at_a_time_has_the_turn(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    for lane in Lane::ALL {
        let first = Turn::take(&fixture.platform, lane).await.unwrap().unwrap();
        assert!(Turn::take(&fixture.platform, lane).await.unwrap().is_none());
        first.end().await.unwrap();
        assert!(Turn::take(&fixture.platform, lane).await.unwrap().is_some());
    }
}

/// The last hour is read again every five minutes, however long the look at everything takes.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_done_often_does_not_wait_for_what_is_done_daily(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let mut daily = Turn::take(&fixture.platform, Lane::Daily).await.unwrap().unwrap();
    let due = daily.due().await.unwrap();
    assert_eq!(due, [Job::Partitions, Job::Organizations, Job::Retention, Job::Integrity]);
    assert_eq!(turn(&fixture).await, [Job::Credentials, Job::Recent]);
    daily.end().await.unwrap();
    assert_eq!(turn(&fixture).await, due);
}

/// A server that dies does not give its turn back: its connection ends, and with it the lock.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_turn_of_a_server_that_dies_is_free(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let held = Turn::take(&fixture.platform, Lane::Daily).await.unwrap().unwrap();
    let kill = "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())";
    run(kill, &fixture.superuser).await.unwrap();
    let mut next = None;
    for _ in 0..200 {
        next = Turn::take(&fixture.platform, Lane::Daily).await.unwrap();
        if next.is_some() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    assert!(next.is_some());
    assert!(held.end().await.is_err());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_servers_one_does_each_job_and_it_is_done_again_in_its_time(superuser: PgPool) {
    let start = today();
    let fixture = Fixture::at(superuser, start).await;
    let (one, other) = tokio::join!(turn(&fixture), turn(&fixture));
    assert_eq!(in_order([one, other].concat()), Job::ALL, "each job, by whichever of them");
    assert_eq!(turn(&fixture).await, []);
    fixture.platform.clock.set(start + Job::Credentials.period());
    assert_eq!(turn(&fixture).await, [Job::Credentials, Job::Recent]);
    fixture.platform.clock.set(start + TimeDelta::days(1));
    assert_eq!(turn(&fixture).await, Job::ALL);
    let done = upkeep::last_successes(&fixture.platform).await.unwrap();
    assert_eq!(done.len(), Job::ALL.len());
    assert!(done.iter().all(|done| done.at > start));
    let looked: Vec<_> = done.iter().filter(|done| done.problems == Some(0)).map(|done| done.job).collect();
    assert_eq!((looked.len(), looked.contains(&Job::Recent), looked.contains(&Job::Integrity)), (2, true, true));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn months_are_made_ahead_and_one_that_is_missing_is_counted(superuser: PgPool) {
    let fixture = Fixture::at(superuser, "2031-01-31T12:00:00Z".parse().unwrap()).await;
    assert_eq!(done(&fixture, Job::Partitions).await.made, 1);
    assert_eq!(partitions::months_ahead(&fixture.platform).await.unwrap(), 3);
    assert_eq!(done(&fixture, Job::Partitions).await.made, 0);
    // A month whose events went into the default partition gets none of its own.
    fixture.platform.clock.set("2031-04-01T12:00:00Z".parse().unwrap());
    run(
        "with bound (organization) as (select set_config('app.organization_id', gen_random_uuid()::text, true)::uuid)
        insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, object_type, outcome,
            csv_safe_length, csv_raw_length, words)
        select organization, 0, gen_random_uuid(), 'change', 'a.b', '2031-06-02', '2031-06-02', 'ada', 'a', 'success', 1, 1, '' from bound",
        &fixture.superuser,
    )
    .await
    .unwrap();
    done(&fixture, Job::Partitions).await;
    assert_eq!(partitions::months_ahead(&fixture.platform).await.unwrap(), 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn sessions_links_and_throttles_go_when_they_are_over(superuser: PgPool) {
    let start = today();
    let fixture = Fixture::at(superuser, start).await;
    let tenant = fixture.organization("acme").await;
    begin_session(&fixture, &tenant.owner, 1).await;
    let email = &tenant.owner.require_user().unwrap().email;
    orgtrail::identity::recovery::request(&fixture.platform, &Viewer::anonymous(origin()), email).await.unwrap();
    for _ in 0..2 {
        let nobody = Viewer::anonymous(origin());
        sign_in(&fixture.platform, &nobody, email, "a wrong password").await.unwrap_err();
    }
    let tables = ["sessions", "mailed_links", "sign_in_throttles"];
    for table in tables {
        assert!(count(&fixture, table).await > 0, "{table}");
    }
    assert_eq!(done(&fixture, Job::Credentials).await.removed, 0, "nothing is over yet");
    fixture.platform.clock.set(start + TimeDelta::hours(25));
    assert!(done(&fixture, Job::Credentials).await.removed >= 4);
    for table in tables {
        assert_eq!(count(&fixture, table).await, 0, "{table}");
    }
}

/// After a night of guessing there may be more of them than one statement has time for.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn however_many_are_over_no_statement_deletes_more_than_a_batch(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let many = "create table public.deletions (of_table text, number bigint);
        create function public.note_deletions() returns trigger language plpgsql security definer as $$ begin
            insert into public.deletions select tg_table_name, count(*) from gone;
            return null;
        end $$;
        insert into orgtrail.users (id, email, email_key, name)
            select gen_random_uuid(), n || '@b.example', n || '@b.example', 'Ada' from generate_series(1, 2345) as n;
        insert into orgtrail.sessions (id_sha256, user_id, data, expires_at, absolute_expires_at)
            select sha256(email::bytea), id, '{}', now() - interval '1 hour', now() from orgtrail.users;
        insert into orgtrail.mailed_links (user_id, purpose, secret_sha256, expires_at)
            select id, 'reset_password', sha256(email::bytea), now() - interval '1 hour' from orgtrail.users;
        insert into orgtrail.sign_in_throttles (key, failures, first_failure, blocked_until)
            select sha256(email::bytea), 1, now() - interval '25 hours', now() - interval '1 hour' from orgtrail.users;";
    sqlx::raw_sql(many).execute(&fixture.superuser).await.unwrap();
    let tables = ["sessions", "mailed_links", "sign_in_throttles"];
    for table in tables {
        let note = format!(
            "create trigger noted after delete on orgtrail.{table} referencing old table as gone for each statement execute function public.note_deletions()"
        );
        run(note, &fixture.superuser).await.unwrap();
    }
    assert_eq!(done(&fixture, Job::Credentials).await.removed, 3 * 2345);
    let deletions = "select of_table, number from public.deletions order by number desc";
    let deletions: Vec<(String, i64)> = sqlx::query_as(deletions).fetch_all(&fixture.superuser).await.unwrap();
    for table in tables {
        let of_table = deletions.iter().filter(|(of_table, _)| of_table == table).map(|(_, number)| *number);
        assert_eq!(of_table.collect::<Vec<_>>(), [1000, 1000, 345], "{table}");
    }
}

/// One that is used again at this moment is not over.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_throttle_that_somebody_holds_stays_and_holds_nothing_up(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let over = "insert into orgtrail.sign_in_throttles (key, failures, first_failure, blocked_until)
        select sha256(n::text::bytea), 1, now() - interval '25 hours', now() - interval '1 hour' from generate_series(1, 3) as n";
    run(over, &fixture.superuser).await.unwrap();
    let mut counting = fixture.superuser.begin().await.unwrap();
    let count_one = "update orgtrail.sign_in_throttles set first_failure = now(), blocked_until = now() where key = sha256('2'::bytea)";
    run(count_one, &mut *counting).await.unwrap();
    assert_eq!(done(&fixture, Job::Credentials).await.removed, 2);
    counting.commit().await.unwrap();
    assert_eq!(done(&fixture, Job::Credentials).await.removed, 0);
    assert_eq!(count(&fixture, "sign_in_throttles").await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn attempts_to_sign_in_go_after_the_retention_when_they_are_in_the_trails(superuser: PgPool) {
    let fixture = Fixture::at(superuser, today() - TimeDelta::days(91)).await;
    let tenant = fixture.organization("acme").await;
    let email = &tenant.owner.require_user().unwrap().email;
    let attempt = || async {
        let nobody = Viewer::anonymous(origin());
        sign_in(&fixture.platform, &nobody, email, "a wrong password").await.unwrap_err();
    };
    attempt().await;
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 0, "it is in no trail yet");
    copy_pending(&fixture.platform).await.unwrap();
    fixture.platform.clock.set(today() - TimeDelta::days(89));
    attempt().await;
    copy_pending(&fixture.platform).await.unwrap();
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 1);
    assert_eq!(count(&fixture, "sign_in_attempts").await, 1);
    assert_eq!(count(&fixture, "events where action = 'login.attempted'").await, 2, "the trail forgets nothing");
    let asked = "select orgtrail.forget_sign_in_attempts(0, 1000)";
    run(asked, fixture.app()).await.unwrap();
    assert_eq!(count(&fixture, "sign_in_attempts").await, 1, "whatever is asked, 90 days stay");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn invites_go_after_the_retention_and_not_in_silence_before(superuser: PgPool) {
    let fixture = Fixture::at(superuser, today() - TimeDelta::days(98)).await;
    let tenant = fixture.organization("acme").await;
    let invite = |name: &'static str| invites::create(&fixture.platform, &tenant.owner, "acme", name, "member", &[]);
    invite("old@people.example").await.unwrap();
    fixture.platform.clock.set(today() - TimeDelta::days(96));
    invite("young@people.example").await.unwrap();
    fixture.platform.clock.set(today());
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 1);
    let left = invites::list(&fixture.platform, &tenant.owner, "acme").await.unwrap().invites;
    assert_eq!(left.iter().map(|invite| invite.email.as_str()).collect::<Vec<_>>(), ["young@people.example"]);
    let mut transaction = fixture.bound(tenant.id).await;
    run("delete from orgtrail.invites", &mut *transaction).await.unwrap();
    assert_eq!(code(transaction.commit().await), INTEGRITY);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn tokens_that_ended_are_listed_for_ninety_days(superuser: PgPool) {
    let fixture = Fixture::at(superuser, today() - TimeDelta::days(100)).await;
    let tenant = fixture.organization("acme").await;
    let wanted = || Wanted::new("robot", &[Scope::AuditRead]);
    let make = || access_token::create(&fixture.platform, &tenant.owner, "acme", None, wanted());
    let ended = make().await.unwrap();
    make().await.unwrap();
    access_token::revoke(&fixture.platform, &tenant.owner, "acme", ended.id).await.unwrap();
    run("update orgtrail.access_tokens set last_used_ip = '192.0.2.7'", &fixture.superuser).await.unwrap();
    let listed = || async { list::page(&fixture.platform, &tenant.owner, "acme", "").await.unwrap().tokens.len() };
    assert_eq!(listed().await, 2);
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 0);
    fixture.platform.clock.set(today());
    assert_eq!(listed().await, 1);
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 1);
    assert_eq!(count(&fixture, "access_tokens").await, 2, "it stays an actor of what is kept");
    assert_eq!(count(&fixture, "access_tokens where last_used_ip is null and revoked_at is not null").await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn records_of_models_go_by_month_and_the_trail_says_so(superuser: PgPool) {
    let fixture = Fixture::at(superuser, today() - TimeDelta::days(150)).await;
    let tenant = fixture.organization("acme").await;
    let record = |at: DateTime<Utc>| format!(r#"{{"time":"{}","score":1}}"#, at.to_rfc3339());
    let old = [record(today() - TimeDelta::days(151)), record(today() - TimeDelta::days(152))].join("\n");
    fixture.model(&tenant, "fraud", &old).await;
    fixture.platform.clock.set(today());
    fixture.model(&tenant, "young", &record(today())).await;
    let before = fixture.trail(tenant.id).await.len();
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 2);
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 0);
    let trail = fixture.trail(tenant.id).await;
    let pruned: Vec<_> = trail[before..].iter().map(|event| (event.action.as_str(), event.next.as_deref())).collect();
    assert_eq!(pruned, [("model.records.pruned", Some(r#"{"model":"fraud","records":2,"days":90}"#))]);
    for (model, kept) in [("fraud", 0), ("young", 1)] {
        let page = records::page(&fixture.platform, &tenant.owner, "acme", model, "").await.unwrap();
        assert_eq!(page.total, kept, "{model}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_was_sent_with_a_key_is_known_for_ninety_days(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let insert =
        "insert into orgtrail.ingest_requests (organization_id, sender_id, key, body_sha256, answer, received_at)
        select organization_id, gen_random_uuid(), 'k' || days, sha256(''), '[]', now() - days * interval '1 day'
        from orgtrail.trail_heads, unnest(array[89, 91, 400]) as days";
    run(insert, &fixture.superuser).await.unwrap();
    assert_eq!(done(&fixture, Job::Organizations).await.removed, 2);
    assert_eq!(count(&fixture, "ingest_requests").await, 1);
    let mut bound = fixture.bound(tenant.id).await;
    run("select orgtrail.forget_what_was_sent(0, 1000)", &mut *bound).await.unwrap();
    bound.commit().await.unwrap();
    assert_eq!(count(&fixture, "ingest_requests").await, 1, "whatever is asked, 90 days stay");
}
