//! The headers of every response.

use crate::support::{Answer, TestApplication};

#[track_caller]
fn assert_general(answer: &Answer) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value);
    }
    assert!(answer.header("permissions-policy").contains("clipboard-write=(self)"));
    assert!(answer.header("x-request-id").starts_with("req_"));
    for absent in ["server", "x-powered-by", "access-control-allow-origin"] {
        assert_eq!(answer.header(absent), "", "{absent}");
    }
}

#[tokio::test]
async fn a_page_allows_only_its_own_scripts() {
    let app = TestApplication::start().await;
    let client = app.anonymous();
    let page = client.get("/login").await;
    assert_general(&page);
    let policy = page.header("content-security-policy");
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let expected = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; \
         object-src 'none'; frame-ancestors 'none'"
    );
    assert_eq!(policy, expected);
    assert!(nonce.len() >= 22, "128 bits: {nonce}");
    assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
    assert_eq!(page.header("cache-control"), "no-store");
    for script in page.body.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap();
        assert!(tag.contains(&format!("nonce=\"{nonce}\"")), "<script{tag}>");
    }
    assert!(!page.body.contains(" style="), "no inline styles");
    let again = client.get("/login").await;
    assert_ne!(again.header("content-security-policy"), policy, "a nonce is used once");
}

#[tokio::test]
async fn everything_else_may_do_nothing() {
    let app = TestApplication::start().await;
    for path in ["/livez", "/api/nothing", "/pkg/nothing.js"] {
        let answer = app.program().get(path).await;
        assert_general(&answer);
        assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("cross-origin-opener-policy"), "");
    }
}

#[tokio::test]
async fn hsts_is_sent_where_people_use_https() {
    let plain = TestApplication::start().await;
    assert_eq!(plain.program().get("/livez").await.header("strict-transport-security"), "");
    let app =
        TestApplication::start_with(|config| config.public.url = Some("https://audit.example".parse().unwrap())).await;
    let answer = app.program().get("/livez").await;
    assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
}

#[tokio::test]
async fn refusals_for_browsers_are_pages_under_the_same_policy() {
    let app = TestApplication::start().await;
    let page = app.anonymous().get("/api/login").await;
    assert_eq!(page.status, 405);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("'nonce-"));
    assert!(page.body.contains(page.header("x-request-id")), "{}", page.body);
}
