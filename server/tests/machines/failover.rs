//! Replicas that have what the primary does not show: the rest of a primary that was given up, or a commit that is not over yet.

use std::time::Duration;

use sqlx::{AssertSqlSafe, Executor};
use tokio::time::sleep;

use crate::client::{ACME, Client, ids, page};
use crate::machines::Machines;
use crate::replica::{ANSWERED, ASKED, until_answered};
use crate::standby::Standby;

/// Reads that the primary answered, because the replica showed what that does not show yet.
const AHEAD: &str = "orgtrail_replica_reads_total{outcome=\"ahead\"}";

/// A replica becomes the primary, and the old one lives on for a while with another replica. What came to those two is lost, though that trail is as
/// long as the right one.
#[tokio::test]
async fn a_replica_of_the_old_primary_is_not_asked() {
    let machines = Machines::start().await;
    let (heir, left_behind) =
        (Standby::named("heir", &machines, &[]).await, Standby::named("left", &machines, &[]).await);
    let old = machines.serve(&[]).await;
    let owner = Client::found(&old.url, ACME).await;
    let program = Client::program(&machines).await;
    // What is noted of looks and of tokens once in a while is noted now.
    program.send(&old.url, &ids("before", 1)).await.unwrap();
    owner.text(&old.url, &page(ACME)).await;
    heir.follow(&machines).await;
    heir.superuser().await.execute("select pg_promote()").await.unwrap();
    program.send(&old.url, &ids("lost", 1)).await.unwrap();
    left_behind.follow(&machines).await;

    let new = machines
        .serve(&[
            ("DATABASE_URL", &heir.url("orgtrail_app")),
            ("ORGTRAIL_MIGRATE_DATABASE_URL", &heir.url("postgres")),
            ("DATABASE_REPLICA_URL", &left_behind.url("orgtrail_app")),
        ])
        .await;
    program.send(&new.url, &ids("kept", 1)).await.unwrap();
    for _ in 0..40 {
        let shown = owner.text(&new.url, &page(ACME)).await;
        assert!(shown.contains("before-0") && shown.contains("kept-0") && !shown.contains("lost-0"), "{shown}");
        // Several times it is looked whether the replica may be asked.
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!((new.counted(ASKED).await, new.counted(ANSWERED).await), (0, 0));
    // Control: it would have been asked, and had something else to say.
    let mut of_old = left_behind.superuser().await;
    let lost = "select count(*) from orgtrail.events where object_id = 'lost-0'";
    assert_eq!(sqlx::query_scalar::<_, i64>(lost).fetch_one(&mut of_old).await.unwrap(), 1);
}

/// A primary that waits for a synchronous replica does not show a commit that others show already.
#[tokio::test]
async fn a_replica_that_is_ahead_is_not_believed() {
    let machines = Machines::start().await;
    let standby = Standby::of(&machines, &[]).await;
    let server = machines.serve(&[("DATABASE_REPLICA_URL", &standby.url("orgtrail_app"))]).await;
    let owner = Client::found(&server.url, ACME).await;
    until_answered(&server, &owner, ACME).await;
    standby.follow(&machines).await;
    let mut superuser = machines.superuser().await;
    let of_acme = "organization_id = (select id from orgtrail.organizations where slug = 'acme')";
    let head = format!("select next_index from orgtrail.trail_heads where {of_acme}");
    let next: i64 = sqlx::query_scalar(AssertSqlSafe(head.clone())).fetch_one(&mut superuser).await.unwrap();

    wait_for(&machines, "nobody").await;
    let mut waiting = machines.superuser().await;
    let longer = format!(
        "begin; set local session_replication_role = replica;
        update orgtrail.trail_heads set next_index = next_index + 1 where {of_acme}; commit"
    );
    let commit = tokio::spawn(async move { waiting.execute(AssertSqlSafe(longer)).await.map(drop) });
    standby.until(&format!("next_index > {next} from orgtrail.trail_heads where {of_acme}")).await;
    let (ahead, answered) = (server.counted(AHEAD).await, server.counted(ANSWERED).await);
    for _ in 0..3 {
        assert!(owner.text(&server.url, &page(ACME)).await.contains("organization.created"));
    }
    assert!(!commit.is_finished());
    assert!(server.counted(AHEAD).await >= ahead + 3);
    assert_eq!(server.counted(ANSWERED).await, answered);

    // Control: once the primary shows it too, the replica's word counts.
    wait_for(&machines, "").await;
    commit.await.unwrap().unwrap();
    until_answered(&server, &owner, ACME).await;
}

/// Lets commits wait for a replica of this name.
async fn wait_for(machines: &Machines, name: &str) {
    let mut superuser = machines.superuser().await;
    let set = format!("alter system set synchronous_standby_names = '{name}'");
    superuser.execute(AssertSqlSafe(set)).await.unwrap();
    superuser.execute("select pg_reload_conf()").await.unwrap();
    let shown = || async {
        let mut anew = machines.superuser().await;
        sqlx::query_scalar::<_, String>("show synchronous_standby_names").fetch_one(&mut anew).await.unwrap()
    };
    while shown().await != name {
        sleep(Duration::from_millis(20)).await;
    }
}
