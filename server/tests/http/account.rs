//! One's own account over HTTP: sessions that end are refused at once, and what was typed stays a secret.

use orgtrail::identity::role::Role;
use reqwest::Method;

use crate::cookies::{count_sessions, viewer_with};
use crate::support::{Answer, Client, PASSWORD, TestApplication};

const NEW_PASSWORD: &str = "another horse of batteries";

/// Signs in as a program does; answers the client and its cookie.
async fn signed_in(app: &TestApplication, email: &str, password: &str) -> (Client, String) {
    let client = app.program();
    let answer = client.form("/api/login", &[("email", email), ("password", password)]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    (client, answer.session_cookie().unwrap())
}

async fn change(client: &Client, current: &str, new: &str) -> Answer {
    client.form("/api/change_password", &[("current_password", current), ("new_password", new)]).await
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_at_once_and_gives_this_one_a_new_id() {
    let app = TestApplication::start().await;
    let (_, other) = signed_in(&app, &app.owner.email, PASSWORD).await;
    let browser = app.owner().await;
    let before = browser.get("/account").await.session_cookie().unwrap();
    let changed = change(&browser, PASSWORD, NEW_PASSWORD).await;
    assert_eq!((changed.status, changed.location.as_deref()), (303, Some("/account")));
    let after = changed.session_cookie().unwrap();
    assert_ne!(before, after);
    for ended in [&before, &other] {
        viewer_with(&app, ended).await.assert_problem(401, "UNAUTHENTICATED");
    }
    assert_eq!(viewer_with(&app, &after).await.status, 200);
    assert_eq!(count_sessions(&app).await, 1);
    let page = browser.get("/account").await;
    assert!(page.body.contains("Your password was changed"), "{}", page.body);
    let old = app.program().form("/api/login", &[("email", &app.owner.email), ("password", PASSWORD)]).await;
    assert_eq!(old.status, 401);
    signed_in(&app, &app.owner.email, NEW_PASSWORD).await;
}

#[tokio::test]
async fn a_wrong_password_is_said_at_its_field_and_kept_nowhere() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    let refused = change(&browser, "canary-of-the-present", "canary-of-the-future").await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some("/account")));
    let kept: String = sqlx::query_scalar(
        "select string_agg(data::text, ' ') || (select string_agg(a::text, ' ') from orgtrail.sign_in_attempts a) from orgtrail.sessions",
    )
    .fetch_one(&app.superuser)
    .await
    .unwrap();
    assert!(!kept.contains("canary"), "{kept}");
    let page = browser.get("/account").await.body;
    assert!(page.contains("id=\"current_password-error\"") && !page.contains("canary"), "{page}");
    let (program, cookie) = signed_in(&app, &app.owner.email, PASSWORD).await;
    change(&program, "canary-of-the-present", NEW_PASSWORD).await.assert_problem(422, "BAD_USER_INPUT");
    assert_eq!(change(&program, PASSWORD, "short").await.json()["field"], "new_password");
    assert_eq!(viewer_with(&app, &cookie).await.status, 200, "nothing ended");
}

#[tokio::test]
async fn a_name_is_changed_and_who_was_shown_an_older_one_is_told() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    let rename = async |name: &str, shown: &str| {
        let answer = browser.form("/api/update_account", &[("name", name), ("shown", shown)]).await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/account")));
        browser.get("/account").await.body
    };
    let saved = rename("<b>Ada</b>", "Ada Owner").await;
    assert!(saved.contains("Saved.") && !saved.contains("<b>Ada"), "{saved}");
    let stale = rename("Ada Lovelace", "Ada Owner").await;
    assert!(stale.contains("meanwhile") && stale.contains("value=\"Ada Lovelace\""), "what was typed stays: {stale}");
    let long = rename(&"x".repeat(10_000), "<b>Ada</b>").await;
    assert!(long.contains("id=\"name-error\""), "{long}");
}

#[tokio::test]
async fn sessions_are_listed_and_end_at_once() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    let (_, first) = signed_in(&app, &app.owner.email, PASSWORD).await;
    let (_, second) = signed_in(&app, &app.owner.email, PASSWORD).await;
    let page = browser.get("/account").await.body;
    assert!(
        page.contains("this one") && page.contains("127.0.0.1") && page.matches("End the session of").count() == 2,
        "{page}"
    );
    for cookie in [&first, &second] {
        assert!(!page.contains(cookie.as_str()));
    }
    let listed = browser.call("/api/own_sessions", &[]).await.json();
    let other = listed.as_array().unwrap().iter().find(|session| session["is_present"] == false).unwrap();
    let ended = browser.form("/api/end_session", &[("id", other["id"].as_str().unwrap())]).await;
    assert_eq!((ended.status, ended.location.as_deref()), (303, Some("/account")));
    let statuses = [viewer_with(&app, &first).await.status, viewer_with(&app, &second).await.status];
    assert!(statuses == [200, 401] || statuses == [401, 200], "{statuses:?}");
    browser.call("/api/end_session", &[("id", "x")]).await.assert_problem(404, "NOT_FOUND");
    browser.form("/api/end_other_sessions", &[]).await;
    assert_eq!([viewer_with(&app, &first).await.status, viewer_with(&app, &second).await.status], [401, 401]);
    assert!(browser.get("/account").await.body.contains("were ended"));
}

#[tokio::test]
async fn an_owner_ends_the_sessions_of_a_member() {
    let app = TestApplication::start().await;
    let grace = app.add("grace", Some(Role::Member)).await;
    let (_, cookie) = signed_in(&app, &grace.email, PASSWORD).await;
    let fields = [("organization", "acme"), ("user_id", &grace.id.to_string())];
    let admin = app.admin().await;
    admin.call("/api/end_member_sessions", &fields).await.assert_problem(403, "FORBIDDEN");
    assert!(!admin.get("/acme/settings/members").await.body.contains("End sessions"));
    let owner = app.owner().await;
    assert!(owner.get("/acme/settings/members").await.body.contains("End sessions"));
    let ended = owner.form("/api/end_member_sessions", &fields).await;
    assert_eq!((ended.status, ended.location.as_deref()), (303, Some("/acme/settings/members")));
    viewer_with(&app, &cookie).await.assert_problem(401, "UNAUTHENTICATED");
    signed_in(&app, &grace.email, PASSWORD).await;
}

#[tokio::test]
async fn who_leaves_is_told_what_they_left() {
    let app = TestApplication::start().await;
    let grace = app.add("grace", Some(Role::Member)).await;
    let browser = app.sign_in(&grace.email).await;
    assert!(browser.get("/acme/settings").await.body.contains("Leave this organization"));
    let left =
        browser.form("/api/remove_member", &[("organization", "acme"), ("user_id", &grace.id.to_string())]).await;
    assert_eq!((left.status, left.location.as_deref()), (303, Some("/account")));
    assert!(browser.get("/account").await.body.contains("You left Acme."));
    assert_eq!(browser.get("/acme").await.status, 404);
}

#[tokio::test]
async fn no_other_site_changes_an_account() {
    let app = TestApplication::start().await;
    let browser = app.owner().await;
    for path in [
        "/api/update_account",
        "/api/change_password",
        "/api/end_session",
        "/api/end_other_sessions",
        "/api/delete_team",
    ] {
        let request = browser.bare(Method::POST, path).header("origin", "https://evil.example").form(&[("name", "x")]);
        Answer::read(request).await.assert_problem(403, "CROSS_SITE");
    }
}
