//! Joining by an invite, and how an invite ends.

use chrono::TimeDelta;
use orgtrail::Error;
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::{self as sign_up, sign_in};
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::view::invite::InviteView;
use orgtrail::organization::{invites, members, teams};
use orgtrail::platform::SignUp;
use serde_json::Value;
use sqlx::PgPool;

use super::{anonymous, invite, last_event, noon, secret, standing, status};
use crate::fixture::{Fixture, PASSWORD, id_of, origin, run, seen};

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_new_user_joins_with_the_role_and_the_teams(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let wing = teams::create(platform, &acme.owner, "acme", "Wing").await.unwrap().to_string();
    let gone = teams::create(platform, &acme.owner, "acme", "Gone").await.unwrap().to_string();
    let chosen = [wing.clone(), gone.clone()];
    let sent = invites::create(platform, &acme.owner, "acme", "grace@people.example", "admin", &chosen).await.unwrap();
    teams::delete(platform, &acme.owner, "acme", &gone).await.unwrap();
    let joined = invites::sign_up(platform, &anonymous(), &secret(&sent), "Grace Hopper", PASSWORD).await.unwrap();
    assert_eq!(joined.slug, "acme");
    copy_pending(platform).await.unwrap();
    let mut trail = fixture.trail(acme.id).await.split_off(6);
    assert_eq!(
        trail.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(),
        ["member.created", "team.member.added", "login.attempted"]
    );
    let user = joined.signed_in.user_id.to_string();
    assert!(trail.iter().all(|event| event.actor_user_id.as_deref() == Some(&user)));
    let next: Value = serde_json::from_str(&trail.remove(0).next.unwrap()).unwrap();
    assert_eq!((&next["role"], &next["invited_by"]), (&"admin".into(), &"owner-of-acme".into()));
    let next: Value = serde_json::from_str(&trail.remove(0).next.unwrap()).unwrap();
    assert_eq!((&next["team_name"], &next["role"]), (&"Wing".into(), &"member".into()));
    assert_eq!(standing(&fixture, &secret(&sent)).await, "accepted");
    sign_in(platform, &anonymous(), "grace@people.example", PASSWORD).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_existing_user_joins_by_password_or_signed_in(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let (grace, linus) = (fixture.user_with_password("grace").await, fixture.user("linus").await);
    let for_grace = invite(&fixture, &acme.owner, "GRACE@people.example", "member").await.unwrap();
    let wrong = invites::sign_up(platform, &anonymous(), &secret(&for_grace), "X", "a wrong password").await;
    assert!(matches!(wrong, Err(Error::WrongCredentials)));
    let joined = invites::sign_up(platform, &anonymous(), &secret(&for_grace), "X", PASSWORD).await.unwrap();
    assert_eq!(joined.signed_in.user_id, grace.id);
    let for_linus = invite(&fixture, &acme.owner, "linus@people.example", "member").await.unwrap();
    assert_eq!(invites::accept(platform, &seen(&linus), &secret(&for_linus)).await.unwrap(), "acme");
    let names = members::list(platform, &acme.owner, "acme", "").await.unwrap().members;
    assert_eq!(names.iter().map(|row| row.name.as_str()).collect::<Vec<_>>(), ["grace", "linus", "owner-of-acme"]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn only_the_invited_address_accepts(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    let linus = seen(&fixture.user("linus").await);
    assert_eq!(status(&invites::accept(platform, &linus, &secret(&sent)).await), 403);
    assert_eq!(status(&invites::accept(platform, &anonymous(), &secret(&sent)).await), 401);
    let token = fixture.token(&acme, &acme.owner, &Scope::ALL).await;
    assert_eq!(status(&invites::accept(platform, &token, &secret(&sent)).await), 401);
    let InviteView::Open(seen_by_linus) = invites::look(platform, &linus, &secret(&sent)).await.unwrap() else {
        panic!()
    };
    assert_eq!(
        (seen_by_linus.is_for_viewer, seen_by_linus.signed_in_as.as_deref()),
        (false, Some("linus@people.example"))
    );
    assert_eq!(standing(&fixture, &secret(&sent)).await, "open");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_may_sign_up_by_an_invite(superuser: PgPool) {
    let mut fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    for (policy, expected) in [(SignUp::Closed, 403), (SignUp::Invite, 200), (SignUp::Open, 200)] {
        fixture.platform.sign_up = policy;
        let email = format!("{policy:?}@people.example");
        let sent = invite(&fixture, &acme.owner, &email, "member").await.unwrap();
        let joined = invites::sign_up(&fixture.platform, &anonymous(), &secret(&sent), "Somebody", PASSWORD).await;
        assert_eq!(status(&joined), expected, "{policy:?}");
        let (nobody, other) = (anonymous(), format!("other-{email}"));
        let uninvited = sign_up::sign_up(&fixture.platform, &nobody, "Other", &other, PASSWORD).await;
        assert_eq!(status(&uninvited), if policy == SignUp::Open { 200 } else { 403 }, "{policy:?}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_link_ends_in_each_way(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let (platform, clock) = (&fixture.platform, &fixture.platform.clock);
    let grace = seen(&fixture.user("grace").await);
    let sent = invite(&fixture, &acme.owner, "grace@people.example", "member").await.unwrap();
    clock.set(noon() + TimeDelta::days(7) - TimeDelta::seconds(1));
    assert_eq!(standing(&fixture, &secret(&sent)).await, "open");
    clock.set(noon() + TimeDelta::days(7));
    assert_eq!(standing(&fixture, &secret(&sent)).await, "expired");
    assert_eq!(status(&invites::accept(platform, &grace, &secret(&sent)).await), 409);
    assert_eq!(status(&invites::sign_up(platform, &anonymous(), &secret(&sent), "G", PASSWORD).await), 409);
    assert_eq!(status(&invite(&fixture, &acme.owner, "grace@people.example", "member").await), 409, "still open");
    let again = invites::resend(platform, &acme.owner, "acme", &sent.id).await.unwrap();
    assert_eq!(
        (standing(&fixture, &secret(&sent)).await, standing(&fixture, &secret(&again)).await),
        ("unknown", "open")
    );
    let (action, _, previous, next) = last_event(&fixture, &acme).await;
    assert_eq!(
        (action.as_str(), previous["email"] == next["email"], previous == next),
        ("invite.updated", true, false)
    );
    invites::revoke(platform, &acme.owner, "acme", &sent.id).await.unwrap();
    assert_eq!(last_event(&fixture, &acme).await.0, "invite.deleted");
    assert_eq!(standing(&fixture, &secret(&again)).await, "revoked");
    assert_eq!(status(&invites::accept(platform, &grace, &secret(&again)).await), 409);
    assert_eq!(status(&invites::resend(platform, &acme.owner, "acme", &sent.id).await), 409);
    assert_eq!(standing(&fixture, &"A".repeat(43)).await, "unknown");
    assert_eq!(standing(&fixture, "no secret").await, "unknown");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_invite_ends_with_the_right_of_who_stands_for_it(superuser: PgPool) {
    let fixture = Fixture::at(superuser, noon()).await;
    let acme = fixture.organization("acme").await;
    let platform = &fixture.platform;
    let second = fixture.member(&acme, "second", Role::Owner).await;
    let token =
        access_token::create(platform, &second, "acme", None, Wanted::new("robot", &[Scope::OrganizationWrite]))
            .await
            .unwrap();
    let robot = orgtrail::identity::viewer::from_token(platform, origin(), token.secret.expose()).await.unwrap();
    let as_owner = invite(&fixture, &second, "a@people.example", "owner").await.unwrap();
    let as_admin = invite(&fixture, &second, "b@people.example", "admin").await.unwrap();
    let by_token = invite(&fixture, &robot, "c@people.example", "admin").await.unwrap();
    let all = async || {
        let mut words = Vec::new();
        for sent in [&as_owner, &as_admin, &by_token] {
            words.push(standing(&fixture, &secret(sent)).await);
        }
        words.join(" ")
    };
    assert_eq!(all().await, "open open open");
    members::change_role(platform, &acme.owner, "acme", &id_of(&second), "admin", None).await.unwrap();
    assert_eq!(all().await, "powerless open open", "an admin makes no owners");
    members::change_role(platform, &acme.owner, "acme", &id_of(&second), "member", None).await.unwrap();
    assert_eq!(all().await, "powerless powerless powerless");
    let joined = invites::sign_up(platform, &anonymous(), &secret(&as_admin), "B", PASSWORD).await;
    assert_eq!(status(&joined), 409);
    members::change_role(platform, &acme.owner, "acme", &id_of(&second), "admin", None).await.unwrap();
    access_token::revoke(platform, &acme.owner, "acme", token.id).await.unwrap();
    assert_eq!(all().await, "powerless open powerless");
    members::remove(platform, &acme.owner, "acme", &id_of(&second)).await.unwrap();
    assert_eq!(all().await, "powerless powerless powerless");
    fixture.platform.clock.set(noon() + TimeDelta::minutes(2));
    let again = invites::resend(platform, &acme.owner, "acme", &as_owner.id).await.unwrap();
    assert_eq!(standing(&fixture, &secret(&again)).await, "open", "whoever sends it again stands for it");
}

/// What was sent before somebody was added by the operator would let them in again after they were removed.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_invite_ends_with_joining_or_leaving_another_way(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (platform, operator) = (&fixture.platform, Viewer::operator());
    let grace = fixture.user_with_password("grace").await;
    let added = invite(&fixture, &acme.owner, "Grace@people.example", "admin").await.unwrap();
    members::add(platform, &operator, "acme", &grace.email, Role::Member).await.unwrap();
    assert_eq!(standing(&fixture, &secret(&added)).await, "revoked");
    let told: Vec<_> = fixture.trail(acme.id).await.into_iter().map(|event| event.action).collect();
    assert_eq!(told[told.len() - 2..], ["member.created", "invite.deleted"]);

    // To whatever address they have by then.
    let other = invite(&fixture, &acme.owner, "other@people.example", "member").await.unwrap();
    run(
        "update orgtrail.users set email = 'other@people.example', email_key = 'other@people.example' where name = 'grace'",
        &fixture.superuser,
    )
    .await
    .unwrap();
    members::remove(platform, &acme.owner, "acme", &grace.id.to_string()).await.unwrap();
    assert_eq!(standing(&fixture, &secret(&other)).await, "revoked");

    let new = invite(&fixture, &acme.owner, "new@people.example", "member").await.unwrap();
    let made = ("New", "new@people.example", PASSWORD);
    members::add_new(platform, &operator, "nowhere", made, Role::Member).await.unwrap_err();
    members::add_new(platform, &operator, "acme", made, Role::Member).await.unwrap();
    assert_eq!(standing(&fixture, &secret(&new)).await, "revoked");
    sign_in(platform, &anonymous(), "new@people.example", PASSWORD).await.unwrap();
}
