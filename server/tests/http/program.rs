//! The program itself, beside an application and on its database: for what only a process has, its log and its metrics.

use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::task::JoinHandle;

use crate::support::TestApplication;

/// A running program. It ends with the value.
pub struct Program {
    /// `http://127.0.0.1:…`
    pub url: String,
    process: Child,
    said: BufReader<ChildStdout>,
    log: JoinHandle<String>,
    _folder: TempDir,
}

impl Program {
    /// Starts one on the database of `app`, with more variables.
    pub async fn start(app: &TestApplication, more: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_orgtrail"))
            .env_clear()
            .envs(app.environment())
            .env("ORGTRAIL_ADDR", "127.0.0.1:0")
            .env("ORGTRAIL_DATA_DIR", folder.path())
            .envs(more.iter().copied())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // Read while it is written: a full pipe would stop the process.
        let mut stderr = process.stderr.take().unwrap();
        let log = tokio::spawn(async move {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).await.unwrap();
            String::from_utf8_lossy(&text).into_owned()
        });
        let said = BufReader::new(process.stdout.take().unwrap());
        let mut program = Self { url: String::new(), process, said, log, _folder: folder };
        program.url = program.says("Orgtrail listens on ").await;
        program
    }

    /// What follows `beginning` on the next line that it prints.
    pub async fn says(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).await.unwrap();
        line.trim().strip_prefix(beginning).unwrap_or_else(|| panic!("{line}")).to_owned()
    }

    /// Asks it to stop, and answers what it printed since and its whole log.
    pub async fn end(mut self) -> String {
        kill(Pid::from_raw(self.process.id().unwrap().try_into().unwrap()), Signal::SIGTERM).unwrap();
        let mut text = String::new();
        self.said.read_to_string(&mut text).await.unwrap();
        assert!(self.process.wait().await.unwrap().success());
        text + &self.log.await.unwrap()
    }
}
