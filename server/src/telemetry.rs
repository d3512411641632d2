//! The log: JSON lines on standard error. Nothing secret is ever given to it; line breaks and escapes of others come out as JSON does it.

use std::fmt;
use std::io::IsTerminal;

use serde_json::{Map, Value};
use tracing::{Event, Subscriber};
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::format::{Format, FormatEvent, FormatFields, Json, Writer, debug_fn, format};
use tracing_subscriber::fmt::{FmtContext, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, registry};

use crate::config::LogFormat;
use crate::traces::Spans;

/// The field in which sqlx repeats a whole statement. Its first words, which tell it, are in another one.
const STATEMENT: &str = "db.statement";

/// Starts logging what `filter` lets through; `filter` is in the words of tracing (`info`, `info,sqlx=debug` …).
///
/// Where no `format` was chosen, a terminal gets lines for people, and everything else JSON. `spans` are sent beside it, where there are traces; the
/// log's filter is not theirs.
///
/// # Errors
/// A filter that is not understood.
pub fn start(filter: &str, format: Option<LogFormat>, spans: Option<Spans>) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(quiet(filter))?;
    let usual = if std::io::stderr().is_terminal() { LogFormat::Text } else { LogFormat::Json };
    // A second start, in tests, keeps the first one's log.
    let out = std::io::stderr;
    let started = match (format.unwrap_or(usual), spans) {
        (LogFormat::Text, None) => registry().with(for_people(out)).with(filter).try_init(),
        (LogFormat::Json, None) => registry().with(for_machines(out)).with(filter).try_init(),
        (LogFormat::Text, Some(spans)) => registry().with(spans).with(for_people(out).with_filter(filter)).try_init(),
        (LogFormat::Json, Some(spans)) => registry().with(spans).with(for_machines(out).with_filter(filter)).try_init(),
    };
    drop(started);
    Ok(())
}

/// Libraries whose ordinary chatter is about things that are ordinary here: an expired session is no suspicious activity, and a
/// migration that is there already no news. Whoever names them in the filter hears them. The spans of traces are never in the log.
fn quiet(filter: &str) -> String {
    let spans = orgtrail::trace::TARGET;
    format!("tower_sessions=error,tower_sessions_core=error,sqlx::postgres::notice=warn,{filter},{spans}=off")
}

fn for_people<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let fields = debug_fn(|out, field, value| match field.name() {
        STATEMENT => Ok(()),
        "message" => write!(out, "{value:?}"),
        name => write!(out, "{name}={value:?}"),
    });
    tracing_subscriber::fmt::layer().with_writer(writer).fmt_fields(fields.delimited(" "))
}

fn for_machines<S, W>(writer: W) -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = Brief(format().json().flatten_event(true).with_span_list(false));
    tracing_subscriber::fmt::layer().with_writer(writer).json().event_format(lines)
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

    use tracing_subscriber::Registry;

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
        fn by<L: Layer<Registry> + Send + Sync>(make: impl FnOnce(Box<dyn Fn() -> Self + Send + Sync>) -> L) -> String {
            let said = Self::default();
            let writer = said.clone();
            let log = registry().with(make(Box::new(move || writer.clone()))).with(EnvFilter::new("info"));
            tracing::subscriber::with_default(log, || {
                tracing::warn!(target: "sqlx::query", summary = "select the first words …", db.statement = "select canary", elapsed_secs = 1.5, "slow statement");
                tracing::info!(status = 200, "request");
            });
            let bytes = said.0.lock().unwrap().clone();
            String::from_utf8(bytes).unwrap()
        }
    }

    #[test]
    fn what_is_logged_in_a_request_names_it_also_within_a_span_of_traces() {
        let said = Said::default();
        let writer = said.clone();
        let lines = for_machines(move || writer.clone()).with_filter(EnvFilter::new(quiet("debug")));
        tracing::subscriber::with_default(registry().with(lines), || {
            let _request = tracing::info_span!("request", request_id = "req_1").entered();
            let _work = tracing::info_span!(target: orgtrail::trace::TARGET, "work", otel.name = "hashing").entered();
            tracing::info!("within");
        });
        let line: Value = serde_json::from_slice(&said.0.lock().unwrap()).unwrap();
        assert_eq!(line["span"], serde_json::json!({ "request_id": "req_1", "name": "request" }));
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
