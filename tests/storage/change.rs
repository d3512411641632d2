//! A change and its event are committed together or not at all, and an organization keeps an owner.

use orgtrail::Error;
use orgtrail::audit::action::Action;
use orgtrail::audit::append::{NewEvent, Object};
use orgtrail::audit::change::Change;
use orgtrail::identity::access_token::Scope;
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;
use sqlx::PgPool;

use crate::fixture::{Fixture, Tenant, code, id_of, run};

/// The SQLSTATE of the rules that look at commit.
const INTEGRITY: &str = "23000";

fn renamed(tenant: &Tenant) -> NewEvent {
    NewEvent::new(Action::OrganizationUpdated, Object::new("organization", tenant.id, "renamed"))
}

async fn name(fixture: &Fixture, tenant: &Tenant) -> String {
    sqlx::query_scalar("select name from orgtrail.organizations where id = $1")
        .bind(tenant.id)
        .fetch_one(&fixture.superuser)
        .await
        .unwrap()
}

async fn begin_renaming(fixture: &Fixture, tenant: &Tenant) -> Change {
    let mut change = Change::begin(&fixture.platform, &fixture.access(tenant).await).await.unwrap();
    run("update orgtrail.organizations set name = 'renamed'", change.connection()).await.unwrap();
    change
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_change_is_committed_with_its_event(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let recorded = begin_renaming(&fixture, &tenant).await.commit(renamed(&tenant)).await.unwrap();
    assert_eq!(name(&fixture, &tenant).await, "renamed");
    let last = fixture.trail(tenant.id).await.pop().unwrap();
    assert_eq!((last.id, last.index, last.recorded_at), (recorded.id, recorded.index, recorded.recorded_at));
    assert_eq!((last.action.as_str(), last.actor_user_id), ("organization.updated", Some(id_of(&tenant.owner))));
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_dropped_change_leaves_nothing(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let before = fixture.trail(tenant.id).await;
    drop(begin_renaming(&fixture, &tenant).await);
    assert_eq!(name(&fixture, &tenant).await, "The acme");
    assert_eq!(fixture.trail(tenant.id).await, before);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_refused_commit_leaves_neither_change_nor_event(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let before = fixture.trail(tenant.id).await;
    let mut change = begin_renaming(&fixture, &tenant).await;
    run("delete from orgtrail.memberships", change.connection()).await.unwrap();
    let refused = change.commit(renamed(&tenant)).await.unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains("at least one owner")), "{refused:?}");
    assert_eq!(name(&fixture, &tenant).await, "The acme");
    assert_eq!(fixture.trail(tenant.id).await, before);
}

/// What no use case may do: alter rows without an event in the same transaction.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn rows_changed_without_an_event_are_refused_at_commit(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    fixture.member(&tenant, "ada", Role::Member).await;
    fixture.user("grace").await;
    fixture.token(&tenant, &tenant.owner, &[Scope::AuditRead]).await;
    let changes = [
        "update orgtrail.organizations set name = 'x'",
        "update orgtrail.memberships set role = 'admin' where role = 'member'",
        "delete from orgtrail.memberships where role = 'member'",
        "insert into orgtrail.memberships (organization_id, user_id, role)
            select orgtrail.current_organization(), id, 'admin' from orgtrail.users where name = 'grace'",
        "update orgtrail.access_tokens set name = 'x'",
        "update orgtrail.access_tokens set scopes = '{events:write}'",
        "update orgtrail.access_tokens set revoked_at = now()",
        "update orgtrail.access_tokens set expires_at = now()",
        "insert into orgtrail.access_tokens (id, organization_id, name, secret_sha256, scopes)
            values (gen_random_uuid(), orgtrail.current_organization(), 'x', sha256('x'), '{}')",
    ];
    for change in changes {
        let mut transaction = fixture.bound(tenant.id).await;
        assert_eq!(run(change, &mut *transaction).await.unwrap().rows_affected(), 1, "{change}");
        let refused = transaction.commit().await.unwrap_err();
        assert_eq!(
            refused.as_database_error().and_then(|error| error.constraint()),
            Some("change_without_event"),
            "{change}"
        );
    }
    // Control: noting that a token was used is no change of it.
    let mut transaction = fixture.bound(tenant.id).await;
    run("update orgtrail.access_tokens set last_used_at = now(), last_used_ip = '192.0.2.1'", &mut *transaction)
        .await
        .unwrap();
    assert_eq!(code(transaction.commit().await), "done");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_event_in_the_trail_of_another_organization_does_not_count(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = (fixture.organization("ours").await, fixture.organization("theirs").await);
    let mut change = begin_renaming(&fixture, &ours).await;
    let append = format!(
        "update orgtrail.trail_heads set last_transaction = pg_current_xact_id() where organization_id = '{}'",
        theirs.id
    );
    run(format!("select set_config('app.organization_id', '{}', true)", theirs.id), change.connection()).await.unwrap();
    assert_eq!(run(append, change.connection()).await.unwrap().rows_affected(), 1);
    assert_eq!(code(run("set constraints all immediate", change.connection()).await.map(drop)), INTEGRITY);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_last_owner_stays(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (platform, slug, owner) = (&fixture.platform, &tenant.slug, &tenant.owner);
    let before = fixture.trail(tenant.id).await;
    let demoted = members::change_role(platform, owner, slug, &id_of(owner), "admin").await.unwrap_err();
    let removed = members::remove(platform, owner, slug, &id_of(owner)).await.unwrap_err();
    assert_eq!((demoted.status(), removed.status()), (409, 409));
    assert_eq!(fixture.trail(tenant.id).await, before);
    // Control: with another owner the first may go.
    let second = fixture.member(&tenant, "ada", Role::Owner).await;
    members::remove(platform, &second, slug, &id_of(owner)).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn of_two_owners_who_step_down_at_once_one_stays(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let second = fixture.member(&tenant, "ada", Role::Owner).await;
    let access = fixture.access(&tenant).await;
    let mut begun = Vec::new();
    // Both have changed their row before either commits: neither sees the other's.
    for owner in [&tenant.owner, &second] {
        let mut change = Change::begin(&fixture.platform, &access).await.unwrap();
        run(
            format!("update orgtrail.memberships set role = 'member' where user_id = '{}'", id_of(owner)),
            change.connection(),
        )
        .await
        .unwrap();
        begun.push(change);
    }
    let [first, second]: [Change; 2] = begun.try_into().ok().unwrap();
    let stepped_down = || NewEvent::new(Action::MemberUpdated, Object::new("member", "", ""));
    let (first, second) = tokio::join!(first.commit(stepped_down()), second.commit(stepped_down()));
    let statuses = [&first, &second].map(|result| result.as_ref().map_or_else(Error::status, |_| 200));
    assert!(statuses == [200, 409] || statuses == [409, 200], "{statuses:?}");
    assert_eq!(owners(&fixture, &tenant).await, 1);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn owners_who_remove_each_other_leave_one(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    for round in 0..8 {
        let second = fixture.member(&tenant, &format!("ada-{round}"), Role::Owner).await;
        let first = present_owner(&fixture, &tenant, &second).await;
        let by = |viewer: &Viewer, other: &Viewer| {
            let (platform, viewer, slug, other) =
                (fixture.platform.clone(), viewer.clone(), tenant.slug.clone(), id_of(other));
            async move { members::remove(&platform, &viewer, &slug, &other).await }
        };
        let (one, other) = tokio::join!(by(&first, &second), by(&second, &first));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(owners(&fixture, &tenant).await, 1);
    }
}

async fn owners(fixture: &Fixture, tenant: &Tenant) -> i64 {
    sqlx::query_scalar("select count(*) from orgtrail.memberships where organization_id = $1 and role = 'owner'")
        .bind(tenant.id)
        .fetch_one(&fixture.superuser)
        .await
        .unwrap()
}

/// The owner that is not `other`.
async fn present_owner(fixture: &Fixture, tenant: &Tenant, other: &Viewer) -> Viewer {
    let (id, name, email) = sqlx::query_as(
        "select u.id, u.name, u.email from orgtrail.memberships m join orgtrail.users u on u.id = m.user_id
        where m.organization_id = $1 and m.role = 'owner' and u.id::text <> $2",
    )
    .bind(tenant.id)
    .bind(id_of(other))
    .fetch_one(&fixture.superuser)
    .await
    .unwrap();
    crate::fixture::seen(&orgtrail::identity::viewer::User { id, name, email })
}
