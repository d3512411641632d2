//! Runs a command beside a private Postgres of its own, for tests and for preparing `.sqlx/`.
//!
//! `cargo run -p orgtrail-server --example with_postgres -- cargo test`
//!
//! The command finds `DATABASE_URL` (superuser, database `orgtrail`) in its environment. The cluster lives in a
//! temporary folder, in memory where there is room, and is stopped and removed at the end; the exit status is the command's own.

use std::error::Error;
use std::ffi::OsString;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitCode, ExitStatus};

use nix::sys::signal::{Signal, kill};
use nix::sys::statvfs::statvfs;
use nix::unistd::{Pid, Uid};
use orgtrail_server::cluster::{Cluster, Options, Role};
use tempfile::TempDir;
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let command: Vec<OsString> = std::env::args_os().skip(1).collect();
    if command.is_empty() {
        eprintln!("usage: with_postgres COMMAND [ARGUMENT …]");
        return ExitCode::from(2);
    }
    match with_cluster(&command).await {
        Ok(status) => exit_code(status),
        Err(error) => {
            complain(error.as_ref());
            ExitCode::FAILURE
        }
    }
}

async fn with_cluster(command: &[OsString]) -> Result<ExitStatus> {
    let folder = make_folder()?;
    // Tests open many small pools at once.
    let options = Options { max_connections: 300, ..Options::from_env() };
    let cluster = Cluster::start_with(folder.path(), options).await?;
    let status = run(command, &cluster.url(Role::Superuser)).await;
    cluster.stop().await?;
    if let Err(error) = folder.close() {
        complain(&error);
    }
    status
}

fn complain(error: &dyn Error) {
    eprint!("with_postgres: {error}");
    let mut cause = error.source();
    while let Some(error) = cause {
        eprint!(": {error}");
        cause = error.source();
    }
    eprintln!();
}

/// Memory that looks like a disk: what is on it is on it at once, so that hundreds of databases are made and dropped without waiting.
const MEMORY: &str = "/dev/shm";

/// Bytes that have to be free in memory: the storage tests took a quarter of a gigabyte on two cores, and more cores have more databases at once.
const ROOM: u64 = 4 << 30;

/// In memory where there is room, else in `/tmp`; open to whoever runs Postgres when we are root.
fn make_folder() -> Result<TempDir> {
    let mode = if Uid::effective().is_root() { 0o711 } else { 0o700 };
    let permissions = Permissions::from_mode(mode);
    let has_room = statvfs(MEMORY).is_ok_and(|disk| disk.blocks_available() * disk.fragment_size() >= ROOM);
    let place = if has_room { MEMORY } else { "/tmp" };
    Ok(tempfile::Builder::new().prefix("orgtrail-").permissions(permissions).tempdir_in(place)?)
}

async fn run(command: &[OsString], url: &str) -> Result<ExitStatus> {
    let mut interrupts = signal(SignalKind::interrupt())?;
    let mut terminations = signal(SignalKind::terminate())?;
    let mut child = start(command, url)?;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(status?),
            // A Ctrl-C reaches the command by itself; we only stay to clean up.
            _ = interrupts.recv() => {}
            _ = terminations.recv() => terminate(&child),
        }
    }
}

fn start(command: &[OsString], url: &str) -> Result<Child> {
    let child = Command::new(&command[0]).args(&command[1..]).env("DATABASE_URL", url).spawn();
    child.map_err(|error| format!("could not run {}: {error}", command[0].display()).into())
}

fn terminate(child: &Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // It may have ended by itself already.
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
}

/// As a shell has it: 128 and the signal for a command that was killed.
fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
