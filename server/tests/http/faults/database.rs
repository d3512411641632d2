//! The database: silent, slow, cut off, held up, without connections, or gone in the moment of a commit.

use std::time::Duration;

use orgtrail::identity::access_token::Scope;
use orgtrail_server::http::listen::limits::Answering;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::sleep;

use super::wire::{State, Wire};
use crate::export::fill;
use crate::graphql::mutations::told;
use crate::listening::download;
use crate::overload::at_each_door;
use crate::support::{ACME, Answer, Client, TestApplication};

/// Shorter than anything here is patient, and long enough to sign in on a machine that is busy.
pub const SHORT: Duration = Duration::from_secs(3);

/// Somebody for each kind of door.
pub struct Askers {
    browser: Client,
    program: Client,
}

impl Askers {
    pub async fn of(app: &TestApplication) -> Self {
        let program = app.program_with(&[Scope::AuditRead, Scope::EventsWrite]).await;
        Self { browser: app.owner().await, program }
    }

    /// Each door says that one may come again.
    pub async fn assert_all_say_later(&self) {
        for (door, answer) in at_each_door(&self.browser, &self.program).await {
            assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{door}: {answer:?}");
        }
    }

    /// Waits until each door answers as if nothing had been; until then, it is nothing worse than “later”.
    pub async fn until_all_are_open(&self) {
        loop {
            let answers = at_each_door(&self.browser, &self.program).await;
            if answers.iter().all(|(_, answer)| (200..300).contains(&answer.status)) {
                return;
            }
            for (door, answer) in answers {
                assert!((200..300).contains(&answer.status) || answer.status == 503, "{door}: {answer:?}");
            }
        }
    }

    pub async fn make_team(&self, name: &str) -> Answer {
        self.browser.call("/api/create_team", &[("organization", ACME), ("name", name)]).await
    }

    pub async fn send_event(&self, key: &str) -> Answer {
        let event = r#"{"action":"door.opened","actor":{"user":{"id":"u-1"}}}"#;
        let request = self.program.bare(Method::POST, "/api/v1/events").header(CONTENT_TYPE, "application/json");
        Answer::read(request.header("idempotency-key", key).body(event)).await
    }
}

/// How often something is there, as a superuser sees it.
async fn count(app: &TestApplication, what: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(format!("select count(*) from {what}"))).fetch_one(&app.superuser).await.unwrap()
}

/// Teams of this name, and their events, at one and the same moment.
pub async fn teams(app: &TestApplication, name: &str) -> (i64, i64) {
    sqlx::query_as(
        "select (select count(*) from orgtrail.teams where name = $1),
            (select count(*) from orgtrail.events where action = 'team.created' and object_name = $1)",
    )
    .bind(name)
    .fetch_one(&app.superuser)
    .await
    .unwrap()
}

pub async fn doors_opened(app: &TestApplication) -> i64 {
    count(app, "orgtrail.events where action = 'door.opened'").await
}

async fn run(app: &TestApplication, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&app.superuser).await.unwrap();
}

#[tokio::test]
async fn a_database_that_does_not_answer_is_waited_for_no_longer_than_that() {
    let wire = Wire::new();
    let app = wire
        .application_with(|config| {
            config.limits.answering =
                Answering { page: [SHORT, SHORT], graphql: SHORT, other: SHORT, ..config.limits.answering }
        })
        .await;
    let askers = Askers::of(&app).await;
    askers.until_all_are_open().await;
    wire.set(State::Dead);
    askers.assert_all_say_later().await;
    // What is on its way already is not waited for either.
    let team = askers.make_team("Delayed").await;
    team.assert_problem(503, "UNAVAILABLE");
    wire.set(State::Whole);
    askers.until_all_are_open().await;
    let (made, told) = teams(&app, "Delayed").await;
    assert!(made == told, "{made} teams, {told} events");
}

#[tokio::test]
async fn a_slow_database_only_takes_longer() {
    let wire = Wire::new();
    let app = wire.application().await;
    let askers = Askers::of(&app).await;
    assert_eq!(askers.make_team("Quick").await.status, 200);
    assert_eq!(wire.delays(), 0);
    wire.set(State::Slow(Duration::from_millis(20)));
    for (door, answer) in at_each_door(&askers.browser, &askers.program).await {
        assert!((200..300).contains(&answer.status), "{door}: {answer:?}");
    }
    // Control: each of the four had at least a question and an answer that were late; and a change has a commit besides.
    let at_doors = wire.delays();
    assert!(at_doors >= 4 * 2, "{at_doors}");
    assert_eq!(askers.make_team("Slow").await.status, 200);
    assert!(wire.delays() >= at_doors + 2 * 2, "{}", wire.delays());
    assert_eq!(teams(&app, "Slow").await, (1, 1));
}

#[tokio::test]
async fn statements_that_take_too_long_change_nothing() {
    let app = TestApplication::start().await;
    let askers = Askers::of(&app).await;
    run(
        &app,
        "create function public.dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(60); return new; end $$;
        create trigger dawdle before insert on orgtrail.event_positions for each row execute function public.dawdle()",
    )
    .await;
    let (team, event) = tokio::join!(askers.make_team("Late"), askers.send_event("late"));
    for answer in [team, event] {
        answer.assert_problem(503, "UNAVAILABLE");
        assert_eq!(answer.header("retry-after"), "2");
    }
    run(&app, "drop trigger dawdle on orgtrail.event_positions").await;
    assert_eq!((teams(&app, "Late").await, doors_opened(&app).await), ((0, 0), 0));
    // Control: nothing else was in the way.
    assert_eq!((askers.make_team("Late").await.status, askers.send_event("late").await.status), (200, 201));
    assert_eq!((teams(&app, "Late").await, doors_opened(&app).await), ((1, 1), 1));
}

#[tokio::test]
async fn a_trail_that_somebody_holds_is_not_waited_for_for_ever() {
    let app = TestApplication::start().await;
    let askers = Askers::of(&app).await;
    let mut holding = app.superuser.begin().await.unwrap();
    sqlx::raw_sql("select from orgtrail.trail_heads for update").execute(&mut *holding).await.unwrap();
    let (team, event) = tokio::join!(askers.make_team("Held"), askers.send_event("held"));
    for answer in [team, event] {
        answer.assert_problem(503, "UNAVAILABLE");
    }
    holding.rollback().await.unwrap();
    assert_eq!((teams(&app, "Held").await, doors_opened(&app).await), ((0, 0), 0));
    assert_eq!((askers.make_team("Held").await.status, askers.send_event("held").await.status), (200, 201));
}

/// Waits until so many wait for a lock.
pub async fn until_held(holding: &mut PgConnection, count: i64) {
    let waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut *holding).await.unwrap() < count {
        // Within a transaction it would go on with the connections that it saw first.
        sqlx::query("select pg_stat_clear_snapshot()").execute(&mut *holding).await.unwrap();
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_database_that_hangs_up_has_done_nothing_by_halves() {
    let wire = Wire::new();
    let app = wire.application().await;
    let askers = Askers::of(&app).await;
    let mut holding = app.superuser.begin().await.unwrap();
    sqlx::raw_sql("select from orgtrail.trail_heads for update").execute(&mut *holding).await.unwrap();
    // In the middle of a change: rows are written, its event is not.
    let cutting = async {
        until_held(&mut holding, 2).await;
        wire.set(State::Cut);
    };
    let (team, event, ()) = tokio::join!(askers.make_team("Half"), askers.send_event("half"), cutting);
    for answer in [team, event] {
        answer.assert_problem(503, "UNAVAILABLE");
    }
    askers.assert_all_say_later().await;
    holding.rollback().await.unwrap();
    wire.set(State::Whole);
    askers.until_all_are_open().await;
    assert_eq!((teams(&app, "Half").await, doors_opened(&app).await), ((0, 0), 0));
    assert_eq!((askers.make_team("Half").await.status, askers.send_event("half").await.status), (200, 201));
    assert_eq!((teams(&app, "Half").await, doors_opened(&app).await), ((1, 1), 1));
}

/// The answer to a commit is lost: it is done, and whoever sends the same again finds it so.
#[tokio::test]
async fn a_commit_whose_answer_is_lost_is_there_once() {
    let wire = Wire::new();
    let app = wire.application().await;
    let askers = Askers::of(&app).await;
    wire.set(State::CutAtCommit);
    let (team, event) = (askers.make_team("Lost").await, askers.send_event("lost").await);
    wire.set(State::Whole);
    for answer in [team, event] {
        answer.assert_problem(503, "UNAVAILABLE");
    }
    assert_eq!((teams(&app, "Lost").await, doors_opened(&app).await), ((1, 1), 1));
    let again = askers.send_event("lost").await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (200, "true"), "{}", again.body);
    assert_eq!(doors_opened(&app).await, 1);
    // Control: under another key it is another event.
    assert_eq!(askers.send_event("another").await.status, 201);
    assert_eq!(doors_opened(&app).await, 2);
}

#[tokio::test]
async fn a_database_without_connections_for_us_is_told_and_found_again() {
    let app = TestApplication::start().await;
    let askers = Askers::of(&app).await;
    let name: String = sqlx::query_scalar("select current_database()::text").fetch_one(&app.superuser).await.unwrap();
    run(&app, &format!("alter database {name} connection limit 0")).await;
    run(&app, "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and usename = 'orgtrail_app'")
        .await;
    // The first question at each door may find a connection that was ended under it.
    for _ in 0..2 {
        askers.assert_all_say_later().await;
    }
    run(&app, &format!("alter database {name} connection limit -1")).await;
    askers.until_all_are_open().await;
}

/// GraphQL is waited for no longer than that, and what it had begun goes on: it is done with its event, or not at all.
#[tokio::test]
async fn graphql_that_takes_too_long_is_answered_with_a_code() {
    // Less than the database waits for a lock.
    let app = TestApplication::start_with(|config| config.limits.answering.graphql = Duration::from_secs(1)).await;
    let owner = app.owner().await;
    let ask =
        async |query: &str| Answer::read(owner.bare(Method::POST, "/graphql").json(&json!({ "query": query }))).await;
    let query = "{ account { name } }";
    let mutation = r#"mutation { createTeam(input: { account: "acme", name: "Slow" }) { team { id } } }"#;
    let mut holding = app.superuser.begin().await.unwrap();
    sqlx::raw_sql("lock table orgtrail.memberships").execute(&mut *holding).await.unwrap();
    let (read, changed) = tokio::join!(ask(query), ask(mutation));
    holding.rollback().await.unwrap();
    for answer in [read, changed] {
        let error = &answer.json()["errors"][0];
        assert_eq!((answer.status, told(&answer).as_str()), (200, "UNAVAILABLE"), "{}", answer.body);
        assert!(error["message"].as_str().unwrap().contains("may yet be done"), "{error}");
    }
    // Control: nothing else was in the way.
    while told(&ask(query).await) == "UNAVAILABLE" {}
    assert_eq!(ask(query).await.json()["data"]["account"]["name"], "Acme");
    let (made, told) = teams(&app, "Slow").await;
    assert!(made == told, "{made} teams, {told} events");
}

/// How often the export was recorded as whole.
async fn recorded_as_whole(app: &TestApplication, id: &str) -> i64 {
    let events = "orgtrail.events where action = 'audit_log.export.downloaded' and outcome = 'success'";
    count(app, &format!("{events} and next ->> 'export_id' = '{id}'")).await
}

/// A file that is cut off is seen to be, also by a reader of HTTP/1.0, for whom a closed connection is an end.
#[tokio::test]
async fn a_download_that_breaks_is_no_whole_file_in_any_version() {
    for (version, breaks) in [("HTTP/1.0", true), ("HTTP/1.1", true), ("HTTP/1.0", false)] {
        let wire = Wire::new();
        let app = wire.application().await;
        fill(&app, 1_000, 16_000).await;
        let (reader, id) = download(&app, version).await;
        if breaks {
            wire.set(State::Cut);
        }
        let end = reader.end().await;
        wire.set(State::Whole);
        assert_eq!(end.reset, breaks, "{version}, {} bytes", end.bytes.len());
        assert_eq!(end.bytes.len() > 16_000_000, !breaks);
        while !breaks && recorded_as_whole(&app, &id).await == 0 {
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(recorded_as_whole(&app, &id).await, i64::from(!breaks), "{version}");
    }
}
