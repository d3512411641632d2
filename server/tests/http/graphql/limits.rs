//! What is refused, and with what.

use orgtrail::identity::access_token::Scope;
use reqwest::header::{AUTHORIZATION, ORIGIN};

use super::*;

const WHO: &str = "{ account { slug } }";

#[tokio::test]
async fn only_post_of_json() {
    let (_app, owner) = owner().await;
    for method in ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        let request = owner.bare(Method::from_bytes(method.as_bytes()).unwrap(), "/graphql?query={account{slug}}");
        let answer = Answer::read(request).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    let body = json!({ "query": WHO }).to_string();
    for other in ["text/plain", "application/cbor", "multipart/form-data; boundary=x", "application/graphql"] {
        raw(&owner, other, body.clone()).await.assert_problem(415, "BAD_USER_INPUT");
    }
    Answer::read(owner.bare(Method::POST, "/graphql").body(body.clone())).await.assert_problem(415, "BAD_USER_INPUT");
    let answer = raw(&owner, "application/json; charset=utf-8", body).await;
    assert_eq!(data(&answer), json!({ "account": { "slug": "acme" } }));
    assert_eq!(answer.header("content-type"), "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn one_request_at_a_time() {
    let (_app, owner) = owner().await;
    for body in ["[]", "[{\"query\":\"{ account { slug } }\"}]", "", "{", "null", "{\"query\":7}", "{\"variables\":{}}"]
    {
        raw(&owner, "application/json", body).await.assert_problem(400, "BAD_USER_INPUT");
    }
    for variables in [json!([]), json!({ "slug": "a\u{0}b" })] {
        let answer = send(&owner, "query A($slug: String) { account(slug: $slug) { slug } }", variables).await;
        answer.assert_problem(400, "BAD_USER_INPUT");
    }
}

#[tokio::test]
async fn bodies_are_as_long_as_their_sender_is_known() {
    let (app, owner) = owner().await;
    let body = |length: usize| format!("{{\"query\":\"{WHO}\",\"extensions\":{{\"a\":\"{}\"}}}}", "x".repeat(length));
    let anonymous = app.program();
    raw(&anonymous, "application/json", body(60_000)).await.assert_problem(401, "UNAUTHENTICATED");
    raw(&anonymous, "application/json", body(70_000)).await.assert_problem(413, "BAD_USER_INPUT");
    data(&raw(&owner, "application/json", body(2_000_000)).await);
    raw(&owner, "application/json", body(2_097_152)).await.assert_problem(413, "BAD_USER_INPUT");
}

#[tokio::test]
async fn nobody_is_not_even_told_the_schema() {
    let app = TestApplication::start().await;
    for query in [WHO, "{ __schema { types { name } } }", "{ __typename }", "{ nonsense"] {
        let answer = send(&app.program(), query, json!({})).await;
        answer.assert_problem(401, "UNAUTHENTICATED");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
    let bad = app.program().bare(Method::POST, "/graphql").header(AUTHORIZATION, "Bearer ot_x");
    let answer = Answer::read(bad.header(CONTENT_TYPE, "application/json").body("{}")).await;
    answer.assert_problem(401, "UNAUTHENTICATED");
    // Whoever has a credential is told.
    let program = app.program_with(&[Scope::EventsWrite]).await;
    let schema = data(&send(&program, "{ __schema { queryType { name } } }", json!({})).await);
    assert_eq!(schema["__schema"]["queryType"]["name"], "Query");
}

#[tokio::test]
async fn another_site_cannot_ask() {
    let (app, owner) = owner().await;
    let body = json!({ "query": WHO }).to_string();
    for (name, value) in
        [(ORIGIN.as_str(), "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]
    {
        let request = owner.bare(Method::POST, "/graphql").header(CONTENT_TYPE, "application/json").header(name, value);
        Answer::read(request.body(body.clone())).await.assert_problem(403, "CROSS_SITE");
    }
    let own = owner.bare(Method::POST, "/graphql").header(CONTENT_TYPE, "application/json").header(ORIGIN, &app.url);
    data(&Answer::read(own.body(body)).await);
}

#[tokio::test]
async fn a_document_has_limits() {
    let (_app, owner) = owner().await;
    let log = |first: u32| {
        format!(
            "auditLogs(first: {first}) {{ edges {{ node {{ actor {{ user {{ name }} accessToken {{ name }} }} object {{ id }} }} }} pageInfo {{ endCursor }} }}"
        )
    };
    let deep = format!("{{ __schema {}", "{ types { fields { type ".repeat(5) + "{ name }" + &" }".repeat(16));
    for (query, said) in [
        (format!("{{ account {{ a: {} b: {} c: {} }} }}", log(100), log(100), log(100)), "objects"),
        (deep, "levels"),
        (format!("{{ {} }}", (0..9).map(|n| format!("a{n}: account {{ slug }} ")).collect::<String>()), "root"),
        (format!("{{ account {{ slug {} }} }}", "@include(if: true) ".repeat(17)), "directives"),
        (format!("{{ account {{ {} }} }}", "slug ".repeat(2_000)), "tokens"),
        (format!("{{ account(slug: {}", "[".repeat(100_000)), "brackets"),
    ] {
        let (code, message) = error(&send(&owner, &query, json!({})).await);
        assert_eq!(code, "LIMIT_EXCEEDED", "{message}");
        assert!(message.contains(said), "{said}: {message}");
    }
    // What must fit does.
    data(&send(&owner, &format!("{{ account {{ a: {} b: {} }} }}", log(100), log(100)), json!({})).await);
}

#[tokio::test]
async fn what_is_wrong_has_a_code_and_suggests_nothing() {
    let (_app, owner) = owner().await;
    for query in [
        "{ account { slugg } }",
        "{ accoun { slug } }",
        "{ account(slog: \"a\") { slug } }",
        "query A($a: Strin) { account { slug } }",
        "{ account { ...F } } fragment F on Acount { slug }",
        "{ account }",
        "subscription { a }",
        "mutation { a }",
        "{ account { slug",
        "{ account { ...F } } fragment F on Account { ...F }",
    ] {
        let answer = send(&owner, query, json!({})).await;
        let body = answer.json();
        assert_eq!((answer.status, &body["data"]), (200, &Value::Null), "{query}");
        for error in body["errors"].as_array().unwrap() {
            assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{query}: {error}");
            let message = error["message"].as_str().unwrap();
            assert!(!message.contains("mean") && !message.contains("\"slug\""), "{message}");
        }
    }
}

/// Of an organization that one is not in, nothing is told but what is told of one that does not exist.
#[tokio::test]
async fn another_organization_is_none() {
    let (app, owner) = owner().await;
    let stranger = app.stranger().await;
    let ask = "query A($slug: String) { account(slug: $slug) { slug name auditLogs(first: 1) { edges { cursor } } } }";
    let mut bodies = Vec::new();
    for (client, slug) in [(&stranger, json!("acme")), (&owner, json!("nowhere")), (&stranger, Value::Null)] {
        let answer = send(client, ask, json!({ "slug": slug })).await;
        assert_eq!(error(&answer).0, "NOT_FOUND");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "{bodies:?}");
    let token = app.program_with(&[Scope::AuditRead]).await;
    assert_eq!(error(&send(&token, ask, json!({ "slug": "nowhere" })).await).0, "NOT_FOUND");
    assert_eq!(data(&send(&token, ask, json!({})).await)["account"]["slug"], "acme");
}

#[tokio::test]
async fn a_token_asks_so_often_and_no_more() {
    let app = TestApplication::start_with(|config| config.requests_per_minute = 3).await;
    let (program, other) = (app.program_with(&[Scope::AuditRead]).await, app.program_with(&[Scope::AuditRead]).await);
    for _ in 0..3 {
        data(&send(&program, WHO, json!({})).await);
    }
    let refused = send(&program, WHO, json!({})).await;
    refused.assert_problem(429, "RATE_LIMITED");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&seconds), "{seconds}");
    data(&send(&other, WHO, json!({})).await);
}
