//! The fields of a JSON object, their values left as they were written.

use std::collections::HashSet;

use serde_json::value::RawValue;

/// The fields of an object in its order; of a repeated name the last value, as every reader of JSON takes it.
pub(super) type Fields<'a> = indexmap::IndexMap<String, &'a RawValue>;
