//! Two servers as one, for those who ask: both are started anew under load and nobody notices, the schema becomes that of a later release, and what
//! one took the other shows at once.

use std::time::Duration;

use orgtrail_server::cluster::Role;
use sqlx::{AssertSqlSafe, Executor};
use tokio::time::sleep;

use crate::asking::{People, Writers, assert_kept};
use crate::balancing::Pair;
use crate::client::{ACME, CHANGES, export, page, taken};
use crate::machines::Server;
use crate::replica::{BEHIND, until_answered};

/// Senders of events send again what was not acknowledged; here nothing has to be, nor does anybody send a form again.
#[tokio::test]
async fn both_servers_are_started_anew_and_nobody_notices() {
    let mut pair = Pair::up().await;
    let (writers, people) = (Writers::start(&pair), People::start(&pair));
    for number in [0, 1] {
        pair.servers[number].stop().await;
        pair.start_again(number).await;
        while pair.servers[number].answered().await < 20 {
            sleep(Duration::from_millis(50)).await;
        }
    }
    for asking in [&writers.asking, &people.asking] {
        assert_eq!(asking.failed(), Vec::<String>::new());
    }
    // Control: servers that end without a word are noticed by all of them.
    for server in &mut pair.servers {
        server.kill().await;
    }
    while writers.asking.failed().is_empty() || !people.noticed("team-") || !people.noticed("/") {
        sleep(Duration::from_millis(20)).await;
    }
    for number in [0, 1] {
        pair.start_again(number).await;
    }
    people.stop().await;
    let acknowledged = writers.stop().await;
    assert_kept(&pair, &acknowledged).await;
}

/// Adds to the schema as a later release may, and says so.
async fn migrate_further(pair: &Pair) {
    let mut superuser = pair.machines.superuser().await;
    let tables = "select oid::regclass::text from pg_class
        where relnamespace = 'orgtrail'::regnamespace and relkind in ('r', 'p') and not relispartition";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut superuser).await.unwrap();
    assert!(tables.len() > 10, "{tables:?}");
    for table in tables {
        let wider = format!("alter table {table} add column of_a_later_release text");
        superuser.execute(AssertSqlSafe(wider)).await.unwrap();
    }
    let noted = "insert into public._sqlx_migrations (version, description, success, checksum, execution_time)
        values (9999, 'of a later release', true, '', 0)";
    superuser.execute(noted).await.unwrap();
}

#[tokio::test]
async fn both_servers_run_on_with_the_schema_of_a_later_release_and_do_not_start_again() {
    let pair = Pair::up().await;
    let (writers, people) = (Writers::start(&pair), People::start(&pair));
    migrate_further(&pair).await;
    for server in &pair.servers {
        let before = server.answered().await;
        while server.answered().await < before + 50 {
            sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(pair.program.get(&server.url, "/readyz").await.0, 200);
        pair.program.text(&server.url, &export()).await;
    }
    for asking in [&writers.asking, &people.asking] {
        assert_eq!(asking.failed(), Vec::<String>::new());
    }
    people.stop().await;
    let acknowledged = writers.stop().await;
    assert_kept(&pair, &acknowledged).await;
    // With the right to migrate, and without.
    for migrate in [pair.machines.primary.url(Role::Superuser), String::new()] {
        let said = pair.machines.refused("ORGTRAIL_MIGRATE_DATABASE_URL", &migrate).await;
        assert!(
            said.contains("The schema of this database is newer than this program: start the newer one."),
            "{said}"
        );
    }
}

/// Sends an event to one server, and looks whether whoever asks the other one sees it.
async fn assert_shown(pair: &Pair, writer: &Server, reader: &Server, id: &str) {
    pair.program.send(&writer.url, &[id.to_owned()]).await.unwrap();
    for (what, shown) in [
        ("the page", pair.owner.text(&reader.url, &page(ACME)).await),
        ("the feed", pair.program.text(&reader.url, "/api/v1/events").await),
        ("GraphQL", taken(pair.program.question(&reader.url, CHANGES)).await.unwrap()),
        ("the export", pair.program.text(&reader.url, &export()).await),
    ] {
        assert!(shown.contains(id), "{what} lacks {id}: {shown}");
    }
}

#[tokio::test]
async fn what_one_server_took_the_other_shows_at_once() {
    let pair = Pair::up_with(&["recovery_min_apply_delay=300"]).await;
    let [one, two] = &pair.servers;
    for server in [one, two] {
        until_answered(server, &pair.owner, ACME).await;
    }
    for round in 0..5 {
        assert_shown(&pair, one, two, &format!("lagging-one-{round}")).await;
        assert_shown(&pair, two, one, &format!("lagging-two-{round}")).await;
    }
    pair.standby.pause().await;
    let before = [one.counted(BEHIND).await, two.counted(BEHIND).await];
    assert_shown(&pair, one, two, "paused-one").await;
    assert_shown(&pair, two, one, "paused-two").await;
    for (server, before) in [one, two].into_iter().zip(before) {
        assert!(server.counted(BEHIND).await >= before + 4, "the replica could not know of it");
    }
    pair.standby.resume().await;
    for server in [one, two] {
        assert!(until_answered(server, &pair.owner, ACME).await.contains("paused-two"));
    }
}
