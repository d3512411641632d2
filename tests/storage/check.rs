//! The check before the server starts: it passes for the server's role, and refuses every way of weakening it.

use orgtrail::storage::check::{check, problems};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use crate::fixture::{Fixture, run};

/// A fresh connection, which has the settings of the moment.
fn connect_as(role: &str, superuser: &PgPool) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .connect_lazy_with(superuser.connect_options().as_ref().clone().username(role))
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn the_servers_role_passes(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    assert_eq!(problems(fixture.app()).await.unwrap(), Vec::<String>::new());
    check(fixture.app()).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_superuser_is_refused(superuser: PgPool) {
    let found = problems(&superuser).await.unwrap().join("\n");
    for problem in [
        "is a superuser",
        "bypasses row-level security",
        "may change or delete rows of orgtrail.events:",
        "orgtrail.event_positions:",
    ] {
        assert!(found.contains(problem), "{problem}: {found}");
    }
    assert_eq!(check(&superuser).await.unwrap_err().status(), 500);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_member_of_the_owner_is_refused(superuser: PgPool) {
    let migrate = connect_as("orgtrail_migrate", &superuser);
    let found = problems(&migrate).await.unwrap().join("\n");
    assert!(found.contains("orgtrail_migrate is a member of a role that owns the trail"), "{found}");
    assert!(found.contains("orgtrail_migrate cannot read trails again: grant orgtrail_verify to it."), "{found}");
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_role_that_may_change_events_is_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let weakened = [
        "update on orgtrail.events",
        "delete on orgtrail.events",
        "truncate on orgtrail.event_positions",
        "update on orgtrail.events_default",
        "update (next) on orgtrail.events",
    ];
    for privilege in weakened {
        run(format!("grant {privilege} to orgtrail_app"), &fixture.superuser).await.unwrap();
        let found = problems(fixture.app()).await.unwrap();
        assert_eq!(found.len(), 1, "{privilege}: {found:?}");
        assert!(found[0].contains("may change or delete rows of orgtrail.event"), "{found:?}");
        run(format!("revoke {privilege} from orgtrail_app"), &fixture.superuser).await.unwrap();
    }
    check(fixture.app()).await.unwrap();
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_role_that_owns_a_table_is_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    run("grant create on schema public to orgtrail_app", &fixture.superuser).await.unwrap();
    run("create table public.mine ()", fixture.app()).await.unwrap();
    let found = problems(fixture.app()).await.unwrap();
    assert_eq!(found, ["The server's database role orgtrail_app owns tables: connect as orgtrail_app."]);
}

#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_database_that_can_lose_commits_is_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let name: String =
        sqlx::query_scalar("select quote_ident(current_database())").fetch_one(&fixture.superuser).await.unwrap();
    for setting in ["off", "local"] {
        run(format!("alter database {name} set synchronous_commit = {setting}"), &fixture.superuser).await.unwrap();
        let found = problems(&connect_as("orgtrail_app", &fixture.superuser)).await.unwrap();
        assert_eq!(
            found,
            [format!(
                "The database runs with synchronous_commit = {setting}, with which it can lose what it acknowledged: set it to on."
            )]
        );
    }
}

/// The rule that a change has its event is such a trigger.
#[sqlx::test(migrator = "orgtrail::storage::MIGRATOR")]
async fn a_role_for_which_triggers_do_not_fire_is_refused(superuser: PgPool) {
    let fixture = Fixture::new(superuser).await;
    let name: String =
        sqlx::query_scalar("select quote_ident(current_database())").fetch_one(&fixture.superuser).await.unwrap();
    let set = format!("alter role orgtrail_app in database {name} set session_replication_role = replica");
    run(set, &fixture.superuser).await.unwrap();
    let found = problems(&connect_as("orgtrail_app", &fixture.superuser)).await.unwrap();
    assert_eq!(
        found,
        [
            "The server's database role has session_replication_role = replica, with which triggers do not fire: reset it."
        ]
    );
}
