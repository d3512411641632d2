//! An export that breaks behind the balancer is seen to be broken by whoever reads it in front of it, in any version of HTTP.

use std::fs;
use std::process::ExitStatus;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::balancing::Pair;
use crate::client::export;
use crate::machines::end_postmaster;

/// curl, which has read a beginning and waits.
struct Curl {
    process: Child,
    folder: TempDir,
}

impl Curl {
    async fn begin(pair: &Pair, version: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--fail", version, "--limit-rate", "4M", "--header"]);
        curl.arg(format!("Authorization: Bearer {}", pair.program.token())).arg("--output");
        curl.arg(folder.path().join("export.csv")).arg(format!("{}{}", pair.url, export()));
        let curl = Self { process: curl.kill_on_drop(true).spawn().unwrap(), folder };
        while curl.bytes() == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        curl.signal(Signal::SIGSTOP);
        curl
    }

    fn bytes(&self) -> u64 {
        fs::metadata(self.folder.path().join("export.csv")).map_or(0, |file| file.len())
    }

    fn signal(&self, signal: Signal) {
        let id = self.process.id().unwrap();
        kill(Pid::from_raw(id.try_into().unwrap()), signal).unwrap();
    }

    /// Lets it read on.
    async fn end(mut self) -> ExitStatus {
        self.signal(Signal::SIGCONT);
        self.process.wait().await.unwrap()
    }
}

/// One reader for each version; more than two exports of an organization do not run at once.
async fn begin(pair: &Pair) -> [Curl; 2] {
    [Curl::begin(pair, "--http1.1").await, Curl::begin(pair, "--http1.0").await]
}

/// Exports that the servers know to have been broken off.
async fn broken_off(pair: &Pair) -> u64 {
    let mut count = 0;
    for server in &pair.servers {
        for outcome in ["aborted", "failed"] {
            count += server.counted(&format!("orgtrail_exports_total{{outcome=\"{outcome}\"}}")).await;
        }
    }
    count
}

#[tokio::test]
async fn what_breaks_behind_the_balancer_is_broken_before_it() {
    let mut pair = Pair::up().await;
    pair.fill().await;

    // Control: an export that nothing happens to.
    for reader in begin(&pair).await {
        assert!(reader.end().await.success());
    }

    // The servers are killed.
    until_free(&pair).await;
    let readers = begin(&pair).await;
    for server in &mut pair.servers {
        server.kill().await;
    }
    assert_broken(readers).await;
    for number in [0, 1] {
        pair.start_again(number).await;
    }

    // The database goes.
    until_free(&pair).await;
    let readers = begin(&pair).await;
    end_postmaster(&pair.machines.folder.path().join("postgres"));
    while broken_off(&pair).await < 2 {
        sleep(Duration::from_millis(50)).await;
    }
    assert_broken(readers).await;
}

/// The balancer closes its connections to them: it is the promised length that tells.
async fn assert_broken(readers: [Curl; 2]) {
    for reader in readers {
        let ended = reader.end().await;
        // Fewer bytes than promised, or a reset.
        assert!(matches!(ended.code(), Some(18 | 56)), "{ended}");
    }
}

/// Waits until the balancer sends requests to the servers again, and both places for exports are free.
async fn until_free(pair: &Pair) {
    let ready = format!("{}/readyz", pair.url);
    while !reqwest::get(&ready).await.is_ok_and(|answer| answer.status() == 200) {
        sleep(Duration::from_millis(50)).await;
    }
    let running = "select count(*) from orgtrail.running_exports where leased_until > clock_timestamp()";
    let mut superuser = pair.machines.superuser().await;
    while sqlx::query_scalar::<_, i64>(running).fetch_one(&mut superuser).await.unwrap() > 0 {
        sleep(Duration::from_millis(100)).await;
    }
}
