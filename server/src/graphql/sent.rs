//! What a client sent: a JSON object with `query`, and maybe `operationName` and `variables`.

use async_graphql::{Name, Value, Variables};
use http::StatusCode;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::http::problem::Problem;

/// A request of GraphQL over HTTP.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The document, as sent.
    pub query: String,
    /// The name of the operation to run, as the client says it.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// The variables, as sent.
    #[serde(default)]
    pub variables: Option<Box<RawValue>>,
    /// Nothing of it is used.
    #[serde(default, rename = "extensions")]
    _extensions: Option<IgnoredAny>,
}

impl Sent {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// 400 for whatever is not one object of this form: several at once as well.
    pub fn parse(body: &[u8]) -> Result<Self, Problem> {
        match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
            Some(b'{') => serde_json::from_slice(body).map_err(|error| bad_request(&format!("{FORM} Here: {error}."))),
            Some(b'[') => Err(bad_request("Requests are sent one at a time, not as a list.")),
            _ => Err(bad_request(FORM)),
        }
    }

    /// The variables, for execution.
    ///
    /// # Errors
    /// 400 for what is no object, and for a NUL character, which no text of ours may have.
    pub fn variables(&self) -> Result<Variables, Problem> {
        let Some(raw) = &self.variables else { return Ok(Variables::default()) };
        let value = serde_json::from_str(raw.get()).map_err(|error| bad_request(&format!("`variables`: {error}.")))?;
        match value {
            serde_json::Value::Null => Ok(Variables::default()),
            serde_json::Value::Object(_) => match converted(value) {
                value if holds_nul(&value) => Err(bad_request("No text may have a NUL character.")),
                value => Ok(Variables::from_value(value)),
            },
            _ => Err(bad_request("`variables` is an object.")),
        }
    }
}

impl Sent {
    /// The variables as they are recorded: an object, whatever was sent.
    #[must_use]
    pub fn claimed(&self) -> serde_json::Value {
        let sent = self.variables.as_ref().and_then(|raw| serde_json::from_str(raw.get()).ok());
        sent.filter(serde_json::Value::is_object).unwrap_or_else(|| serde_json::json!({}))
    }
}

const FORM: &str = "The body is a JSON object: {\"query\": \"…\", \"variables\": {…}, \"operationName\": \"…\"}.";

fn bad_request(message: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "BAD_USER_INPUT", message)
}

/// By hand, because serde would turn numbers of a precision of their own into objects.
fn converted(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(flag) => Value::Boolean(flag),
        serde_json::Value::Number(number) => Value::Number(number),
        serde_json::Value::String(text) => Value::String(text),
        serde_json::Value::Array(items) => Value::List(items.into_iter().map(converted).collect()),
        serde_json::Value::Object(fields) => {
            Value::Object(fields.into_iter().map(|(name, value)| (Name::new(name), converted(value))).collect())
        }
    }
}

/// Whether a value has a NUL character in any of its texts.
#[must_use]
pub fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::List(items) => items.iter().any(holds_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || holds_nul(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(body: &str) -> String {
        match Sent::parse(body.as_bytes()).and_then(|sent| sent.variables()) {
            Ok(_) => String::new(),
            Err(problem) => {
                assert_eq!((problem.status, problem.code.as_str()), (StatusCode::BAD_REQUEST, "BAD_USER_INPUT"));
                problem.message
            }
        }
    }

    #[test]
    fn one_object_is_read() {
        let sent = Sent::parse(br#" {"query":"{a}","operationName":null,"variables":{"n":1.10,"big":12345678901234567890123},"extensions":{}}"#)
            .unwrap();
        let variables = sent.variables().unwrap();
        assert_eq!((sent.query.as_str(), sent.operation_name), ("{a}", None));
        assert_eq!(serde_json::to_string(&variables).unwrap(), r#"{"big":12345678901234567890123,"n":1.10}"#);
        for body in [r#"{"query":"{a}"}"#, r#"{"query":"{a}","variables":null}"#] {
            assert_eq!(refused(body), "", "{body}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for body in [
            "",
            "null",
            "\"{a}\"",
            "{",
            "{}",
            r#"{"query":1}"#,
            r#"{"query":"{a}"} x"#,
            r#"[{"query":"{a}"}]"#,
            r#"["{a}"]"#,
            r#"{"query":"{a}","variables":[1]}"#,
            r#"{"query":"{a}","variables":{"a":{"b":["\u0000"]}}}"#,
            r#"{"query":"{a}","variables":{"a":"\ud800"}}"#,
            r#"{"query":"{a}","query":"{b}"}"#,
            "{\"query\":\"\u{fffd}",
        ] {
            assert_ne!(refused(body), "", "{body}");
        }
        assert_eq!(refused(r#"[{"query":"{a}"}]"#), "Requests are sent one at a time, not as a list.");
        assert_ne!(refused(&format!(r#"{{"query":"{{a}}","variables":{{"a":{}}}}}"#, "[".repeat(1000))), "");
    }
}
