//! The log: JSON lines on standard error. Nothing secret is ever given to it; line breaks and escapes of others come out as JSON does it.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

/// Starts logging what `filter` lets through; `filter` is in the words of tracing (`info`, `info,sqlx=debug` …).
///
/// A terminal gets lines for people instead of JSON.
///
/// # Errors
/// A filter that is not understood.
pub fn start(filter: &str) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(quiet(filter))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    // A second start, in tests, keeps the first one's log.
    let started = if std::io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).with_span_list(false).try_init()
    };
    drop(started);
    Ok(())
}

/// Libraries whose ordinary chatter is about things that are ordinary here: an expired session is no suspicious activity, and a
/// migration that is there already no news. Whoever names them in the filter hears them.
fn quiet(filter: &str) -> String {
    format!("tower_sessions=error,tower_sessions_core=error,sqlx::postgres::notice=warn,{filter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_of_the_environment_comes_last() {
        assert!(EnvFilter::builder().parse(quiet("info")).is_ok());
        assert!(EnvFilter::builder().parse(quiet("a=b=c")).is_err());
    }
}
