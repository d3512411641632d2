//! The session's cookie.

use reqwest::Method;
use reqwest::header::COOKIE;

use crate::support::{Answer, PASSWORD, TestApplication};

async fn sign_in(app: &TestApplication) -> Answer {
    let fields = [("email", app.owner.email.as_str()), ("password", PASSWORD)];
    app.program().form("/api/login", &fields).await
}

fn set_cookie(answer: &Answer) -> &str {
    answer.header("set-cookie")
}

#[tokio::test]
async fn has_43_characters_and_every_attribute() {
    let app = TestApplication::start().await;
    let answer = sign_in(&app).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let value = answer.session_cookie().unwrap();
    assert!(value.len() == 43 && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'), "{value}");
    assert_eq!(set_cookie(&answer), format!("sid={value}; HttpOnly; SameSite=Lax; Path=/; Max-Age=1800"));
}

#[tokio::test]
async fn is_bound_to_the_host_where_people_use_https() {
    let app =
        TestApplication::start_with(|config| config.public.url = Some("https://audit.example".parse().unwrap())).await;
    let answer = sign_in(&app).await;
    let value = answer.session_cookie().unwrap();
    assert_eq!(
        set_cookie(&answer),
        format!("__Host-sid={value}; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=1800")
    );
}

#[tokio::test]
async fn is_not_given_to_whoever_only_looks() {
    let app = TestApplication::start().await;
    for path in ["/", "/login", "/livez", "/acme"] {
        assert_eq!(app.anonymous().get(path).await.session_cookie(), None, "{path}");
    }
    assert_eq!(count_sessions(&app).await, 0);
}

#[tokio::test]
async fn a_value_that_was_not_issued_is_never_adopted() {
    let app = TestApplication::start().await;
    let bare_id = "AAAAAAAAAAAAAAAAAAAAAA";
    for planted in ["x", bare_id, &"A".repeat(43), &"A".repeat(4000)] {
        let request = app.program().bare(Method::POST, "/api/login").header(COOKIE, format!("sid={planted}"));
        let answer = Answer::read(request.form(&[("email", app.owner.email.as_str()), ("password", PASSWORD)])).await;
        assert_eq!(answer.status, 200);
        assert_ne!(answer.session_cookie().as_deref(), Some(planted));
    }
}

#[tokio::test]
async fn changes_at_every_sign_in_and_the_old_value_is_dead() {
    let app = TestApplication::start().await;
    let first = sign_in(&app).await.session_cookie().unwrap();
    let request = app.program().bare(Method::POST, "/api/login").header(COOKIE, format!("sid={first}"));
    let second = Answer::read(request.form(&[("email", app.owner.email.as_str()), ("password", PASSWORD)])).await;
    let second = second.session_cookie().unwrap();
    assert_ne!(first, second);
    assert_eq!(viewer_with(&app, &first).await.status, 401);
    assert_eq!(viewer_with(&app, &second).await.status, 200);
    assert_eq!(count_sessions(&app).await, 1);
}

#[tokio::test]
async fn only_its_hash_is_kept() {
    let app = TestApplication::start().await;
    let value = sign_in(&app).await.session_cookie().unwrap();
    let rows: Vec<String> = sqlx::query_scalar("select row_to_json(s)::text from orgtrail.sessions s")
        .fetch_all(&app.superuser)
        .await
        .unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].contains(&value) && !rows[0].contains(&value[..20]), "{}", rows[0]);
    assert!(rows[0].contains("127.0.0.1") && rows[0].contains(&app.owner.id.to_string()), "{}", rows[0]);
}

/// The viewer, as the session with this cookie sees it.
pub async fn viewer_with(app: &TestApplication, cookie: &str) -> Answer {
    let request = app.program().bare(Method::POST, "/api/viewer").header(COOKIE, format!("sid={cookie}"));
    Answer::read(request).await
}

/// Rows of the table of sessions.
pub async fn count_sessions(app: &TestApplication) -> i64 {
    sqlx::query_scalar("select count(*) from orgtrail.sessions").fetch_one(&app.superuser).await.unwrap()
}
