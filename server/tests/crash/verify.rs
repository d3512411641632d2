//! `orgtrail verify`: what it says of a database, and what it ends with.

use std::fs;
use std::process::Stdio;

use orgtrail::upkeep::{Lane, Turn};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::Command;

use crate::backups::record;
use crate::site::{Site, folder};

/// What a command ended with, what it printed and what it complained of.
async fn ended(mut command: Command) -> (i32, String, String) {
    let output = command.stderr(Stdio::piped()).output().await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

async fn run(database: &mut PgConnection, sql: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(database).await.unwrap();
}

/// One more character in the name of event 7 of the only trail, past the guards, which are put back.
const TAMPERING: &str = "do $$ declare part regclass; begin
    for part in select relid from pg_partition_tree('orgtrail.events') loop execute format('alter table %s disable trigger append_only', part); end loop;
    update orgtrail.events set action = action || 's' where index = 7;
    for part in select relid from pg_partition_tree('orgtrail.events') loop execute format('alter table %s enable always trigger append_only', part); end loop;
end $$";

#[tokio::test]
async fn each_problem_is_a_line_and_the_status_says_whether_there_is_one() {
    let (site, _cluster) = Site::beside().await;
    record(&site, "acme").await;
    let mut database = site.database().await;
    let trail: String =
        sqlx::query_scalar("select id::text from orgtrail.organizations").fetch_one(&mut database).await.unwrap();
    let verify = || {
        let mut command = site.command(&["verify"]);
        command.env("ORGTRAIL_SECRET_KEY_FILE", "/nowhere/secret.key");
        command
    };
    let whole = "Everything is as it should be: the guards of the schema, and what is kept of 1 trail.\n";
    assert_eq!(ended(verify()).await, (0, whole.to_owned(), String::new()));

    run(&mut database, TAMPERING).await;
    let longer = format!("The trail of organization {trail}: event 7 is longer or shorter than when recorded.\n");
    let counted = "orgtrail: 1 problem found, in the guards of the schema and 1 trail.\n";
    assert_eq!(ended(verify()).await, (1, longer.clone(), counted.to_owned()));

    run(&mut database, "create role intruder login in role orgtrail_owner").await;
    let told = format!("It does not belong there: role intruder is a member of orgtrail_owner\n{longer}");
    let counted = "orgtrail: 2 problems found, in the guards of the schema and 1 trail.\n";
    assert_eq!(ended(verify()).await, (1, told, counted.to_owned()));
    // What a server would not start on is told like everything else.
    run(&mut database, "grant delete on orgtrail.events to orgtrail_app").await;
    let (status, printed, _) = ended(verify()).await;
    assert!(status == 1 && printed.contains("may change or delete rows of orgtrail.events"), "{printed}");
    let noted: i64 =
        sqlx::query_scalar("select count(*) from orgtrail.upkeep_jobs").fetch_one(&mut database).await.unwrap();
    assert_eq!(noted, 0, "it changes nothing");
}

#[tokio::test]
async fn it_waits_for_a_server_that_is_at_its_upkeep() {
    let (site, _cluster) = Site::beside().await;
    record(&site, "acme").await;
    let opened = site.open().await;
    let turn = Turn::take(&opened.platform, Lane::Daily).await.unwrap().unwrap();
    let mut verify = site.command(&["verify"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    BufReader::new(verify.stderr.take().unwrap()).read_line(&mut said).await.unwrap();
    assert_eq!(said, "A server is at its daily upkeep: waiting until it is done.\n");
    assert_eq!(verify.try_wait().unwrap(), None);
    turn.end().await.unwrap();
    let mut printed = String::new();
    verify.stdout.take().unwrap().read_to_string(&mut printed).await.unwrap();
    assert!(
        verify.wait().await.unwrap().success() && printed.starts_with("Everything is as it should be"),
        "{printed}"
    );
    assert!(Turn::take(&opened.platform, Lane::Daily).await.unwrap().is_some(), "it gave the turn back");
    opened.close().await;
}

#[tokio::test]
async fn the_private_postgres_is_found_in_its_folder_and_none_is_made() {
    let site = Site::new();
    let empty = folder();
    let mut nowhere = site.command(&["verify"]);
    nowhere.env("ORGTRAIL_DATA_DIR", empty.path());
    let (status, _, complained) = ended(nowhere).await;
    assert!(
        status == 1 && complained.starts_with("orgtrail: ORGTRAIL_DATA_DIR: this folder has no Postgres in it"),
        "{complained}"
    );
    assert_eq!(fs::read_dir(empty.path()).unwrap().count(), 0);

    site.said_by(&["migrate"]).await;
    let said = site.said_by(&["verify"]).await;
    assert_eq!(said, "Everything is as it should be: the guards of the schema, and what is kept of 0 trails.");
    assert_eq!(site.postmaster(), None, "what it started it stopped");
    assert_eq!(ended(site.command(&["verify", "--everything"])).await.0, 2);
}

#[tokio::test]
async fn a_database_that_is_away_or_of_another_version_is_no_problem_of_a_trail() {
    let (site, cluster) = Site::beside().await;
    site.said_by(&["migrate"]).await;
    run(&mut site.database().await, "insert into public._sqlx_migrations select 9999, description, now(), true, checksum, 0 from public._sqlx_migrations limit 1").await;
    let newer = "orgtrail: The schema of this database is newer than this program: start the newer one.\n";
    assert_eq!(ended(site.command(&["verify"])).await, (1, String::new(), newer.to_owned()));
    cluster.stop().await.unwrap();
    let (status, printed, complained) = ended(site.command(&["verify"])).await;
    assert!(complained.starts_with("orgtrail: the database cannot be reached: "), "{complained}");
    assert_eq!((status, printed), (1, String::new()));
}
