//! What no answer may be, whatever was asked.

use std::time::Duration;

use orgtrail_server::config::Config;
use reqwest::RequestBuilder;

use crate::routes::Cast;
use crate::support::{Answer, TestApplication};

/// Longest wait for an answer, here and by the server itself: a machine with much else to do takes long, which is no fault.
const PATIENCE: Duration = Duration::from_mins(5);

/// Makes an application with that much patience, which answers as often as it is asked.
pub fn patient(config: &mut Config) {
    config.requests_per_minute = u32::MAX;
    let answering = &mut config.limits.answering;
    // A page that is not there soon is made once more, as ever.
    (answering.page[1], answering.graphql, answering.other) = (PATIENCE, PATIENCE, PATIENCE);
}

/// Everybody there is, around an application with that much patience.
pub async fn patient_cast() -> Cast {
    Cast::new_with(patient).await
}

/// What is known inside only: the words of databases, of panics, of the machine; none so short that a secret made by chance could have it.
const INSIDE: [&str; 20] = [
    "sqlx::",
    "orgtrail.events",
    "orgtrail.users",
    "orgtrail_app",
    "relation \"",
    "column \"",
    "syntax error at or near",
    "violates ",
    "invalid byte sequence",
    "invalid input syntax",
    "out of range for type",
    "duplicate key",
    "sqlstate",
    "backtrace",
    "panicked",
    "unwrap()",
    ".rs:",
    "/src/",
    "/usr/",
    "/tmp/",
];

/// Faults of ours as GraphQL tells them, whatever the status.
const CODES: [&str; 2] = ["\"code\":\"INTERNAL\"", "\"code\":\"UNAVAILABLE\""];

/// A server that is asked.
pub struct Asked {
    /// Where it is.
    pub url: String,
    /// How long it may take for an answer.
    pub patience: Duration,
}

impl Asked {
    /// The application.
    pub fn of(app: &TestApplication) -> Self {
        Self { url: app.url.clone(), patience: PATIENCE }
    }

    /// Asks; answers what is wrong with the answer, if anything, after `what` was asked.
    pub async fn complaint(&self, request: RequestBuilder, what: impl FnOnce() -> String) -> Option<String> {
        let complaint = match Answer::of(request.timeout(self.patience)).await {
            Ok(answer) => complaint(&answer)?,
            Err(error) => format!("no answer: {error:?}"),
        };
        Some(format!("{complaint}\n  to {}", what()))
    }
}

/// What is wrong with an answer, if anything.
pub fn complaint(answer: &Answer) -> Option<String> {
    let body = answer.body.to_lowercase();
    if answer.status >= 500 || CODES.iter().any(|code| answer.body.contains(code)) {
        return Some(format!("a fault of ours: {} {}", answer.status, answer.body));
    }
    if answer.header("x-request-id").is_empty() {
        return Some("it has no id".to_owned());
    }
    let told = INSIDE.iter().find(|word| body.contains(**word))?;
    Some(format!("it tells “{told}”: {}", answer.body))
}
