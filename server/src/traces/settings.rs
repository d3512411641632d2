//! The variables about traces, which are named by OpenTelemetry and not by us.

use std::str::FromStr;

use http::{HeaderName, HeaderValue};
use url::Url;

/// Base address of the collector.
pub const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
/// Headers for it, such as a key.
pub const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
/// What the service is called.
pub const SERVICE_NAME: &str = "OTEL_SERVICE_NAME";
/// Which requests have a trace.
pub const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
/// How many of them.
pub const SAMPLER_ARG: &str = "OTEL_TRACES_SAMPLER_ARG";

/// The samplers that there are.
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];

/// Where traces are sent. Headers and sampler are checked here, and read by OpenTelemetry's own code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceSettings {
    /// Where spans are posted.
    pub endpoint: Url,
    /// What the service is called.
    pub service_name: String,
}

impl TraceSettings {
    /// Understands the variables that `text` answers. Without an endpoint there are no traces, and nothing else is looked at: the others may be
    /// there for other programs.
    ///
    /// # Errors
    /// The variable, and what is wrong with it; never the value of the headers, which may hold a key.
    pub fn parse<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Self>, (&'static str, String)> {
        let Some(endpoint) = text(ENDPOINT) else { return Ok(None) };
        let endpoint = posting_to(endpoint).map_err(|problem| (ENDPOINT, problem))?;
        check_headers(text(HEADERS).unwrap_or_default()).map_err(|problem| (HEADERS, problem))?;
        check_sampler(text(SAMPLER), text(SAMPLER_ARG))?;
        let service_name = text(SERVICE_NAME).unwrap_or("orgtrail").to_owned();
        Ok(Some(Self { endpoint, service_name }))
    }
}

/// The address for spans, which is below the base address.
fn posting_to(base: &str) -> Result<Url, String> {
    let is_base = |url: &Url| {
        let bare = url.query().is_none() && url.fragment().is_none();
        let nobody = url.username().is_empty() && url.password().is_none();
        matches!(url.scheme(), "http" | "https") && bare && nobody
    };
    let mut url = base.parse().ok().filter(is_base).ok_or(
        "is not a URL such as `http://127.0.0.1:4318` or `https://otlp.example/prefix`, without user, query or fragment.",
    )?;
    url.set_path(&format!("{}/v1/traces", url.path().trim_end_matches('/')));
    Ok(url)
}

fn check_headers(text: &str) -> Result<(), String> {
    let is_header = |(name, value): (&str, &str)| {
        HeaderName::from_str(name.trim()).is_ok() && HeaderValue::from_str(value.trim()).is_ok()
    };
    if text.split_terminator(',').all(|pair| pair.split_once('=').is_some_and(is_header)) {
        return Ok(());
    }
    Err("is not a list such as `api-key=value,other=value`.".to_owned())
}

fn check_sampler(name: Option<&str>, argument: Option<&str>) -> Result<(), (&'static str, String)> {
    let Some(name) = name else { return Ok(()) };
    if !SAMPLERS.contains(&name) {
        return Err((SAMPLER, format!("`{name}` is none of {}.", SAMPLERS.join(", "))));
    }
    let is_share = |text: &str| text.parse().is_ok_and(|share: f64| (0.0..=1.0).contains(&share));
    if name.ends_with("traceidratio") && !argument.is_some_and(is_share) {
        return Err((SAMPLER_ARG, format!("must be a number from 0 to 1 with the sampler `{name}`.")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(variables: &[(&str, &'static str)]) -> Result<Option<TraceSettings>, (&'static str, String)> {
        TraceSettings::parse(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value))
    }

    #[track_caller]
    fn refused(variables: &[(&str, &'static str)]) -> (&'static str, String) {
        let endpoint = (ENDPOINT, "http://127.0.0.1:4318");
        parse(&[variables, &[endpoint]].concat()).expect_err("it was accepted")
    }

    #[test]
    fn spans_are_posted_below_the_base_address() {
        for (base, posted) in [
            ("http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/traces"),
            ("https://otlp.example/", "https://otlp.example/v1/traces"),
            ("https://otlp.example/tenant/7/", "https://otlp.example/tenant/7/v1/traces"),
        ] {
            let settings = parse(&[(ENDPOINT, base)]).unwrap().unwrap();
            assert_eq!((settings.endpoint.as_str(), settings.service_name.as_str()), (posted, "orgtrail"));
        }
        let named = parse(&[(ENDPOINT, "http://otlp.example"), (SERVICE_NAME, "audit")]).unwrap().unwrap();
        assert_eq!(named.service_name, "audit");
    }

    #[test]
    fn without_an_endpoint_nothing_is_looked_at() {
        assert_eq!(parse(&[(SAMPLER, "xray"), (HEADERS, "?")]).unwrap(), None);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for base in
            ["127.0.0.1:4318", "grpc://otlp.example", "http://", "https://u:p@otlp.example", "http://otlp.example?a=b"]
        {
            let (variable, problem) = refused(&[(ENDPOINT, base)]);
            assert!(variable == ENDPOINT && !problem.contains("u:p"), "{base}: {problem}");
        }
        for headers in ["canary", "a b=canary", "=canary", "a=canary\u{7}", "a=b,,c=d"] {
            let (variable, problem) = refused(&[(HEADERS, headers)]);
            assert!(variable == HEADERS && !problem.contains("canary"), "{headers}: {problem}");
        }
        assert_eq!(refused(&[(SAMPLER, "xray")]).0, SAMPLER);
        assert_eq!(refused(&[(SAMPLER, "traceidratio")]).0, SAMPLER_ARG);
        for share in ["", "1.1", "-0.1", "NaN", "10%"] {
            assert_eq!(
                refused(&[(SAMPLER, "parentbased_traceidratio"), (SAMPLER_ARG, share)]).0,
                SAMPLER_ARG,
                "{share}"
            );
        }
    }

    #[test]
    fn what_opentelemetry_names_is_understood() {
        for sampler in SAMPLERS {
            let variables = [
                (ENDPOINT, "http://otlp.example"),
                (SAMPLER, sampler),
                (SAMPLER_ARG, "0.05"),
                (HEADERS, "api-key=a%20b, x=y,"),
            ];
            assert!(parse(&variables).unwrap().is_some(), "{sampler}");
        }
    }
}
