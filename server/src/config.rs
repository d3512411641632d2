//! What the environment says: the only configuration there is, and this page its reference.
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `ORGTRAIL_ADDR` | `127.0.0.1:3000` | address and port to listen on; port 0 takes a free one |
//! | `ORGTRAIL_DATA_DIR` | `./data` | folder of the server's key and of the private Postgres |
//! | `DATABASE_URL` | none | a Postgres ≥ 15 as `orgtrail_app`; without it a private one is started in the data folder |
//! | `DATABASE_REPLICA_URL` | none | a streaming replica of `DATABASE_URL`, as the same role, which then answers pages, logs and exports |
//! | `ORGTRAIL_MIGRATE_DATABASE_URL` | none | the same database as `orgtrail_migrate`; where it is set, `serve` brings the schema up to date itself |
//! | `ORGTRAIL_PUBLIC_URL` | none | what people type, scheme and host only, e.g. `https://audit.example`; without it the server is for this machine |
//! | `ORGTRAIL_TRUSTED_PROXIES` | none | networks, separated by commas, whose `X-Forwarded-For` is believed |
//! | `ORGTRAIL_SMTP_URL` | none | the mail server, e.g. `smtp://user:password@mail.example:587?tls=required`; without it mails are files in `outbox` of the data folder |
//! | `ORGTRAIL_MAIL_FROM` | none | who mails are from, e.g. `Orgtrail <orgtrail@acme.example>`; must be given with `ORGTRAIL_SMTP_URL` |
//! | `ORGTRAIL_SIGNUP` | `invite` | who may sign up: `invite`, `open` or `closed` |
//! | `ORGTRAIL_SECRET_KEY_FILE` | `secret.key` in the data folder | file with the server's key, 32 bytes, mode 0600; must be given with `DATABASE_URL` |
//! | `ORGTRAIL_SESSION_IDLE_MINUTES` | `30` | minutes without a request after which a session ends, 5 to 720 (R-02) |
//! | `ORGTRAIL_SESSION_HOURS` | `12` | hours after signing in at which a session ends whatever happens, 1 to 24 (R-02) |
//! | `ORGTRAIL_REQUESTS_PER_MINUTE` | `600` | requests that one access token may make in a minute to this server, 1 to 1,000,000 |
//! | `ORGTRAIL_RETENTION_DAYS` | `90` | days for which everything is kept at least, 90 to 36,525; then whole months of the trail are dropped |
//! | `ORGTRAIL_DEMO_PASSWORD` | `orgtrail-demo-password` | password of the people that `orgtrail demo` makes |
//! | `ORGTRAIL_USER_PASSWORD` | none | password that `orgtrail user create` gives, for scripts |
//! | `ORGTRAIL_LOG` | `info`; for short commands `warn` | what is logged, in the words of tracing: `warn`, `info,sqlx=debug` … |
//! | `ORGTRAIL_LOG_FORMAT` | `json`; on a terminal `text` | how it is written: `json` or `text` |
//! | `ORGTRAIL_METRICS_ADDR` | none | address and port of `/metrics`, for Prometheus; without it nothing is counted |
//! | `OTEL_EXPORTER_OTLP_ENDPOINT` | none | base address of a collector of OpenTelemetry, e.g. `http://127.0.0.1:4318`, which gets traces; without it there are none |
//! | `OTEL_EXPORTER_OTLP_HEADERS` | none | headers for it, e.g. `api-key=…` |
//! | `OTEL_SERVICE_NAME` | `orgtrail` | what the server is called in traces |
//! | `OTEL_TRACES_SAMPLER` | `parentbased_always_on` | which requests have a trace, in the words of OpenTelemetry |
//! | `OTEL_TRACES_SAMPLER_ARG` | none | the share of them, 0 to 1, for the samplers that take one |
//! | `ORGTRAIL_POSTGRES_BIN` | searched for | folder with `postgres` and `initdb` for the private Postgres |
//!
//! An empty value counts as none. A value that is not understood, and a variable that begins with `ORGTRAIL_` but is none of these,
//! are refused at start with their name.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;
use orgtrail::platform::SignUp;
use orgtrail::upkeep::Retention;
use sqlx::postgres::PgConnectOptions;
use url::{Host, Url};

use crate::http::listen::limits::Limits;
use crate::mail::settings::MailSettings;
use crate::traces::settings::TraceSettings;

mod lifetimes;

pub use lifetimes::SessionLifetimes;

/// Every variable that is read, in the order of the table above.
pub const VARIABLES: [&str; 26] = [
    "ORGTRAIL_ADDR",
    "ORGTRAIL_DATA_DIR",
    "DATABASE_URL",
    "DATABASE_REPLICA_URL",
    "ORGTRAIL_MIGRATE_DATABASE_URL",
    "ORGTRAIL_PUBLIC_URL",
    "ORGTRAIL_TRUSTED_PROXIES",
    "ORGTRAIL_SMTP_URL",
    "ORGTRAIL_MAIL_FROM",
    "ORGTRAIL_SIGNUP",
    "ORGTRAIL_SECRET_KEY_FILE",
    "ORGTRAIL_SESSION_IDLE_MINUTES",
    "ORGTRAIL_SESSION_HOURS",
    "ORGTRAIL_REQUESTS_PER_MINUTE",
    "ORGTRAIL_RETENTION_DAYS",
    "ORGTRAIL_DEMO_PASSWORD",
    "ORGTRAIL_USER_PASSWORD",
    "ORGTRAIL_LOG",
    "ORGTRAIL_LOG_FORMAT",
    "ORGTRAIL_METRICS_ADDR",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_HEADERS",
    "OTEL_SERVICE_NAME",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
    "ORGTRAIL_POSTGRES_BIN",
];

/// What an address to listen on looks like.
const ADDRESS: &str = "an IP address with a port, such as `127.0.0.1:3000` or `[::]:3000`";

/// Read by the build script only; whoever built here may still have it set.
const BUILD_VARIABLE: &str = "ORGTRAIL_SITE_DIR";

/// Password of the demo's people where none is chosen; `demo` then listens on loopback only (contract §9).
pub const DEFAULT_DEMO_PASSWORD: &str = "orgtrail-demo-password";

/// The configuration, understood. No `Debug`: it holds passwords.
#[derive(Clone)]
pub struct Config {
    /// Where to listen.
    pub address: SocketAddr,
    /// Folder of the key and of the private Postgres.
    pub data_folder: PathBuf,
    /// The database to use instead of the private one.
    pub database: Option<PgConnectOptions>,
    /// A streaming replica of it.
    pub replica_database: Option<PgConnectOptions>,
    /// The same database, for migrations.
    pub migrate_database: Option<PgConnectOptions>,
    /// What stands in front.
    pub public: PublicSide,
    /// How mail leaves.
    pub mail: MailSettings,
    /// Who may sign up.
    pub sign_up: SignUp,
    /// Where the server's key is, if not in the data folder.
    pub secret_key_file: Option<PathBuf>,
    /// How long sessions live.
    pub sessions: SessionLifetimes,
    /// Requests that one access token may make in a minute.
    pub requests_per_minute: u32,
    /// How long everything is kept.
    pub retention: Retention,
    /// Password of the demo's people.
    pub demo_password: String,
    /// Password for `user create`.
    pub user_password: Option<String>,
    /// Filter of the log, if one was chosen.
    pub log: Option<String>,
    /// How the log is written, if that was chosen.
    pub log_format: Option<LogFormat>,
    /// Where metrics are read, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    /// Where traces are sent, if anywhere.
    pub traces: Option<TraceSettings>,
    /// What clients may take. No variable changes it.
    pub limits: Limits,
}

/// How the world reaches the server.
#[derive(Clone, Debug, Default)]
pub struct PublicSide {
    /// Scheme and host that people use.
    pub url: Option<Url>,
    /// Whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpNet>,
}

/// How the log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One object a line, for programs.
    Json,
    /// For people.
    Text,
}

/// A variable that cannot be accepted.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct ConfigError {
    /// Name of the variable.
    pub variable: String,
    /// What is wrong with it and what is allowed; never its value where that may be a secret.
    pub problem: String,
}

impl Config {
    /// Reads the environment of the process.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be accepted.
    pub fn from_env() -> Result<Self, ConfigError> {
        let variables = std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        let mut known = BTreeMap::new();
        for (name, value) in variables.filter(|(name, _)| is_ours(name)) {
            let value = value.into_string().map_err(|_| refuse(&name, "is not UTF-8."))?;
            known.insert(name, value);
        }
        Self::from_variables(known)
    }

    /// Reads pairs of names and values; those that are not ours are ignored.
    ///
    /// # Errors
    /// [`ConfigError`] for the first variable that cannot be accepted.
    pub fn from_variables(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let variables = Variables::new(variables)?;
        let config = Self {
            address: variables.address()?,
            data_folder: variables.text("ORGTRAIL_DATA_DIR").unwrap_or("./data").into(),
            database: variables.database("DATABASE_URL")?,
            replica_database: variables.database("DATABASE_REPLICA_URL")?,
            migrate_database: variables.database("ORGTRAIL_MIGRATE_DATABASE_URL")?,
            public: PublicSide { url: variables.public_url()?, trusted_proxies: variables.trusted_proxies()? },
            mail: variables.mail()?,
            sign_up: variables.sign_up()?,
            secret_key_file: variables.text("ORGTRAIL_SECRET_KEY_FILE").map(PathBuf::from),
            sessions: variables.sessions()?,
            requests_per_minute: variables.requests_per_minute()?,
            retention: variables.retention()?,
            demo_password: variables.text("ORGTRAIL_DEMO_PASSWORD").unwrap_or(DEFAULT_DEMO_PASSWORD).to_owned(),
            user_password: variables.text("ORGTRAIL_USER_PASSWORD").map(str::to_owned),
            log: variables.text("ORGTRAIL_LOG").map(str::to_owned),
            log_format: variables.log_format()?,
            metrics_address: variables.parsed("ORGTRAIL_METRICS_ADDR", ADDRESS)?,
            traces: variables.traces()?,
            limits: Limits::default(),
        };
        config.check_together()?;
        Ok(config)
    }

    /// What no variable can say alone.
    fn check_together(&self) -> Result<(), ConfigError> {
        if self.database.is_some() && self.secret_key_file.is_none() {
            return Err(refuse(
                "ORGTRAIL_SECRET_KEY_FILE",
                "must be given with DATABASE_URL: every server of one database needs the same key. \
                 Make one with `head -c 32 /dev/urandom > secret.key && chmod 600 secret.key`.",
            ));
        }
        for (variable, database) in [
            ("DATABASE_REPLICA_URL", &self.replica_database),
            ("ORGTRAIL_MIGRATE_DATABASE_URL", &self.migrate_database),
        ] {
            if database.is_some() && self.database.is_none() {
                return Err(refuse(variable, "is of no use without DATABASE_URL."));
            }
        }
        if self.metrics_address.is_some_and(|metrics| metrics == self.address && metrics.port() != 0) {
            return Err(refuse("ORGTRAIL_METRICS_ADDR", "must be another address or port than ORGTRAIL_ADDR."));
        }
        Ok(())
    }

    /// The variable by which others than this machine reach the server, and what it names; none if nobody else is meant to.
    #[must_use]
    pub fn exposure(&self) -> Option<(&'static str, String)> {
        let listens = !self.address.ip().to_canonical().is_loopback();
        let public = self.public.url.as_ref().filter(|url| !is_this_machine(url));
        let proxy = self.public.trusted_proxies.first();
        listens
            .then(|| ("ORGTRAIL_ADDR", self.address.to_string()))
            .or_else(|| public.map(|url| ("ORGTRAIL_PUBLIC_URL", url.host_str().unwrap_or_default().to_owned())))
            .or_else(|| proxy.map(|net| ("ORGTRAIL_TRUSTED_PROXIES", format!("whoever is behind {net}"))))
    }

    /// Where the server's key is.
    #[must_use]
    pub fn secret_key_path(&self) -> PathBuf {
        self.secret_key_file.clone().unwrap_or_else(|| self.data_folder.join("secret.key"))
    }
}

/// Whether a variable is for us, known or not.
fn is_ours(name: &str) -> bool {
    name.starts_with("ORGTRAIL_") || VARIABLES.contains(&name)
}

fn refuse(variable: &str, problem: impl Into<String>) -> ConfigError {
    ConfigError { variable: variable.to_owned(), problem: problem.into() }
}

/// The variables that are set and not empty.
struct Variables(BTreeMap<String, String>);

impl Variables {
    fn new(variables: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let ours: BTreeMap<_, _> = variables.into_iter().filter(|(name, _)| is_ours(name)).collect();
        if let Some(unknown) = ours.keys().find(|name| !VARIABLES.contains(&name.as_str()) && *name != BUILD_VARIABLE) {
            return Err(refuse(unknown, format!("is not a variable of Orgtrail. There are {}.", VARIABLES.join(", "))));
        }
        Ok(Self(ours.into_iter().filter(|(_, value)| !value.is_empty()).collect()))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The value of `name` parsed, or a refusal that says what is `allowed`.
    fn parsed<T: FromStr>(&self, name: &str, allowed: &str) -> Result<Option<T>, ConfigError> {
        let parse = |value: &str| value.parse().map_err(|_| refuse(name, format!("`{value}` is not {allowed}.")));
        self.text(name).map(parse).transpose()
    }

    fn address(&self) -> Result<SocketAddr, ConfigError> {
        let default = SocketAddr::from(([127, 0, 0, 1], 3000));
        Ok(self.parsed("ORGTRAIL_ADDR", ADDRESS)?.unwrap_or(default))
    }

    fn log_format(&self) -> Result<Option<LogFormat>, ConfigError> {
        match self.text("ORGTRAIL_LOG_FORMAT") {
            None => Ok(None),
            Some("json") => Ok(Some(LogFormat::Json)),
            Some("text") => Ok(Some(LogFormat::Text)),
            Some(other) => Err(refuse("ORGTRAIL_LOG_FORMAT", format!("`{other}` is not `json` or `text`."))),
        }
    }

    /// Never repeats the value: it may hold a password.
    fn database(&self, name: &str) -> Result<Option<PgConnectOptions>, ConfigError> {
        let parse = |url: &str| {
            let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
            let options = url.parse().ok().filter(|_| known);
            options.ok_or_else(|| refuse(name, "is not a URL such as `postgres://orgtrail_app:…@host:5432/orgtrail`."))
        };
        self.text(name).map(parse).transpose()
    }

    fn public_url(&self) -> Result<Option<Url>, ConfigError> {
        let name = "ORGTRAIL_PUBLIC_URL";
        let allowed = "a URL of scheme and host only, such as `https://audit.example`";
        let url: Option<Url> = self.parsed(name, allowed)?;
        match url {
            Some(url) if !is_origin(&url) => {
                Err(refuse(name, format!("`{}` is not {allowed}.", url.host_str().unwrap_or_default())))
            }
            url => Ok(url),
        }
    }

    fn trusted_proxies(&self) -> Result<Vec<IpNet>, ConfigError> {
        let name = "ORGTRAIL_TRUSTED_PROXIES";
        let parse = |text: &str| {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            net.map_err(|_| refuse(name, format!("`{text}` is not a network such as `10.0.0.0/8` or `192.0.2.7`.")))
        };
        let list = self.text(name).unwrap_or_default().split(',').map(str::trim);
        list.filter(|text| !text.is_empty()).map(parse).collect()
    }

    fn mail(&self) -> Result<MailSettings, ConfigError> {
        MailSettings::parse(self.text("ORGTRAIL_SMTP_URL"), self.text("ORGTRAIL_MAIL_FROM"))
            .map_err(|(variable, problem)| refuse(variable, problem))
    }

    fn traces(&self) -> Result<Option<TraceSettings>, ConfigError> {
        TraceSettings::parse(|name| self.text(name)).map_err(|(variable, problem)| refuse(variable, problem))
    }

    fn sign_up(&self) -> Result<SignUp, ConfigError> {
        match self.text("ORGTRAIL_SIGNUP") {
            None | Some("invite") => Ok(SignUp::Invite),
            Some("open") => Ok(SignUp::Open),
            Some("closed") => Ok(SignUp::Closed),
            Some(other) => Err(refuse("ORGTRAIL_SIGNUP", format!("`{other}` is not `invite`, `open` or `closed`."))),
        }
    }

    fn sessions(&self) -> Result<SessionLifetimes, ConfigError> {
        let default = SessionLifetimes::default();
        let idle = self.number("ORGTRAIL_SESSION_IDLE_MINUTES", 5, 720)?.map(Duration::from_mins);
        let absolute = self.number("ORGTRAIL_SESSION_HOURS", 1, 24)?.map(Duration::from_hours);
        Ok(SessionLifetimes { idle: idle.unwrap_or(default.idle), absolute: absolute.unwrap_or(default.absolute) })
    }

    fn requests_per_minute(&self) -> Result<u32, ConfigError> {
        let number = self.number("ORGTRAIL_REQUESTS_PER_MINUTE", 1, 1_000_000)?;
        Ok(number.and_then(|number| number.try_into().ok()).unwrap_or(600))
    }

    fn retention(&self) -> Result<Retention, ConfigError> {
        let days = self.number("ORGTRAIL_RETENTION_DAYS", Retention::FLOOR.into(), Retention::MOST.into())?;
        let days = days.and_then(|days| Retention::of_days(days.try_into().ok()?));
        Ok(days.unwrap_or_default())
    }

    fn number(&self, name: &str, least: u64, most: u64) -> Result<Option<u64>, ConfigError> {
        let allowed = format!("a whole number from {least} to {most}");
        let number = self.parsed(name, &allowed)?;
        match number {
            Some(number) if !(least..=most).contains(&number) => {
                Err(refuse(name, format!("`{number}` is not {allowed}.")))
            }
            number => Ok(number),
        }
    }
}

fn is_origin(url: &Url) -> bool {
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    matches!(url.scheme(), "http" | "https") && url.has_host() && bare && nobody
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
