//! A change and its event are committed together or not at all, and an organization keeps an owner.

use orgtrail::Error;
use orgtrail::audit::action::Action;
use orgtrail::audit::append::{NewEvent, Object};
use orgtrail::audit::change::Change;
use orgtrail::audit::page;
use orgtrail::identity::access::{Access, Operation, authorize};
use orgtrail::identity::access_token::{self, Scope, Wanted};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::{self, Viewer};
use orgtrail::organization::members;
use orgtrail::organization::teams::TeamRole;
use sqlx::PgPool;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use crate::fixture::{Fixture, INTEGRITY, Tenant, code, id_of, origin, run};

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
    fixture.team(&tenant, "Robots", &[(&tenant.owner, TeamRole::Member)]).await;
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
        "update orgtrail.teams set name = 'x'",
        "update orgtrail.team_members set role = 'maintainer'",
        "delete from orgtrail.team_members",
        "insert into orgtrail.teams (id, organization_id, name) values (gen_random_uuid(), orgtrail.current_organization(), 'y')",
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

/// Writes an event as `append` does, past the product's own code.
async fn forge_event(change: &mut Change, tenant: &Tenant) {
    let statements = [
        "update orgtrail.trail_heads set next_index = next_index + 1",
        "insert into orgtrail.event_positions (organization_id, index, event_id, recorded_at)
            select organization_id, next_index - 1, gen_random_uuid(), now() from orgtrail.trail_heads",
        "insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, object_type, outcome,
                csv_safe_length, csv_raw_length, words)
            select organization_id, index, event_id, 'change', 'invoice.paid', recorded_at, recorded_at, 'u-1', 'invoice', 'success', 1, 1, ''
            from orgtrail.event_positions order by index desc limit 1",
    ];
    for statement in statements {
        let done = run(statement, change.connection()).await.unwrap();
        assert_eq!(done.rows_affected(), 1, "{statement} for {}", tenant.slug);
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn moving_the_head_is_no_event(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let check = "set constraints all immediate";
    for moved in ["next_index = next_index", "next_index = next_index + 1", "last_recorded_at = now()"] {
        let mut change = begin_renaming(&fixture, &tenant).await;
        run(format!("update orgtrail.trail_heads set {moved}"), change.connection()).await.unwrap();
        assert_eq!(code(run(check, change.connection()).await.map(drop)), INTEGRITY, "{moved}");
    }
    // Control: an event is one, whoever wrote it.
    let mut change = begin_renaming(&fixture, &tenant).await;
    forge_event(&mut change, &tenant).await;
    assert_eq!(code(run(check, change.connection()).await.map(drop)), "done");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn an_event_in_the_trail_of_another_organization_does_not_count(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let (ours, theirs) = (fixture.organization("ours").await, fixture.organization("theirs").await);
    let mut change = begin_renaming(&fixture, &ours).await;
    // Theirs is written by the same transaction, ours is not.
    run(format!("select set_config('app.organization_id', '{}', true)", theirs.id), change.connection()).await.unwrap();
    forge_event(&mut change, &theirs).await;
    assert_eq!(code(run("set constraints all immediate", change.connection()).await.map(drop)), INTEGRITY);
}

/// Everybody who may rename, after they were authorized, and what then happens to them.
async fn authorized(fixture: &Fixture, tenant: &Tenant) -> Vec<(&'static str, Access, u16)> {
    let (platform, owner, everything) = (&fixture.platform, &tenant.owner, [Scope::OrganizationWrite]);
    let mut cases = Vec::new();
    for (name, status) in [("demoted", 403), ("removed", 404), ("promoted", 409), ("disabled", 404), ("untouched", 200)]
    {
        let admin = fixture.member(tenant, name, Role::Admin).await;
        let token = fixture.token(tenant, &admin, &everything).await;
        cases.push((name, rename_access(fixture, &admin).await, status));
        // A token never exceeds its creator: without one it has no powers at all.
        cases.push((name, rename_access(fixture, &token).await, if status == 404 { 403 } else { status }));
        let id = id_of(&admin);
        match name {
            "demoted" => members::change_role(platform, owner, "acme", &id, "member", None).await.unwrap(),
            "promoted" => members::change_role(platform, owner, "acme", &id, "owner", None).await.unwrap(),
            "removed" => members::remove(platform, owner, "acme", &id).await.unwrap(),
            "disabled" => {
                let disable = format!("update orgtrail.users set disabled_at = now() where id = '{id}'");
                run(disable, &fixture.superuser).await.unwrap();
            }
            _ => {}
        }
    }
    let revoked =
        access_token::create(platform, owner, "acme", None, Wanted::new("revoked", &everything)).await.unwrap();
    let viewer = viewer::from_token(platform, origin(), revoked.secret.expose()).await.unwrap();
    cases.push(("revoked", rename_access(fixture, &viewer).await, 401));
    access_token::revoke(platform, owner, "acme", revoked.id).await.unwrap();
    cases
}

async fn rename_access(fixture: &Fixture, viewer: &Viewer) -> Access {
    authorize(&fixture.platform, viewer, "acme", Operation::RenameOrganization).await.unwrap()
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_lost_the_right_after_it_was_looked_up_changes_nothing(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    for (name, access, status) in authorized(&fixture, &tenant).await {
        let begun = Change::begin(&fixture.platform, &access).await.map_or_else(|error| error.status(), |_| 200);
        assert_eq!(begun, status, "{name}: {:?}", access.grant());
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn who_takes_a_right_away_waits_for_the_change_that_uses_it(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let admin = fixture.member(&tenant, "ada", Role::Admin).await;
    let mut change = Change::begin(&fixture.platform, &rename_access(&fixture, &admin).await).await.unwrap();
    run("update orgtrail.organizations set name = 'renamed'", change.connection()).await.unwrap();
    let renaming = async {
        until_somebody_waits(&fixture).await;
        change.commit(renamed(&tenant)).await.unwrap()
    };
    let id = id_of(&admin);
    let demoting = members::change_role(&fixture.platform, &tenant.owner, "acme", &id, "member", None);
    let (recorded, demoted) = tokio::join!(renaming, demoting);
    demoted.unwrap();
    let last = fixture.trail(tenant.id).await.pop().unwrap();
    assert_eq!((last.action.as_str(), last.index), ("member.updated", recorded.index + 1));
}

pub async fn until_somebody_waits(fixture: &Fixture) {
    let waits =
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    while !sqlx::query_scalar::<_, bool>(waits).fetch_one(&fixture.superuser).await.unwrap() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_last_owner_stays(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (platform, slug, owner) = (&fixture.platform, &tenant.slug, &tenant.owner);
    let before = fixture.trail(tenant.id).await;
    let demoted = members::change_role(platform, owner, slug, &id_of(owner), "admin", None).await.unwrap_err();
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
    let mut begun = Vec::new();
    // Both have changed their row before either commits: neither sees the other's.
    for owner in [&tenant.owner, &second] {
        let access = authorize(&fixture.platform, owner, "acme", Operation::ChangeMember).await.unwrap();
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

/// Asks a future so often, unless it is done before, and gives it up.
async fn given_up_after<T>(polls: usize, future: impl Future<Output = T>) {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        left -= 1;
        if future.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// Somebody who leaves while their transaction begins leaves none behind that is open: what the next one does without a transaction of its own would be in
/// it, and lost.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_transaction_that_is_given_up_while_it_begins_is_over(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let tenant = fixture.organization("acme").await;
    let (app, owner) = (fixture.app(), &tenant.owner);
    fixture.bound(tenant.id).await.rollback().await.unwrap();
    let open = "select count(*) from pg_stat_activity
        where datname = current_database() and usename = 'orgtrail_app' and xact_start is not null";
    for polls in (1..10).cycle().take(50) {
        given_up_after(polls, fixture.bound(tenant.id)).await;
        given_up_after(polls, page::events(&fixture.platform, owner, "acme", "")).await;
        for pool in [app, &fixture.platform.database.reads] {
            while pool.num_idle() < pool.size() as usize {
                tokio::task::yield_now().await;
            }
        }
        let open: i64 = sqlx::query_scalar(open).fetch_one(&fixture.superuser).await.unwrap();
        assert_eq!(open, 0, "after {polls}");
    }
}
