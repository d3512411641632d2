//! Input of every bad kind: a clear refusal with its status, never a fault of ours.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use crate::support::{Answer, PASSWORD, TestApplication};

const FORM: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn too_much_is_refused() {
    let app = TestApplication::start().await;
    let program = app.program();
    program.get(&format!("/login?{}", "a".repeat(9000))).await.assert_problem(414, "BAD_USER_INPUT");
    let longer = format!("GET /login?{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(100_000));
    assert!(app.raw(&longer).await.starts_with("HTTP/1.1 414 "), "longer than reqwest would send");
    let long_header = program.bare(Method::GET, "/login").header("x-long", "a".repeat(17_000));
    Answer::read(long_header).await.assert_problem(431, "BAD_USER_INPUT");
    program.form("/api/login", &[("email", "a".repeat(70_000).as_str())]).await.assert_problem(413, "BAD_USER_INPUT");
    let page = app.anonymous().form("/api/login", &[("email", "a".repeat(70_000).as_str())]).await;
    assert_eq!(page.status, 413);
    assert!(page.header("content-type").starts_with("text/html"));
}

#[tokio::test]
async fn other_types_than_forms_are_refused() {
    let app = TestApplication::start().await;
    for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/cbor"] {
        let request = app.program().bare(Method::POST, "/api/login").header(CONTENT_TYPE, media_type).body("{}");
        Answer::read(request).await.assert_problem(415, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn forms_that_are_none_are_422() {
    let app = TestApplication::start().await;
    let broken = [
        "email",
        "email=a&email=b&password=c",
        "email=%ff%fe&password=%00",
        "%%%",
        "password=x",
        "email[]=a&password=b",
        "&&&&",
        "=",
        "",
    ];
    for body in broken {
        let request = app.program().bare(Method::POST, "/api/login").header(CONTENT_TYPE, FORM).body(body);
        let answer = Answer::read(request).await;
        assert!(matches!(answer.status, 401 | 422), "{body:?}: {answer:?}");
    }
}

#[tokio::test]
async fn hostile_paths_are_pages_that_do_not_exist() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for path in [
        "/%00",
        "/acme%2f..%2fetc",
        "/..%2f..%2fetc%2fpasswd",
        "/%ff%fe",
        "/acme/settings/%22%3E%3Cscript%3E",
        "/ACME",
        "/a--b",
        "/api",
        "/pkg/../Cargo.toml",
        "/%F0%9F%98%80",
    ] {
        let answer = owner.get(path).await;
        assert!(matches!(answer.status, 404 | 303 | 308), "{path}: {} {}", answer.status, answer.body);
        assert!(!answer.body.contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn names_are_shown_as_text() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    let name = "<script>alert(1)</script>\u{202e}";
    client.form("/api/signup", &[("name", name), ("email", "x@y.example"), ("password", PASSWORD)]).await;
    let page = client.get("/account").await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(!page.body.contains("<script>alert(1)"), "{}", page.body);
}

/// A title is text up to its end tag, whatever that is part of.
#[tokio::test]
async fn names_in_titles_end_no_title() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let hostile = [("organization", "acme"), ("name", "</title><script>alert(1)</script> & Co"), ("slug", "acme")];
    owner.form("/api/update_organization", &hostile).await;
    for page in ["/acme", "/acme/settings", "/acme/settings/members", "/acme/settings/teams", "/account"] {
        let body = owner.get(page).await.body;
        assert!(!body.contains("<script>alert(1)"), "{page}: {body}");
        assert_eq!(body.matches("</title>").count(), 1, "{page}");
    }
    let overview = owner.get("/acme").await.body;
    assert!(overview.contains("<title>&lt;/title>&lt;script>alert(1)&lt;/script> &amp; Co · Orgtrail</title>"));
}

#[tokio::test]
async fn no_refusal_says_how_it_works_inside() {
    let app = TestApplication::start().await;
    app.platform.database.close().await;
    for answer in [
        app.program().form("/api/login", &[("email", "a@b.example"), ("password", "x")]).await,
        app.anonymous().get("/readyz").await,
    ] {
        assert_eq!(answer.status, 503);
        for inside in ["sqlx", "pool", "postgres", "src/", "panicked", "select "] {
            assert!(!answer.body.to_lowercase().contains(inside), "{inside} in {}", answer.body);
        }
    }
}

#[tokio::test]
async fn downloads_with_bad_parameters_are_refused_by_name() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for query in [
        "",
        "organization=acme",
        "organization=acme&start=x&end=y",
        "organization=acme&organization=acme",
        "organization=acme&nonsense=1",
        "%%%=%",
    ] {
        let answer = Answer::read(owner.bare(Method::GET, &format!("/api/export_audit_logs?{query}"))).await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.body);
        let page = owner.get(&format!("/api/export_audit_logs?{query}")).await;
        assert_eq!(page.status, 422);
        assert!(page.header("content-type").starts_with("text/html"), "{query}: {page:?}");
    }
    let head = Answer::read(owner.bare(Method::HEAD, "/api/export_audit_logs?organization=acme")).await;
    assert_eq!((head.status, head.header("allow")), (405, "GET"));
}
