//! The log: JSON lines on standard error. Nothing secret is ever given to it; line breaks and escapes of others come out as JSON does it.

use std::fmt;
use std::io::IsTerminal;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Json, Writer, debug_fn, format};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::config::LogFormat;

/// The field in which sqlx repeats a whole statement. Its first words, which tell it, are in another one.
const STATEMENT: &str = "db.statement";

/// Starts logging what `filter` lets through; `filter` is in the words of tracing (`info`, `info,sqlx=debug` …).
///
/// Where no `format` was chosen, a terminal gets lines for people, and everything else JSON.
///
/// # Errors
/// A filter that is not understood.
pub fn start(filter: &str, format: Option<LogFormat>) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(quiet(filter))?;
    let usual = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    // A second start, in tests, keeps the first one's log.
    let started = match format.unwrap_or(usual) {
        LogFormat::Text => for_people(filter, std::io::stderr).try_init(),
        LogFormat::Json => for_machines(filter, std::io::stderr).try_init(),
    };
    drop(started);
    Ok(())
}

/// Libraries whose ordinary chatter is about things that are ordinary here: an expired session is no suspicious activity, and a
/// migration that is there already no news. Whoever names them in the filter hears them.
fn quiet(filter: &str) -> String {
    format!("tower_sessions=error,tower_sessions_core=error,sqlx::postgres::notice=warn,{filter}")
}

fn for_people<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let fields = debug_fn(|out, field, value| match field.name() {
        STATEMENT => Ok(()),
        "message" => write!(out, "{value:?}"),
        name => write!(out, "{name}={value:?}"),
    });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    log.fmt_fields(fields.delimited(" ")).finish()
}

fn for_machines<W>(filter: EnvFilter, writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = Brief(format().json().flatten_event(true).with_span_list(false));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    log.json().event_format(lines).finish()
}

/// JSON lines without whole statements.
struct Brief(Format<Json>);

impl<S, N> FormatEvent<S, N> for Brief
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        if event.metadata().fields().field(STATEMENT).is_none() {
            return self.0.format_event(context, out, event);
        }
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let mut fields: Map<String, Value> = serde_json::from_str(&line).map_err(|_| fmt::Error)?;
        fields.shift_remove(STATEMENT);
        writeln!(out, "{}", Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn the_filter_of_the_environment_comes_last() {
        assert!(EnvFilter::builder().parse(quiet("info")).is_ok());
        assert!(EnvFilter::builder().parse(quiet("a=b=c")).is_err());
    }

    /// What was logged.
    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<u8>>>);

    impl Write for Said {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Said {
        /// What a slow statement and another event leave in a log that is made by `make`.
        fn by<S: Subscriber + Send + Sync>(
            make: impl FnOnce(EnvFilter, Box<dyn Fn() -> Self + Send + Sync>) -> S,
        ) -> String {
            let said = Self::default();
            let writer = said.clone();
            tracing::subscriber::with_default(make(EnvFilter::new("info"), Box::new(move || writer.clone())), || {
                tracing::warn!(target: "sqlx::query", summary = "select the first words …", db.statement = "select canary", elapsed_secs = 1.5, "slow statement");
                tracing::info!(status = 200, "request");
            });
            let bytes = said.0.lock().unwrap().clone();
            String::from_utf8(bytes).unwrap()
        }
    }

    #[test]
    fn a_slow_statement_is_told_by_its_first_words() {
        for said in [Said::by(for_people), Said::by(for_machines)] {
            assert_eq!(said.lines().count(), 2, "{said}");
            assert!(said.contains("select the first words …") && said.contains("1.5"), "{said}");
            assert!(!said.contains("canary") && said.contains("slow statement"), "{said}");
            assert!(said.contains("200") && said.contains("request"), "{said}");
        }
        let lines = Said::by(for_machines);
        let parsed: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!((&parsed["level"], &parsed["target"]), (&"WARN".into(), &"sqlx::query".into()));
    }
}
