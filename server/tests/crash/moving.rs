//! From the private Postgres to another, without a superuser, by the very commands of the documentation.

use std::fs;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use orgtrail_server::cluster::{Cluster, Role};
use sqlx::AssertSqlSafe;
use tokio::process::Child;

use crate::backups::{PAGE, POSTGRES, assert_is_served, let_in, record, text, trails};
use crate::shell::Shell;
use crate::site::{Site, folder};

/// A program's access token, which may export.
async fn token(site: &Site) -> String {
    let arguments = ["token", "create", "--organization", "acme", "--name", "program", "--scope", "audit:export"];
    let said = site.said_by(&arguments).await;
    said.split_whitespace().find(|word| word.starts_with("ot_")).unwrap().to_owned()
}

/// An export, byte by byte, of what another product did: exports themselves are recorded too.
async fn export(url: &str, token: &str, days: &str) -> String {
    let export = format!("{url}/api/export_audit_logs?organization=acme&action=invoice.paid&{days}");
    let request = reqwest::Client::new().get(export).bearer_auth(token);
    request.send().await.unwrap().error_for_status().unwrap().text().await.unwrap()
}

/// Asks a server to stop, and waits until it has, with its Postgres.
async fn stop(mut server: Child) {
    let id = server.id().unwrap();
    kill(Pid::from_raw(id.try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(server.wait().await.unwrap().success());
}

/// The roles and the database, as they are made for a new one, where [`Cluster::start`] had made a database already.
fn make_roles(shell: &Shell, managed: &Cluster) {
    let roles = shell.block(POSTGRES, "create role orgtrail_lookup");
    let roles = format!("dropdb orgtrail\npsql -X --quiet -v ON_ERROR_STOP=1 postgres <<'SQL'\n{roles}SQL\n");
    shell.run(managed.socket_dir(), &roles);
}

/// `before`, of which the last two lines are the sums by day, and the same counted event by event.
fn assert_sums_are_those_of_the_events(folder: &Path) {
    let before = fs::read_to_string(folder.join("before")).unwrap();
    let mut sums = before.lines().rev().map(|line| line.split_once('|').unwrap());
    let (events, days) = (sums.next().unwrap(), sums.next().unwrap());
    assert_eq!((events.0, days.0), ("events", "days"));
    assert_eq!(events.1, days.1);
    assert!(!events.1.starts_with('0'), "{before}");
}

#[tokio::test]
async fn the_private_postgres_is_moved_to_one_without_a_superuser() {
    let (folder, elsewhere) = (folder(), folder());
    let site = Site::at(&folder.path().join("data"));
    let (server, url) = site.serve().await;
    record(&site, "acme").await;
    let mut database = site.database().await;
    let yesterday_and_today =
        "select format('start=%s&end=%s', (now() at time zone 'UTC')::date - 1, (now() at time zone 'UTC')::date)";
    let days = text(&mut database, yesterday_and_today).await;
    let token = token(&site).await;
    let exported = export(&url, &token, &days).await;
    assert_eq!(exported.lines().count(), 1 + 100);
    let managed = Cluster::start(elsewhere.path()).await.unwrap();
    let mut shell = Shell::beside(&site, folder.path());
    if !Uid::effective().is_root() {
        shell.call("runuser -u postgres -- ", "");
    }

    // 1. and 2.: roles, and a dump with what it must be equal to.
    make_roles(&shell, &managed);
    let moved = trails(&mut database).await;
    drop(database);
    stop(server).await;
    fs::write(folder.path().join("counts.sql"), shell.block(POSTGRES, "'days'")).unwrap();
    shell.run_as_we_are(&shell.block(POSTGRES, "pg_dump --format=custom --file=orgtrail.dump \"$PRIVATE\""));
    assert_sums_are_those_of_the_events(folder.path());

    // 3. and 4.: restored, and compared.
    let restored = Site::on(&managed.url(Role::App), elsewhere.path());
    let variables = [
        ("DATABASE_URL", managed.url(Role::App)),
        ("ORGTRAIL_MIGRATE_DATABASE_URL", managed.url(Role::Migrate)),
        ("ORGTRAIL_SECRET_KEY_FILE", restored.key().display().to_string()),
    ];
    let variables = variables.map(|(variable, value)| format!("export {variable}='{value}'\n")).concat();
    shell.run_as_we_are(&format!("{variables}{}", shell.block(POSTGRES, "pg_restore --list")));
    let mut database = restored.database().await;
    let role = shell.block(PAGE, "create role orgtrail_backup");
    sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut database).await.unwrap();
    let_in(&restored, &mut database).await;
    let socket = managed.socket_dir().display();
    shell.call(
        "postgres://orgtrail_backup:…@db.example:5432/orgtrail",
        format!("postgres:///orgtrail?host={socket}&user=orgtrail_backup"),
    );
    for command in ["migrate", "verify"] {
        shell.call(&format!("orgtrail {command}"), format!("{} {command} 2>&1", env!("CARGO_BIN_EXE_orgtrail")));
    }
    fs::copy(site.key(), restored.key()).unwrap();
    let compare = shell.block(POSTGRES, "cmp before after");
    let said = shell.run_as_we_are(&format!("{variables}{compare}"));
    assert!(
        said.starts_with("The schema is up to date.\n") && said.contains("Everything is as it should be: "),
        "{said}"
    );
    assert_eq!(trails(&mut database).await, moved);

    // 5.: served, to who had a token before.
    let (server, url) = restored.serve().await;
    assert_eq!(export(&url, &token, &days).await, exported);
    drop(server);
    assert_is_served(&restored).await;
    // Control: what is compared differs where an event more is there.
    record(&restored, "later").await;
    let differs = compare.replace("cmp before after", "if cmp before after; then exit 1; fi");
    shell.run_as_we_are(&format!("{variables}{differs}"));
}
