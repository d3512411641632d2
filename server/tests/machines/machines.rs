//! A primary, and servers on it; each server is the program itself.

use std::fs::{self, Permissions};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Output, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orgtrail_server::cluster::{Cluster, DATABASE, Role};
use orgtrail_server::secret_key::SecretKey;
use sqlx::{ConnectOptions, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};

/// The machines of a test. Nothing of them outlives the value.
pub struct Machines {
    /// Where the databases are.
    pub folder: TempDir,
    /// The primary.
    pub primary: Cluster,
}

impl Machines {
    /// A primary with the schema of Orgtrail.
    pub async fn start() -> Self {
        // Open to whoever runs Postgres when we are root.
        let permissions = Permissions::from_mode(0o711);
        let folder = tempfile::Builder::new().prefix("orgtrail-test-").permissions(permissions).tempdir_in("/tmp");
        let folder = folder.unwrap();
        let primary = Cluster::start(folder.path()).await.unwrap();
        let _made = SecretKey::read_or_make(&folder.path().join("secret.key")).unwrap();
        let machines = Self { folder, primary };
        let migrated = machines.command(&["migrate"]).status().await.unwrap();
        assert!(migrated.success());
        machines
    }

    /// The program with the variables that all servers share.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgtrail"));
        command.args(arguments).env_clear().kill_on_drop(true);
        for (variable, value) in [
            ("ORGTRAIL_ADDR", "127.0.0.1:0"),
            ("ORGTRAIL_METRICS_ADDR", "127.0.0.1:0"),
            ("ORGTRAIL_SIGNUP", "open"),
            ("ORGTRAIL_REQUESTS_PER_MINUTE", "1000000"),
            ("ORGTRAIL_LOG", "warn"),
            ("DATABASE_URL", &self.primary.url(Role::App)),
            ("ORGTRAIL_MIGRATE_DATABASE_URL", &self.primary.url(Role::Superuser)),
        ] {
            command.env(variable, value);
        }
        let path = self.folder.path();
        command.env("ORGTRAIL_DATA_DIR", path).env("ORGTRAIL_SECRET_KEY_FILE", path.join("secret.key"));
        command
    }

    /// A server, with more variables.
    pub async fn serve(&self, more: &[(&str, &str)]) -> Server {
        self.serve_on(free_port(), more).await
    }

    /// A server on a port that is known.
    pub async fn serve_on(&self, port: u16, more: &[(&str, &str)]) -> Server {
        let mut serve = self.command(&["serve"]);
        serve.envs(more.iter().copied()).env("ORGTRAIL_ADDR", format!("127.0.0.1:{port}")).stdout(Stdio::piped());
        let mut process = serve.spawn().unwrap();
        let mut said = BufReader::new(process.stdout.take().unwrap());
        // What it names is what people type, which may be the balancer's.
        after("Orgtrail listens on ", &mut said).await;
        let metrics = after("Metrics are at ", &mut said).await;
        Server { url: format!("http://127.0.0.1:{port}"), port, metrics, process, _said: said }
    }

    /// What a server says that does not start.
    pub async fn refused(&self, variable: &str, value: &str) -> String {
        let Output { status, stderr, .. } = self.command(&["serve"]).env(variable, value).output().await.unwrap();
        assert!(!status.success());
        String::from_utf8(stderr).unwrap()
    }

    /// What a short command prints.
    pub async fn say(&self, arguments: &[&str]) -> String {
        let Output { status, stdout, stderr } = self.command(arguments).output().await.unwrap();
        assert!(status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&stderr));
        String::from_utf8(stdout).unwrap().trim().to_owned()
    }

    /// The primary as a superuser, past every policy.
    pub async fn superuser(&self) -> PgConnection {
        self.primary.connect_options(DATABASE, Role::Superuser).connect().await.unwrap()
    }
}

impl Drop for Machines {
    fn drop(&mut self) {
        end_postmaster(&self.folder.path().join("postgres"));
    }
}

async fn after(beginning: &str, said: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    said.read_line(&mut line).await.unwrap();
    line.trim().strip_prefix(beginning).unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
}

/// A port that nobody listens on: somebody has to know it before somebody else does.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The postmaster whose files are in `folder`, if its file names one.
pub fn postmaster(folder: &Path) -> Option<Pid> {
    let file = fs::read_to_string(folder.join("postmaster.pid")).ok()?;
    file.lines().next()?.trim().parse().ok().map(Pid::from_raw)
}

/// Ends a postmaster at once, with all that it started, and waits until it is gone.
pub fn end_postmaster(folder: &Path) {
    if let Some(pid) = postmaster(folder) {
        let _gone_already = kill(pid, Signal::SIGQUIT);
        while kill(pid, None).is_ok() && postmaster(folder).is_some() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

/// A running server. It ends with the value.
pub struct Server {
    /// `http://127.0.0.1:…`
    pub url: String,
    /// The port that it listens on.
    pub port: u16,
    metrics: String,
    process: Child,
    _said: BufReader<ChildStdout>,
}

impl Server {
    /// Kills it, as a loss of power would.
    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits until it has.
    pub async fn stop(&mut self) {
        let id = self.process.id().unwrap();
        kill(Pid::from_raw(id.try_into().unwrap()), Signal::SIGTERM).unwrap();
        assert!(self.process.wait().await.unwrap().success());
    }

    /// What it has counted under `series`, a metric with its labels; 0 if it never happened.
    pub async fn counted(&self, series: &str) -> u64 {
        let text = reqwest::get(&self.metrics).await.unwrap().text().await.unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0, |value| value.parse().unwrap())
    }

    /// Requests that it has answered, besides the balancer's own.
    pub async fn answered(&self) -> u64 {
        let text = reqwest::get(&self.metrics).await.unwrap().text().await.unwrap();
        let counts = text.lines().filter(|line| line.starts_with("orgtrail_http_request_seconds_count{"));
        let counts = counts.filter(|line| !line.contains("route=\"/readyz\""));
        counts.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }
}
