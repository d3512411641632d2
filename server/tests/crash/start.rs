//! What the program says of its database before it serves: it refuses one that could lose what it acknowledged, and warns of what is not as good
//! as it could be.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orgtrail_server::cluster::Role;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

use crate::shell::Shell;
use crate::site::{Site, folder};

/// What became of a start.
#[derive(Debug)]
struct Start {
    listened: bool,
    ended_well: bool,
    said: String,
}

/// Starts a server, with more variables, and stops it if it listens.
async fn start(site: &Site, variables: &[(&str, &str)]) -> Start {
    let mut serve = site.command(&["serve"]);
    serve.envs(variables.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut server = serve.spawn().unwrap();
    let mut first_line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap()).read_line(&mut first_line).await.unwrap();
    let listened = first_line.starts_with("Orgtrail listens on ");
    if listened {
        kill(Pid::from_raw(server.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
    }
    let mut said = String::new();
    server.stderr.take().unwrap().read_to_string(&mut said).await.unwrap();
    Start { listened, ended_well: server.wait().await.unwrap().success(), said }
}

/// It serves, and this is what it warns of.
async fn assert_serves(site: &Site, warnings: &[&str]) {
    let Start { listened, ended_well, said } = start(site, &[]).await;
    assert!(listened && ended_well, "{said}");
    for warning in ["keeps no checksums of its pages", "clock is 5."] {
        assert_eq!(said.contains(warning), warnings.contains(&warning), "{warning}: {said}");
    }
}

async fn assert_refuses(site: &Site, variables: &[(&str, &str)], because: &str) {
    let Start { listened, ended_well, said } = start(site, variables).await;
    let because = format!("orgtrail: the server does not start on this database. {because}");
    assert!(!listened && !ended_well && said.contains(&because), "{because}: {said}");
}

async fn run(database: &mut PgConnection, sql: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(database).await.unwrap();
}

/// Sets a setting of the whole Postgres, and waits until who connects has it.
async fn set(site: &Site, name: &str, value: &str) {
    run(&mut site.database().await, format!("alter system set {name} = {value}")).await;
    run(&mut site.database().await, "select pg_reload_conf()").await;
    let shown = format!("select current_setting('{name}')");
    while sqlx::query_scalar::<_, String>(AssertSqlSafe(shown.clone()))
        .fetch_one(&mut site.database().await)
        .await
        .unwrap()
        != value
    {}
}

#[tokio::test]
async fn a_database_that_can_lose_what_it_acknowledged_is_refused() {
    let (site, cluster) = Site::beside().await;
    assert_serves(&site, &[]).await;
    for (name, value) in
        [("fsync", "off"), ("full_page_writes", "off"), ("synchronous_commit", "off"), ("synchronous_commit", "local")]
    {
        set(&site, name, value).await;
        assert_refuses(&site, &[], &format!("The database runs with {name} = {value}, ")).await;
        set(&site, name, "on").await;
    }
    assert_serves(&site, &[]).await;
    let make = "create database other encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C' template template0";
    run(&mut site.database().await, make).await;
    let other = |role| cluster.url(role).replace("/orgtrail?", "/other?");
    let [app, migrate] = [Role::App, Role::Superuser].map(other);
    let variables = [("DATABASE_URL", app.as_str()), ("ORGTRAIL_MIGRATE_DATABASE_URL", &migrate)];
    assert_refuses(&site, &variables, "The database has the encoding SQL_ASCII").await;
}

#[tokio::test]
async fn what_could_be_better_is_said_once() {
    let folder = folder();
    let (site, cluster) = Site::beside().await;
    assert_serves(&site, &[]).await;
    let shell = Shell::beside(&site, &folder.path().join("work"));
    let files = site.folder_of_postgres().join("postgres");
    let files = files.display();
    let without = format!(
        "pg_ctl -D {files} -m fast -w stop; pg_checksums --disable -D {files}; pg_ctl -D {files} -l postgres.log -w start"
    );
    shell.run(cluster.socket_dir(), &without);
    assert_serves(&site, &["keeps no checksums of its pages"]).await;
    // A clock of its own would take a machine of its own: who looks at the database's is shown another.
    let ahead = "create schema ahead;
        create function ahead.clock_timestamp() returns timestamptz language sql as $$ select pg_catalog.clock_timestamp() + interval '5 seconds' $$;
        grant usage on schema ahead to orgtrail_app;
        alter role orgtrail_app in database orgtrail set search_path = ahead, pg_catalog";
    run(&mut site.database().await, ahead).await;
    assert_serves(&site, &["keeps no checksums of its pages", "clock is 5."]).await;
}
