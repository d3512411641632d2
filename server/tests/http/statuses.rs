//! Which address answers what to whom.

use reqwest::Method;

use crate::support::{Answer, TestApplication};

#[tokio::test]
async fn pages_answer_with_their_real_status() {
    let app = TestApplication::start().await;
    let (nobody, owner, member, stranger) =
        (app.anonymous(), app.owner().await, app.member().await, app.stranger().await);
    for (client, path, status) in [
        (&nobody, "/login", 200),
        (&nobody, "/signup", 200),
        (&nobody, "/acme", 303),
        (&nobody, "/no-such-organization", 303),
        (&nobody, "/account", 303),
        (&owner, "/acme", 200),
        (&owner, "/acme/settings", 200),
        (&owner, "/acme/settings/members", 200),
        (&owner, "/acme/settings/audit-logs", 200),
        (&owner, "/acme/settings/audit-logs?event=7", 422),
        (&owner, "/acme/settings/audit-logs?event=00000000-0000-7000-8000-000000000000", 404),
        (&owner, "/account", 200),
        (&owner, "/organizations/new", 200),
        (&owner, "/acme/settings/nothing", 404),
        (&owner, "/no-such-organization", 404),
        (&member, "/acme", 200),
        (&member, "/acme/settings/audit-logs", 403),
        (&stranger, "/acme", 404),
        (&stranger, "/acme/settings/audit-logs", 404),
    ] {
        let answer = client.get(path).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
    }
}

#[tokio::test]
async fn nobody_is_sent_to_sign_in_and_back() {
    let app = TestApplication::start().await;
    let answer = app.anonymous().get("/acme/settings/audit-logs?range=7d").await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.location.as_deref(), Some("/login?next=%2Facme%2Fsettings%2Faudit-logs%3Frange%3D7d"));
}

#[tokio::test]
async fn home_leads_to_where_one_belongs() {
    let app = TestApplication::start().await;
    for (client, to) in
        [(app.anonymous(), "/login"), (app.owner().await, "/acme"), (app.stranger().await, "/organizations/new")]
    {
        let answer = client.get("/").await;
        assert_eq!((answer.status, answer.location.as_deref()), (303, Some(to)));
    }
}

#[tokio::test]
async fn another_organizations_page_is_the_same_as_none() {
    let app = TestApplication::start().await;
    let stranger = app.stranger().await;
    let (existing, missing) = (stranger.get("/acme").await, stranger.get("/ecma").await);
    let neutral = |answer: &Answer, slug: &str| {
        let nonce = answer.header("content-security-policy").split("'nonce-").nth(1).unwrap()[..22].to_owned();
        let body = answer.body.replace("stranger@acme.example", "ADDRESS");
        body.replace(slug, "SLUG").replace(&nonce, "NONCE").replace(answer.header("x-request-id"), "REQUEST")
    };
    assert_eq!(neutral(&existing, "acme"), neutral(&missing, "ecma"));
}

#[tokio::test]
async fn health_is_for_everybody() {
    let app = TestApplication::start().await;
    for path in ["/livez", "/readyz"] {
        assert_eq!(app.program().get(path).await.status, 200);
    }
    app.platform.database.close().await;
    assert_eq!(app.program().get("/livez").await.status, 200);
    app.program().get("/readyz").await.assert_problem(503, "UNAVAILABLE");
}

#[tokio::test]
async fn unknown_addresses_and_methods_are_refused() {
    let app = TestApplication::start().await;
    let program = app.program();
    program.get("/nothing/here/at/all").await.assert_problem(404, "NOT_FOUND");
    program.form("/api/nothing", &[]).await.assert_problem(404, "NOT_FOUND");
    program.get("/api/login").await.assert_problem(405, "METHOD_NOT_ALLOWED");
    program.form("/login", &[]).await.assert_problem(405, "METHOD_NOT_ALLOWED");
    program.get("/logout").await.assert_problem(405, "METHOD_NOT_ALLOWED");
    for method in [
        Method::PUT,
        Method::DELETE,
        Method::PATCH,
        Method::OPTIONS,
        Method::TRACE,
        Method::from_bytes(b"BREW").unwrap(),
    ] {
        let answer = Answer::read(program.bare(method.clone(), "/login")).await;
        answer.assert_problem(405, "METHOD_NOT_ALLOWED");
        assert_eq!(answer.header("allow"), "GET, HEAD, POST", "{method}");
    }
    let page = app.anonymous().get("/nothing/here/at/all").await;
    assert_eq!(page.status, 404);
    assert!(page.header("content-type").starts_with("text/html"), "{page:?}");
}

#[tokio::test]
async fn reads_of_a_program_are_refused_as_problems() {
    let app = TestApplication::start().await;
    for path in [
        "/api/viewer",
        "/api/organization_view",
        "/api/members_page",
        "/api/audit_page",
        "/api/audit_count",
        "/api/audit_actors",
    ] {
        let answer = app
            .program()
            .form(path, &[("organization", "acme"), ("slug", "acme"), ("query", ""), ("search", "")])
            .await;
        assert!(matches!(answer.status, 401 | 422), "{path}: {answer:?}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
    let answer = app.program().form("/api/viewer", &[]).await;
    answer.assert_problem(401, "UNAUTHENTICATED");
    assert!(answer.header("www-authenticate").starts_with("Bearer"));
}
