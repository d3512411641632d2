//! Scalars: moments, and JSON as it is stored.

use async_graphql::indexmap::IndexMap;
use async_graphql::{InputValueError, InputValueResult, Name, Scalar, ScalarType, Value};
use async_graphql_value::RAW_VALUE_TOKEN;
use chrono::{DateTime, Utc};
use orgtrail::audit::moment::rfc3339;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment(pub DateTime<Utc>);

impl Moment {
    /// A moment as views have it, in RFC 3339.
    ///
    /// # Errors
    /// A fault of ours, if it is none.
    pub fn told(text: &str) -> orgtrail::Result<Self> {
        DateTime::parse_from_rfc3339(text).map(|at| Self(at.to_utc())).map_err(orgtrail::Error::internal)
    }
}

/// A moment in RFC 3339, such as `2026-11-22T09:30:00.000001Z`: with `Z` or an offset where it is an argument; in UTC with microseconds where it
/// is answered.
#[Scalar(name = "DateTime", specified_by_url = "https://scalars.graphql.org/andimarek/date-time.html")]
impl ScalarType for Moment {
    fn parse(value: Value) -> InputValueResult<Self> {
        let Value::String(text) = value else { return Err(InputValueError::expected_type(value)) };
        let told = "a moment is written in RFC 3339 with Z or an offset, like 2026-11-22T00:00:00Z";
        DateTime::parse_from_rfc3339(&text).map(|at| Self(at.to_utc())).map_err(|_| InputValueError::custom(told))
    }

    fn to_value(&self) -> Value {
        Value::String(rfc3339(self.0))
    }
}

/// The text of a JSON value.
#[derive(Debug, Clone)]
pub struct Json(pub String);

/// JSON of any form, as it is stored: numbers keep their digits and objects the order of their fields.
#[Scalar(name = "JSON")]
impl ScalarType for Json {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(serde_json::to_string(&value).map_err(|error| InputValueError::custom(error.to_string()))?))
    }

    /// The text goes into the answer as it is: to parse it and print it again would cost more than all the rest.
    fn to_value(&self) -> Value {
        Value::Object(IndexMap::from_iter([(Name::new(RAW_VALUE_TOKEN), Value::String(self.0.clone()))]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_have_an_offset() {
        let parse = |text: &str| Moment::parse(Value::from(text)).map(|moment| rfc3339(moment.0)).ok();
        assert_eq!(parse("2026-11-22T01:00:00+01:00").as_deref(), Some("2026-11-22T00:00:00.000000Z"));
        for refused in ["2026-11-22T01:00:00", "2026-11-22", "now", ""] {
            assert_eq!(parse(refused), None, "{refused}");
        }
        assert!(Moment::parse(Value::from(1)).is_err());
    }

    #[test]
    fn json_is_answered_byte_for_byte() {
        for text in ["{\"b\": 1.10, \"a\":[ 1e400 ]}", "null", "\"\\ud800\"", "{\"a\":1,\"a\":2}"] {
            assert_eq!(serde_json::to_string(&Json(text.to_owned()).to_value()).unwrap(), text);
        }
    }
}
