//! Forms as browsers send them without JavaScript: a 303 to a page of ours, and what went wrong once on that page (contract §9).

use crate::cookies::count_sessions;
use crate::support::{Client, PASSWORD, TestApplication};

#[tokio::test]
async fn a_refused_form_comes_back_with_what_was_typed_once() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    let fields = [("email", "typed@acme.example"), ("password", "canary-password"), ("next", "/acme/settings")];
    let answer = client.form("/api/login", &fields).await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/login?next=%2Facme%2Fsettings")));
    let kept: String =
        sqlx::query_scalar("select data::text from orgtrail.sessions").fetch_one(&app.superuser).await.unwrap();
    assert!(kept.contains("typed@acme.example") && !kept.contains("canary-password"), "{kept}");
    let page = client.get("/login?next=%2Facme%2Fsettings").await;
    assert!(page.body.contains("typed@acme.example") && page.body.contains("wrong"), "{}", page.body);
    assert!(!page.body.contains("canary-password"));
    let again = client.get("/login").await;
    assert!(!again.body.contains("typed@acme.example"), "{}", again.body);
    assert_eq!(count_sessions(&app).await, 0, "an empty session is not kept");
}

#[tokio::test]
async fn a_flash_survives_the_way_to_its_page() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    client.form("/api/login", &[("email", "typed@acme.example"), ("password", "x")]).await;
    assert_eq!(client.get("/").await.status, 303);
    assert!(client.get("/login").await.body.contains("typed@acme.example"));
}

#[tokio::test]
async fn a_flash_does_not_survive_signing_in() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    client.form("/api/login", &[("email", "typed@acme.example"), ("password", "x")]).await;
    client.form("/api/login", &[("email", &app.owner.email), ("password", PASSWORD)]).await;
    assert!(!client.get("/acme").await.body.contains("typed@acme.example"));
}

#[tokio::test]
async fn signing_in_goes_on_to_own_pages_only() {
    let app = TestApplication::start().await;
    for (next, to) in [
        ("/acme/settings/audit-logs?range=7d", "/acme/settings/audit-logs?range=7d"),
        ("", "/"),
        ("acme", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("https://evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("/acme\r\nSet-Cookie: a=b", "/"),
        ("/%0d%0aevil", "/%0d%0aevil"),
    ] {
        let answer = app
            .anonymous()
            .form("/api/login", &[("email", &app.owner.email), ("password", PASSWORD), ("next", next)])
            .await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some(to)), "{next:?}");
    }
}

#[tokio::test]
async fn signing_up_makes_an_account_and_a_session() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    let fields = [("name", "Grace Hopper"), ("email", "grace@navy.example"), ("password", PASSWORD)];
    let answer = client.form("/api/signup", &fields).await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/")));
    assert!(client.get("/account").await.body.contains("Grace Hopper"));
    let short =
        app.anonymous().form("/api/signup", &[("name", "A"), ("email", "b@navy.example"), ("password", "short")]).await;
    assert_eq!((short.status, short.location.as_deref()), (303, Some("/signup")));
}

#[tokio::test]
async fn an_organization_is_made_renamed_and_found_under_both_addresses() {
    let app = TestApplication::start().await;
    let client = app.stranger().await;
    let taken = client.form("/api/create_organization", &[("name", "Other"), ("slug", "acme")]).await;
    assert_eq!((taken.status, taken.location.as_deref()), (303, Some("/organizations/new")));
    let again = client.get("/organizations/new").await.body;
    assert!(again.contains("value=\"Other\"") && again.contains("id=\"slug-error\""), "at its field: {again}");
    let made = client.form("/api/create_organization", &[("name", "Umbrella"), ("slug", "umbrella")]).await;
    assert_eq!((made.status, made.location.as_deref()), (303, Some("/umbrella")));
    let fields = [("organization", "umbrella"), ("name", "Umbrella 2"), ("slug", "umbrella-2")];
    let renamed = client.form("/api/update_organization", &fields).await;
    assert_eq!((renamed.status, renamed.location.as_deref()), (303, Some("/umbrella-2/settings")));
    let old = client.get("/umbrella").await;
    assert!(matches!(old.status, 303 | 308) && old.location.as_deref() == Some("/umbrella-2"), "{old:?}");
}

#[tokio::test]
async fn members_are_changed_and_removed() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let grace = app.add("grace", Some(orgtrail::identity::role::Role::Member)).await.id.to_string();
    change(&owner, &grace, "admin").await;
    assert!(owner.get("/acme/settings/members").await.body.contains("grace@acme.example"));
    let remove = [("organization", "acme"), ("user_id", grace.as_str())];
    let removed = owner.form("/api/remove_member", &remove).await;
    assert_eq!((removed.status, removed.location.as_deref()), (303, Some("/acme/settings/members")));
    let own_id = app.owner.id.to_string();
    let last = owner.form("/api/remove_member", &[("organization", "acme"), ("user_id", own_id.as_str())]).await;
    assert_eq!((last.status, last.location.as_deref()), (303, Some("/acme/settings/members")));
    assert!(owner.get("/acme/settings/members").await.body.contains("owner"));
}

async fn change(owner: &Client, user: &str, role: &str) {
    let fields = [("organization", "acme"), ("user_id", user), ("role", role)];
    let changed = owner.form("/api/change_member_role", &fields).await;
    assert_eq!((changed.status, changed.location.as_deref()), (303, Some("/acme/settings/members")));
}

#[tokio::test]
async fn a_form_after_the_session_ended_leads_to_sign_in_and_back() {
    let app = TestApplication::start().await;
    let answer = app
        .anonymous()
        .form("/api/update_organization", &[("organization", "acme"), ("name", "X"), ("slug", "x")])
        .await;
    assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/login?next=%2Facme%2Fsettings")));
}

#[tokio::test]
async fn a_form_leads_to_no_other_site() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for organization in ["/evil.example", "\\evil.example", "..", "evil.example/", "a\r\nb"] {
        let fields = [("organization", organization), ("name", "X"), ("slug", "x")];
        let answer = owner.form("/api/update_organization", &fields).await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some("/")), "{organization:?}");
    }
}

#[tokio::test]
async fn the_same_form_from_a_program_gets_the_functions_own_answer() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    client
        .call("/api/login", &[("email", "x@y.example"), ("password", "z")])
        .await
        .assert_problem(401, "UNAUTHENTICATED");
    client.call("/api/create_organization", &[("name", ""), ("slug", "")]).await.assert_problem(401, "UNAUTHENTICATED");
    client.call("/api/login", &[("email", "x@y.example")]).await.assert_problem(422, "BAD_USER_INPUT");
    assert_eq!(count_sessions(&app).await, 0);
}
