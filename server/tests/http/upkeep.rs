//! Upkeep by the program itself: what it does, says and counts, by its own configuration, and that of several one does it.

use chrono::{DateTime, Days, Months, NaiveDate, Utc};
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::settings;
use orgtrail::platform::Clock;
use orgtrail::storage;
use orgtrail::upkeep::{Job, Lane, Turn};
use serde_json::Value;
use sqlx::AssertSqlSafe;

use crate::metrics::{Read, read, read_until};
use crate::program::Program;
use crate::support::TestApplication;

const RUNS: &str = "orgtrail_upkeep_runs_total";
const REMOVED: &str = "orgtrail_upkeep_removed_total";
const LAST_SUCCESS: &str = "orgtrail_upkeep_last_success_timestamp_seconds";

/// Everything is due.
const NOTHING_DONE: &str = "delete from orgtrail.upkeep_jobs";

async fn run(app: &TestApplication, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&app.superuser).await.unwrap();
}

async fn started(app: &TestApplication, more: &[(&str, &str)]) -> (Program, String) {
    let variables = [&[("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0")], more].concat();
    let mut program = Program::start(app, &variables).await;
    let address = program.says("Metrics are at ").await;
    (program, address)
}

/// A value that is a number of things, or of seconds.
fn whole(series: &Read, name: &str, labels: &[(&str, &str)]) -> u64 {
    let value = series.value(name, labels).unwrap_or_else(|| panic!("{name} {labels:?} is missing"));
    value.to_string().parse().unwrap()
}

fn of(series: &Read, name: &str, job: Job) -> u64 {
    whole(series, name, &[("task", job.name())])
}

fn runs(series: &Read, job: Job, outcome: &str) -> u64 {
    whole(series, RUNS, &[("task", job.name()), ("outcome", outcome)])
}

/// What is told when every job was done, or failed.
async fn when_all_is_done(address: &str) -> Read {
    let has_failed = |series: &Read, job: Job| {
        series.value(RUNS, &[("task", job.name()), ("outcome", "failure")]).is_some_and(|runs| runs > 0.0)
    };
    let was_done =
        |series: &Read, job: Job| series.value(LAST_SUCCESS, &[("task", job.name())]).is_some_and(|at| at > 0.0);
    let told = |series: &Read| Job::ALL.into_iter().all(|job| was_done(series, job) || has_failed(series, job));
    read_until(address, told).await.1
}

/// What the log says of the jobs of a lane that were done.
fn done_in(lane: Lane, log: &str) -> Vec<Value> {
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let of_lane = |line: &Value| jobs_of(lane).iter().any(|job| line["job"] == job.name());
    lines.filter(|line| line["message"] == "upkeep was done" && of_lane(line)).collect()
}

fn jobs_of(lane: Lane) -> Vec<Job> {
    Job::ALL.into_iter().filter(|job| job.lane() == lane).collect()
}

fn now() -> DateTime<Utc> {
    Clock::Real.now()
}

#[tokio::test]
async fn what_was_done_is_logged_and_counted() {
    let mut app = TestApplication::start().await;
    app.owner().await;
    app.stop().await;
    run(&app, NOTHING_DONE).await;
    run(&app, "update orgtrail.sessions set expires_at = now() - interval '1 minute'").await;
    let sent =
        "insert into orgtrail.ingest_requests (organization_id, sender_id, key, body_sha256, answer, received_at)
        select organization_id, gen_random_uuid(), 'k' || days, sha256(''), '[]', now() - days * interval '1 day'
        from orgtrail.trail_heads, unnest(array[89, 91, 400]) as days";
    run(&app, sent).await;
    let before = u64::try_from(now().timestamp()).unwrap();
    let (program, address) = started(&app, &[]).await;
    let series = when_all_is_done(&address).await;
    for job in Job::ALL {
        assert_eq!((runs(&series, job, "success"), runs(&series, job, "failure")), (1, 0), "{job:?}");
        assert!(of(&series, LAST_SUCCESS, job) >= before, "{job:?}");
    }
    let removed = Job::ALL.map(|job| of(&series, REMOVED, job));
    assert_eq!(removed, [0, 1, 2, 0, 0, 0], "{:?}", Job::ALL);
    let log = program.end().await;
    for (lane, removed) in [(Lane::Often, vec![1, 0]), (Lane::Daily, vec![0, 2, 0, 0])] {
        let (jobs, done) = (jobs_of(lane), done_in(lane, &log));
        let fields = |field: &str| done.iter().map(|line| line[field].clone()).collect::<Vec<_>>();
        assert_eq!(fields("job"), jobs.iter().map(|job| job.name()).collect::<Vec<_>>(), "{log}");
        assert_eq!(fields("removed"), removed, "{log}");
        assert_eq!(fields("made"), vec![0; jobs.len()], "what is there already when it starts: {log}");
        let looked = |job: &Job| if matches!(job, Job::Recent | Job::Integrity) { 0.into() } else { Value::Null };
        assert_eq!(fields("problems"), jobs.iter().map(looked).collect::<Vec<Value>>(), "{log}");
    }
}

#[tokio::test]
async fn what_failed_and_what_is_not_as_it_should_be_is_told() {
    let mut app = TestApplication::start().await;
    app.stop().await;
    run(&app, NOTHING_DONE).await;
    run(&app, "alter table orgtrail.sign_in_throttles rename to elsewhere").await;
    let (program, address) = started(&app, &[]).await;
    let series = when_all_is_done(&address).await;
    for job in Job::ALL {
        let expected = if job == Job::Credentials { (0, 1) } else { (1, 0) };
        assert_eq!((runs(&series, job, "success"), runs(&series, job, "failure")), expected, "{job:?}");
    }
    assert_eq!(of(&series, LAST_SUCCESS, Job::Credentials), 0, "it never was");
    let problems = |series: &Read, job| of(series, "orgtrail_integrity_problems", job);
    let found = problems(&series, Job::Integrity);
    assert!(found >= 1, "a table is missing: {found}");
    assert_eq!(problems(&series, Job::Recent), 0);
    let log = program.end().await;
    assert_eq!(Lane::ALL.map(|lane| done_in(lane, &log).len()), [1, 4], "{log}");
    for said in ["upkeep failed, and will be tried again", "the database is not as it should be"] {
        assert!(log.contains(said), "{said} in {log}");
    }
    // One that is started then, and has nothing to do, knows it as well.
    let (next, address) = started(&app, &[]).await;
    let series = when_all_is_done(&address).await;
    assert_eq!((problems(&series, Job::Integrity), runs(&series, Job::Integrity, "success")), (found, 0));
    drop(next.end().await);
}

/// The first day of the month that is so many months from now.
fn month(from_now: i32) -> NaiveDate {
    let months = Months::new(from_now.unsigned_abs());
    let today = now().date_naive();
    let day = if from_now < 0 { today - months } else { today + months };
    day.format("%Y-%m-01").to_string().parse().unwrap()
}

/// The name of a month's partition.
fn partition(month: NaiveDate) -> String {
    month.format("orgtrail.events_%Y_%m").to_string()
}

#[tokio::test]
async fn too_few_months_ahead_are_a_warning() {
    let warning = "the trail has too few months ahead";
    let mut app = TestApplication::start().await;
    app.stop().await;
    let (control, address) = started(&app, &[]).await;
    let ahead = |series: &Read| series.value("orgtrail_partitions_months_ahead", &[]);
    let (_, series) = read_until(&address, |series| ahead(series).is_some()).await;
    assert!(ahead(&series).is_some_and(|months| months >= 2.0));
    assert!(!control.end().await.contains(warning));
    // A month whose events are in the default partition gets none of its own.
    let lost = month(2);
    let strays = format!(
        "drop table {};
        with bound (organization) as (select set_config('app.organization_id', gen_random_uuid()::text, true)::uuid)
        insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, object_type, outcome,
            csv_safe_length, csv_raw_length, words)
        select organization, 0, gen_random_uuid(), 'change', 'a.b', '{lost}', '{lost}', 'ada', 'a', 'success', 1, 1, '' from bound",
        partition(lost)
    );
    run(&app, &strays).await;
    let (program, address) = started(&app, &[]).await;
    let (_, series) = read_until(&address, |series| ahead(series).is_some()).await;
    assert_eq!(ahead(&series), Some(1.0));
    assert_eq!(series.value("orgtrail_events_without_month", &[]), Some(1.0));
    let log = program.end().await;
    assert!(log.contains(warning) && log.contains("\"months\":1"), "{log}");
}

/// A server that starts while another has the turn does nothing, and tells what is so; the next one finds everything still to do.
#[tokio::test]
async fn of_two_servers_the_one_that_has_the_turn_does_it() {
    let app = TestApplication::start().await;
    let mut turns = Vec::new();
    for lane in Lane::ALL {
        turns.push(loop {
            // The application's own may not be over.
            if let Some(turn) = Turn::take(&app.platform, lane).await.unwrap() {
                break turn;
            }
        });
    }
    run(&app, NOTHING_DONE).await;
    let (other, of_other) = started(&app, &[]).await;
    let (_, series) =
        read_until(&of_other, |series| series.value("orgtrail_partitions_months_ahead", &[]).is_some()).await;
    assert_eq!(Job::ALL.map(|job| runs(&series, job, "success")), [0; 6], "while another has the turn");
    assert_eq!(Job::ALL.map(|job| of(&series, LAST_SUCCESS, job)), [0; 6]);
    for turn in turns {
        turn.end().await.unwrap();
    }
    let (one, of_one) = started(&app, &[]).await;
    let series = when_all_is_done(&of_one).await;
    let others = read(&of_other).await.1;
    let both = Job::ALL.map(|job| runs(&series, job, "success") + runs(&others, job, "success"));
    assert_eq!(both, [1; 6]);
    drop((one.end().await, other.end().await));
}

/// Makes an organization as if so many months ago, whose trail begins then.
async fn organization_of(app: &TestApplication, slug: &str, from_now: i32) {
    let mut then = app.platform.clone();
    let at = now() - Months::new(from_now.unsigned_abs());
    then.clock = Clock::simulated(at);
    storage::make_partitions(&then.database, at.date_naive(), at.date_naive()).await.unwrap();
    let owner = Viewer::user(app.owner.clone(), Origin::default());
    settings::create(&then, &owner, slug, slug).await.unwrap();
}

async fn is_there(app: &TestApplication, month: NaiveDate) -> bool {
    sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(partition(month))
        .fetch_one(&app.superuser)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_retention_is_the_configured_one() {
    let mut app = TestApplication::start().await;
    let done = "select count(*) from orgtrail.upkeep_jobs where job = 'retention'";
    // It has another retention, and is not to have the turn again.
    while sqlx::query_scalar::<_, i64>(done).fetch_one(&app.superuser).await.unwrap() == 0 {}
    organization_of(&app, "older", -20).await;
    organization_of(&app, "old", -7).await;
    app.stop().await;
    assert!(month(-7) < (now() - Days::new(91 + 31)).date_naive() && is_there(&app, month(-7)).await);
    assert!(month(-20) < (now() - Days::new(400 + 31)).date_naive() && is_there(&app, month(-20)).await);
    run(&app, NOTHING_DONE).await;
    let (program, address) = started(&app, &[("ORGTRAIL_RETENTION_DAYS", "400")]).await;
    let series = when_all_is_done(&address).await;
    assert_eq!((is_there(&app, month(-20)).await, is_there(&app, month(-7)).await), (false, true));
    let told: Vec<(String, String)> = sqlx::query_as(
        "select slug, next::text from orgtrail.events join orgtrail.organizations on organizations.id = organization_id
        where action = 'retention.pruned'",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    let pruned: Value = serde_json::from_str(&told[0].1).unwrap();
    assert!(told.len() == 1 && told[0].0 == "older" && pruned["days"] == 400, "{told:?}");
    assert_eq!(Some(of(&series, REMOVED, Job::Retention)), pruned["events"].as_u64().filter(|events| *events > 0));
    drop(program.end().await);
    // Control: with the default the other goes too.
    run(&app, NOTHING_DONE).await;
    let (program, address) = started(&app, &[]).await;
    when_all_is_done(&address).await;
    assert!(!is_there(&app, month(-7)).await);
    drop(program.end().await);
}
