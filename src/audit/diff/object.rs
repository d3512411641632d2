//! The fields of a JSON object, in its order, their values left as they were written.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object; of a repeated name the last value counts, as for every reader of JSON.
#[derive(Default)]
pub(super) struct Fields<'a> {
    names: Vec<String>,
    values: HashMap<String, &'a RawValue>,
}

impl<'a> Fields<'a> {
    /// Reads an object; nothing if the text is anything else.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The JSON text of a field.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.values.get(name).map(|value| value.get())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor)
    }
}

struct ObjectVisitor;

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Fields<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Fields::default();
        while let Some((name, value)) = entries.next_entry::<String, &'de RawValue>()? {
            if fields.values.insert(name.clone(), value).is_none() {
                fields.names.push(name);
            }
        }
        Ok(fields)
    }
}
