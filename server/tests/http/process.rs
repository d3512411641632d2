//! The program itself: started from its environment, asked to stop by a signal, and what it logs meanwhile.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orgtrail_server::secret_key::SecretKey;
use reqwest::Method;
use sqlx::ConnectOptions;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::support::{Answer, Client, Database};

/// Stands in for every secret.
const CANARY: &str = "canary5bWx0c2VjcmV0";

/// What a process of its own needs to know.
pub fn environment(database: &Database, folder: &Path) -> [(&'static str, OsString); 3] {
    let key = folder.join("secret.key");
    let _made = SecretKey::read_or_make(&key).unwrap();
    [
        ("ORGTRAIL_ADDR", "127.0.0.1:0".into()),
        ("DATABASE_URL", database.as_role("orgtrail_app").to_url_lossy().as_str().into()),
        ("ORGTRAIL_SECRET_KEY_FILE", key.into()),
    ]
}

fn start(database: &Database, folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_orgtrail"))
        .env_clear()
        .envs(environment(database, folder))
        .env("ORGTRAIL_LOG", "debug")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Where it says that it listens.
pub async fn listening(process: &mut Child) -> String {
    let mut said = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).await.unwrap();
    said.trim().strip_prefix("Orgtrail listens on ").unwrap_or_else(|| panic!("{said}")).to_owned()
}

fn send(process: &Child, signal: Signal) {
    kill(Pid::from_raw(process.id().unwrap().try_into().unwrap()), signal).unwrap();
}

/// Sends a signal, after which it ends well.
pub async fn end(process: &mut Child, signal: Signal) {
    send(process, signal);
    assert!(process.wait().await.unwrap().success());
}

/// Sends the canary wherever a secret can be sent.
async fn send_secrets(url: &str) {
    let client = Client::program(url, None);
    let with_token = Client::program(url, Some(CANARY));
    let password = [("email", "a@b.example"), ("password", CANARY)];
    for answer in [
        client.form("/api/login", &password).await,
        client.form("/api/signup", &[("name", "A"), ("email", "a@b.example"), ("password", CANARY)]).await,
        with_token.form("/api/viewer", &[]).await,
        client.get(&format!("/login?token={CANARY}")).await,
        Answer::read(client.bare(Method::GET, "/login").header("cookie", format!("sid={CANARY}"))).await,
    ] {
        assert!(answer.status < 500 && !answer.body.contains(CANARY), "{answer:?}");
    }
}

#[tokio::test]
async fn the_log_is_json_without_secrets_and_a_signal_ends_it_well() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(&database, folder.path());
    let url = listening(&mut process).await;
    // Read while it is written: a full pipe would stop the process.
    let mut log = process.stderr.take().unwrap();
    let reading = tokio::spawn(async move {
        let mut text = String::new();
        log.read_to_string(&mut text).await.map(|_| text)
    });
    send_secrets(&url).await;
    end(&mut process, Signal::SIGTERM).await;
    let log = reading.await.unwrap().unwrap();
    assert!(log.contains("\"path\":\"/api/login\""), "{log}");
    assert!(!log.contains(CANARY), "{}", log.lines().find(|line| line.contains(CANARY)).unwrap_or_default());
    for line in log.lines() {
        let parsed: Result<serde_json::Value, _> = serde_json::from_str(line);
        assert!(parsed.is_ok_and(|line| line.is_object()), "{line}");
    }
    database.drop_soon();
}

/// What it logs, and how many files it may then have open, where the shell has set these limits before.
async fn open_files(limits: &str) -> (String, String) {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = Command::new("sh")
        .args(["-c", &format!("{limits} && exec {}", env!("CARGO_BIN_EXE_orgtrail"))])
        .env_clear()
        .envs(environment(&database, folder.path()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    listening(&mut process).await;
    let of_process = std::fs::read_to_string(format!("/proc/{}/limits", process.id().unwrap())).unwrap();
    let limit = of_process.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    let limit = limit.split_whitespace().next().unwrap().to_owned();
    let mut log = process.stderr.take().unwrap();
    end(&mut process, Signal::SIGTERM).await;
    let mut said = String::new();
    log.read_to_string(&mut said).await.unwrap();
    database.drop_soon();
    (limit, said)
}

#[tokio::test]
async fn as_many_files_as_may_be_are_open() {
    let (limit, said) = open_files("ulimit -S -n 1024 && ulimit -H -n 4000").await;
    assert!(limit == "4000" && !said.contains("too few files"), "{limit}: {said}");
    // Control: where that is not enough for 1,024 connections, the log says it.
    let (limit, said) = open_files("ulimit -S -n 256 && ulimit -H -n 1050").await;
    assert!(limit == "1050" && said.contains("\"limit\":1050,\"needed\":1088"), "{limit}: {said}");
}

#[tokio::test]
async fn closing_its_terminal_ends_it_well() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(&database, folder.path());
    listening(&mut process).await;
    end(&mut process, Signal::SIGHUP).await;
    database.drop_soon();
}

/// A client that sends the half of a body, and waits.
async fn half_a_request(url: &str) -> TcpStream {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /api/login HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 100\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // It runs: somebody waits for the body.
    let mut go_on = [0; 12];
    stream.read_exact(&mut go_on).await.unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100");
    stream.write_all(b"email=").await.unwrap();
    stream
}

/// The time is what is promised: an init system kills what takes longer.
#[tokio::test]
async fn it_ends_well_within_25_seconds_whatever_a_client_does() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(&database, folder.path());
    let _waiting = half_a_request(&listening(&mut process).await).await;
    timeout(Duration::from_secs(25), end(&mut process, Signal::SIGTERM)).await.unwrap();
    database.drop_soon();
}

#[tokio::test]
async fn a_second_signal_ends_it_the_hard_way() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let mut process = start(&database, folder.path());
    let _waiting = half_a_request(&listening(&mut process).await).await;
    let mut said = BufReader::new(process.stderr.take().unwrap()).lines();
    send(&process, Signal::SIGTERM);
    while !said.next_line().await.unwrap().unwrap().contains("\"stopping\"") {}
    send(&process, Signal::SIGINT);
    // Other threads may still log before the process is gone.
    let mut since = String::new();
    said.into_inner().read_to_string(&mut since).await.unwrap();
    assert!(since.contains("\"stopped the hard way\""), "{since}");
    assert_eq!(process.wait().await.unwrap().code(), Some(1));
    database.drop_soon();
}

#[tokio::test]
async fn commands_bring_the_schema_up_to_date_at_the_same_moment() {
    let database = Database::make().await;
    let folder = tempfile::tempdir().unwrap();
    let command = || {
        Command::new(env!("CARGO_BIN_EXE_orgtrail"))
            .arg("migrate")
            .env_clear()
            .envs(environment(&database, folder.path()))
            .env("ORGTRAIL_MIGRATE_DATABASE_URL", database.as_role("postgres").to_url_lossy().as_str())
            .output()
    };
    for output in join_all((0..12).map(|_| command())).await {
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    database.drop_soon();
}

#[tokio::test]
async fn a_bad_variable_ends_it_with_its_name() {
    let output = Command::new(env!("CARGO_BIN_EXE_orgtrail"))
        .env_clear()
        .env("ORGTRAIL_SIGNUP", "everybody")
        .output()
        .await
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.starts_with("orgtrail: ORGTRAIL_SIGNUP: `everybody`"), "{said}");
}
