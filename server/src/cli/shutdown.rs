//! SIGTERM, SIGINT and SIGHUP (the terminal is closed): the first asks the server to stop, the second, or the end of its patience, ends it.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};

/// Whatever clients do, the process ends after this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(24);

/// Ends when the process is asked to stop; from then on it has 24 seconds.
///
/// # Errors
/// If the signals cannot be listened to.
pub(super) fn asked() -> io::Result<impl Future<Output = ()> + Send> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hang_up.recv() => {}
        }
        tracing::info!("stopping");
        tokio::spawn(async move {
            // A shell that closes may hang up twice: that is no impatience.
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = tokio::time::sleep(PATIENCE) => {}
            }
            tracing::error!("stopped the hard way");
            std::process::exit(1);
        });
    })
}
