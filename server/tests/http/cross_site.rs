//! What other sites may cause: nothing (contract §9, R-10 – R-12).

use reqwest::Method;
use reqwest::header::ORIGIN;

use crate::support::{Answer, Client, PASSWORD, TestApplication};

const SITE: &str = "sec-fetch-site";

async fn send(
    client: &Client,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    fields: &[(&str, &str)],
) -> Answer {
    let request =
        headers.iter().fold(client.bare(method.clone(), path), |request, (name, value)| request.header(*name, *value));
    Answer::read(if method == Method::POST { request.form(fields) } else { request }).await
}

#[tokio::test]
async fn a_form_is_taken_from_our_own_pages_only() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let own = app.url.clone();
    let origin = ORIGIN.as_str();
    let allowed = [
        vec![],
        vec![(SITE, "same-origin")],
        vec![(origin, own.as_str())],
        vec![(SITE, "same-origin"), (origin, "null")],
    ];
    let refused = [
        vec![(SITE, "cross-site")],
        vec![(SITE, "same-site")],
        vec![(SITE, "none")],
        vec![(origin, "https://evil.example")],
        vec![(origin, "null")],
        vec![(SITE, "same-origin"), (origin, "https://evil.example")],
        vec![(SITE, "cross-site"), (origin, own.as_str())],
    ];
    let login = [("email", app.owner.email.as_str()), ("password", PASSWORD)];
    for (path, fields) in [
        ("/api/viewer", [].as_slice()),
        ("/api/login", &login),
        ("/api/remove_member", &[("organization", "acme"), ("user_id", "x")]),
    ] {
        for headers in &refused {
            send(&owner, Method::POST, path, headers, fields).await.assert_problem(403, "CROSS_SITE");
            send(&app.program(), Method::POST, path, headers, fields).await.assert_problem(403, "CROSS_SITE");
        }
        for headers in &allowed {
            let answer = send(&owner, Method::POST, path, headers, fields).await;
            assert_ne!(answer.status, 403, "{path} {headers:?}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn a_download_is_given_to_our_own_pages_and_to_whoever_types_it() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let path = "/api/export_audit_logs?organization=acme&start=2000-01-01&end=2000-01-02";
    for site in ["same-origin", "none"] {
        let answer = send(&owner, Method::GET, path, &[(SITE, site)], &[]).await;
        assert_eq!(answer.status, 422, "{site}: the range is too old, but the request was looked at");
    }
    for headers in [[(SITE, "cross-site")], [(SITE, "same-site")], [(ORIGIN.as_str(), "https://evil.example")]] {
        send(&owner, Method::GET, path, &headers, &[]).await.assert_problem(403, "CROSS_SITE");
    }
}

#[tokio::test]
async fn links_from_anywhere_lead_to_pages() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    assert_eq!(send(&owner, Method::GET, "/acme", &[(SITE, "cross-site")], &[]).await.status, 200);
}

#[tokio::test]
async fn the_public_url_is_what_origins_are_compared_with() {
    let app =
        TestApplication::start_with(|config| config.public.url = Some("https://audit.example".parse().unwrap())).await;
    let program = app.program();
    let own = send(&program, Method::POST, "/api/viewer", &[(ORIGIN.as_str(), "https://audit.example")], &[]).await;
    own.assert_problem(401, "UNAUTHENTICATED");
    for other in [app.url.as_str(), "http://audit.example", "https://audit.example.evil.example"] {
        send(&program, Method::POST, "/api/viewer", &[(ORIGIN.as_str(), other)], &[])
            .await
            .assert_problem(403, "CROSS_SITE");
    }
}

#[tokio::test]
async fn answers_differ_by_who_caused_the_request() {
    let app = TestApplication::start().await;
    let answer = app.program().form("/api/viewer", &[]).await;
    let vary: Vec<_> =
        answer.headers.get_all("vary").iter().map(|value| value.to_str().unwrap().to_lowercase()).collect();
    assert!(vary.contains(&"sec-fetch-site".to_owned()) && vary.contains(&"origin".to_owned()), "{vary:?}");
}
