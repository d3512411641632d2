//! Two states of an object side by side: which fields differ, which are the same.

mod object;

use serde_json::Value;

use super::view::FieldDiff;
use super::visible::{visible, visible_block};
use object::Fields;

/// Nested objects are taken apart down to this depth; what lies deeper is one value.
const MAX_DEPTH: usize = 8;

/// Fields that each of the two lists shows; how many more there are is said in its last line.
pub const MAX_FIELDS: usize = 500;

/// Path of what is not an object on both sides.
pub const WHOLE: &str = "(whole)";

/// The fields that differ and those that are the same, in the order of previous, then what only next has.
///
/// Objects are compared field by field, by dotted path, arrays as values. Values are JSON text as it was written, numbers and
/// spelling included, with hidden characters made visible. What is no JSON object is compared as [`WHOLE`].
#[must_use]
pub fn diff(previous: Option<&str>, next: Option<&str>) -> (Vec<FieldDiff>, Vec<FieldDiff>) {
    let mut found = Found::default();
    match (fields(previous), fields(next)) {
        (Some(before), Some(after)) => found.objects("", &before, &after, MAX_DEPTH),
        _ => found.values(WHOLE.to_owned(), previous, next),
    }
    (summarised(found.changed), summarised(found.unchanged))
}

/// The fields of an object, none of an absent value; nothing for any other value.
fn fields(value: Option<&str>) -> Option<Fields<'_>> {
    value.map_or_else(|| Some(Fields::default()), Fields::parse)
}

#[derive(Default)]
struct Found {
    changed: Vec<FieldDiff>,
    unchanged: Vec<FieldDiff>,
}

impl Found {
    fn objects(&mut self, path: &str, before: &Fields<'_>, after: &Fields<'_>, depth: usize) {
        let added = after.names().filter(|name| before.get(name).is_none());
        for name in before.names().chain(added) {
            self.field(join(path, name), before.get(name), after.get(name), depth - 1);
        }
    }

    fn field(&mut self, path: String, before: Option<&str>, after: Option<&str>, depth: usize) {
        match (fields(before), fields(after)) {
            (Some(one), Some(other)) if depth > 0 && !(one.is_empty() && other.is_empty()) => {
                self.objects(&path, &one, &other, depth);
            }
            _ => self.values(path, before, after),
        }
    }

    fn values(&mut self, path: String, before: Option<&str>, after: Option<&str>) {
        let list = if is_same(before, after) { &mut self.unchanged } else { &mut self.changed };
        list.push(FieldDiff { path, before: before.map(visible_block), after: after.map(visible_block) });
    }
}

/// Whether two values mean the same: spelled alike, or equal when read (white space, escapes, the order of fields).
fn is_same(before: Option<&str>, after: Option<&str>) -> bool {
    let read = |text: Option<&str>| text.and_then(|text| serde_json::from_str::<Value>(text).ok());
    before == after || read(before).is_some_and(|value| read(after) == Some(value))
}

/// A field's name behind the path of its object; in quotes where it would not read as one name.
fn join(path: &str, name: &str) -> String {
    let is_plain =
        !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@' | '/'));
    let name = if is_plain { name.to_owned() } else { format!("\"{}\"", visible(name)) };
    if path.is_empty() { name } else { format!("{path}.{name}") }
}

fn summarised(mut fields: Vec<FieldDiff>) -> Vec<FieldDiff> {
    let more = fields.len().saturating_sub(MAX_FIELDS);
    if more > 0 {
        fields.truncate(MAX_FIELDS);
        fields.push(FieldDiff { path: format!("({more} more fields)"), before: None, after: None });
    }
    fields
}

#[cfg(test)]
mod tests;
