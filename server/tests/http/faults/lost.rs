//! A network that swallows: connections to the database carry nothing any more, and nobody is told. The kernel gives up what it cannot send in a
//! quarter of an hour, and never what only waits for an answer.

use futures::future::join_all;
use sqlx::PgPool;

use super::database::{Askers, SHORT, doors_opened, teams, until_held};
use super::wire::{State, Wire};

/// How often all connections of a pool are asked for, each time for three seconds.
const ATTEMPTS: usize = 20;

/// Whether as many connections as the pool has can be had at the same moment.
async fn is_complete(pool: &PgPool) -> bool {
    let connections = (0..pool.options().get_max_connections()).map(|_| pool.acquire());
    join_all(connections).await.iter().all(Result::is_ok)
}

async fn assert_complete(name: &str, pool: &PgPool) {
    for _ in 0..ATTEMPTS {
        if is_complete(pool).await {
            return;
        }
    }
    panic!("connections of {name} are lost for ever");
}

#[tokio::test]
async fn connections_that_are_lost_without_a_word_are_replaced() {
    let wire = Wire::new();
    let app = wire
        .application_with(|config| {
            let answering = &mut config.limits.answering;
            (answering.page, answering.graphql) = ([SHORT, SHORT], SHORT);
            (answering.other, answering.work) = (SHORT, SHORT);
        })
        .await;
    let askers = Askers::of(&app).await;
    askers.until_all_are_open().await;
    let mut holding = app.superuser.begin().await.unwrap();
    sqlx::raw_sql("select from orgtrail.trail_heads for update").execute(&mut *holding).await.unwrap();
    // In the middle of two changes, which wait for an answer from then on.
    let losing = async {
        until_held(&mut holding, 2).await;
        wire.set(State::Lost);
    };
    let (team, event, ()) = tokio::join!(askers.make_team("Lost"), askers.send_event("lost"), losing);
    for answer in [team, event] {
        answer.assert_problem(503, "UNAVAILABLE");
    }
    askers.assert_all_say_later().await;
    holding.rollback().await.unwrap();
    wire.set(State::Whole);
    askers.until_all_are_open().await;
    for (name, pool) in app.platform.database.pools() {
        assert_complete(name, pool).await;
    }
    // What the lost ones hold is free when Postgres ends them, who idle in a transaction; nothing is half done, and what is sent again is there once.
    while !(200..300).contains(&askers.send_event("lost").await.status) {}
    let (made, told) = teams(&app, "Lost").await;
    assert!(made == told, "{made} teams, {told} events");
    assert_eq!(doors_opened(&app).await, 1);
}
