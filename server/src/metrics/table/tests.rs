//! The table: that it is whole and well named, and that what refers to it names nothing else.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;

use super::*;

#[test]
fn names_are_unique_and_say_their_unit() {
    let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
    assert_eq!(names.len(), METRICS.len());
    for Metric { name, sort, unit, help, .. } in METRICS {
        assert_eq!(
            matches!(sort, Sort::Counter),
            name.ends_with("_total") && *name != "process_cpu_seconds_total",
            "{name}"
        );
        assert_eq!(*unit == Unit::Seconds, name.contains("_seconds"), "{name}");
        assert_eq!(*unit == Unit::Bytes, name.contains("_bytes"), "{name}");
        assert!(help.ends_with('.'), "{name}");
    }
}

#[test]
fn docs_metrics() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/metrics.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page()).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(committed == page(), "docs/metrics.md is not what the table says: UPDATE_DOCS=1 cargo test docs_metrics");
}

fn page() -> String {
    let mut page = "# Metrics\n\n\
        <!-- Made from server/src/metrics/table.rs: UPDATE_DOCS=1 cargo test docs_metrics writes it anew. -->\n\n\
        What `/metrics` of `ORGTRAIL_METRICS_ADDR` answers, in the text form of Prometheus. How to read it is in\n\
        [operate.md](operate.md#watching-it). No label holds an organization, a person, an address or a path that somebody typed.\n\n\
        | metric | sort | labels | meaning |\n|---|---|---|---|\n"
        .to_owned();
    for Metric { name, sort, labels, help, .. } in METRICS {
        let sort = match sort {
            Sort::Counter => "counter",
            Sort::Gauge => "gauge",
            Sort::Histogram(_) => "histogram",
        };
        let labels: Vec<_> = labels.iter().map(|label| format!("`{}`", label.name)).collect();
        writeln!(page, "| `{name}` | {sort} | {} | {help} |", labels.join(", ")).unwrap();
    }
    page
}

/// Names of metrics in `text`, without what a histogram adds to its own.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("orgtrail_") || word.starts_with("process_"));
    ours.map(|word| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
        let of_histogram = |base: &&str| {
            METRICS.iter().any(|metric| metric.name == *base && matches!(metric.sort, Sort::Histogram(_)))
        };
        base.filter(of_histogram).unwrap_or(word).to_owned()
    })
    .collect()
}

fn unknown(text: &str) -> Vec<String> {
    let known = |name: &String| METRICS.iter().any(|metric| metric.name == name);
    named(text).into_iter().filter(|name| !known(name)).collect()
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_exist() {
    let dashboard = include_str!("../../../../docs/grafana-dashboard.json");
    let alerts = include_str!("../../../../docs/prometheus-alerts.yml");
    let parsed: serde_json::Value = serde_json::from_str(dashboard).unwrap();
    assert!(parsed["panels"].as_array().is_some_and(|panels| panels.len() > 10));
    for text in [dashboard, alerts] {
        assert!(named(text).len() > 5);
        assert_eq!(unknown(text), Vec::<String>::new());
    }
    assert_eq!(
        unknown("rate(orgtrail_http_request_seconds_bucket[5m]) / orgtrail_no_such_thing"),
        ["orgtrail_no_such_thing"]
    );
}

/// Where `text` selects series by a label, like `name{label="value"}`: the name, the label, and each value.
fn selected(text: &str) -> Vec<(&str, &str, &str)> {
    let named = METRICS.iter().flat_map(|metric| text.split(metric.name).skip(1).map(|after| (metric.name, after)));
    let within = named.filter_map(|(name, after)| Some((name, after.strip_prefix('{')?.split_once('}')?.0)));
    let pairs = within.flat_map(|(name, within)| within.split(',').map(move |pair| (name, pair)));
    let parted = pairs.filter_map(|(name, pair)| Some((name, pair.split_once('=')?)));
    parted
        .flat_map(|(name, (label, values))| {
            values.trim_matches(['~', '"', '\\']).split('|').map(move |value| (name, label, value))
        })
        .collect()
}

/// An alert on what nobody ever says would be silent for ever; and so would one on the growth of what does not begin at zero, the first time.
#[test]
fn the_alerts_select_values_that_are_known() {
    let alerts = include_str!("../../../../docs/prometheus-alerts.yml");
    let selected = selected(alerts);
    let mut known = 0;
    for (name, label, value) in &selected {
        let metric = METRICS.iter().find(|metric| metric.name == *name).unwrap();
        let label = metric.labels.iter().find(|found| found.name == *label).unwrap_or_else(|| panic!("{name} {label}"));
        if let Some(values) = label.values() {
            assert!(values.contains(value), "{name} {value}");
            known += 1;
        }
    }
    assert!(known >= 6, "{selected:?}");
    for metric in METRICS.iter().filter(|metric| alerts.contains(&format!("increase({}", metric.name))) {
        assert!(metric.sort == Sort::Counter && !metric.known_series().is_empty(), "{}", metric.name);
    }
}
