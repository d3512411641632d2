//! The postmaster as a process: its pid file, its start, its end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::{ClusterError, files};

/// How long a fast shutdown may take before an immediate one is asked for.
const FAST_SHUTDOWN: Duration = Duration::from_secs(30);
/// How long an immediate shutdown may take.
const IMMEDIATE_SHUTDOWN: Duration = Duration::from_secs(10);

/// The postmaster that serves us.
#[derive(Debug)]
pub(super) enum Postmaster {
    /// Our own child.
    Started(Started),
    /// It was alive when we came.
    Adopted(Pid),
}

impl Postmaster {
    /// Its process id, or `None` once it was seen dead.
    pub(super) fn pid(&self) -> Option<u32> {
        match self {
            Self::Started(started) => started.child.id(),
            Self::Adopted(pid) => u32::try_from(pid.as_raw()).ok(),
        }
    }

    /// Whether it still runs; a dead child is reaped on the way.
    pub(super) fn is_alive(&mut self, cluster: &Path) -> bool {
        match self {
            Self::Started(started) => matches!(started.child.try_wait(), Ok(None)),
            Self::Adopted(pid) => is_postmaster(*pid, cluster),
        }
    }
}

/// A postmaster that is our child. Dropping it asks for a fast shutdown and does not wait.
#[derive(Debug)]
pub(super) struct Started {
    child: Child,
}

impl Started {
    /// Runs `command` (a `postgres` of the right account) on `cluster`, in a process group of its own: a Ctrl-C at the
    /// terminal reaches us alone, and we stop Postgres in order.
    pub(super) fn spawn(mut command: Command, cluster: &Path, startup_log: &Path) -> Result<Self, ClusterError> {
        let out = files::open(startup_log, true)?;
        let err = out.try_clone().map_err(ClusterError::file("open", startup_log))?;
        command.arg("-D").arg(cluster).stdout(out).stderr(Stdio::from(err)).process_group(0);
        let program = PathBuf::from(command.as_std().get_program());
        let child = command.spawn().map_err(|source| ClusterError::NotRunnable { program, source })?;
        Ok(Self { child })
    }

    /// Fails once the process has ended.
    pub(super) fn check(&mut self, cluster: &Path, startup_log: &Path) -> Result<(), ClusterError> {
        if matches!(self.child.try_wait(), Ok(None)) {
            return Ok(());
        }
        let said = fs::read(startup_log).unwrap_or_default();
        let said = files::last_words(&String::from_utf8_lossy(&said));
        Err(ClusterError::DiedAtStart { log: cluster.join("log"), said })
    }

    /// Shuts down fast (clients are cut off, everything is written), and immediately when that takes too long.
    pub(super) async fn shut_down(mut self) -> Result<(), ClusterError> {
        for (signal, patience) in [(Signal::SIGINT, FAST_SHUTDOWN), (Signal::SIGQUIT, IMMEDIATE_SHUTDOWN)] {
            self.signal(signal);
            if timeout(patience, self.child.wait()).await.is_ok() {
                return Ok(());
            }
        }
        let seconds = (FAST_SHUTDOWN + IMMEDIATE_SHUTDOWN).as_secs();
        Err(ClusterError::StillRunning { pid: self.raw_pid().map_or(0, Pid::as_raw), seconds })
    }

    fn raw_pid(&self) -> Option<Pid> {
        self.child.id().and_then(|pid| i32::try_from(pid).ok()).map(Pid::from_raw)
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.raw_pid() {
            // The only failure is that it is gone already, which is what we want.
            let _ = kill(pid, signal);
        }
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.signal(Signal::SIGINT);
    }
}

/// What `postmaster.pid` says (the line numbers are those of Postgres' `pidfile.h`).
#[derive(Clone, Debug)]
pub(super) struct PidFile {
    /// Line 1.
    pub(super) pid: Pid,
    /// Line 5; empty until the socket is made.
    pub(super) socket_dir: Option<PathBuf>,
    /// Line 8 says `ready`.
    pub(super) ready: bool,
}

impl PidFile {
    /// The file as it is, whether its process lives or not.
    pub(super) fn read(cluster: &Path) -> Option<Self> {
        let text = fs::read_to_string(cluster.join("postmaster.pid")).ok()?;
        let line = |number: usize| text.lines().nth(number - 1).unwrap_or_default().trim();
        let pid = line(1).parse().ok().filter(|pid| *pid > 0)?;
        let socket_dir = Some(line(5)).filter(|folder| !folder.is_empty()).map(PathBuf::from);
        Some(Self { pid: Pid::from_raw(pid), socket_dir, ready: line(8) == "ready" })
    }

    /// The file, when the postmaster that it names is alive.
    pub(super) fn live(cluster: &Path) -> Option<Self> {
        Self::read(cluster).filter(|file| is_postmaster(file.pid, cluster))
    }
}

/// Clears away the pid file of a dead postmaster where Postgres would stumble over it: one left empty by a loss of
/// power, and one whose number has since gone to another process. Other stale files it handles itself, with a check
/// for left-over backends that we must not take away. Returns whether there was any, that is, whether the last end
/// was a crash.
pub(super) fn forget_dead(cluster: &Path) -> Result<bool, ClusterError> {
    let path = cluster.join("postmaster.pid");
    if !path.exists() {
        return Ok(false);
    }
    if PidFile::read(cluster).is_none_or(|dead| exists(dead.pid)) {
        fs::remove_file(&path).map_err(ClusterError::file("remove", &path))?;
    }
    Ok(true)
}

/// Whether `pid` lives and is a postmaster on `cluster`, not just a process that got the number of a dead one.
fn is_postmaster(pid: Pid, cluster: &Path) -> bool {
    if !exists(pid) {
        return false;
    }
    match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(command_line) => runs_on(&command_line, cluster),
        // No such file system here: the number is all there is to go by.
        Err(_) => true,
    }
}

/// A process we may not signal exists too.
fn exists(pid: Pid) -> bool {
    !matches!(kill(pid, None), Err(Errno::ESRCH))
}

/// Reads `/proc/<pid>/cmdline`: `…/postgres NUL -D NUL <cluster> NUL`. A zombie's is empty.
fn runs_on(command_line: &[u8], cluster: &Path) -> bool {
    let arguments: Vec<&[u8]> = command_line.split(|byte| *byte == 0).collect();
    let is_postgres = arguments[0].ends_with(b"/postgres") || arguments[0] == b"postgres";
    let folder = arguments.windows(2).find(|pair| pair[0] == b"-D").map(|pair| pair[1]);
    is_postgres && folder.is_none_or(|folder| folder == cluster.as_os_str().as_encoded_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_tells_our_postmaster_from_others() {
        let ours = Path::new("/data/postgres");
        assert!(runs_on(b"/usr/lib/postgresql/15/bin/postgres\0-D\0/data/postgres\0", ours));
        assert!(!runs_on(b"/usr/lib/postgresql/15/bin/postgres\0-D\0/other/postgres\0", ours));
        assert!(!runs_on(b"postgres: checkpointer \0", ours));
        assert!(!runs_on(b"/usr/bin/vi\0-D\0/data/postgres\0", ours));
        assert!(!runs_on(b"", ours));
    }
}
