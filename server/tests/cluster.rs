//! The private cluster, with real Postgres: started, adopted, killed and started again.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid, User};
use orgtrail_server::cluster::{Cluster, ClusterError, DATABASE, Options, Role};
use sqlx::ConnectOptions;
use tempfile::TempDir;
use tokio::time::sleep;

/// Tells [`child_that_is_killed`] which cluster to start.
const CHILD_DATA_DIR: &str = "ORGTRAIL_TEST_DATA_DIR";

/// A folder that the user who runs Postgres can reach.
fn folder() -> TempDir {
    let permissions = Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix("orgtrail-test-").permissions(permissions).tempdir_in("/tmp").unwrap()
}

async fn try_ask(cluster: &Cluster, sql: &'static str) -> Result<String, sqlx::Error> {
    let mut connection = cluster.connect_options(DATABASE, Role::Superuser).connect().await?;
    sqlx::query_scalar(sql).fetch_one(&mut connection).await
}

async fn ask(cluster: &Cluster, sql: &'static str) -> String {
    try_ask(cluster, sql).await.unwrap()
}

async fn tell(cluster: &Cluster, sql: &'static str) {
    let mut connection = cluster.connect_options(DATABASE, Role::Superuser).connect().await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
}

async fn pid(cluster: &Cluster) -> Pid {
    Pid::from_raw(i32::try_from(cluster.postmaster_pid().await.unwrap()).unwrap())
}

/// Waits until the cluster is served by another postmaster than `old` and answers.
async fn until_replaced(cluster: &Cluster, old: Pid) {
    for _ in 0..150 {
        let replaced = cluster.postmaster_pid().await.is_some_and(|pid| pid.cast_signed() != old.as_raw());
        if replaced && try_ask(cluster, "select 'here'").await.is_ok() {
            return;
        }
        sleep(Duration::from_millis(100)).await;
    }
    panic!("nobody took the place of process {old}");
}

async fn until_ended(data_dir: &Path) {
    for _ in 0..200 {
        if !data_dir.join("postgres/postmaster.pid").exists() {
            return;
        }
        sleep(Duration::from_millis(50)).await;
    }
    panic!("the cluster in {} still runs", data_dir.display());
}

fn psql(url: &str, sql: &str) -> Command {
    let mut command = Command::new("psql");
    command.args(["--no-psqlrc", "--tuples-only", "--no-align", "--command", sql, url]).current_dir("/");
    command
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn refusal(data_dir: &Path, options: Options) -> ClusterError {
    match Cluster::start_with(data_dir, options).await {
        Ok(_) => panic!("the cluster started"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_a_restart() {
    let folder = folder();
    let data_dir = folder.path().join("not/there/yet");
    let cluster = Cluster::start(&data_dir).await.unwrap();
    assert!(cluster.is_ours().await);
    tell(&cluster, "create table kept as select 'kept' as word").await;
    cluster.stop().await.unwrap();
    assert!(try_ask(&cluster, "select 'here'").await.is_err());

    let cluster = Cluster::start(&data_dir).await.unwrap();
    assert_eq!(ask(&cluster, "select word from kept").await, "kept");
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn it_keeps_what_it_acknowledges_and_opens_no_port() {
    let folder = folder();
    let cluster = Cluster::start(folder.path()).await.unwrap();
    for (setting, value) in [
        ("show fsync", "on"),
        ("show full_page_writes", "on"),
        ("show synchronous_commit", "on"),
        ("show data_checksums", "on"),
        ("show listen_addresses", ""),
        ("show max_connections", "100"),
        ("show jit", "off"),
        ("show timezone", "UTC"),
        ("show server_encoding", "UTF8"),
        ("show client_connection_check_interval", "2s"),
        ("select datcollate::text from pg_database where datname = current_database()", "C.UTF-8"),
    ] {
        assert_eq!(ask(&cluster, setting).await, value, "{setting}");
    }
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_running_one_is_adopted_and_left_running() {
    let folder = folder();
    let first = Cluster::start(folder.path()).await.unwrap();
    let second = Cluster::find(folder.path()).await.unwrap();
    let third = Cluster::start(folder.path()).await.unwrap();
    assert!(first.is_ours().await && !second.is_ours().await && !third.is_ours().await);
    assert_eq!(pid(&first).await, pid(&second).await);
    assert_eq!(first.url(Role::App), second.url(Role::App));
    second.stop().await.unwrap();
    third.stop().await.unwrap();
    assert_eq!(ask(&first, "select 'here'").await, "here");
    first.stop().await.unwrap();
    assert!(!folder.path().join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_second_command_starts_one_that_does_not_run() {
    let folder = folder();
    let cluster = Cluster::find(folder.path()).await.unwrap();
    assert!(cluster.is_ours().await);
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn it_starts_after_a_kill_of_the_postmaster() {
    let folder = folder();
    let first = Cluster::start(folder.path()).await.unwrap();
    tell(&first, "create table kept as select 'kept' as word").await;
    let killed = pid(&first).await;
    kill(killed, Signal::SIGKILL).unwrap();
    // `first` has not looked: its postmaster is a zombie now, whose number Postgres would take for a live one.
    let second = Cluster::start(folder.path()).await.unwrap();
    assert!(second.is_ours().await);
    assert_ne!(pid(&second).await, killed);
    assert_eq!(ask(&second, "select word from kept").await, "kept");
    second.stop().await.unwrap();
    first.stop().await.unwrap();
}

#[tokio::test]
async fn a_supervised_one_comes_back() {
    let folder = folder();
    let cluster = Cluster::start(folder.path()).await.unwrap();
    cluster.supervise();
    for _ in 0..2 {
        let killed = pid(&cluster).await;
        kill(killed, Signal::SIGKILL).unwrap();
        until_replaced(&cluster, killed).await;
    }
    cluster.stop().await.unwrap();
    assert!(try_ask(&cluster, "select 'here'").await.is_err());
}

#[tokio::test]
async fn a_supervised_one_outlives_the_process_it_was_adopted_from() {
    let folder = folder();
    let first = Cluster::start(folder.path()).await.unwrap();
    let second = Cluster::start(folder.path()).await.unwrap();
    second.supervise();
    let old = pid(&first).await;
    first.stop().await.unwrap();
    until_replaced(&second, old).await;
    assert!(second.is_ours().await);
    second.stop().await.unwrap();
}

#[tokio::test]
async fn of_two_that_start_at_once_one_adopts() {
    let folder = folder();
    let (first, second) = tokio::join!(Cluster::start(folder.path()), Cluster::start(folder.path()));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert!(first.is_ours().await != second.is_ours().await);
    assert_eq!(pid(&first).await, pid(&second).await);
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}

#[tokio::test]
async fn a_dropped_one_is_stopped() {
    let folder = folder();
    drop(Cluster::start(folder.path()).await.unwrap());
    until_ended(folder.path()).await;
}

/// Not a test of its own: it is what [`it_survives_a_kill_of_ours`] runs and kills.
#[tokio::test]
#[ignore = "run by another test"]
async fn child_that_is_killed() {
    let data_dir = std::env::var_os(CHILD_DATA_DIR).unwrap();
    let cluster = Cluster::start(Path::new(&data_dir)).await.unwrap();
    tell(&cluster, "create table kept as select 'kept' as word").await;
    sleep(Duration::from_mins(1)).await;
}

#[tokio::test]
async fn it_survives_a_kill_of_ours() {
    let folder = folder();
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "child_that_is_killed", "--ignored"]).env(CHILD_DATA_DIR, folder.path());
    let mut child = child.spawn().unwrap();
    let adopted = adopt_from(folder.path()).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(ask(&adopted, "select word from kept").await, "kept");
    let next = Cluster::start(folder.path()).await.unwrap();
    assert!(!next.is_ours().await);
    next.stop().await.unwrap();
    kill(pid(&adopted).await, Signal::SIGINT).unwrap();
    until_ended(folder.path()).await;
}

/// Waits until the child has written its table, then adopts its cluster.
async fn adopt_from(data_dir: &Path) -> Cluster {
    while !data_dir.join("postgres/postmaster.pid").exists() {
        sleep(Duration::from_millis(50)).await;
    }
    let cluster = Cluster::start(data_dir).await.unwrap();
    assert!(!cluster.is_ours().await);
    while try_ask(&cluster, "select word from kept").await.is_err() {
        sleep(Duration::from_millis(50)).await;
    }
    cluster
}

#[tokio::test]
async fn the_remains_of_an_interrupted_first_start_are_cleared() {
    let folder = folder();
    let half_made = folder.path().join("postgres.half-made-xyz");
    fs::create_dir(&half_made).unwrap();
    fs::write(half_made.join("PG_VERSION"), "15\n").unwrap();
    let cluster = Cluster::start(folder.path()).await.unwrap();
    assert!(!half_made.exists());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn a_pid_file_of_a_stranger_or_of_nobody_is_no_postmaster() {
    let folder = folder();
    Cluster::start(folder.path()).await.unwrap().stop().await.unwrap();
    let stranger = format!("{}\n/x\n0\n5432\n/x\n\n0\nready\n", std::process::id());
    for stale in [stranger.as_str(), "", "2147483000\n/x\n0\n5432\n/x\n\n0\nready\n"] {
        fs::write(folder.path().join("postgres/postmaster.pid"), stale).unwrap();
        let socket_dir = folder.path().join("socket");
        fs::create_dir_all(&socket_dir).unwrap();
        fs::write(socket_dir.join(".s.PGSQL.5432.lock"), stale).unwrap();
        let cluster = Cluster::start(folder.path()).await.unwrap();
        assert!(cluster.is_ours().await);
        cluster.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_long_and_strange_path_gets_a_short_socket_folder() {
    let folder = folder();
    let strange: PathBuf = ["it's a \"data\" folder, with ünïcode".to_owned(), "x".repeat(200)].iter().collect();
    let data_dir = folder.path().join(strange);
    let cluster = Cluster::start(&data_dir).await.unwrap();
    let socket_dir = cluster.socket_dir().to_owned();
    assert!(socket_dir.as_os_str().len() <= 93 && socket_dir.starts_with("/tmp"), "{socket_dir:?}");
    assert_eq!(socket_dir.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let recorded = fs::read_to_string(data_dir.join("postgres.socket")).unwrap();
    assert_eq!(Path::new(recorded.trim_end()), socket_dir);
    assert_eq!(text(&psql(&cluster.url(Role::Superuser), "select 'here'").output().unwrap()), "here");
    cluster.stop().await.unwrap();
    assert!(!socket_dir.exists());
}

#[tokio::test]
async fn psql_and_sqlx_take_the_url_of_each_role() {
    let folder = folder();
    let cluster = Cluster::start(folder.path()).await.unwrap();
    tell(&cluster, "create role orgtrail_migrate login; create role orgtrail_app login; create role other login").await;
    for role in Role::ALL {
        // A `PGPORT` of the surroundings leads nowhere else.
        let mut psql = psql(&cluster.url(role), "select current_user");
        assert_eq!(text(&psql.env("PGPORT", "1").output().unwrap()), role.name());
        let mut connection =
            cluster.url(role).parse::<sqlx::postgres::PgConnectOptions>().unwrap().connect().await.unwrap();
        let user: String = sqlx::query_scalar("select current_user::text").fetch_one(&mut connection).await.unwrap();
        assert_eq!(user, role.name());
    }
    let other = cluster.url(Role::App).replace("orgtrail_app", "other");
    assert!(!psql(&other, "select 1").output().unwrap().status.success());
    cluster.stop().await.unwrap();
}

#[tokio::test]
async fn missing_programs_are_one_sentence_and_leave_nothing() {
    let folder = folder();
    let data_dir = folder.path().join("data");
    let options = Options { binaries: Some(folder.path().join("bin")), ..Options::default() };
    let error = refusal(&data_dir, options).await;
    assert!(matches!(error, ClusterError::NoBinaries { .. }));
    let sentence = error.to_string();
    assert!(sentence.contains("apt-get install postgresql") && sentence.contains("DATABASE_URL"), "{sentence}");
    assert!(!data_dir.join("postgres").exists());
}

#[tokio::test]
async fn a_cluster_of_a_version_that_is_not_installed_says_which() {
    let folder = folder();
    Cluster::start(folder.path()).await.unwrap().stop().await.unwrap();
    fs::write(folder.path().join("postgres/PG_VERSION"), "14\n").unwrap();
    let sentence = refusal(folder.path(), Options::default()).await.to_string();
    assert!(sentence.contains("postgresql-14"), "{sentence}");
}

#[tokio::test]
async fn a_socket_folder_that_is_not_ours_is_refused() {
    let (folder, elsewhere) = (folder(), folder());
    symlink(elsewhere.path(), folder.path().join("socket")).unwrap();
    let error = refusal(folder.path(), Options::default()).await;
    assert!(matches!(error, ClusterError::ForeignSocketFolder { .. }), "{error}");
}

#[tokio::test]
async fn a_folder_in_the_way_is_named() {
    if !Uid::effective().is_root() {
        return;
    }
    let folder = folder();
    let closed = folder.path().join("closed");
    fs::create_dir(&closed).unwrap();
    fs::set_permissions(&closed, Permissions::from_mode(0o700)).unwrap();
    let error = refusal(&closed.join("data"), Options::default()).await;
    assert!(matches!(&error, ClusterError::Unreachable { folder, .. } if *folder == closed), "{error}");
    assert!(error.to_string().contains(&format!("chmod o+x {}", closed.display())), "{error}");
}

#[tokio::test]
async fn other_users_of_the_machine_are_kept_out() {
    let Some(nobody) = User::from_name("nobody").unwrap().filter(|_| Uid::effective().is_root()) else { return };
    let folder = folder();
    let cluster = Cluster::start(folder.path()).await.unwrap();
    let mut psql = psql(&cluster.url(Role::Superuser), "select 1");
    let output = psql.uid(nobody.uid.as_raw()).gid(nobody.gid.as_raw()).output().unwrap();
    assert!(!output.status.success());
    cluster.stop().await.unwrap();
}
