//! Invites: who may send which, what becomes of a link, and that of two who do something at once one wins.

use chrono::{DateTime, TimeDelta, Utc};
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::sign_in;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::view::invite::{InviteSent, InviteView};
use orgtrail::organization::{invites, members, teams};
use orgtrail::{Error, Result};
use serde_json::Value;
use sqlx::PgPool;

use crate::fixture::{Fixture, PASSWORD, Tenant, id_of, origin, run, secret_in, seen};

mod joining;

fn noon() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339("2026-01-05T12:00:00Z").unwrap().to_utc()
}

fn secret(sent: &InviteSent) -> String {
    secret_in(&sent.link)
}

fn anonymous() -> Viewer {
    Viewer::anonymous(origin())
}

async fn invite(fixture: &Fixture, by: &Viewer, email: &str, role: &str) -> Result<InviteSent> {
    invites::create(&fixture.platform, by, "acme", email, role, &[]).await
}

/// What a link leads to, in a word.
async fn standing(fixture: &Fixture, secret: &str) -> &'static str {
    match invites::look(&fixture.platform, &anonymous(), secret).await {
        Ok(InviteView::Open(_)) => "open",
        Ok(InviteView::Expired) => "expired",
        Ok(InviteView::Revoked) => "revoked",
        Ok(InviteView::Accepted) => "accepted",
        Ok(InviteView::Powerless) => "powerless",
        Err(Error::NotFound) => "unknown",
        Err(other) => panic!("{other}"),
    }
}

fn status<T>(done: &Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

async fn last_event(fixture: &Fixture, tenant: &Tenant) -> (String, Option<String>, Value, Value) {
    let event = fixture.trail(tenant.id).await.pop().unwrap();
    let state = |text: Option<String>| text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap());
    (event.action, event.actor_user_id, state(event.previous), state(event.next))
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_invite_is_mailed_shown_once_and_kept_as_a_hash(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let sent = invite(&fixture, &acme.owner, "Grace@People.example", "admin").await.unwrap();
    let mail = fixture.mailbox.empty().pop().unwrap();
    assert_eq!(mail.to.as_str(), "Grace@People.example");
    assert_eq!(mail.subject, "owner-of-acme invites you to The acme");
    assert!(mail.text.contains(&sent.link) && mail.text.contains("12 January 2026, 12:00 UTC"), "{}", mail.text);
    let (action, actor, previous, next) = last_event(&fixture, &acme).await;
    assert_eq!((action.as_str(), actor.as_deref()), ("invite.created", Some(id_of(&acme.owner).as_str())));
    assert_eq!(previous, Value::Null);
    assert_eq!(
        (&next["email"], &next["role"], &next["teams"]),
        (&"Grace@People.example".into(), &"admin".into(), &serde_json::json!([]))
    );
    let stored: Vec<String> =
        sqlx::query_scalar("select i::text from orgtrail.invites i union all select e::text from orgtrail.events e")
            .fetch_all(&fixture.superuser)
            .await
            .unwrap();
    assert!(!stored.iter().any(|row| row.contains(&secret(&sent))));
    let page = invites::list(&fixture.platform, &acme.owner, "acme").await.unwrap();
    assert_eq!(page.roles, ["owner", "admin", "member"]);
    let [row] = page.invites.as_slice() else { panic!("{page:?}") };
    assert_eq!(
        (row.invited_by.as_str(), row.sent.as_str(), row.expires.as_str(), row.expired),
        ("owner-of-acme", "5 Jan 2026", "12 Jan 2026", false)
    );
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn owners_invite_anybody_and_admins_everybody_but_owners(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let admin = fixture.member(&acme, "admin", Role::Admin).await;
    let by_admin = fixture.token(&acme, &admin, &[Scope::OrganizationWrite]).await;
    let reader = fixture.token(&acme, &acme.owner, &[Scope::AuditRead]).await;
    let mut table = String::new();
    for (name, viewer) in [
        ("owner", &acme.owner),
        ("admin", &admin),
        ("member", &fixture.member(&acme, "member", Role::Member).await),
        ("token of the admin", &by_admin),
        ("token that reads", &reader),
        ("stranger", &seen(&fixture.user("stranger").await)),
        ("operator", &Viewer::operator()),
        ("anonymous", &anonymous()),
    ] {
        table += &format!("{name}:");
        for role in ["owner", "admin", "member"] {
            let email = format!("{role}@{}.example", name.replace(' ', "-"));
            table += &format!(" {}", status(&invite(&fixture, viewer, &email, role).await));
        }
        table += "\n";
    }
    insta::assert_snapshot!(table, @r"
    owner: 200 200 200
    admin: 403 200 200
    member: 403 403 403
    token of the admin: 403 200 200
    token that reads: 403 403 403
    stranger: 404 404 404
    operator: 403 403 403
    anonymous: 401 401 401
    ");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_admin_touches_no_invite_of_an_owner(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let admin = fixture.member(&acme, "admin", Role::Admin).await;
    let platform = &fixture.platform;
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "owner").await.unwrap();
    let row = &invites::list(platform, &admin, "acme").await.unwrap().invites[0];
    assert!(!row.changeable);
    assert_eq!(status(&invites::resend(platform, &admin, "acme", &sent.id).await), 403);
    assert_eq!(status(&invites::update(platform, &admin, "acme", &sent.id, "member", &[], row.version).await), 403);
    assert_eq!(status(&invites::revoke(platform, &admin, "acme", &sent.id).await), 403);
    let member = invite(&fixture, &acme.owner, "linus@people.example", "member").await.unwrap();
    assert_eq!(status(&invites::update(platform, &admin, "acme", &member.id, "owner", &[], 1).await), 403);
    assert_eq!(status(&invites::revoke(platform, &admin, "acme", &member.id).await), 200);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn inviting_is_the_same_whether_or_not_there_is_an_account(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    fixture.user("known").await;
    let known = invite(&fixture, &acme.owner, "known@people.example", "member").await.unwrap();
    let unknown = invite(&fixture, &acme.owner, "other@people.example", "member").await.unwrap();
    let mails = fixture.mailbox.empty();
    let told = |text: &str, sent: &InviteSent| text.replace(&sent.email, "X").replace(&sent.link, "L");
    assert_eq!(told(&mails[0].text, &known), told(&mails[1].text, &unknown));
    let looks = async |sent: &InviteSent| {
        let view = invites::look(&fixture.platform, &anonymous(), &secret(sent)).await.unwrap();
        format!("{view:?}").replace(&sent.email, "X")
    };
    assert_eq!(looks(&known).await, looks(&unknown).await);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn members_and_the_invited_are_not_invited_again(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.member(&acme, "grace", Role::Member).await;
    let refused = async |email: &str| invite(&fixture, &acme.owner, email, "member").await.unwrap_err().message();
    assert_eq!(refused("Grace@people.example").await, "This person is a member already.");
    invite(&fixture, &acme.owner, "linus@people.example", "member").await.unwrap();
    assert!(refused("LINUS@people.example").await.starts_with("This address is invited already"));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_changed_is_what_was_shown(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let team = teams::create(platform, &acme.owner, "acme", "Wing").await.unwrap().to_string();
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    let change = async |role: &str, teams: &[String], version| {
        status(&invites::update(platform, &acme.owner, "acme", &sent.id, role, teams, version).await)
    };
    assert_eq!(change("admin", std::slice::from_ref(&team), 1).await, 200);
    let (action, _, previous, next) = last_event(&fixture, &acme).await;
    assert_eq!(
        (action.as_str(), &previous["role"], &next["role"]),
        ("invite.updated", &"member".into(), &"admin".into())
    );
    assert_eq!((&previous["teams"], &next["teams"]), (&serde_json::json!([]), &serde_json::json!(["Wing"])));
    assert_eq!(change("member", &[], 1).await, 409, "an older state");
    assert_eq!(change("admin", std::slice::from_ref(&team), 1).await, 200, "nothing to change");
    assert_eq!(change("admin", &["nonsense".to_owned()], 2).await, 422);
    assert_eq!(change("king", &[], 2).await, 422);
    let other = fixture.organization("other").await;
    let foreign = teams::create(platform, &other.owner, "other", "Foreign").await.unwrap().to_string();
    assert_eq!(change("admin", &[foreign], 2).await, 422, "another organization's team");
    assert_eq!(status(&invites::revoke(platform, &other.owner, "other", &sent.id).await), 404);
    assert_eq!(standing(&fixture, &secret(&sent)).await, "open");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_at_once_one_wins(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let one = invite(&fixture, &acme.owner, "new@people.example", "member");
    let other = invite(&fixture, &acme.owner, "NEW@people.example", "admin");
    let (one, other) = tokio::join!(one, other);
    assert_eq!(sorted([status(&one), status(&other)]), [200, 409]);

    let grace = seen(&fixture.user("grace").await);
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    let link = secret(&sent);
    let (one, other) = tokio::join!(invites::accept(platform, &grace, &link), invites::accept(platform, &grace, &link));
    assert_eq!(sorted([status(&one), status(&other)]), [200, 409]);

    let linus = seen(&fixture.user("linus").await);
    let sent = invite(&fixture, &acme.owner, "linus@people.example", "member").await.unwrap();
    let link = secret(&sent);
    let (accepted, revoked) = tokio::join!(
        invites::accept(platform, &linus, &link),
        invites::revoke(platform, &acme.owner, "acme", &sent.id)
    );
    assert_eq!(sorted([status(&accepted), status(&revoked)]), [200, 409]);
    let expected = if accepted.is_ok() { "accepted" } else { "revoked" };
    assert_eq!(standing(&fixture, &link).await, expected);

    let sent = invite(&fixture, &acme.owner, "twin@people.example", "member").await.unwrap();
    let (link, nobody) = (secret(&sent), anonymous());
    let one = invites::sign_up(platform, &nobody, &link, "Twin", PASSWORD);
    let other = invites::sign_up(platform, &nobody, &link, "Twin", PASSWORD);
    let (one, other) = tokio::join!(one, other);
    assert_eq!(sorted([status(&one), status(&other)]), [200, 409]);
}

fn sorted(mut statuses: [u16; 2]) -> [u16; 2] {
    statuses.sort_unstable();
    statuses
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nobody_is_bombed_with_mails(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let (platform, clock) = (&fixture.platform, &fixture.platform.clock);
    let first = invite(&fixture, &acme.owner, "victim@people.example", "member").await.unwrap();
    assert_eq!(status(&invites::resend(platform, &acme.owner, "acme", &first.id).await), 429);
    clock.set(noon() + TimeDelta::minutes(1));
    assert_eq!(status(&invites::resend(platform, &acme.owner, "acme", &first.id).await), 200);
    let mut id = first.id;
    for _ in 0..4 {
        invites::revoke(platform, &acme.owner, "acme", &id).await.unwrap();
        id = invite(&fixture, &acme.owner, "victim@people.example", "member").await.unwrap().id;
    }
    invites::revoke(platform, &acme.owner, "acme", &id).await.unwrap();
    assert_eq!(status(&invite(&fixture, &acme.owner, "Victim@people.example", "member").await), 429);
    clock.set(noon() + TimeDelta::hours(1));
    for number in 0..20 {
        invite(&fixture, &acme.owner, &format!("n{number}@people.example"), "member").await.unwrap();
    }
    assert_eq!(status(&invite(&fixture, &acme.owner, "n20@people.example", "member").await), 429);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn hostile_names_and_addresses_do_no_harm(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    for email in [
        "",
        "a",
        "a@b",
        "a@b@c.de",
        "a\r\nBcc: x@y.example",
        "a\0@b.example",
        &format!("{}@b.example", "a".repeat(400)),
    ] {
        assert_eq!(status(&invite(&fixture, &acme.owner, email, "member").await), 422, "{email:.40?}");
    }
    for (number, name) in ["<b>Ada</b>", "=1+1", "\u{202e}ada", "😀 Ünïcødé"].into_iter().enumerate() {
        let email = format!("\"'<script>{number}@people.example");
        let sent = invite(&fixture, &acme.owner, &email, "member").await.unwrap();
        let joined = invites::sign_up(platform, &anonymous(), &secret(&sent), name, PASSWORD).await.unwrap();
        let found = members::list(platform, &acme.owner, "acme", name).await.unwrap().members;
        assert_eq!(
            (found[0].user_id.as_str(), found[0].name.as_str()),
            (joined.signed_in.user_id.to_string().as_str(), name)
        );
    }
    let sent = invite(&fixture, &acme.owner, "last@people.example", "member").await.unwrap();
    for name in ["", "a\nb", &"é".repeat(101)] {
        assert_eq!(status(&invites::sign_up(platform, &anonymous(), &secret(&sent), name, PASSWORD).await), 422);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_crash_in_the_middle_leaves_nothing(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    let before = fixture.trail(acme.id).await;
    // The last step fails: the head cannot be written.
    run(
        "create function refuse_head() returns trigger language plpgsql as $$ begin raise exception 'crash'; end $$",
        &fixture.superuser,
    )
    .await
    .unwrap();
    run(
        "create trigger crash before update on orgtrail.trail_heads for each row execute function refuse_head()",
        &fixture.superuser,
    )
    .await
    .unwrap();
    let joined = invites::sign_up(&fixture.platform, &anonymous(), &secret(&sent), "Grace", PASSWORD).await;
    assert_eq!(status(&joined), 500);
    run("drop trigger crash on orgtrail.trail_heads", &fixture.superuser).await.unwrap();
    assert_eq!(fixture.trail(acme.id).await, before);
    let accounts: i64 =
        sqlx::query_scalar("select count(*) from orgtrail.users where email_key = 'grace@people.example'")
            .fetch_one(&fixture.superuser)
            .await
            .unwrap();
    assert_eq!((accounts, standing(&fixture, &secret(&sent)).await), (0, "open"));
    assert!(invites::sign_up(&fixture.platform, &anonymous(), &secret(&sent), "Grace", PASSWORD).await.is_ok());
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn attempts_of_the_invited_are_told_without_who_they_are(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let other = fixture.organization("other").await;
    let platform = &fixture.platform;
    fixture.user_with_password("grace").await;
    sign_in(platform, &anonymous(), "grace@people.example", PASSWORD).await.unwrap();
    copy_pending(platform).await.unwrap();
    let before = fixture.trail(acme.id).await.len();
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    sign_in(platform, &anonymous(), "Grace@people.example", PASSWORD).await.unwrap();
    sign_in(platform, &anonymous(), "grace@people.example", "a wrong password").await.unwrap_err();
    copy_pending(platform).await.unwrap();
    let told = fixture.trail(acme.id).await.split_off(before + 1);
    let lines: Vec<_> =
        told.iter().map(|event| (event.login_email.as_deref().unwrap(), event.outcome.as_str())).collect();
    assert_eq!(lines, [("Grace@people.example", "success"), ("grace@people.example", "failure")]);
    let known: i64 = sqlx::query_scalar(
        "select count(*) from orgtrail.events where kind = 'login' and organization_id = $1
            and (actor_user_id is not null or object_id is not null or ip is not null or user_agent is not null)",
    )
    .bind(acme.id)
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    assert_eq!((known, fixture.trail(other.id).await.len()), (0, 2));
    invites::revoke(platform, &acme.owner, "acme", &sent.id).await.unwrap();
    let ended = fixture.trail(acme.id).await.len();
    sign_in(platform, &anonymous(), "grace@people.example", PASSWORD).await.unwrap();
    copy_pending(platform).await.unwrap();
    assert_eq!(fixture.trail(acme.id).await.len(), ended, "a revoked invite tells nothing");
}
