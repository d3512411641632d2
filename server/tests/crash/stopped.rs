//! A Postgres that does not answer, and one that is shut down for a while: whoever asks is told to come again, and when it is back everything goes
//! on by itself.

use std::path::Path;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orgtrail_server::cluster::Cluster;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::amount::rounds;
use crate::check::problems;
use crate::doors::{assert_all_say_later, until_all_are_open};
use crate::load::Load;
use crate::site::Site;

/// Answers that are waited for before something breaks, and after it.
const SOME: usize = 20;

/// Longer than a connection is believed to live without being asked.
const A_WHILE: Duration = Duration::from_millis(1500);

/// Stopped processes. They go on with the end of the value, whatever becomes of the test.
struct Stopped(Vec<Pid>);

impl Stopped {
    fn all_of(site: &Site) -> Self {
        let processes = site.processes_of_postgres();
        assert!(processes.len() > 3, "a postmaster with its backends: {processes:?}");
        let stopped = Self(processes);
        stopped.all(Signal::SIGSTOP);
        stopped
    }

    fn all(&self, signal: Signal) {
        for process in &self.0 {
            let _gone_already = kill(*process, signal);
        }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.all(Signal::SIGCONT);
    }
}

#[tokio::test]
async fn a_postgres_that_does_not_answer_is_told_to_whoever_asks() {
    for mut random in rounds("a Postgres that does not answer", 1) {
        let site = Site::new();
        let (_server, address) = site.serve().await;
        let (_url, urls) = watch::channel(address);
        let mut load = Load::begin(&site, &urls, &mut random).await;
        let (ledger, tenant) = (load.ledger.clone(), load.tenants[0].clone());
        let freezing = async {
            ledger.more(SOME).await;
            until_all_are_open(&tenant).await; // control
            let stopped = Stopped::all_of(&site);
            sleep(A_WHILE).await;
            assert_all_say_later(&tenant).await;
            drop(stopped);
            until_all_are_open(&tenant).await;
            ledger.more(SOME).await;
        };
        load.during(freezing).await;
        let acknowledged = load.end().await;
        assert_eq!(problems(&site, &acknowledged).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_postgres_that_is_shut_down_and_comes_back_is_found_again() {
    for mut random in rounds("a Postgres that is shut down", 1) {
        let (site, cluster) = Site::beside().await;
        let (_server, address) = site.serve().await;
        let (_url, urls) = watch::channel(address);
        let mut load = Load::begin(&site, &urls, &mut random).await;
        let (ledger, tenant) = (load.ledger.clone(), load.tenants[0].clone());
        let folder: &Path = &site.folder_of_postgres();
        let restarting = async {
            ledger.more(SOME).await;
            until_all_are_open(&tenant).await; // control
            cluster.stop().await.unwrap();
            assert_all_say_later(&tenant).await;
            let back = Cluster::start(folder).await.unwrap();
            until_all_are_open(&tenant).await;
            ledger.more(SOME).await;
            back
        };
        let back = load.during(restarting).await;
        let acknowledged = load.end().await;
        assert_eq!(problems(&site, &acknowledged).await, Vec::<String>::new());
        back.stop().await.unwrap();
    }
}
