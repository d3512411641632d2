//! Signing in: every attempt is written down once, copied once into each trail it belongs in, and throttled whoever it is.

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::BoxFuture;
use orgtrail::Error;
use orgtrail::identity::account::change_password;
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::password::{HashingPool, Verdict, Work};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::{sign_in, sign_up};
use orgtrail::identity::viewer::{self, Identity, Origin, Viewer};
use orgtrail::organization::{members, settings};
use sqlx::{PgPool, Postgres, Transaction};
use std::convert::Infallible;
use std::sync::Arc;
use uuid::Uuid;

use crate::fixture::{Fixture, PASSWORD, Stored, origin, run, seen};

fn nobody() -> Viewer {
    Viewer::anonymous(origin())
}

fn nobody_from(ip: &str) -> Viewer {
    Viewer::anonymous(Origin { ip: Some(ip.to_owned()), ..origin() })
}

async fn try_with(fixture: &Fixture, email: &str, password: &str) -> orgtrail::Result<Uuid> {
    sign_in(&fixture.platform, &nobody(), email, password).await.map(|signed_in| signed_in.user_id)
}

/// What came of it, in a word.
fn said(result: &orgtrail::Result<Uuid>) -> String {
    match result {
        Ok(_) => "in".to_owned(),
        Err(Error::WrongCredentials) => "wrong".to_owned(),
        Err(Error::Throttled { retry_after_seconds }) => format!("wait {retry_after_seconds}"),
        Err(other) => panic!("{other:?}"),
    }
}

/// Attempts by somebody, unknown addresses and somebody else, written as the use case writes them.
async fn write_attempts(fixture: &Fixture, user: Option<Uuid>, count: i32) {
    sqlx::query(
        "insert into orgtrail.sign_in_attempts (id, attempted_at, method, email_typed, user_id, outcome, request_id)
        select gen_random_uuid(), clock_timestamp(), 'login', 'typed', $1, 'failure', number::text from generate_series(1, $2) number",
    )
    .bind(user)
    .bind(count)
    .execute(fixture.app())
    .await
    .unwrap();
}

async fn logins(fixture: &Fixture, organization: Uuid) -> Vec<Stored> {
    fixture.trail(organization).await.into_iter().filter(|event| event.kind == "login").collect()
}

async fn copy_all(fixture: &Fixture) {
    while copy_pending(&fixture.platform).await.unwrap() > 0 {}
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn attempts_go_into_the_trails_they_belong_in(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let ada = fixture.user_with_password("ada").await;
    members::add(&fixture.platform, &Viewer::operator(), "acme", &ada.email, Role::Member).await.unwrap();
    let tries = [
        ("ada@people.example", PASSWORD),
        (" Ada@People.Example", "a wrong password"),
        ("stranger@people.example", PASSWORD),
    ];
    let came: Vec<_> =
        futures::future::join_all(tries.map(|(email, password)| try_with(&fixture, email, password))).await;
    assert_eq!(came.iter().map(said).collect::<Vec<_>>(), ["in", "wrong", "wrong"]);
    assert_eq!(logins(&fixture, acme.id).await, []);
    copy_all(&fixture).await;
    let mut copied = logins(&fixture, acme.id).await;
    copied.sort_by_key(|event| event.outcome.clone());
    let facts: Vec<_> = copied
        .iter()
        .map(|event| (event.outcome.as_str(), event.login_email.as_deref().unwrap(), event.actor_user_id.clone()))
        .collect();
    // Who failed did not prove to be anybody.
    assert_eq!(
        facts,
        [("failure", " Ada@People.Example", None), ("success", "ada@people.example", Some(ada.id.to_string()))]
    );
    assert_eq!(logins(&fixture, other.id).await, []);
    let written: i64 = sqlx::query_scalar("select count(*) from orgtrail.sign_in_attempts where sorted_at is not null")
        .fetch_one(&fixture.superuser)
        .await
        .unwrap();
    assert_eq!(written, 3);
    let times: Vec<DateTime<Utc>> =
        sqlx::query_scalar("select attempted_at from orgtrail.sign_in_attempts where user_id is not null")
            .fetch_all(&fixture.superuser)
            .await
            .unwrap();
    assert!(copied.iter().all(|event| times.contains(&event.occurred_at)));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn each_attempt_is_copied_once_by_two_copiers_of_which_one_crashes(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let ada = fixture.user("ada").await;
    for slug in ["acme", "other"] {
        members::add(&fixture.platform, &Viewer::operator(), slug, &ada.email, Role::Member).await.unwrap();
    }
    write_attempts(&fixture, Some(ada.id), 120).await;
    write_attempts(&fixture, None, 30).await;
    let blocker = hold_head(&fixture, other.id).await;
    let crashed = tokio::select! {
        failed = copy_until_it_fails(&fixture) => failed,
        never = end_whoever_waits(&fixture) => match never {},
    };
    blocker.rollback().await.unwrap();
    assert_eq!(crashed.status(), 503);
    assert_eq!((logins(&fixture, acme.id).await.len(), logins(&fixture, other.id).await.len()), (120, 0));
    tokio::join!(copy_all(&fixture), copy_all(&fixture), copy_all(&fixture));
    for organization in [acme.id, other.id] {
        let copied: Vec<String> = sqlx::query_scalar("select request_id from orgtrail.events where organization_id = $1 and kind = 'login' order by request_id::integer")
            .bind(organization)
            .fetch_all(&fixture.superuser)
            .await
            .unwrap();
        assert_eq!(copied, (1..=120).map(|number| number.to_string()).collect::<Vec<_>>());
    }
}

async fn copy_until_it_fails(fixture: &Fixture) -> Error {
    loop {
        if let Err(error) = copy_pending(&fixture.platform).await {
            return error;
        }
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_trail_that_cannot_be_written_holds_up_no_other(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ahead, other) = (fixture.organization("ahead").await, fixture.organization("other").await);
    let ada = fixture.user("ada").await;
    for slug in ["ahead", "other"] {
        members::add(&fixture.platform, &Viewer::operator(), slug, &ada.email, Role::Member).await.unwrap();
    }
    let set = |time: &str| {
        format!("update orgtrail.trail_heads set last_recorded_at = {time} where organization_id = '{}'", ahead.id)
    };
    run(set("now() + interval '1 hour'"), &fixture.superuser).await.unwrap();
    write_attempts(&fixture, Some(ada.id), 70).await;
    let refused = copy_until_it_fails(&fixture).await;
    assert_eq!(refused.status(), 503, "whoever copies hears of it");
    assert_eq!((logins(&fixture, ahead.id).await.len(), logins(&fixture, other.id).await.len()), (0, 70));
    run(set("now()"), &fixture.superuser).await.unwrap();
    copy_all(&fixture).await;
    assert_eq!((logins(&fixture, ahead.id).await.len(), logins(&fixture, other.id).await.len()), (70, 70));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn signing_up_with_a_known_address_is_recorded_as_such(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let ada = fixture.user_with_password("ada").await;
    sign_up(&fixture.platform, &nobody(), "Ada", &ada.email, PASSWORD).await.unwrap();
    sign_up(&fixture.platform, &nobody(), "Ada", &ada.email, "not her password").await.unwrap_err();
    sign_up(&fixture.platform, &nobody(), "New", "new@people.example", PASSWORD).await.unwrap();
    try_with(&fixture, &ada.email, PASSWORD).await.unwrap();
    let methods: Vec<(String, String)> =
        sqlx::query_as("select method, outcome from orgtrail.sign_in_attempts order by attempted_at")
            .fetch_all(&fixture.superuser)
            .await
            .unwrap();
    let methods: Vec<_> = methods.iter().map(|(method, outcome)| (method.as_str(), outcome.as_str())).collect();
    assert_eq!(methods, [("signup", "success"), ("signup", "failure"), ("signup", "success"), ("login", "success")]);
}

/// Holds the head of a trail as whoever appends does: a copier waits for it.
async fn hold_head(fixture: &Fixture, organization: Uuid) -> Transaction<'static, Postgres> {
    let mut blocker = fixture.superuser.begin().await.unwrap();
    let hold = format!("select from orgtrail.trail_heads where organization_id = '{organization}' for no key update");
    run(hold, &mut *blocker).await.unwrap();
    blocker
}

/// Ends the connections of the server's role that wait for a lock, for as long as it is asked to.
async fn end_whoever_waits(fixture: &Fixture) -> Infallible {
    loop {
        let end = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and usename = 'orgtrail_app' and wait_event_type = 'Lock'";
        run(end, &fixture.superuser).await.unwrap();
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn five_failures_are_free_and_the_next_ones_wait_longer_and_longer(superuser: PgPool) {
    let start = "2025-06-15T12:00:00Z".parse().unwrap();
    let fixture = Fixture::at(superuser, start).await;
    fixture.user_with_password("ada").await;
    // The same for an address that nobody has.
    for email in ["ada@people.example", "nobody@people.example"] {
        let mut came = Vec::new();
        for _ in 0..6 {
            came.push(said(&try_with(&fixture, email, "a wrong password").await));
        }
        came.push(said(&try_with(&fixture, email, PASSWORD).await));
        assert_eq!(came, ["wrong", "wrong", "wrong", "wrong", "wrong", "wrong", "wait 1"]);
        fixture.platform.clock.set(fixture.platform.clock.now() + TimeDelta::seconds(1));
        let next = [try_with(&fixture, email, "a wrong password").await, try_with(&fixture, email, PASSWORD).await];
        assert_eq!(next.each_ref().map(said), ["wrong", "wait 2"]);
    }
    let denied: i64 = sqlx::query_scalar(
        "select count(*) from orgtrail.sign_in_attempts where outcome = 'denied' and reason = 'throttled'",
    )
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    assert_eq!(denied, 4);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_success_forgets_the_failures_of_the_address(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    fixture.user_with_password("ada").await;
    for _ in 0..2 {
        for _ in 0..5 {
            assert_eq!(said(&try_with(&fixture, "ada@people.example", "a wrong password").await), "wrong");
        }
        assert_eq!(said(&try_with(&fixture, "ADA@people.example", PASSWORD).await), "in");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_client_that_tries_many_addresses_waits(superuser: PgPool) {
    let fixture = Fixture::at(superuser, "2025-06-15T12:00:00Z".parse().unwrap()).await;
    fixture.user_with_password("ada").await;
    let attempt = async |ip: &str, email: &str, password: &str| {
        sign_in(&fixture.platform, &nobody_from(ip), email, password).await.map(|signed_in| signed_in.user_id)
    };
    for number in 0..30 {
        let came = attempt("2001:db8::1", &format!("{number}@people.example"), "a wrong password").await;
        assert_eq!(said(&came), "wrong");
    }
    // The whole /64 is one client, another is not.
    assert_eq!(said(&attempt("2001:db8::2", "ada@people.example", PASSWORD).await), "wait 300");
    assert_eq!(said(&attempt("2001:db8:0:1::2", "ada@people.example", PASSWORD).await), "in");
    fixture.platform.clock.set(fixture.platform.clock.now() + TimeDelta::minutes(5));
    assert_eq!(said(&attempt("2001:db8::2", "ada@people.example", PASSWORD).await), "in");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_disabled_user_cannot_sign_in_and_ends_being_seen(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let ada = fixture.user_with_password("ada").await;
    let signed_in = sign_in(&fixture.platform, &nobody(), &ada.email, PASSWORD).await.unwrap();
    let viewer = async || viewer::from_session(&fixture.platform, origin(), signed_in).await.unwrap().identity;
    assert!(matches!(viewer().await, Identity::User(_)));
    run("update orgtrail.users set disabled_at = now()", &fixture.superuser).await.unwrap();
    assert_eq!(said(&try_with(&fixture, &ada.email, PASSWORD).await), "wrong");
    assert!(matches!(viewer().await, Identity::Anonymous));
}

/// R-05, also for a session that is only about to begin: nothing is there yet to be ended.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_session_is_worth_as_much_as_its_password(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let ada = fixture.user_with_password("ada").await;
    let platform = &fixture.platform;
    let signed_in = sign_in(platform, &nobody(), &ada.email, PASSWORD).await.unwrap();
    let seen = viewer::from_session(platform, origin(), signed_in).await.unwrap();
    let renewed = change_password(platform, &seen, PASSWORD, "another good password").await.unwrap();
    for (session, is_good) in [(signed_in, false), (renewed, true)] {
        let seen = viewer::from_session(platform, origin(), session).await.unwrap();
        assert_eq!(matches!(seen.identity, Identity::User(_)), is_good, "{session:?}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nobody_enters_whose_attempt_cannot_be_written_down(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let ada = fixture.user_with_password("ada").await;
    run("revoke insert on orgtrail.sign_in_attempts from orgtrail_app", &fixture.superuser).await.unwrap();
    assert!(try_with(&fixture, &ada.email, PASSWORD).await.is_err());
    let signed_up = sign_up(&fixture.platform, &nobody(), "Grace", "grace@people.example", PASSWORD).await;
    assert!(signed_up.is_err());
    let users: i64 =
        sqlx::query_scalar("select count(*) from orgtrail.users").fetch_one(&fixture.superuser).await.unwrap();
    assert_eq!(users, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn signing_up_with_a_known_address_is_a_sign_in(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let up = async |password: &str| {
        sign_up(&fixture.platform, &nobody(), "Ada", "Ada@people.example", password)
            .await
            .map(|signed_in| signed_in.user_id)
    };
    let first = up(PASSWORD).await.unwrap();
    assert_eq!(up(PASSWORD).await.unwrap(), first);
    assert_eq!(said(&up("another good password").await), "wrong");
    let user = seen(&orgtrail::identity::viewer::User {
        id: first,
        name: "Ada".to_owned(),
        email: "Ada@people.example".to_owned(),
    });
    settings::create(&fixture.platform, &user, "Acme", "acme").await.unwrap();
}

/// Verifies, and only then does what somebody else does meanwhile.
struct Meanwhile {
    statement: &'static str,
    superuser: PgPool,
}

impl HashingPool for Meanwhile {
    fn run(&self, work: Work) -> BoxFuture<'static, orgtrail::Result<Verdict>> {
        let (statement, superuser) = (self.statement, self.superuser.clone());
        async move {
            let verdict = work.run();
            run(statement, &superuser).await.unwrap();
            verdict
        }
        .boxed()
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_password_that_is_replaced_while_it_is_verified_enters_no_more(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let user = fixture.user_with_password("ada").await;
    for statement in
        ["update orgtrail.users set disabled_at = now()", "update orgtrail.users set password_hash = 'another'"]
    {
        let mut platform = fixture.platform.clone();
        // Control: it is the right one.
        run("update orgtrail.users set disabled_at = null", &fixture.superuser).await.unwrap();
        assert!(sign_in(&platform, &nobody(), &user.email, PASSWORD).await.is_ok());
        platform.hashing = Arc::new(Meanwhile { statement, superuser: fixture.superuser.clone() });
        let refused = sign_in(&platform, &nobody(), &user.email, PASSWORD).await.unwrap_err();
        assert!(matches!(refused, Error::WrongCredentials), "{refused:?}");
    }
    let stored: String =
        sqlx::query_scalar("select password_hash from orgtrail.users").fetch_one(&fixture.superuser).await.unwrap();
    assert_eq!(stored, "another");
}
