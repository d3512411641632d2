//! The configuration: what is accepted, what is refused by name, and that every page about it lists the same variables.

use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_variables(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

#[track_caller]
fn refused(name: &str, value: &str) -> String {
    let error = read(&[(name, value)]).err().unwrap_or_else(|| panic!("{name}={value} was accepted"));
    assert_eq!(error.variable, name);
    error.to_string()
}

#[test]
fn everything_has_a_default() {
    let config = read(&[("PATH", "/bin"), ("ORGTRAIL_LOG", "")]).unwrap();
    assert_eq!(config.address.to_string(), "127.0.0.1:3000");
    assert_eq!(config.data_folder, PathBuf::from("./data"));
    assert_eq!(config.secret_key_path(), PathBuf::from("./data/secret.key"));
    assert_eq!(config.sign_up, SignUp::Invite);
    assert_eq!(config.retention.days(), 90);
    assert_eq!(config.sessions, SessionLifetimes::default());
    assert!(config.database.is_none() && config.public.url.is_none() && config.public.trusted_proxies.is_empty());
}

#[test]
fn every_variable_is_understood() {
    let config = read(&[
        ("ORGTRAIL_ADDR", "[::]:80"),
        ("DATABASE_URL", "postgres://orgtrail_app:secret@db.example/orgtrail"),
        ("DATABASE_REPLICA_URL", "postgres://orgtrail_app:secret@replica.example/orgtrail"),
        ("ORGTRAIL_MIGRATE_DATABASE_URL", "postgresql://orgtrail_migrate@db.example/orgtrail"),
        ("ORGTRAIL_PUBLIC_URL", "https://audit.example"),
        ("ORGTRAIL_TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
        ("ORGTRAIL_SIGNUP", "closed"),
        ("ORGTRAIL_SECRET_KEY_FILE", "/run/secrets/orgtrail"),
        ("ORGTRAIL_SESSION_IDLE_MINUTES", "5"),
        ("ORGTRAIL_SESSION_HOURS", "24"),
        ("ORGTRAIL_REQUESTS_PER_MINUTE", "7"),
        ("ORGTRAIL_LOG_FORMAT", "text"),
        ("ORGTRAIL_METRICS_ADDR", "127.0.0.1:9090"),
        ("ORGTRAIL_RETENTION_DAYS", "400"),
    ])
    .unwrap();
    assert_eq!(config.retention.days(), 400);
    assert_eq!(config.log_format, Some(LogFormat::Text));
    assert_eq!(config.metrics_address, Some(SocketAddr::from(([127, 0, 0, 1], 9090))));
    assert_eq!(config.requests_per_minute, 7);
    assert_eq!(config.database.unwrap().get_username(), "orgtrail_app");
    assert_eq!(config.replica_database.unwrap().get_host(), "replica.example");
    assert_eq!(config.public.trusted_proxies.len(), 2);
    assert_eq!(config.secret_key_file, Some(PathBuf::from("/run/secrets/orgtrail")));
    assert_eq!(config.sessions.idle, Duration::from_mins(5));
}

#[test]
fn a_bad_value_is_refused_by_name() {
    for (name, values) in [
        ("ORGTRAIL_ADDR", ["localhost", "127.0.0.1", "127.0.0.1:70000"].as_slice()),
        (
            "ORGTRAIL_PUBLIC_URL",
            &["audit.example", "ftp://a.example", "https://a.example/path", "https://u:p@a.example"],
        ),
        ("ORGTRAIL_TRUSTED_PROXIES", &["10.0.0.0/40", "proxy", "10.0.0.1;10.0.0.2"]),
        ("ORGTRAIL_SIGNUP", &["everybody", "Open"]),
        ("ORGTRAIL_LOG_FORMAT", &["JSON", "pretty"]),
        ("ORGTRAIL_METRICS_ADDR", &["9090", "127.0.0.1", "127.0.0.1:3000"]),
        ("ORGTRAIL_SESSION_IDLE_MINUTES", &["4", "721", "30m", "-5"]),
        ("ORGTRAIL_SESSION_HOURS", &["0", "25", "1.5"]),
        ("ORGTRAIL_RETENTION_DAYS", &["0", "89", "-90", "90d", "36526", "99999999999999999999"]),
        ("ORGTRAIL_UNKNOWN", &["1"]),
    ] {
        for value in values {
            refused(name, value);
        }
    }
}

#[test]
fn a_database_url_is_never_repeated() {
    for variable in ["DATABASE_URL", "DATABASE_REPLICA_URL"] {
        let message = refused(variable, "mysql://root:canary@db/orgtrail");
        assert!(!message.contains("canary"), "{message}");
    }
}

#[test]
fn a_database_of_ones_own_needs_a_key_of_ones_own() {
    let error = read(&[("DATABASE_URL", "postgres://db/orgtrail")]).err().unwrap();
    assert_eq!(error.variable, "ORGTRAIL_SECRET_KEY_FILE");
}

#[test]
fn what_stands_beside_a_database_of_ones_own_is_of_no_use_without_it() {
    for variable in ["DATABASE_REPLICA_URL", "ORGTRAIL_MIGRATE_DATABASE_URL"] {
        assert!(refused(variable, "postgres://db/orgtrail").contains("without DATABASE_URL"));
    }
}

#[test]
fn the_reference_the_example_and_the_docs_list_the_same_variables() {
    let reference = listed(include_str!("../config.rs"), "//! | `");
    let example = listed(include_str!("../../../.env.example"), "# ");
    let docs = listed(include_str!("../../../docs/configuration.md"), "| `");
    assert_eq!(reference, VARIABLES);
    assert_eq!(docs, VARIABLES);
    assert_eq!(example, VARIABLES);
}

/// The variables that lines of `text` begin with after `mark`; in the example, lines like `# NAME=value`.
fn listed<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let names = text.lines().filter_map(|line| line.strip_prefix(mark)?.split_once(['`', '=']).map(|(name, _)| name));
    names.filter(|name| is_ours(name) && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')).collect()
}

#[test]
fn what_others_can_reach_is_known() {
    for (name, value, open) in [
        ("ORGTRAIL_ADDR", "127.0.0.1:3000", false),
        ("ORGTRAIL_ADDR", "127.9.9.9:1", false),
        ("ORGTRAIL_ADDR", "[::1]:3000", false),
        ("ORGTRAIL_ADDR", "[::ffff:127.0.0.1]:3000", false),
        ("ORGTRAIL_ADDR", "0.0.0.0:3000", true),
        ("ORGTRAIL_ADDR", "[::]:3000", true),
        ("ORGTRAIL_ADDR", "192.0.2.1:3000", true),
        ("ORGTRAIL_ADDR", "[::ffff:192.0.2.1]:3000", true),
        ("ORGTRAIL_PUBLIC_URL", "http://localhost:3000", false),
        ("ORGTRAIL_PUBLIC_URL", "http://demo.localhost", false),
        ("ORGTRAIL_PUBLIC_URL", "http://127.0.0.1:3000", false),
        ("ORGTRAIL_PUBLIC_URL", "http://[::1]:3000", false),
        ("ORGTRAIL_PUBLIC_URL", "https://audit.example", true),
        ("ORGTRAIL_PUBLIC_URL", "https://localhost.example", true),
        ("ORGTRAIL_PUBLIC_URL", "https://192.0.2.1", true),
        ("ORGTRAIL_TRUSTED_PROXIES", "127.0.0.1", true),
    ] {
        let exposure = read(&[(name, value)]).unwrap().exposure();
        assert_eq!(exposure.map(|(variable, _)| variable), open.then_some(name), "{name}={value}");
    }
}
