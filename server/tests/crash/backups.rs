//! What backups bring back, by the very commands of the documentation: a dump, in a Postgres that had nothing; and a base backup with the log
//! that was archived since, as it was at a moment.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::time::Duration;

use orgtrail::audit::append::Draft;
use orgtrail::audit::change::Batch;
use orgtrail::audit::event::{Actor, Kind};
use orgtrail::identity::access::{self, Operation};
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::settings;
use orgtrail::upkeep::partitions;
use orgtrail_server::cluster::{Cluster, Role};
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::time::sleep;

use crate::shell::Shell;
use crate::site::{Site, folder};

pub const PAGE: &str = "operate.md";
pub const POSTGRES: &str = "operate/postgres.md";

/// Records a new organization, and events of another product in its trail.
pub async fn record(site: &Site, slug: &str) {
    let opened = site.open().await;
    let platform = &opened.platform;
    partitions::make_ahead(platform).await.unwrap();
    let email = format!("{slug}@people.example");
    let user = create_user(platform, &Viewer::operator(), "Ada", &email, None).await.unwrap();
    let ada = Viewer::user(user, Origin::default());
    settings::create(platform, &ada, slug, slug).await.unwrap();
    let access = access::authorize(platform, &ada, slug, Operation::ReadOrganization).await.unwrap();
    let mut event = Draft::named(Kind::Change, "invoice.paid", "invoice");
    event.actor = Actor::user("u-1", "Grace", "grace@other.example");
    Batch::record(platform, &access, &vec![event; 100]).await.unwrap();
    opened.close().await;
}

pub async fn text(database: &mut PgConnection, sql: impl Into<String>) -> String {
    sqlx::query_scalar(AssertSqlSafe(sql.into())).fetch_one(database).await.unwrap()
}

/// Of each trail how many events there are, the last index, and what identifies them all.
pub async fn trails(database: &mut PgConnection) -> String {
    let trails = "select string_agg(trail, E'\\n') from (
        select format('%s: %s, last %s, %s', organization_id, count(*), max(index), md5(string_agg(e::text, '' order by index))) as trail
        from orgtrail.events e group by organization_id order by organization_id) as trails";
    text(database, trails).await
}

/// What came back is as it should be, before and while a server serves it.
pub async fn assert_is_served(restored: &Site) {
    assert_is_whole(restored).await;
    let (server, url) = restored.serve().await;
    assert!(reqwest::get(format!("{url}/readyz")).await.unwrap().status().is_success());
    assert_is_whole(restored).await;
    drop(server);
}

async fn assert_is_whole(restored: &Site) {
    let said = restored.said_by(&["verify"]).await;
    assert!(said.starts_with("Everything is as it should be: "), "{said}");
}

/// Lets the role for backups in like the superuser, as an operator's `pg_hba.conf` would.
pub async fn let_in(site: &Site, database: &mut PgConnection) {
    let map = site.folder_of_postgres().join("postgres/pg_ident.conf");
    let lines = fs::read_to_string(&map).unwrap();
    let more: Vec<_> = lines.lines().filter_map(|line| line.strip_suffix(" postgres")).collect();
    let more: String = more.iter().map(|who| format!("{who} orgtrail_backup\n")).collect();
    fs::write(&map, lines + &more).unwrap();
    text(database, "select pg_reload_conf()::text").await;
}

#[tokio::test]
async fn a_dump_brings_everything_back() {
    let (folder, elsewhere) = (folder(), folder());
    let (site, cluster) = Site::beside().await;
    record(&site, "acme").await;
    let mut database = site.database().await;
    let mut shell = Shell::beside(&site, &folder.path().join("dumps"));
    let socket = cluster.socket_dir().display();
    shell.call(
        "postgres://orgtrail_backup:…@db.example:5432/orgtrail",
        format!("postgres:///orgtrail?host={socket}&user=orgtrail_backup"),
    );
    let role = shell.block(PAGE, "create role orgtrail_backup");
    sqlx::raw_sql(AssertSqlSafe(role)).execute(&mut database).await.unwrap();
    let_in(&site, &mut database).await;
    shell.run(cluster.socket_dir(), &shell.block(PAGE, "pg_dump --format=custom --file=orgtrail.dump 'postgres"));

    let empty = Cluster::start(elsewhere.path()).await.unwrap();
    let restored = Site::on(&empty.url(Role::App), elsewhere.path());
    let commands = shell.block(POSTGRES, "create role orgtrail_lookup");
    let commands = format!("dropdb orgtrail\npsql -X --quiet -v ON_ERROR_STOP=1 postgres <<'SQL'\n{commands}SQL\n");
    shell.run(empty.socket_dir(), &commands);
    shell.run(empty.socket_dir(), &shell.block(PAGE, "pg_restore --single-transaction"));
    assert_eq!(trails(&mut restored.database().await).await, trails(&mut database).await);
    assert_is_served(&restored).await;
    // Control: the server's own role cannot make a dump that misses rows in silence.
    shell.call("user=orgtrail_backup", "user=orgtrail_app");
    let refused = shell.block(PAGE, "pg_dump --format=custom --file=orgtrail.dump 'postgres");
    assert!(shell.run(cluster.socket_dir(), &format!("! {{ {refused} }} 2>&1")).contains("permission denied"));
}

/// The Postgres of `site` archives its log from now on, as the documentation says.
fn archive(site: &Site, cluster: &Cluster, shell: &Shell) {
    let files = site.folder_of_postgres().join("postgres");
    let mut settings = OpenOptions::new().append(true).open(files.join("postgresql.conf")).unwrap();
    // Its log goes to where `pg_ctl` is told, as Debian has it.
    write!(settings, "\n{}logging_collector = off\n", shell.block(POSTGRES, "archive_command")).unwrap();
    let restart = format!("pg_ctl -D {} -l postgres.log -m fast -w restart", files.display());
    shell.run(cluster.socket_dir(), &restart);
}

/// Waits until what was written until now is in the archive.
async fn until_archived(database: &mut PgConnection) {
    let segment = text(database, "select pg_walfile_name(pg_switch_wal())").await;
    let archived = format!("select (coalesce(last_archived_wal, '') >= '{segment}')::text from pg_stat_archiver");
    while text(database, archived.clone()).await != "true" {
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_base_backup_and_the_archived_log_bring_a_moment_back() {
    let folder = folder();
    let (site, cluster) = Site::beside().await;
    let mut shell = Shell::beside(&site, &folder.path().join("work"));
    for made in ["backup/wal", "backup/base", "restored"] {
        shell.make(&folder.path().join("backup"));
        shell.make(&folder.path().join(made));
    }
    shell.call("/backup/", format!("{}/backup/", folder.path().display()));
    // Where a site has its Postgres.
    shell.call("/var/lib/postgresql/restored", format!("{}/restored/postgres", folder.path().display()));
    record(&site, "before-the-backup").await;
    archive(&site, &cluster, &shell);
    shell.run(cluster.socket_dir(), &shell.block(POSTGRES, "pg_basebackup --pgdata"));

    record(&site, "after-the-backup").await;
    let mut database = site.database().await;
    let expected = trails(&mut database).await;
    assert_eq!(expected.lines().count(), 2);
    let moment = text(&mut database, "select clock_timestamp()::text").await;
    record(&site, "after-the-moment").await;
    let accident = "select format('drop table %s', max(relid::text)) from pg_partition_tree('orgtrail.events')
        where isleaf and exists (select from orgtrail.events e where e.tableoid = relid)";
    let accident = text(&mut database, accident).await;
    sqlx::query(AssertSqlSafe(accident)).execute(&mut database).await.unwrap();
    until_archived(&mut database).await;

    shell.call("2026-11-22 03:50:25.896098+00", moment);
    let said = shell.run(cluster.socket_dir(), &shell.block(POSTGRES, "recovery.signal"));
    assert!(said.contains("recovery stopping before commit of transaction"), "{said}");
    let url = format!("postgres:///orgtrail?host={}&port=5433&user=orgtrail_app", cluster.socket_dir().display());
    let restored = Site::on(&url, &folder.path().join("restored"));
    let options = cluster.connect_options("orgtrail", Role::Superuser).port(5433);
    assert_eq!(trails(&mut options.connect().await.unwrap()).await, expected);
    assert_is_served(&restored).await;
}
