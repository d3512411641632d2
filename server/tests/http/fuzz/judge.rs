//! What no answer may be, whatever was asked.

use crate::support::Answer;

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

/// What is wrong with an answer, if anything.
pub fn complaint(answer: &Answer) -> Option<String> {
    let body = answer.body.to_lowercase();
    if answer.status >= 500 {
        return Some(format!("{} {}", answer.status, answer.body));
    }
    if answer.header("x-request-id").is_empty() {
        return Some("it has no id".to_owned());
    }
    let told = INSIDE.iter().find(|word| body.contains(**word))?;
    Some(format!("it tells “{told}”: {}", answer.body))
}

/// Likewise of an answer of GraphQL, where faults of ours are codes.
pub fn complaint_of_graphql(answer: &Answer) -> Option<String> {
    let is_fault = answer.body.contains("\"INTERNAL\"") || answer.body.contains("\"UNAVAILABLE\"");
    if is_fault { Some(answer.body.clone()) } else { complaint(answer) }
}
