//! Organizations and members as the database sees them: addresses that stay reserved, and the rules among owners, admins and members.

use orgtrail::Error;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::{members, settings};
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, id_of, run};

/// The status with which something was refused; 200 if it was not.
fn status<T>(done: &orgtrail::Result<T>) -> u16 {
    done.as_ref().map_or_else(Error::status, |_| 200)
}

async fn moved(fixture: &Fixture, tenant: &Tenant, from: &str, to: &str) -> u16 {
    status(&settings::update(&fixture.platform, &tenant.owner, from, "Acme", to, None).await)
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_retired_address_leads_on_and_is_nobody_elses(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (acme, other) = (fixture.organization("acme").await, fixture.organization("other").await);
    let platform = &fixture.platform;
    assert_eq!(moved(&fixture, &acme, "acme", "acme-robotics").await, 200);
    assert_eq!(settings::organization(platform, &acme.owner, "acme").await.unwrap().slug, "acme-robotics");
    for taken in ["acme", "acme-robotics"] {
        assert_eq!(moved(&fixture, &other, "other", taken).await, 409);
        assert_eq!(status(&settings::create(platform, &other.owner, "Acme", taken).await), 409);
    }
    // Its own may come back, also when asked for by the other.
    assert_eq!(moved(&fixture, &acme, "acme", "acme").await, 200);
    assert_eq!(settings::organization(platform, &acme.owner, "acme-robotics").await.unwrap().slug, "acme");
    assert_eq!(settings::organization(platform, &other.owner, "other").await.unwrap().slug, "other");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn two_who_want_the_same_address_at_once_get_it_once(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (one, two) = (fixture.organization("one").await, fixture.organization("two").await);
    let (first, second) = tokio::join!(moved(&fixture, &one, "one", "wanted"), moved(&fixture, &two, "two", "wanted"));
    assert!([first, second] == [200, 409] || [first, second] == [409, 200], "{first} {second}");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn what_is_already_so_leaves_no_event(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let before = fixture.trail(tenant.id).await;
    settings::update(&fixture.platform, &tenant.owner, "acme", " The acme ", "acme", None).await.unwrap();
    members::change_role(&fixture.platform, &tenant.owner, "acme", &id_of(&tenant.owner), "owner", None).await.unwrap();
    assert_eq!(fixture.trail(tenant.id).await, before);
}

/// What each role may make of each other one: `-` removes.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn roles_among_each_other(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let mut table = String::new();
    for by in Role::ALL {
        let viewer = fixture.member(&tenant, &format!("by-{}", by.as_str()), by).await;
        for from in Role::ALL {
            for to in ["owner", "admin", "member", "-"] {
                let other = fixture.member(&tenant, &format!("{}-{}-{to}", by.as_str(), from.as_str()), from).await;
                let done = change(&fixture, &viewer, &other, to).await;
                if from.as_str() != to {
                    table += &format!("{} {} {to} {done}\n", by.as_str(), from.as_str());
                }
            }
        }
    }
    let allowed: Vec<&str> = table.lines().filter_map(|line| line.strip_suffix(" 200")).collect();
    insta::assert_snapshot!(allowed.join("\n"), @r"
    owner owner admin
    owner owner member
    owner owner -
    owner admin owner
    owner admin member
    owner admin -
    owner member owner
    owner member admin
    owner member -
    admin admin member
    admin admin -
    admin member admin
    admin member -
    ");
    assert_eq!(table.lines().filter(|line| line.ends_with(" 403")).count(), 27 - allowed.len());
}

async fn change(fixture: &Fixture, by: &Viewer, other: &Viewer, to: &str) -> u16 {
    match to {
        "-" => status(&members::remove(&fixture.platform, by, "acme", &id_of(other)).await),
        role => status(&members::change_role(&fixture.platform, by, "acme", &id_of(other), role, None).await),
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn everybody_may_leave_and_nobody_raises_themselves(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (admin, member) =
        (fixture.member(&tenant, "admin", Role::Admin).await, fixture.member(&tenant, "member", Role::Member).await);
    assert_eq!(change(&fixture, &admin, &admin, "owner").await, 403);
    assert_eq!(change(&fixture, &member, &member, "admin").await, 403);
    assert_eq!(change(&fixture, &admin, &admin, "member").await, 200);
    assert_eq!(change(&fixture, &admin, &admin, "-").await, 200);
    assert_eq!(change(&fixture, &member, &member, "-").await, 200);
    assert_eq!(status(&settings::organization(&fixture.platform, &member, "acme").await), 404);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_sessions_of_a_removed_member_end_and_those_of_one_who_leaves_stay(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let member = fixture.member(&tenant, "ada", Role::Member).await;
    let leaver = fixture.member(&tenant, "grace", Role::Member).await;
    for viewer in [&member, &leaver] {
        let id = id_of(viewer);
        let session = format!(
            "insert into orgtrail.sessions (id_sha256, user_id, data, expires_at, absolute_expires_at) values (sha256('{id}'), '{id}', '{{}}', now(), now())"
        );
        run(session, fixture.app()).await.unwrap();
    }
    members::remove(&fixture.platform, &tenant.owner, "acme", &id_of(&member)).await.unwrap();
    members::remove(&fixture.platform, &leaver, "acme", &id_of(&leaver)).await.unwrap();
    let left: Vec<String> =
        sqlx::query_scalar("select user_id::text from orgtrail.sessions").fetch_all(&fixture.superuser).await.unwrap();
    assert_eq!(left, [id_of(&leaver)]);
}
