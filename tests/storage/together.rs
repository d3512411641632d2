//! Two people change the same thing at once: one is first, the other is told what it is now, and nobody waits for ever.

use orgtrail::Error;
use orgtrail::audit::ingest::{self, Format, Submission};
use orgtrail::graph;
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::account;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::teams::{self, TeamRole};
use orgtrail::organization::{members, settings};
use sqlx::PgPool;

use crate::change::until_somebody_waits;
use crate::fixture::{Fixture, PASSWORD, Tenant, id_of, origin, run};

fn status<T>(done: &orgtrail::Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

/// Runs two changes that both have begun before either can end: the head of the trail is held until both wait.
async fn at_once<A, B>(
    fixture: &Fixture,
    tenant: &Tenant,
    one: impl Future<Output = orgtrail::Result<A>>,
    other: impl Future<Output = orgtrail::Result<B>>,
) -> [u16; 2] {
    let mut head = fixture.superuser.begin().await.unwrap();
    let hold = format!("select from orgtrail.trail_heads where organization_id = '{}' for no key update", tenant.id);
    run(hold, &mut *head).await.unwrap();
    let release = async {
        let waiting =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        while sqlx::query_scalar::<_, i64>(waiting).fetch_one(&fixture.superuser).await.unwrap() < 2 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        head.rollback().await.unwrap();
    };
    let (one, other, ()) = tokio::join!(one, other, release);
    let mut statuses = [status(&one), status(&other)];
    statuses.sort_unstable();
    statuses
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_who_were_shown_the_same_one_is_told_that_it_changed(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let (second, ada) =
        (fixture.member(&acme, "second", Role::Owner).await, fixture.member(&acme, "ada", Role::Member).await);
    let team = fixture.team(&acme, "Security", &[(&ada, TeamRole::Member)]).await;
    let (platform, owner, id) = (&fixture.platform, &acme.owner, id_of(&ada));

    let name = |viewer, name| settings::update(platform, viewer, "acme", name, "acme", Some("The acme"));
    assert_eq!(at_once(&fixture, &acme, name(owner, "One"), name(&second, "Two")).await, [200, 409]);

    let role = |viewer, to| members::change_role(platform, viewer, "acme", &id, to, Some("member"));
    assert_eq!(at_once(&fixture, &acme, role(owner, "admin"), role(&second, "owner")).await, [200, 409]);

    let title = |viewer, name| teams::rename(platform, viewer, "acme", &team, name, Some("Security"));
    assert_eq!(at_once(&fixture, &acme, title(owner, "One"), title(&second, "Two")).await, [200, 409]);

    let in_team =
        |viewer, role, shown| teams::change_member_role(platform, viewer, "acme", &team, &id, role, Some(shown));
    let both = at_once(
        &fixture,
        &acme,
        in_team(owner, "maintainer", "member"),
        teams::delete(platform, &second, "acme", &team),
    );
    assert!(matches!(both.await, [200, 200 | 404]));
}

/// Who has the head of the trail waits for nobody who waits for the head: what an event leaves beside the trail refers to the organization.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn events_are_recorded_while_the_organization_is_renamed(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let product = fixture.token(&acme, &acme.owner, &[Scope::EventsWrite]).await;
    let platform = &fixture.platform;
    for (number, slug) in ["acme", "acme-2"].into_iter().enumerate() {
        let body = format!(r#"{{"id":"{number}","action":"invoice.paid","actor":{{"user":{{"id":"1"}}}}}}"#);
        let sent = Submission { key: Some(&body), body: body.as_bytes(), format: Format::Json };
        let sending = ingest::record(platform, &product, "acme", sent);
        let renaming = async {
            until_somebody_waits(&fixture).await;
            settings::update(platform, &acme.owner, "acme", "Another name", slug, None).await
        };
        assert_eq!(at_once(&fixture, &acme, sending, renaming).await, [200, 200], "{slug}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_team_that_goes_while_it_is_given_a_graph_keeps_nothing(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    fixture.graph(&acme, "inventory").await;
    let second = fixture.member(&acme, "second", Role::Owner).await;
    let (platform, owner) = (&fixture.platform, &acme.owner);
    for has_one in [false, true] {
        let team = fixture.team(&acme, "Robots", &[]).await;
        let grant =
            |viewer, permission| graph::teams::grant(platform, viewer, "acme", "inventory", &team, permission, None);
        if has_one {
            grant(owner, "read").await.unwrap();
        }
        let both = at_once(&fixture, &acme, grant(&second, "admin"), teams::delete(platform, owner, "acme", &team));
        let both = both.await;
        assert!(matches!(both, [200, 200 | 409 | 422]), "{both:?}");
        if both == [200, 409] {
            teams::delete(platform, owner, "acme", &team).await.unwrap();
        }
        let shown = graph::registry::graph(platform, owner, "acme", "inventory").await.unwrap();
        assert_eq!(shown.teams, []);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_address_that_was_changed_meanwhile_does_not_come_back(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let update =
        |slug, new_slug, shown| settings::update(&fixture.platform, &acme.owner, slug, "New name", new_slug, shown);
    settings::update(&fixture.platform, &acme.owner, "acme", "The acme", "moved", Some("The acme")).await.unwrap();
    // The form was shown before, and means only to rename.
    let stale = update("acme", "acme", Some("The acme")).await;
    assert!(matches!(&stale, Err(Error::Conflict(told)) if told.contains("/moved")), "{stale:?}");
    assert_eq!(update("moved", "moved", Some("The acme")).await.unwrap().slug, "moved");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn one_person_in_two_windows_is_told_as_well(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let user = fixture.user_with_password("ada").await;
    let ada = crate::fixture::seen(&user);
    let rename = |name| account::rename(&fixture.platform, &ada, name, Some("ada"));
    let (one, two) = tokio::join!(rename("Ada L."), rename("Ada Lovelace"));
    let mut statuses = [status(&one), status(&two)];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);
    let change = |new| account::change_password(&fixture.platform, &ada, PASSWORD, new);
    let (one, two) = tokio::join!(change("a first new password"), change("a second new password"));
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let refused = one.and(two).unwrap_err();
    assert!(matches!(refused.status(), 409 | 422), "{refused:?}");
}

/// Each works on the other: in whatever order their rows are reached, both get an answer that says something.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_change_each_other_at_once_do_not_wait_for_each_other(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    for round in 0..12 {
        let one = fixture.member(&acme, &format!("one-{round}"), Role::Owner).await;
        let other = fixture.member(&acme, &format!("other-{round}"), Role::Owner).await;
        let removes = round % 2 == 0;
        let act = |viewer: Viewer, whom: String| {
            let platform = fixture.platform.clone();
            async move {
                if removes {
                    members::remove(&platform, &viewer, "acme", &whom).await
                } else {
                    members::change_role(&platform, &viewer, "acme", &whom, "member", Some("owner")).await
                }
            }
        };
        // Tasks of their own on the connections of the pool: as two requests.
        let (first, second) =
            tokio::join!(tokio::spawn(act(one.clone(), id_of(&other))), tokio::spawn(act(other.clone(), id_of(&one))));
        let mut statuses = [status(&first.unwrap()), status(&second.unwrap())];
        statuses.sort_unstable();
        assert_eq!(statuses, if removes { [200, 404] } else { [200, 403] }, "round {round}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_token_that_works_while_it_is_revoked_holds_nobody_up(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    for round in 0..12 {
        let made =
            access_token::create(&fixture.platform, &acme.owner, "acme", None, Wanted::new("robot", &Scope::ALL))
                .await
                .unwrap();
        let robot = viewer::from_token(&fixture.platform, origin(), made.secret.expose()).await.unwrap();
        let (platform, owner) = (fixture.platform.clone(), acme.owner.clone());
        let revoke = async move { access_token::revoke(&platform, &owner, "acme", made.id).await };
        let platform = fixture.platform.clone();
        let work = async move { teams::create(&platform, &robot, "acme", &format!("team {round}")).await };
        let (revoked, worked) = tokio::join!(tokio::spawn(revoke), tokio::spawn(work));
        assert_eq!(status(&revoked.unwrap()), 200);
        let worked = status(&worked.unwrap());
        assert!(matches!(worked, 200 | 401), "round {round}: {worked}");
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_is_removed_while_they_join_a_team_is_in_none(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let acme = fixture.organization("acme").await;
    let second = fixture.member(&acme, "second", Role::Owner).await;
    let team = fixture.team(&acme, "Security", &[]).await;
    for round in 0..8 {
        let ada = fixture.member(&acme, &format!("ada-{round}"), Role::Member).await;
        let (email, id) = (ada.require_user().unwrap().email.clone(), id_of(&ada));
        let join = teams::add_member(&fixture.platform, &second, "acme", &team, &email, "member");
        let remove = members::remove(&fixture.platform, &acme.owner, "acme", &id);
        let statuses = at_once(&fixture, &acme, join, remove).await;
        assert!(matches!(statuses, [200, 200 | 404 | 422]), "round {round}: {statuses:?}");
        let left = teams::team(&fixture.platform, &acme.owner, "acme", &team).await.unwrap().members;
        assert_eq!(left, []);
    }
}
