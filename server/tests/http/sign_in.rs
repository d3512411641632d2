//! Signing in: one answer for every cause, and not too often.

use reqwest::header::HeaderMap;

use crate::support::{Answer, PASSWORD, TestApplication};

async fn try_program(app: &TestApplication, email: &str, password: &str) -> Answer {
    app.program().form("/api/login", &[("email", email), ("password", password)]).await
}

/// What may differ between two refusals: when, and which request.
fn neutral(headers: &HeaderMap) -> Vec<(String, String)> {
    let same = headers.iter().filter(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
    same.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn nobody_learns_whether_an_address_exists() {
    let app = TestApplication::start().await;
    let disabled = app.add("disabled", None).await;
    sqlx::query("update orgtrail.users set disabled_at = now() where id = $1")
        .bind(disabled.id)
        .execute(&app.superuser)
        .await
        .unwrap();
    let expected = try_program(&app, &app.owner.email, "not the password").await;
    expected.assert_problem(401, "UNAUTHENTICATED");
    for (email, password) in [
        ("nobody@acme.example", PASSWORD),
        (disabled.email.as_str(), PASSWORD),
        ("no address", PASSWORD),
        ("", ""),
        ("a\0b@c.example", "x"),
    ] {
        let answer = try_program(&app, email, password).await;
        assert_eq!(answer.status, 401, "{email:?}: {}", answer.body);
        assert_eq!(neutral(&answer.headers), neutral(&expected.headers), "{email:?}");
        let without_id = |answer: &Answer| answer.body.replace(answer.header("x-request-id"), "");
        assert_eq!(without_id(&answer), without_id(&expected), "{email:?}");
    }
}

#[tokio::test]
async fn an_address_is_the_same_in_capitals() {
    let app = TestApplication::start().await;
    assert_eq!(try_program(&app, "Owner@ACME.example", PASSWORD).await.status, 200);
}

#[tokio::test]
async fn a_sixth_guess_has_to_wait_whether_or_not_the_address_exists() {
    let app = TestApplication::start().await;
    for email in [app.owner.email.as_str(), "nobody@acme.example"] {
        let mut answers = Vec::new();
        for guess in 0..8 {
            answers.push(try_program(&app, email, &format!("guess number {guess}")).await);
        }
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(&statuses[..5], [401; 5], "{email}");
        let last = answers.last().unwrap();
        last.assert_problem(429, "RATE_LIMITED");
        assert!(last.header("retry-after").parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{last:?}");
        assert_eq!(try_program(&app, email, PASSWORD).await.status, 429, "the right password waits too");
    }
}

#[tokio::test]
async fn every_attempt_is_written_down() {
    let app = TestApplication::start().await;
    try_program(&app, "  Nobody@ACME.example ", "x").await;
    try_program(&app, &app.owner.email, PASSWORD).await;
    let rows: Vec<(String, String, Option<String>, Option<String>)> = sqlx::query_as(
        "select email_typed, outcome, ip, user_agent from orgtrail.sign_in_attempts order by attempted_at, id",
    )
    .fetch_all(&app.superuser)
    .await
    .unwrap();
    let (ip, agent) = (Some("127.0.0.1".to_owned()), Some("orgtrail tests".to_owned()));
    let row = |email: &str, outcome: &str| (email.to_owned(), outcome.to_owned(), ip.clone(), agent.clone());
    assert_eq!(rows, [row("  Nobody@ACME.example ", "failure"), row("owner@acme.example", "success")]);
}

#[tokio::test]
async fn attempts_reach_the_trail_within_a_second() {
    let app = TestApplication::start().await;
    try_program(&app, &app.owner.email, PASSWORD).await;
    for _ in 0..30 {
        let found: i64 = sqlx::query_scalar("select count(*) from orgtrail.events where kind = 'login'")
            .fetch_one(&app.superuser)
            .await
            .unwrap();
        if found == 1 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the attempt is not in the trail");
}

#[tokio::test]
async fn a_proxy_is_believed_only_where_it_is_trusted() {
    let spoofed = ("x-forwarded-for", "203.0.113.7");
    for (trusted, expected) in [(false, "127.0.0.1"), (true, "203.0.113.7")] {
        let app = TestApplication::start_with(|config| {
            if trusted {
                config.public.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
            }
        })
        .await;
        let request = app.program().bare(reqwest::Method::POST, "/api/login").header(spoofed.0, spoofed.1);
        Answer::read(request.form(&[("email", "a@b.example"), ("password", "x")])).await;
        let ip: String =
            sqlx::query_scalar("select ip from orgtrail.sign_in_attempts").fetch_one(&app.superuser).await.unwrap();
        assert_eq!(ip, expected);
    }
}

#[tokio::test]
async fn without_the_database_nobody_is_signed_in() {
    let app = TestApplication::start().await;
    app.platform.database.close().await;
    let answer = try_program(&app, &app.owner.email, PASSWORD).await;
    answer.assert_problem(503, "UNAVAILABLE");
    assert!(!answer.header("retry-after").is_empty());
}
