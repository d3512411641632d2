//! Two states of an object side by side: which fields differ, which are the same.

mod object;

use serde_json::Value;

use super::view::FieldDiff;
use super::visible::{visible, visible_block};
use object::{Fields, fields};

/// Nested objects are taken apart down to this depth; what lies deeper is one value.
const MAX_DEPTH: usize = 8;

/// Fields that each of the two lists shows; how many more there are is said in its last line.
pub const MAX_FIELDS: usize = 500;

/// Path of what is not an object on both sides.
pub const WHOLE: &str = "(whole)";

/// The fields that differ and those that are the same, in the order of the documents: next's, each gone field of previous where it stood.
///
/// Objects are compared field by field, by dotted path, arrays as values. Values are JSON text as it was written, numbers and
/// spelling included, with hidden characters made visible. What is no JSON object is compared as [`WHOLE`].
#[must_use]
pub fn diff(previous: Option<&str>, next: Option<&str>) -> (Vec<FieldDiff>, Vec<FieldDiff>) {
    let [before, after] = [previous, next].map(|document| document.map(|text| (text, fields(text))));
    let mut found = Found::default();
    match (before, after) {
        (None, None) => {}
        (Some((_, Some(before))), Some((_, Some(after)))) => found.objects("", &before, &after, MAX_DEPTH),
        (Some((_, Some(before))), None) => found.objects("", &before, &Fields::new(), MAX_DEPTH),
        (None, Some((_, Some(after)))) => found.objects("", &Fields::new(), &after, MAX_DEPTH),
        (before, after) => found.values(WHOLE.to_owned(), before.map(|(text, _)| text), after.map(|(text, _)| text)),
    }
    (summarised(found.changed), summarised(found.unchanged))
}

#[derive(Default)]
struct Found {
    changed: Vec<FieldDiff>,
    unchanged: Vec<FieldDiff>,
}

impl Found {
    fn objects(&mut self, path: &str, before: &Fields<'_>, after: &Fields<'_>, depth: usize) {
        for name in object::names(before, after) {
            let [before, after] = [before, after].map(|fields| fields.get(name).map(|value| value.get()));
            self.field(join(path, name), before, after, depth - 1);
        }
    }

    fn field(&mut self, path: String, before: Option<&str>, after: Option<&str>, depth: usize) {
        let nested = |value: Option<&str>| value.map_or_else(|| Some(Fields::new()), fields);
        match (nested(before), nested(after)) {
            (Some(before), Some(after)) if depth > 0 && !(before.is_empty() && after.is_empty()) => {
                self.objects(&path, &before, &after, depth);
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
    let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '@' | '/'));
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
