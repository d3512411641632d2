//! Errors on their way out: each gets its code, and causes of ours are logged, once, and never shown.

use async_graphql::{ErrorExtensionValues, Pos, Response, ServerError, Value};
use orgtrail::Error;
use orgtrail::error::Fault;

use crate::http::problem::chain;

/// Most errors that are told of one request.
const MAX_TOLD: usize = 20;

/// Fields of forms whose arguments here are called otherwise.
const RENAMED: [(&str, &str); 6] = [
    ("expires_on", "expiresAt"),
    ("form", "idempotencyKey"),
    ("owner_team", "ownerTeamId"),
    ("scope", "scopes"),
    ("team", "teamId"),
    ("teams", "teamIds"),
];

/// Why a document is not executed.
#[derive(Debug)]
pub struct Refused(ServerError);

impl Refused {
    /// A refusal with its code.
    #[must_use]
    pub fn new(code: &str, message: String, position: Option<Pos>) -> Self {
        let mut error = ServerError::new(message, position);
        error.extensions = Some(coded(code));
        Self(error)
    }

    /// The refusal of what was written.
    #[must_use]
    pub fn bad_input(message: &str, position: Option<Pos>) -> Self {
        Self::new("BAD_USER_INPUT", message.to_owned(), position)
    }

    /// The answer that says so.
    #[must_use]
    pub fn into_response(self) -> Response {
        Response::from_errors(vec![self.0])
    }
}

impl From<async_graphql::parser::Error> for Refused {
    fn from(error: async_graphql::parser::Error) -> Self {
        let error = ServerError::from(error);
        // The library draws the place into the text, which `locations` has too: what is wrong there is its last line.
        let wrong = error.message.lines().last().unwrap_or_default().trim().trim_start_matches("= ");
        let message = format!("Syntax: {wrong}.");
        Self(ServerError { message, extensions: Some(coded("BAD_USER_INPUT")), ..error })
    }
}

/// Gives every error of an answer its code.
pub fn dress(response: &mut Response) {
    response.errors.truncate(MAX_TOLD);
    for error in &mut response.errors {
        match error.source.take() {
            Some(source) => match source.downcast_ref::<Error>() {
                Some(cause) => of_domain(error, cause),
                None => fault(error, &error.message.clone()),
            },
            // What has no cause of ours is about what was written: the library's validation.
            None if error.extensions.is_none() => error.extensions = Some(coded("BAD_USER_INPUT")),
            None => {}
        }
    }
}

/// The code of an error that was dressed.
#[must_use]
pub fn code(error: &ServerError) -> &str {
    match error.extensions.as_ref().and_then(|extensions| extensions.get("code")) {
        Some(Value::String(code)) => code,
        _ => "INTERNAL",
    }
}

/// An error of a use case, in the words of the contract.
fn of_domain(error: &mut ServerError, cause: &Error) {
    if let Error::Internal(source) | Error::Unavailable(source) = cause {
        tracing::error!(cause = chain(source.as_ref()), path = ?error.path, "a field failed");
    }
    let mut extensions = coded(cause.code());
    if let Some(field) = cause.field() {
        extensions.set("field", argument(field));
    }
    if !cause.faults().is_empty() {
        extensions.set("faults", Value::List(cause.faults().iter().map(told).collect()));
    }
    if let Error::Throttled { retry_after_seconds } = cause {
        extensions.set("retryAfterSeconds", *retry_after_seconds);
    }
    error.message = cause.message();
    error.extensions = Some(extensions);
}

/// The argument that a field of a use case, named as in a form, is here.
fn argument(field: &str) -> String {
    let renamed = RENAMED.iter().find(|(form, _)| *form == field);
    renamed.map_or_else(|| camel_case(field), |(_, argument)| (*argument).to_owned())
}

fn camel_case(words: &str) -> String {
    let mut letters = words.chars();
    let mut joined = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '_' => joined.extend(letters.next().map(|first| first.to_ascii_uppercase())),
            _ => joined.push(letter),
        }
    }
    joined
}

/// An error of the assembly of the schema: ours.
fn fault(error: &mut ServerError, cause: &str) {
    tracing::error!(cause, path = ?error.path, "a field failed");
    error.message = "Something went wrong on our side.".to_owned();
    error.extensions = Some(coded("INTERNAL"));
}

fn told(fault: &Fault) -> Value {
    async_graphql::to_value(fault).unwrap_or_default()
}

fn coded(code: &str) -> ErrorExtensionValues {
    let mut extensions = ErrorExtensionValues::default();
    extensions.set("code", code);
    extensions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dressed(cause: Error) -> serde_json::Value {
        let error = async_graphql::Error::from(cause).into_server_error(Pos { line: 1, column: 2 });
        let mut response = Response::from_errors(vec![error]);
        dress(&mut response);
        serde_json::to_value(&response.errors[0]).unwrap()
    }

    #[test]
    fn codes_and_fields_are_told() {
        let error = dressed(Error::invalid("first", "Ask for 1 to 100."));
        assert_eq!(error["message"], "Ask for 1 to 100.");
        assert_eq!(error["extensions"], serde_json::json!({ "code": "BAD_USER_INPUT", "field": "first" }));
        let error = dressed(Error::faulty("schema", "It does not compose.", vec![Fault::at("a", "x y", 2, "no")]));
        assert_eq!(error["extensions"]["faults"][0]["column"], 3);
        assert_eq!(dressed(Error::Throttled { retry_after_seconds: 7 })["extensions"]["retryAfterSeconds"], 7);
    }

    #[test]
    fn a_cause_of_ours_is_not_told() {
        let error = dressed(Error::internal("select secret from canary"));
        assert_eq!(error["extensions"]["code"], "INTERNAL");
        assert!(!error.to_string().contains("canary"));
    }

    #[test]
    fn what_has_no_code_is_about_what_was_written() {
        let mut response = Response::from_errors(vec![ServerError::new("Unknown field.", None); 100]);
        dress(&mut response);
        assert_eq!(response.errors.len(), MAX_TOLD);
        let coded =
            |error: &ServerError| serde_json::to_value(error).unwrap()["extensions"]["code"] == "BAD_USER_INPUT";
        assert!(response.errors.iter().all(coded));
    }
}
