//! How many files and connections the process may have open: as many as the system lets it.

/// Those that are no clients' connections: to the database and the mail server, sockets that listen, files.
const OTHERS: u64 = 64;

/// Raises the limit as far as this process may, and says so where it is too low for so many connections. What is usual, 1,024, is for
/// programs that still wait with `select`, which knows no higher number; here nothing does.
pub fn raise(connections: usize) {
    let needed = u64::try_from(connections).unwrap_or(u64::MAX).saturating_add(OTHERS);
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) if limit < needed => {
            tracing::warn!(
                limit,
                needed,
                "too few files may be open for as many connections as are taken: some will have to wait"
            );
        }
        Ok(limit) => tracing::debug!(limit, "files that may be open"),
        Err(cause) => tracing::warn!(%cause, needed, "the limit of open files cannot be raised"),
    }
}
