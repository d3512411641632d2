//! What the watchers of a server are told while its database is silent: not that it is well, and long before whoever else asks is given up.

use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::faults::wire::{State, Wire};
use crate::metrics::{read, read_until};
use crate::program::Program;
use crate::support::{Answer, Client, TestApplication};

const QUERY: &str = r#"{"query":"{ account { name } }"}"#;

#[tokio::test]
async fn readiness_and_metrics_say_after_a_second_that_the_database_is_silent() {
    let (app, wire) = (TestApplication::start().await, Wire::new());
    let database = wire.url(&app);
    let variables = [("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0"), ("DATABASE_URL", database.as_str())];
    let mut program = Program::start(&app, &variables).await;
    let address = program.says("Metrics are at ").await;
    let client = Client::program(&program.url, None);
    let answers = async || read(&address).await.1.value("orgtrail_database_answers", &[]);
    assert_eq!((client.get("/readyz").await.status, answers().await), (200, Some(1.0)));
    let product = Client::program(&program.url, Some(&app.token(&[Scope::AuditRead]).await));
    let asked = || product.bare(Method::POST, "/graphql").header(CONTENT_TYPE, "application/json").body(QUERY);
    assert_eq!(Answer::read(asked()).await.status, 200);
    wire.set(State::Dead);
    let silent = tokio::select! {
        ready = client.get("/readyz") => ready,
        given_up = Answer::read(asked()) => panic!("{given_up:?}"),
    };
    silent.assert_problem(503, "UNAVAILABLE");
    assert_eq!(silent.json()["detail"], "The database does not answer within a second.");
    let value = tokio::select! {
        value = answers() => value,
        given_up = Answer::read(asked()) => panic!("{given_up:?}"),
    };
    assert_eq!((client.get("/livez").await.status, value), (200, Some(0.0)));
    wire.set(State::Whole);
    while client.get("/readyz").await.status != 200 {}
    read_until(&address, |series| series.value("orgtrail_database_answers", &[]) == Some(1.0)).await;
    drop(program.end().await);
}
