//! Invites and forgotten passwords over HTTP: as a browser, as a program, from another site; what is shown once, and what is told nobody.

use orgtrail::identity::role::Role;
use orgtrail::platform::SignUp;
use reqwest::header::ORIGIN;

use crate::mailed::{forgotten, mails_to, secret_after, secret_mailed};
use crate::support::{ACME, Answer, Client, PASSWORD, TestApplication};

const PAGE: &str = "/acme/settings/invites";

async fn invite(client: &Client, email: &str) -> Answer {
    client.form("/api/create_invite", &[("organization", ACME), ("email", email), ("role", "member")]).await
}

async fn sessions(app: &TestApplication) -> String {
    let kept: Vec<String> =
        sqlx::query_scalar("select data::text from orgtrail.sessions").fetch_all(&app.superuser).await.unwrap();
    kept.join("\n")
}

#[tokio::test]
async fn a_link_is_on_the_answer_itself_and_in_the_mail() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let answer = invite(&owner, "grace@new.example").await;
    assert_eq!((answer.status, answer.header("cache-control"), answer.location.as_deref()), (200, "no-store", None));
    let secret = secret_after(&answer.body, &format!("{}/invites/", app.url)).unwrap();
    assert_eq!(answer.body.matches(&secret).count(), 1);
    assert_eq!(secret_mailed(&app, "grace@new.example", "/invites").await, secret);
    assert!(!sessions(&app).await.contains(&secret));
    let page = owner.get(PAGE).await;
    assert!(page.status == 200 && page.body.contains("grace@new.example") && !page.body.contains(&secret));
}

#[tokio::test]
async fn a_new_user_joins_by_the_link_without_javascript() {
    let app = TestApplication::start_with(|config| config.sign_up = SignUp::Invite).await;
    invite(&app.owner().await, "grace@new.example").await;
    let secret = secret_mailed(&app, "grace@new.example", "/invites").await;
    let (browser, path) = (app.anonymous(), format!("/invites/{secret}"));
    let page = browser.get(&path).await;
    assert_eq!((page.status, page.header("referrer-policy")), (200, "same-origin"));
    for part in ["Ada Owner", "Acme", "grace@new.example", "member"] {
        assert!(page.body.contains(part), "{part} is not in {}", page.body);
    }
    let join = [("secret", secret.as_str()), ("name", "Grace Hopper"), ("password", "canary")];
    let refused = browser.form("/api/join_by_invite", &join).await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(path.as_str())));
    let kept = sessions(&app).await;
    assert!(!kept.contains("canary") && !kept.contains(&secret), "{kept}");
    let page = browser.get(&path).await;
    assert!(page.body.contains("12 to 128") && page.body.contains("Grace Hopper"), "{}", page.body);
    let join = [("secret", secret.as_str()), ("name", "Grace Hopper"), ("password", PASSWORD)];
    let joined = browser.form("/api/join_by_invite", &join).await;
    assert_eq!((joined.status, joined.location.as_deref()), (303, Some("/acme")), "{}", joined.body);
    assert_eq!(browser.get("/acme").await.status, 200);
    let used = app.anonymous().get(&path).await;
    assert!(used.status == 410 && used.body.contains("This invite was used") && !used.body.contains("Acme"));
}

#[tokio::test]
async fn each_dead_link_has_its_page_and_tells_nothing() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    invite(&owner, "grace@new.example").await;
    let secret = secret_mailed(&app, "grace@new.example", "/invites").await;
    let row = owner.call("/api/invites_page", &[("organization", ACME)]).await.json();
    let id = row["invites"][0]["id"].as_str().unwrap();
    let revoked = owner.form("/api/revoke_invite", &[("organization", ACME), ("invite", id)]).await;
    assert_eq!((revoked.status, revoked.location.as_deref()), (303, Some(PAGE)));
    for (path, status) in [
        (format!("/invites/{secret}"), 410),
        (format!("/invites/{}", "A".repeat(43)), 404),
        ("/invites/x".to_owned(), 404),
    ] {
        let page = app.anonymous().get(&path).await;
        assert_eq!(page.status, status, "{path}");
        assert!(!page.body.contains("Acme") && !page.body.contains("grace@new.example"), "{path}: {}", page.body);
    }
    for path in [format!("/reset/{}", "A".repeat(43)), "/reset/x".to_owned()] {
        assert_eq!(app.anonymous().get(&path).await.status, 404);
    }
}

#[tokio::test]
async fn who_is_signed_in_accepts_with_a_button_or_is_told_why_not() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    app.add("stranger", None).await;
    invite(&owner, "stranger@acme.example").await;
    let secret = secret_mailed(&app, "stranger@acme.example", "/invites").await;
    let path = format!("/invites/{secret}");
    let page = owner.get(&path).await;
    assert!(page.body.contains("but you are signed in as"), "{}", page.body);
    let refused = owner.form("/api/accept_invite", &[("secret", &secret)]).await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(path.as_str())));
    let nobody = app.anonymous().form("/api/accept_invite", &[("secret", &secret)]).await;
    assert!(nobody.location.is_some_and(|location| location.starts_with("/login?next=")));
    let stranger = app.sign_in("stranger@acme.example").await;
    assert!(stranger.get(&path).await.body.contains("Join Acme"));
    let joined = stranger.form("/api/accept_invite", &[("secret", &secret)]).await;
    assert_eq!((joined.status, joined.location.as_deref()), (303, Some("/acme")));
}

#[tokio::test]
async fn the_page_of_a_link_is_the_same_with_and_without_an_account() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    app.add("known", None).await;
    let mut pages = Vec::new();
    for email in ["known@acme.example", "other@acme.example"] {
        let sent =
            owner.call("/api/create_invite", &[("organization", ACME), ("email", email), ("role", "member")]).await;
        let sent = sent.json();
        let secret = secret_after(sent["link"].as_str().unwrap(), "/invites/").unwrap();
        let view = app.program().form("/api/invite_view", &[("secret", &secret)]).await;
        pages.push((view.status, view.body.replace(email, "X")));
    }
    assert_eq!(pages[0], pages[1]);
}

#[tokio::test]
async fn asking_for_a_new_password_tells_nobody_who_has_an_account() {
    let app = TestApplication::start().await;
    let mut answers = Vec::new();
    for email in [app.owner.email.as_str(), "nobody@acme.example", "no address"] {
        let program = app.program().form("/api/request_password_reset", &[("email", email)]).await;
        let browser = app.anonymous();
        let sent = browser.form("/api/request_password_reset", &[("email", email)]).await;
        let page = browser.get("/forgot").await.body.replace(email, "X");
        let notice = page.contains("If this address has an account, a mail is on its way.");
        answers.push((program.status, program.body, sent.status, sent.location, sent.body, notice));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!((answers[0].0, answers[0].2, answers[0].3.as_deref(), answers[0].5), (202, 303, Some("/forgot"), true));
    secret_mailed(&app, &app.owner.email, "/reset").await;
    assert!(mails_to(&app, "nobody@acme.example").is_empty());
}

#[tokio::test]
async fn a_forgotten_password_ends_every_session() {
    let app = TestApplication::start().await;
    let before = app.owner().await;
    let secret = forgotten(&app, &app.owner.email).await;
    let (browser, path) = (app.anonymous(), format!("/reset/{secret}"));
    assert!(browser.get(&path).await.body.contains("Choose a new password"));
    let refused = browser.form("/api/reset_password", &[("secret", &secret), ("password", "short")]).await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(path.as_str())));
    assert!(!sessions(&app).await.contains(&secret));
    let new = "another horse of batteries";
    let done = browser.form("/api/reset_password", &[("secret", &secret), ("password", new)]).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/login")));
    assert!(browser.get("/login").await.body.contains("Your password was changed."));
    assert_eq!(before.get("/acme").await.status, 303, "its session is over");
    let signed_in = browser.form("/api/login", &[("email", &app.owner.email), ("password", new)]).await;
    assert_eq!(signed_in.location.as_deref(), Some("/"));
    assert_eq!(app.anonymous().get(&path).await.status, 404);
}

#[tokio::test]
async fn another_address_is_confirmed_by_a_form() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let asked = owner.form("/api/request_email_change", &[("email", "ada@new.example"), ("password", "wrong")]).await;
    assert_eq!((asked.status, asked.location.as_deref()), (303, Some("/account")));
    let asked = owner.form("/api/request_email_change", &[("email", "ada@new.example"), ("password", PASSWORD)]).await;
    assert_eq!((asked.status, asked.location.as_deref()), (303, Some("/account")));
    let secret = secret_mailed(&app, "ada@new.example", "/account/email").await;
    let path = format!("/account/email/{secret}");
    let nobody = app.anonymous().get(&path).await;
    assert!(nobody.status == 303 && nobody.location.is_some_and(|location| location.starts_with("/login?next=")));
    assert_eq!(app.stranger().await.get(&path).await.status, 404);
    assert!(owner.get(&path).await.body.contains("ada@new.example"));
    let done = owner.form("/api/confirm_email", &[("secret", &secret)]).await;
    assert_eq!((done.status, done.location.as_deref()), (303, Some("/account")));
    assert!(owner.get("/account").await.body.contains("ada@new.example"));
}

#[tokio::test]
async fn other_sites_send_none_of_these_forms() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    for form in [
        "create_invite",
        "resend_invite",
        "update_invite",
        "revoke_invite",
        "accept_invite",
        "join_by_invite",
        "reset_password",
        "request_password_reset",
        "request_email_change",
        "confirm_email",
    ] {
        let request = owner.bare(reqwest::Method::POST, &format!("/api/{form}")).form(&[("secret", "x")]);
        let answer =
            Answer::read(request.header(ORIGIN, "https://evil.example").header("sec-fetch-site", "cross-site")).await;
        assert_eq!(answer.status, 403, "{form}");
    }
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let app = TestApplication::start().await;
    let owner = app.owner().await;
    let email = "\"<script>alert(1)</script>@new.example";
    let shown = invite(&owner, email).await;
    assert!(shown.status == 200 && !shown.body.contains("<script>alert"), "{}", shown.body);
    let secret = secret_after(&shown.body, &format!("{}/invites/", app.url)).unwrap();
    for page in [owner.get(PAGE).await, app.anonymous().get(&format!("/invites/{secret}")).await] {
        assert!(page.status == 200 && !page.body.contains("<script>alert"), "{}", page.body);
    }
    let refused = invite(&owner, "a\r\nBcc: eve@evil.example").await;
    assert_eq!((refused.status, refused.location.as_deref()), (303, Some(PAGE)));
}

#[tokio::test]
async fn a_member_sees_no_invites() {
    let app = TestApplication::start().await;
    let member = app.sign_in(&app.add("member", Some(Role::Member)).await.email).await;
    let page = member.get(PAGE).await;
    assert_eq!(page.status, 403);
    assert!(!member.get("/acme").await.body.contains("/acme/settings/invites"));
    assert!(app.owner().await.get("/acme").await.body.contains("/acme/settings/invites"));
}
