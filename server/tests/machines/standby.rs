//! A streaming replica of a primary, as an operator makes one: by `pg_basebackup -R`.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::process::{Child, Command};
use tokio::time::sleep;

use crate::machines::{Machines, end_postmaster, postmaster};

/// A replica. It ends with the value.
pub struct Standby {
    /// Its files; its socket is in the folder that holds them.
    files: PathBuf,
    programs: PathBuf,
    settings: Vec<&'static str>,
    process: Option<Child>,
}

impl Standby {
    /// A copy of the primary that follows it, with more settings.
    pub async fn of(machines: &Machines, settings: &[&'static str]) -> Self {
        Self::named("replica", machines, settings).await
    }

    /// Likewise, one of several.
    pub async fn named(name: &str, machines: &Machines, settings: &[&'static str]) -> Self {
        let primary = machines.folder.path().join("postgres");
        let running = machines.primary.postmaster_pid().await.unwrap();
        let program = fs::read_link(format!("/proc/{running}/exe")).unwrap();
        let folder = machines.folder.path().join(name);
        fs::create_dir(&folder).unwrap();
        let owner = primary.metadata().unwrap();
        chown(&folder, Some(owner.uid()), Some(owner.gid())).unwrap();
        let files = folder.join("postgres");
        let programs = program.parent().unwrap().to_owned();
        let mut standby = Self { files, programs, settings: settings.to_vec(), process: None };
        let mut copying = standby.command("pg_basebackup");
        copying.args(["--write-recovery-conf", "--checkpoint=fast", "--no-sync", "--username=postgres", "--host"]);
        copying.arg(machines.primary.socket_dir()).arg("--pgdata").arg(&standby.files);
        assert!(copying.status().await.unwrap().success());
        standby.start().await;
        standby
    }

    /// One of Postgres' programs, as the account that owns the files.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.env_clear().env("LC_ALL", "C.UTF-8").current_dir("/");
        if Uid::effective().is_root() {
            let owner = self.folder().metadata().unwrap();
            command.uid(owner.uid()).gid(owner.gid());
        }
        command
    }

    fn folder(&self) -> &Path {
        self.files.parent().unwrap()
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        let mut command = self.command("postgres");
        command.arg("-D").arg(&self.files).arg("-k").arg(self.folder());
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        self.process = Some(command.process_group(0).kill_on_drop(true).spawn().unwrap());
        while self.options("postgres").connect().await.is_err() {
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// How to connect to it as `role`.
    pub fn options(&self, role: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass().socket(self.folder()).username(role).database("orgtrail")
    }

    /// `DATABASE_REPLICA_URL`.
    pub fn url(&self, role: &str) -> String {
        format!("postgres:///orgtrail?host={}&user={role}", self.folder().display())
    }

    /// It as a superuser.
    pub async fn superuser(&self) -> PgConnection {
        self.options("postgres").connect().await.unwrap()
    }

    /// Asks a question that begins with `select`, as a superuser, until the answer is true.
    pub async fn until(&self, condition: &str) {
        let mut connection = self.superuser().await;
        let question = format!("select {condition}");
        while !sqlx::query_scalar(AssertSqlSafe(question.clone())).fetch_one(&mut connection).await.unwrap_or(false) {
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Waits until it has all that is on the primary now.
    pub async fn follow(&self, machines: &Machines) {
        let written = sqlx::query_scalar("select pg_current_wal_lsn()::text");
        let written: String = written.fetch_one(&mut machines.superuser().await).await.unwrap();
        self.until(&format!("pg_last_wal_replay_lsn() >= '{written}'")).await;
    }

    /// Lets it stay as it is, whatever the primary does.
    pub async fn pause(&self) {
        sqlx::query("select pg_wal_replay_pause()").execute(&mut self.superuser().await).await.unwrap();
        self.until("pg_get_wal_replay_pause_state() = 'paused'").await;
    }

    /// Lets it follow again.
    pub async fn resume(&self) {
        sqlx::query("select pg_wal_replay_resume()").execute(&mut self.superuser().await).await.unwrap();
    }

    /// Kills it with all of its processes, as a loss of power would.
    pub async fn kill(&mut self) {
        self.signal(Signal::SIGKILL);
        self.process.take().unwrap().wait().await.unwrap();
    }

    /// Lets it hang: connections stay open and nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::SIGSTOP);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.signal(Signal::SIGCONT);
    }

    /// The postmaster first: it starts no more processes then.
    fn signal(&self, signal: Signal) {
        let Some(postmaster) = postmaster(&self.files) else { return };
        let _gone_already = kill(postmaster, signal);
        for child in children(postmaster) {
            let _gone_already = kill(child, signal);
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        self.thaw();
        end_postmaster(&self.files);
    }
}

/// The processes that `parent` started.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.filter(|id| parent_of(*id) == Some(parent)).map(Pid::from_raw).collect()
}

/// What comes after the name in parentheses: state, then parent.
fn parent_of(id: i32) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let mut rest = stat.rsplit_once(')')?.1.split_whitespace();
    rest.nth(1)?.parse().ok().map(Pid::from_raw)
}
