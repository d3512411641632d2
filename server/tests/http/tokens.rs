//! Access tokens as credentials.

use orgtrail::identity::access_token::Scope;
use reqwest::Method;
use reqwest::header::AUTHORIZATION;

use crate::support::{Answer, TestApplication};

const COUNT: &str = "/api/organization_view";

#[tokio::test]
async fn a_token_is_taken_from_two_headers() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditRead]).await;
    for (name, value) in [("authorization", format!("Bearer {token}")), ("x-api-key", token)] {
        let request = app
            .program()
            .bare(Method::POST, COUNT)
            .header(name, value)
            .form(&[("organization", "acme"), ("slug", "acme")]);
        let answer = Answer::read(request).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        assert_eq!(answer.session_cookie(), None);
    }
}

#[tokio::test]
async fn a_bad_token_is_refused_whatever_it_is_for() {
    let app = TestApplication::start().await;
    let good = app.token(&[Scope::AuditRead]).await;
    let (cut, basic) = (&good[..good.len() - 1], format!("Basic {good}"));
    for value in
        ["Bearer", "Bearer ", "Bearer x", &format!("Bearer {cut}"), &format!("Bearer {good}x"), &basic, "Bearer \u{e9}"]
    {
        for path in ["/acme", "/login", "/api/export_audit_logs?organization=acme"] {
            let answer = Answer::read(app.program().bare(Method::GET, path).header(AUTHORIZATION, value)).await;
            answer.assert_problem(401, "UNAUTHENTICATED");
            assert!(answer.header("www-authenticate").contains("invalid_token"), "{value}");
        }
    }
}

/// A typing error is told by the checksum alone; what is well-formed is not told from what was revoked.
#[tokio::test]
async fn a_typing_error_is_told_from_a_stranger() {
    let app = TestApplication::start().await;
    let good = app.token(&[Scope::AuditRead]).await;
    let typo = format!("{}{}{}", &good[..10], if &good[10..11] == "a" { "b" } else { "a" }, &good[11..]);
    let stranger = TestApplication::start().await.token(&[Scope::AuditRead]).await;
    for (sent, said) in [
        (typo.as_str(), "not whole"),
        (&good[..50], "not whole"),
        ("ghp_x", "begin with ot_"),
        (&stranger, "not known"),
    ] {
        let answer = Answer::read(app.program().bare(Method::POST, COUNT).header("x-api-key", sent)).await;
        answer.assert_problem(401, "UNAUTHENTICATED");
        assert!(answer.body.contains(said), "{sent}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_token_beats_the_cookie() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let request = owner.bare(Method::POST, "/api/viewer").header(AUTHORIZATION, "Bearer nonsense");
    Answer::read(request).await.assert_problem(401, "UNAUTHENTICATED");
    assert_eq!(owner.call("/api/viewer", &[]).await.status, 200, "the session is as it was");
}

#[tokio::test]
async fn a_revoked_token_is_dead_at_once() {
    let app = TestApplication::start().await;
    let program = app.program_with(&[Scope::AuditRead]).await;
    let fields = [("organization", "acme"), ("slug", "acme")];
    assert_eq!(program.form(COUNT, &fields).await.status, 200);
    sqlx::query("set session_replication_role = replica").execute(&app.superuser).await.unwrap();
    sqlx::query("update orgtrail.access_tokens set revoked_at = now()").execute(&app.superuser).await.unwrap();
    program.form(COUNT, &fields).await.assert_problem(401, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_token_in_an_address_is_refused_and_not_repeated() {
    let app = TestApplication::start().await;
    let token = app.token(&[Scope::AuditExport]).await;
    for address in [
        format!("/api/export_audit_logs?organization=acme&token={token}"),
        format!("/api/export_audit_logs?organization=acme&access_token={token}"),
        format!("/acme/settings/audit-logs?q={token}"),
        format!("/acme?{token}=1"),
        format!("/{token}"),
    ] {
        let answer = app.program().get(&address).await;
        answer.assert_problem(400, "BAD_USER_INPUT");
        assert!(!answer.body.contains(&token), "{}", answer.body);
    }
}
