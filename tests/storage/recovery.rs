//! Forgotten passwords and changes of e-mail: one link, once, for who reads the mailbox, and the same answer for everybody else.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::sign_in::sign_in;
use orgtrail::identity::viewer::{User, Viewer};
use orgtrail::identity::{email_change, recovery};
use orgtrail::{Error, Result};
use sqlx::PgPool;

use crate::fixture::{Fixture, PASSWORD, origin, run, seen};

const NEW: &str = "another horse of batteries";

fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-05T12:00:00Z").unwrap().to_utc()
}

fn from(ip: &str) -> Viewer {
    let mut viewer = Viewer::anonymous(origin());
    viewer.origin.ip = Some(ip.to_owned());
    viewer
}

fn status<T>(done: &Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

/// An owner with a password and a session.
async fn ada(fixture: &Fixture) -> User {
    let ada = fixture.user_with_password("ada").await;
    orgtrail::organization::settings::create(&fixture.platform, &seen(&ada), "Acme", "acme").await.unwrap();
    run(
        format!(
            "insert into orgtrail.sessions (id_sha256, user_id, data, expires_at, absolute_expires_at)
            values (sha256('a'), '{}', '{{}}', now() + interval '1 hour', now() + interval '1 hour')",
            ada.id
        ),
        &fixture.superuser,
    )
    .await
    .unwrap();
    ada
}

async fn forgotten(fixture: &Fixture, ada: &User) -> String {
    recovery::request(&fixture.platform, &from("192.0.2.7"), &ada.email).await.unwrap();
    fixture.mailbox.secret_for(&ada.email)
}

async fn count(fixture: &Fixture, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(&fixture.superuser).await.unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_forgotten_password_is_replaced_once(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (platform, ada) = (&fixture.platform, ada(&fixture).await);
    let secret = forgotten(&fixture, &ada).await;
    recovery::look(platform, &secret).await.unwrap();
    assert_eq!(status(&recovery::reset(platform, &from("192.0.2.7"), &secret, "short").await), 422);
    let (one, other) = (from("192.0.2.7"), from("192.0.2.8"));
    let (one, other) =
        tokio::join!(recovery::reset(platform, &one, &secret, NEW), recovery::reset(platform, &other, &secret, NEW));
    let mut statuses = [status(&one), status(&other)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404]);
    assert_eq!(count(&fixture, "select count(*) from orgtrail.sessions").await, 0);
    assert_eq!(fixture.mailbox.empty().pop().unwrap().subject, "Your password was changed");
    assert_eq!(status(&sign_in(platform, &from("192.0.2.7"), &ada.email, PASSWORD).await), 401);
    sign_in(platform, &from("192.0.2.7"), &ada.email, NEW).await.unwrap();
    copy_pending(platform).await.unwrap();
    let changes = count(
        &fixture,
        "select count(*) from orgtrail.events where action = 'account.updated' and login_method = 'resetPassword'",
    );
    assert_eq!(changes.await, 1);
    assert_eq!(status(&recovery::look(platform, &secret).await), 404);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_link_ends_after_an_hour_or_with_a_newer_one(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let (platform, ada) = (&fixture.platform, ada(&fixture).await);
    let older = forgotten(&fixture, &ada).await;
    let newer = forgotten(&fixture, &ada).await;
    assert_eq!(status(&recovery::look(platform, &older).await), 404);
    platform.clock.set(noon() + TimeDelta::hours(1) - TimeDelta::seconds(1));
    recovery::look(platform, &newer).await.unwrap();
    platform.clock.set(noon() + TimeDelta::hours(1));
    assert_eq!(status(&recovery::look(platform, &newer).await), 404);
    assert_eq!(status(&recovery::reset(platform, &from("192.0.2.7"), &newer, NEW).await), 404);
    let stored = count(&fixture, "select count(*) from orgtrail.mailed_links where octet_length(secret_sha256) = 32");
    assert_eq!(stored.await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn everybody_gets_the_same_answer_until_it_is_too_often(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let (platform, ada) = (&fixture.platform, ada(&fixture).await);
    let disabled = fixture.user("disabled").await;
    run("update orgtrail.users set disabled_at = now() where name = 'disabled'", &fixture.superuser).await.unwrap();
    for (number, email) in
        [ada.email.as_str(), "nobody@people.example", &disabled.email, "a\0b"].into_iter().enumerate()
    {
        let viewer = from(&format!("198.51.100.{number}"));
        let mut answers = Vec::new();
        for _ in 0..7 {
            answers.push(recovery::request(platform, &viewer, email).await.map_err(|error| error.to_string()));
        }
        assert!(answers[..6].iter().all(Result::is_ok), "{email}: {answers:?}");
        assert_eq!(answers[6], Err("too many attempts: try again in 1 s".to_owned()), "{email}");
    }
    let mails = fixture.mailbox.empty();
    assert!(mails.len() == 6 && mails.iter().all(|mail| mail.to.as_str() == ada.email));
    // Who asks for mails keeps nobody from signing in.
    sign_in(platform, &from("203.0.113.1"), &ada.email, PASSWORD).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn another_address_is_confirmed_from_its_mailbox(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (platform, ada) = (&fixture.platform, ada(&fixture).await);
    let (viewer, new) = (seen(&ada), "ada@new.example");
    let wrong = email_change::request(platform, &viewer, new, "a wrong password").await;
    assert_eq!(wrong.unwrap_err().field(), Some("current_password"));
    assert_eq!(status(&email_change::request(platform, &viewer, &ada.email, PASSWORD).await), 422);
    email_change::request(platform, &viewer, new, PASSWORD).await.unwrap();
    let mails = fixture.mailbox.empty();
    assert_eq!((mails[0].to.as_str(), mails[1].to.as_str()), (ada.email.as_str(), new));
    assert!(!mails[0].text.contains("/account/email/"), "the old mailbox confirms nothing");
    let secret = crate::fixture::secret_in(&mails[1].text);
    assert_eq!(email_change::look(platform, &viewer, &secret).await.unwrap(), new);
    let stranger = seen(&fixture.user("stranger").await);
    assert_eq!(status(&email_change::confirm(platform, &stranger, &secret).await), 404);
    assert_eq!(status(&email_change::confirm(platform, &from("192.0.2.7"), &secret).await), 401);
    let reset = forgotten(&fixture, &ada).await;
    email_change::confirm(platform, &viewer, &secret).await.unwrap();
    assert_eq!(status(&email_change::confirm(platform, &viewer, &secret).await), 404);
    assert_eq!(status(&recovery::look(platform, &reset).await), 404, "mailed to the old address");
    sign_in(platform, &from("192.0.2.7"), new, PASSWORD).await.unwrap();
    copy_pending(platform).await.unwrap();
    let changes = count(
        &fixture,
        "select count(*) from orgtrail.events where action = 'account.updated' and login_method = 'changeEmail' and outcome = 'success'",
    );
    assert_eq!(changes.await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_taken_address_is_told_to_its_reader_alone(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (platform, ada) = (&fixture.platform, ada(&fixture).await);
    let grace = fixture.user("grace").await;
    let mut told = Vec::new();
    for new in [grace.email.as_str(), "nobody@people.example"] {
        email_change::request(platform, &seen(&ada), new, PASSWORD).await.unwrap();
        let mails = fixture.mailbox.empty();
        let secret = crate::fixture::secret_in(&mails[1].text);
        told.push(mails.iter().map(|mail| mail.text.replace(new, "X").replace(&secret, "S")).collect::<Vec<_>>());
        let done = email_change::confirm(platform, &seen(&ada), &secret).await;
        assert_eq!(status(&done), if new == grace.email { 409 } else { 200 });
    }
    assert_eq!(told[0], told[1]);
}
