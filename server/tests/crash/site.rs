//! A server with a Postgres, which can be hurt.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use orgtrail_server::cluster::{Cluster, Role};
use orgtrail_server::config::Config;
use orgtrail_server::database::{self, Opened, Stay};
use orgtrail_server::secret_key::SecretKey;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// A folder that whoever runs Postgres can reach, also when we are root.
pub fn folder() -> TempDir {
    let permissions = Permissions::from_mode(0o711);
    tempfile::Builder::new().prefix("orgtrail-test-").permissions(permissions).tempdir_in("/tmp").unwrap()
}

/// The data folder of a server. What runs in it does not outlive the value.
pub struct Site {
    data: PathBuf,
    /// Whose folder has the Postgres: the server's own, or that of [`Site::beside`].
    postgres: PathBuf,
    variables: Vec<(String, String)>,
    /// Removed with the value, if it is ours.
    folder: Option<TempDir>,
}

impl Site {
    /// One whose server has a private Postgres.
    pub fn new() -> Self {
        let folder = folder();
        let mut site = Self::at(folder.path());
        site.folder = Some(folder);
        site
    }

    /// Likewise, in a folder of the caller's.
    pub fn at(data: &Path) -> Self {
        Self { data: data.to_owned(), postgres: data.to_owned(), variables: Vec::new(), folder: None }
    }

    /// One whose server is given the database of a Postgres that others run: it does not start it again.
    pub async fn beside() -> (Self, Cluster) {
        let mut site = Self::new();
        site.postgres = site.data.join("beside");
        let cluster = Cluster::start(&site.postgres).await.unwrap();
        let key = site.data.join("secret.key");
        let _made = SecretKey::read_or_make(&key).unwrap();
        let variables = [
            ("DATABASE_URL", cluster.url(Role::App)),
            ("ORGTRAIL_MIGRATE_DATABASE_URL", cluster.url(Role::Superuser)),
            ("ORGTRAIL_SECRET_KEY_FILE", key.display().to_string()),
        ];
        site.variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        (site, cluster)
    }

    /// One whose server is given a database that has the schema, of the Postgres in a folder.
    pub fn on(database: &str, postgres: &Path) -> Self {
        let mut site = Self::new();
        site.postgres = postgres.to_owned();
        let key = site.data.join("secret.key");
        let _made = SecretKey::read_or_make(&key).unwrap();
        let variables =
            [("DATABASE_URL", database.to_owned()), ("ORGTRAIL_SECRET_KEY_FILE", key.display().to_string())];
        site.variables = variables.map(|(name, value)| (name.to_owned(), value)).to_vec();
        site
    }

    /// The file with the key of the server.
    pub fn key(&self) -> PathBuf {
        self.data.join("secret.key")
    }

    /// The program with these arguments.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orgtrail"));
        command.args(arguments).env_clear().env("ORGTRAIL_DATA_DIR", &self.data).env("ORGTRAIL_ADDR", "127.0.0.1:0");
        if let Some(binaries) = std::env::var_os("ORGTRAIL_POSTGRES_BIN") {
            command.env("ORGTRAIL_POSTGRES_BIN", binaries);
        }
        command.envs(self.variables.iter().cloned()).env("ORGTRAIL_SIGNUP", "open");
        command.kill_on_drop(true).stderr(Stdio::null());
        command
    }

    /// What a command prints that ends well.
    pub async fn said_by(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().await.unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// A server that serves, and where.
    pub async fn serve(&self) -> (Child, String) {
        let mut command = self.command(&["serve"]);
        // Why it answered 500, where it did, nobody else says.
        command.env("ORGTRAIL_LOG", "error").stderr(Stdio::inherit());
        let mut server = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut said).await.unwrap();
        let url = said.trim().strip_prefix("Orgtrail listens on ").unwrap_or_else(|| panic!("it said {said:?}"));
        (server, url.to_owned())
    }

    /// The data folder of the Postgres.
    pub fn folder_of_postgres(&self) -> PathBuf {
        self.postgres.clone()
    }

    /// The process of Postgres from which the others come.
    pub fn postmaster(&self) -> Option<Pid> {
        let file = fs::read_to_string(self.postgres.join("postgres/postmaster.pid")).ok()?;
        file.lines().next()?.trim().parse().ok().map(Pid::from_raw)
    }

    /// The postmaster and all that it has started.
    pub fn processes_of_postgres(&self) -> Vec<Pid> {
        let postmaster = self.postmaster().unwrap();
        let all = fs::read_dir("/proc").unwrap().flatten();
        let numbers = all.filter_map(|entry| entry.file_name().to_str()?.parse().ok().map(Pid::from_raw));
        let children = numbers.filter(|process| parent(*process) == Some(postmaster));
        std::iter::once(postmaster).chain(children).collect()
    }

    /// The database as a superuser, past every policy.
    pub async fn database(&self) -> PgConnection {
        let socket = fs::read_to_string(self.postgres.join("postgres.socket")).unwrap();
        let options = PgConnectOptions::new().socket(socket.trim_end()).username("postgres").database("orgtrail");
        options.connect().await.unwrap()
    }

    /// What the use cases work on, beside the server.
    pub async fn open(&self) -> Opened {
        let data = ("ORGTRAIL_DATA_DIR".to_owned(), self.data.display().to_string());
        let config = Config::from_variables(self.variables.iter().cloned().chain([data])).unwrap();
        database::open(&config, Stay::Short).await.unwrap()
    }
}

fn parent(process: Pid) -> Option<Pid> {
    // `1234 (a name) S 1 …`: the name may have brackets and spaces in it.
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.split(' ').nth(1)?.parse().ok().map(Pid::from_raw)
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(postmaster) = self.postmaster() {
            for signal in [Signal::SIGQUIT, Signal::SIGCONT] {
                let _gone_already = kill(postmaster, signal);
            }
            while kill(postmaster, None) != Err(Errno::ESRCH) && self.postmaster().is_some() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}
