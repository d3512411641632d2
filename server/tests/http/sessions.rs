//! How sessions live and end.

use reqwest::Method;
use sqlx::AssertSqlSafe;

use crate::cookies::{count_sessions, viewer_with};
use crate::support::{Answer, PASSWORD, TestApplication};

async fn sign_in(app: &TestApplication) -> String {
    let fields = [("email", app.owner.email.as_str()), ("password", PASSWORD)];
    app.program().form("/api/login", &fields).await.session_cookie().unwrap()
}

/// Lets time pass for every session: its dates move into the past.
async fn pass(app: &TestApplication, interval: &str) {
    let sql = format!(
        "update orgtrail.sessions set created_at = created_at - interval '{interval}', last_seen_at = last_seen_at - interval '{interval}',
            expires_at = expires_at - interval '{interval}', absolute_expires_at = absolute_expires_at - interval '{interval}'"
    );
    sqlx::query(AssertSqlSafe(sql)).execute(&app.superuser).await.unwrap();
}

#[tokio::test]
async fn ends_after_half_an_hour_without_a_request() {
    let app = TestApplication::start().await;
    let cookie = sign_in(&app).await;
    pass(&app, "29 minutes").await;
    assert_eq!(viewer_with(&app, &cookie).await.status, 200);
    pass(&app, "29 minutes").await;
    assert_eq!(viewer_with(&app, &cookie).await.status, 200, "the request before started the half hour anew");
    pass(&app, "31 minutes").await;
    let answer = viewer_with(&app, &cookie).await;
    answer.assert_problem(401, "UNAUTHENTICATED");
    assert_eq!(answer.session_cookie().as_deref(), Some(""), "the cookie is removed");
}

#[tokio::test]
async fn ends_after_twelve_hours_whatever_happens() {
    let app = TestApplication::start().await;
    let cookie = sign_in(&app).await;
    for _ in 0..28 {
        pass(&app, "25 minutes").await;
        assert_eq!(viewer_with(&app, &cookie).await.status, 200);
    }
    pass(&app, "21 minutes").await; // 12 h 1 min.
    assert_eq!(viewer_with(&app, &cookie).await.status, 401);
}

#[tokio::test]
async fn is_written_at_most_once_a_minute() {
    let app = TestApplication::start().await;
    let cookie = sign_in(&app).await;
    let seen = "select xmin::text from orgtrail.sessions";
    let before: String = sqlx::query_scalar(seen).fetch_one(&app.superuser).await.unwrap();
    assert_eq!(viewer_with(&app, &cookie).await.status, 200);
    let after: String = sqlx::query_scalar(seen).fetch_one(&app.superuser).await.unwrap();
    assert_eq!(before, after);
}

#[tokio::test]
async fn signing_out_deletes_it_and_a_replay_is_refused() {
    for path in ["/logout", "/api/logout"] {
        let app = TestApplication::start().await;
        let cookie = sign_in(&app).await;
        let browser = app.anonymous();
        let request = browser.request(Method::POST, path).header("cookie", format!("sid={cookie}"));
        let answer = Answer::read(request).await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/login")), "{path}");
        assert_eq!(answer.header("clear-site-data"), "\"cache\", \"storage\"");
        assert_eq!(answer.session_cookie().as_deref(), Some(""));
        assert_eq!(count_sessions(&app).await, 0);
        viewer_with(&app, &cookie).await.assert_problem(401, "UNAUTHENTICATED");
        assert_eq!(count_sessions(&app).await, 0, "a replay makes nothing");
    }
}

#[tokio::test]
async fn signing_out_without_a_session_is_no_error() {
    let app = TestApplication::start().await;
    let answer = app.anonymous().form("/logout", &[]).await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/login")));
}

#[tokio::test]
async fn ends_with_the_account() {
    let app = TestApplication::start().await;
    let cookie = sign_in(&app).await;
    let disable = "update orgtrail.users set disabled_at = now()";
    sqlx::query(disable).execute(&app.superuser).await.unwrap();
    assert_eq!(viewer_with(&app, &cookie).await.status, 401);
    assert_eq!(count_sessions(&app).await, 0);
}
