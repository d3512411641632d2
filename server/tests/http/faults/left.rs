//! Clients that go in the middle, at any byte and any moment, or take their time: what they had begun is done with its event, or not at all, and
//! others do not notice.

use std::time::Duration;

use fastrand::Rng;
use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection, PgConnection};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::amount::rounds;
use crate::support::{ACME, Answer, TestApplication};

/// How many leave in a round.
const LEAVERS: usize = 80;

/// Rows are complaints.
const QUESTIONS: [&str; 3] = [
    "select format('a team without its event: %s', t.name) from orgtrail.teams t
        where 1 <> (select count(*) from orgtrail.events e where e.action = 'team.created' and e.object_id = t.id::text)",
    "select format('an event without its team: %s', e.object_name) from orgtrail.events e
        where e.action = 'team.created' and not exists (select from orgtrail.teams t where t.id::text = e.object_id)",
    "select format('a part of a batch: %s', next ->> 'batch') from orgtrail.events where action = 'invoice.paid'
        group by next ->> 'batch' having count(*) <> 3",
];

/// Takes the guards off, which otherwise keep every damage away.
const UNGUARDED: &str = "set local session_replication_role = replica;
    do $$ declare part regclass; begin
        for part in select relid from pg_partition_tree('orgtrail.events') loop
            execute format('alter table %s disable trigger user', part);
        end loop;
    end $$";

/// What makes each of the questions complain once.
const DAMAGES: [&str; 3] = [
    "delete from orgtrail.events where action = 'team.created' and object_name = (select min(name) from orgtrail.teams)",
    "delete from orgtrail.teams where name = (select min(name) from orgtrail.teams)",
    "delete from orgtrail.events where index = (select max(index) from orgtrail.events where action = 'invoice.paid')",
];

async fn complaints(database: &mut PgConnection) -> Vec<String> {
    let mut complaints = Vec::new();
    for question in QUESTIONS {
        let found: Vec<String> = sqlx::query_scalar(question).fetch_all(&mut *database).await.unwrap();
        complaints.extend(found);
    }
    complaints
}

/// A request as bytes: a team, or three events.
fn request(number: usize, cookie: &str, token: &str) -> String {
    let (path, credential, media_type, body) = if number.is_multiple_of(2) {
        let body = format!("organization={ACME}&name=team-{number}");
        ("/api/create_team", format!("cookie: sid={cookie}"), "application/x-www-form-urlencoded", body)
    } else {
        let event =
            json!({ "action": "invoice.paid", "actor": { "user": { "id": "1" } }, "next": { "batch": number } });
        let body = json!({ "events": [event, event, event] }).to_string();
        ("/api/v1/events", format!("authorization: Bearer {token}"), "application/json", body)
    };
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: a\r\n{credential}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Sends all of a request or its beginning, and goes.
async fn leave(address: String, request: String, mut random: Rng) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let sent = if random.bool() { request.len() } else { random.usize(..request.len()) };
    stream.write_all(&request.as_bytes()[..sent]).await.unwrap();
    sleep(Duration::from_micros(random.u64(..30_000))).await;
    if random.bool() {
        stream.set_zero_linger().unwrap(); // not even a goodbye
    }
}

/// Waits until nobody works for those who have left.
async fn until_quiet(app: &TestApplication) {
    let busy = "select count(*) from pg_stat_activity where datname = current_database() and usename = 'orgtrail_app' and state <> 'idle'";
    let mut quiet = 0;
    while quiet < 10 {
        let count: i64 = sqlx::query_scalar(busy).fetch_one(&app.superuser).await.unwrap();
        quiet = if count == 0 { quiet + 1 } else { 0 };
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn what_who_leaves_had_begun_is_done_or_not() {
    for mut random in rounds("clients that leave", 1) {
        let app = TestApplication::start_with(|config| config.requests_per_minute = u32::MAX).await;
        let entered = app
            .program()
            .form("/api/login", &[("email", &app.owner.email), ("password", crate::support::PASSWORD)])
            .await;
        let (cookie, token) = (entered.session_cookie().unwrap(), app.token(&[Scope::EventsWrite]).await);
        let address = app.url.trim_start_matches("http://");
        let leavers: Vec<_> = (0..LEAVERS)
            .map(|number| tokio::spawn(leave(address.to_owned(), request(number, &cookie, &token), random.fork())))
            .collect();
        // Somebody who stays.
        let stays = app.program().bare(Method::POST, "/api/viewer").header("cookie", format!("sid={cookie}"));
        assert_eq!(Answer::read(stays).await.status, 200);
        for leaver in leavers {
            leaver.await.unwrap();
        }
        until_quiet(&app).await;
        let mut transaction = app.superuser.begin().await.unwrap();
        assert_eq!(complaints(&mut transaction).await, Vec::<String>::new());
        for arrived in [
            "select count(*) from orgtrail.teams",
            "select count(distinct next ->> 'batch') from orgtrail.events where action = 'invoice.paid'",
        ] {
            let count: i64 = sqlx::query_scalar(arrived).fetch_one(&mut *transaction).await.unwrap();
            assert!(
                count > 0 && count < i64::try_from(LEAVERS / 2).unwrap(),
                "some of them, and not all: {arrived}: {count}"
            );
        }
        // Control: what is half there is seen.
        sqlx::raw_sql(UNGUARDED).execute(&mut *transaction).await.unwrap();
        for (number, damage) in DAMAGES.into_iter().enumerate() {
            let mut damaged = transaction.begin().await.unwrap();
            sqlx::raw_sql(damage).execute(&mut *damaged).await.unwrap();
            let seen = complaints(&mut damaged).await;
            let own: Vec<String> = sqlx::query_scalar(QUESTIONS[number]).fetch_all(&mut *damaged).await.unwrap();
            assert!(own.len() == 1 && seen == own, "{damage}: {seen:?}");
            damaged.rollback().await.unwrap();
        }
    }
}

/// How many take their time.
const CROWD: usize = 200;

/// An application to which everybody comes through a proxy, with room for so many, and patience with each of them.
async fn with_room_for(connections: usize) -> TestApplication {
    TestApplication::start_with(|config| {
        config.public.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
        let (limits, long) = (&mut config.limits, Duration::from_hours(1));
        limits.connections = connections;
        (limits.head, limits.idle, limits.sending.first, limits.sending.whole) = (long, long, long, long);
    })
    .await
}

/// Clients that are silent, have sent half a head or half a body, or read nothing of what they have asked for.
async fn crowd(app: &TestApplication) -> Vec<TcpStream> {
    let begun =
        ["", "GET /login HTTP/1.1\r\nhost: ", "POST /api/login HTTP/1.1\r\nhost: a\r\ncontent-length: 999\r\n\r\ne"];
    let asked = "GET /login HTTP/1.1\r\nhost: a\r\n\r\n".repeat(3);
    let mut crowd = Vec::new();
    for number in 0..CROWD {
        let mut client = TcpStream::connect(app.url.trim_start_matches("http://")).await.unwrap();
        let text = begun.get(number % 4).copied().unwrap_or(&asked);
        let _turned_away = client.write_all(text.as_bytes()).await;
        crowd.push(client);
    }
    crowd
}

#[tokio::test]
async fn who_takes_their_time_is_in_nobodys_way() {
    let app = with_room_for(2 * CROWD).await;
    let mut slow = crowd(&app).await;
    let owner = app.owner().await;
    for _ in 0..3 {
        assert_eq!(owner.get("/acme").await.status, 200);
        for client in &mut slow {
            let _gone_already = client.write_all(b"x").await;
        }
    }
    // Control: they are there, and take the room that there is.
    let app = with_room_for(CROWD / 2).await;
    let slow = crowd(&app).await;
    assert!(!is_served(&app).await);
    drop(slow);
    while !is_served(&app).await {}
}

/// Whether somebody new is: who is not is told so, or finds the connection closed.
async fn is_served(app: &TestApplication) -> bool {
    app.program().bare(Method::GET, "/livez").send().await.is_ok_and(|answer| answer.status() == 200)
}
