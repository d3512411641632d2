//! One's own account: what changes it, what that leaves in the trails, and whose sessions end.

use chrono::TimeDelta;
use orgtrail::Error;
use orgtrail::identity::account::{change_password, rename};
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::role::Role;
use orgtrail::identity::sessions;
use orgtrail::identity::sign_in::sign_in;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::members;
use serde_json::Value;
use sqlx::PgPool;

use crate::fixture::{Fixture, PASSWORD, Stored, Tenant, id_of, origin, run, seen};

const NEW_PASSWORD: &str = "another horse of batteries";

/// A running session of somebody, as the server stores it; answers what it is told by.
pub async fn begin_session(fixture: &Fixture, viewer: &Viewer, number: u8) -> [u8; 32] {
    let sql = "insert into orgtrail.sessions (id_sha256, user_id, data, expires_at, absolute_expires_at, ip, user_agent)
        values (sha256(convert_to($1 || ' ' || $2::text, 'UTF8')), $1::uuid, '{}', now() + interval '1 hour', now() + interval '1 hour', $3, 'curl/8.14.1')
        returning id_sha256";
    let hash: Vec<u8> = sqlx::query_scalar(sql)
        .bind(id_of(viewer))
        .bind(i32::from(number))
        .bind(format!("192.0.2.{number}"))
        .fetch_one(&fixture.superuser)
        .await
        .unwrap();
    hash.try_into().unwrap()
}

/// Time passes for whoever guessed too often.
pub async fn clear_throttles(fixture: &Fixture) {
    run("delete from orgtrail.sign_in_throttles", &fixture.superuser).await.unwrap();
}

/// Somebody with a password, a member of `tenant`, in the session that `number` names.
async fn member(fixture: &Fixture, tenant: &Tenant, name: &str) -> Viewer {
    let user = fixture.user_with_password(name).await;
    members::add(&fixture.platform, &Viewer::operator(), &tenant.slug, &user.email, Role::Member).await.unwrap();
    seen(&user)
}

/// The changes of accounts in a trail.
async fn changes(fixture: &Fixture, tenant: &Tenant) -> Vec<Stored> {
    copy_pending(&fixture.platform).await.unwrap();
    let trail = fixture.trail(tenant.id).await.into_iter();
    trail.filter(|event| event.action == "account.updated").collect()
}

fn states(event: &Stored) -> [Value; 2] {
    [&event.previous, &event.next].map(|state| serde_json::from_str(state.as_deref().unwrap()).unwrap())
}

async fn sessions_of(fixture: &Fixture, viewer: &Viewer) -> Vec<Vec<u8>> {
    sqlx::query_scalar("select id_sha256 from orgtrail.sessions where user_id = $1::uuid order by ip")
        .bind(id_of(viewer))
        .fetch_all(&fixture.superuser)
        .await
        .unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_new_name_is_in_every_trail_of_the_user_and_in_no_other(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, second, other) =
        (fixture.organization("acme").await, fixture.organization("second").await, fixture.organization("other").await);
    let ada = member(&fixture, &acme, "ada").await;
    let email = &ada.require_user().unwrap().email;
    members::add(&fixture.platform, &Viewer::operator(), "second", email, Role::Admin).await.unwrap();
    rename(&fixture.platform, &ada, " Ada Lovelace ", Some("ada")).await.unwrap();
    rename(&fixture.platform, &ada, "Ada Lovelace", Some("ada")).await.unwrap(); // Already so: nothing to say.
    for tenant in [&acme, &second] {
        let [change] = &changes(&fixture, tenant).await[..] else { panic!("one event in {}", tenant.slug) };
        let [previous, next] = states(change);
        assert_eq!((previous["name"].as_str(), next["name"].as_str()), (Some("ada"), Some("Ada Lovelace")));
        assert_eq!((change.kind.as_str(), change.outcome.as_str()), ("login", "success"));
        assert_eq!(change.actor_user_id, Some(id_of(&ada)));
    }
    assert_eq!(changes(&fixture, &other).await, []);
    let actor: String = sqlx::query_scalar(
        "select format('%s %s %s %s', actor_user_name, object_type, object_name, login_method) from orgtrail.events
        where action = 'account.updated' limit 1",
    )
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    assert_eq!(actor, "ada user ada updateAccount", "as they were when they did it");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn hostile_names_are_kept_as_they_are_or_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let ada = member(&fixture, &acme, "ada").await;
    for name in ["<img src=x onerror=alert(1)>", "=HYPERLINK(\"x\")", "\u{202e}eda", "👩🏽‍🚀 Ünïcødé", &"é".repeat(100)]
    {
        rename(&fixture.platform, &ada, name, None).await.unwrap();
        let [_, next] = states(changes(&fixture, &acme).await.last().unwrap());
        assert_eq!(next["name"], name);
    }
    for name in ["", " ", "a\0b", "a\nb", &"x".repeat(10_000)] {
        assert_eq!(rename(&fixture.platform, &ada, name, None).await.unwrap_err().status(), 422, "{name:?}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_new_password_ends_the_other_sessions_and_is_seen_but_never_shown(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let mut ada = member(&fixture, &acme, "ada").await;
    let stranger = member(&fixture, &acme, "grace").await;
    let present = begin_session(&fixture, &ada, 1).await;
    begin_session(&fixture, &ada, 2).await;
    begin_session(&fixture, &stranger, 3).await;
    ada.session = Some(present);
    change_password(&fixture.platform, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
    assert_eq!(sessions_of(&fixture, &ada).await, [present.to_vec()]);
    assert_eq!(sessions_of(&fixture, &stranger).await.len(), 1);
    let email = &ada.require_user().unwrap().email;
    let enter = async |password| {
        sign_in(&fixture.platform, &Viewer::anonymous(origin()), email, password).await.map_err(|error| error.status())
    };
    assert_eq!(enter(PASSWORD).await.err(), Some(401));
    assert!(enter(NEW_PASSWORD).await.is_ok());
    let [change] = &changes(&fixture, &acme).await[..] else { panic!("one event") };
    let [previous, next] = states(change);
    assert_ne!(previous["password_changed_at"], next["password_changed_at"]);
    assert_eq!((previous["sessions"].as_i64(), next["sessions"].as_i64()), (Some(2), Some(1)));
    let written: String = sqlx::query_scalar("select string_agg(a::text, ' ') from orgtrail.sign_in_attempts a")
        .fetch_one(&fixture.superuser)
        .await
        .unwrap();
    for secret in [PASSWORD, NEW_PASSWORD, "argon2"] {
        assert!(!format!("{change:?} {written}").contains(secret), "{secret}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_password_is_changed_by_who_knows_the_present_one(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let ada = member(&fixture, &acme, "ada").await;
    let change = async |current: &str, new: &str| {
        let done = change_password(&fixture.platform, &ada, current, new).await;
        done.map_or_else(
            |error| (error.status(), error.field().unwrap_or_default().to_owned()),
            |_| (200, String::new()),
        )
    };
    for (current, new, status, field) in [
        ("a wrong password", NEW_PASSWORD, 422, "current_password"),
        ("\0", NEW_PASSWORD, 422, "current_password"),
        (&"x".repeat(10_000), NEW_PASSWORD, 422, "current_password"),
        (PASSWORD, "short", 422, "new_password"),
        (PASSWORD, "Password1234", 422, "new_password"),
        (PASSWORD, PASSWORD, 422, "new_password"),
        (PASSWORD, NEW_PASSWORD, 200, ""),
    ] {
        assert_eq!(change(current, new).await, (status, field.to_owned()), "{current:.20} {new}");
    }
    let outcomes: Vec<_> = changes(&fixture, &acme).await.into_iter().map(|change| change.outcome).collect();
    assert_eq!(outcomes, ["failure", "failure", "failure", "success"]);
    let unchanged = states(&changes(&fixture, &acme).await[0]);
    assert_eq!(unchanged[1]["reason"], "wrong_password");
    assert_eq!(unchanged[0]["password_changed_at"], unchanged[1]["password_changed_at"]);
}

/// Guessing here is no way round the delays of the sign-in page, nor the other way round.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn guesses_are_throttled_with_those_at_the_sign_in_page(superuser: PgPool) {
    let fixture = Fixture::at(superuser, "2025-06-15T12:00:00Z".parse().unwrap()).await;
    let acme = fixture.organization("acme").await;
    let ada = member(&fixture, &acme, "ada").await;
    let email = ada.require_user().unwrap().email.clone();
    for _ in 0..3 {
        change_password(&fixture.platform, &ada, "a wrong password", NEW_PASSWORD).await.unwrap_err();
        sign_in(&fixture.platform, &Viewer::anonymous(origin()), &email, "a wrong password").await.unwrap_err();
    }
    let waits = change_password(&fixture.platform, &ada, PASSWORD, NEW_PASSWORD).await;
    assert!(matches!(waits, Err(Error::Throttled { .. })), "{waits:?}");
    // All at the same simulated moment: in no order.
    let denied = changes(&fixture, &acme).await.iter().filter(|change| change.outcome == "denied").count();
    assert_eq!(denied, 1);
    fixture.platform.clock.set(fixture.platform.clock.now() + TimeDelta::seconds(1));
    change_password(&fixture.platform, &ada, PASSWORD, NEW_PASSWORD).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn ones_sessions_are_listed_and_ended(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (mut ada, grace) = (member(&fixture, &acme, "ada").await, member(&fixture, &acme, "grace").await);
    for number in 1..=4 {
        ada.session = Some(begin_session(&fixture, &ada, number).await);
    }
    begin_session(&fixture, &grace, 9).await;
    run("update orgtrail.sessions set expires_at = now() where ip = '192.0.2.1'", &fixture.superuser).await.unwrap();
    let listed = sessions::list(&fixture.platform, &ada).await.unwrap();
    let told: Vec<_> =
        listed.iter().map(|row| (row.address.as_deref().unwrap(), row.client.as_str(), row.is_present)).collect();
    let client = "curl/8.14.1";
    assert_eq!(
        told,
        [("192.0.2.4", client, true), ("192.0.2.3", client, false), ("192.0.2.2", client, false)],
        "what has ended is not listed"
    );
    let hers = sessions::list(&fixture.platform, &grace).await.unwrap().remove(0).id;
    for id in [hers.as_str(), "not an id", ""] {
        assert_eq!(sessions::end(&fixture.platform, &ada, id).await.unwrap_err().status(), 404, "{id}");
    }
    sessions::end(&fixture.platform, &ada, &listed[2].id).await.unwrap();
    assert_eq!(sessions::end(&fixture.platform, &ada, &listed[2].id).await.unwrap_err().status(), 404);
    sessions::end_others(&fixture.platform, &ada).await.unwrap();
    assert_eq!(sessions_of(&fixture, &ada).await, [ada.session.unwrap().to_vec()]);
    sessions::end_others(&fixture.platform, &ada).await.unwrap(); // None left: nothing to say.
    assert_eq!(sessions_of(&fixture, &grace).await.len(), 1);
    let counts: Vec<_> = changes(&fixture, &acme)
        .await
        .iter()
        .map(|change| states(change).map(|state| state["sessions"].as_i64()))
        .collect();
    assert_eq!(counts, [[Some(3), Some(2)], [Some(2), Some(1)]]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn only_an_owner_ends_the_sessions_of_a_member(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let (ada, admin) = (member(&fixture, &acme, "ada").await, fixture.member(&acme, "admin", Role::Admin).await);
    begin_session(&fixture, &ada, 1).await;
    let end = async |viewer: &Viewer, of: &Viewer| {
        let done = sessions::end_of_member(&fixture.platform, viewer, "acme", &id_of(of)).await;
        done.map_or_else(|error| error.status(), |()| 200)
    };
    for (viewer, of, status) in [
        (&ada, &ada, 403),
        (&admin, &ada, 403),
        (&other.owner, &ada, 404),
        (&acme.owner, &acme.owner, 403),
        (&acme.owner, &other.owner, 404),
    ] {
        assert_eq!(end(viewer, of).await, status);
    }
    assert_eq!(sessions_of(&fixture, &ada).await.len(), 1);
    assert_eq!(end(&acme.owner, &ada).await, 200);
    assert_eq!(sessions_of(&fixture, &ada).await.len(), 0);
    let last = fixture.trail(acme.id).await.pop().unwrap();
    assert_eq!((last.kind.as_str(), last.action.as_str()), ("operation", "member.sessions.ended"));
    assert_eq!(states(&last).map(|state| state["sessions"].as_i64()), [Some(1), Some(0)]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_account_is_its_owners_and_of_nobody_else(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let token = fixture.token(&acme, &acme.owner, &orgtrail::identity::access_token::Scope::ALL).await;
    let disabled = member(&fixture, &acme, "disabled").await;
    run(format!("update orgtrail.users set disabled_at = now() where id = '{}'", id_of(&disabled)), &fixture.superuser)
        .await
        .unwrap();
    for viewer in [&Viewer::anonymous(Origin::default()), &Viewer::operator(), &token, &disabled] {
        let refused = [
            rename(&fixture.platform, viewer, "Mallory", None).await,
            change_password(&fixture.platform, viewer, PASSWORD, NEW_PASSWORD).await.map(drop),
            sessions::end_others(&fixture.platform, viewer).await,
        ];
        assert_eq!(refused.map(|refused| refused.unwrap_err().status()), [401, 401, 401], "{viewer:?}");
    }
}

/// Change and record are one transaction: where one cannot be, the other is not.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn nothing_changes_that_cannot_be_written_down(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let ada = member(&fixture, &acme, "ada").await;
    begin_session(&fixture, &ada, 1).await;
    run("revoke insert on orgtrail.sign_in_attempts from orgtrail_app", &fixture.superuser).await.unwrap();
    assert!(rename(&fixture.platform, &ada, "Ada Lovelace", None).await.is_err());
    assert!(change_password(&fixture.platform, &ada, PASSWORD, NEW_PASSWORD).await.is_err());
    assert!(sessions::end_others(&fixture.platform, &ada).await.is_err());
    let left: String = sqlx::query_scalar(
        "select format('%s %s %s', name, password_changed_at = created_at, (select count(*) from orgtrail.sessions)) from orgtrail.users where name = 'ada'",
    )
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    assert_eq!(left, "ada t 1");
}
