//! One event as one line of JSON, every value byte for byte: the export for machines.
//!
//! An object whose members are [`FULL_COLUMNS`], always all of them and in that order. Absent values are `null`, which CSV
//! cannot tell from empty text. `index` and `export_rows` are numbers; `previous`, `next` and `operation_variables` are the
//! stored JSON and `operation_root_fields` is an array, all embedded as they are. Only their line breaks become spaces, so that
//! one event stays one line: JSON allows none inside of strings, so every one of them is white space between tokens.

use super::csv::FULL_COLUMNS;

/// The media type of JSON in lines.
pub(crate) const CONTENT_TYPE: &str = "application/x-ndjson";

/// How a column's text becomes JSON.
#[derive(Clone, Copy)]
enum Form {
    /// A JSON string.
    Text,
    /// Digits, written as they are.
    Number,
    /// A JSON document, embedded.
    Document,
}

const fn form(column: &str) -> Form {
    match column.as_bytes() {
        b"index" | b"export_rows" => Form::Number,
        b"previous" | b"next" | b"operation_variables" | b"operation_root_fields" => Form::Document,
        _ => Form::Text,
    }
}

/// Appends one line, LF included. `values` are those of [`FULL_COLUMNS`], in that order, as the CSV export writes them.
///
/// Numbers and documents must be what they claim to be (they come from typed columns); text must be UTF-8.
pub fn write_line(out: &mut Vec<u8>, values: &[Option<&[u8]>; FULL_COLUMNS.len()]) {
    write(out, values);
}

/// Exactly the bytes that [`write_line`] appends.
#[must_use]
pub fn line_length(values: &[Option<&[u8]>; FULL_COLUMNS.len()]) -> usize {
    let mut length = Length(0);
    write(&mut length, values);
    length.0
}

/// What a line is written to: bytes, or only their number.
trait Sink {
    fn push(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn push(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

struct Length(usize);

impl Sink for Length {
    fn push(&mut self, bytes: &[u8]) {
        self.0 += bytes.len();
    }
}

fn write(out: &mut impl Sink, values: &[Option<&[u8]>; FULL_COLUMNS.len()]) {
    let mut separator: &[u8] = b"{\"";
    for (column, value) in FULL_COLUMNS.iter().zip(values) {
        out.push(separator);
        out.push(column.as_bytes());
        out.push(b"\":");
        match (value, form(column)) {
            (None, _) => out.push(b"null"),
            (Some(text), Form::Text) => write_text(out, text),
            (Some(digits), Form::Number) => out.push(digits),
            (Some(document), Form::Document) => write_document(out, document),
        }
        separator = b",\"";
    }
    out.push(b"}\n");
}

/// A JSON string (RFC 8259 §7): only what must be escaped is.
fn write_text(out: &mut impl Sink, text: &[u8]) {
    out.push(b"\"");
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)) {
        out.push(&rest[..at]);
        write_escaped(out, rest[at]);
        rest = &rest[at + 1..];
    }
    out.push(rest);
    out.push(b"\"");
}

fn write_escaped(out: &mut impl Sink, byte: u8) {
    match byte {
        b'"' => out.push(b"\\\""),
        b'\\' => out.push(b"\\\\"),
        b'\n' => out.push(b"\\n"),
        b'\r' => out.push(b"\\r"),
        b'\t' => out.push(b"\\t"),
        control => out.push(format!("\\u{control:04x}").as_bytes()),
    }
}

/// Appends a JSON document that stays on its line.
pub(crate) fn write_embedded(out: &mut Vec<u8>, document: &[u8]) {
    write_document(out, document);
}

fn write_document(out: &mut impl Sink, document: &[u8]) {
    let mut lines = document.split(|byte| matches!(byte, b'\n' | b'\r'));
    out.push(lines.next().unwrap_or_default());
    for line in lines {
        out.push(b" ");
        out.push(line);
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;
    use serde_json::Value;
    use serde_json::value::RawValue;
    use std::collections::BTreeMap;

    use super::*;

    const COUNT: usize = FULL_COLUMNS.len();

    fn line(values: &[Option<&[u8]>; COUNT]) -> String {
        let mut out = Vec::new();
        write_line(&mut out, values);
        assert_eq!(out.len(), line_length(values));
        String::from_utf8(out).unwrap()
    }

    fn with(column: &str, value: &str) -> String {
        let mut values: [Option<&[u8]>; COUNT] = [None; COUNT];
        values[FULL_COLUMNS.iter().position(|known| *known == column).unwrap()] = Some(value.as_bytes());
        line(&values)
    }

    #[test]
    fn a_line_has_every_field() {
        let names: Vec<_> = FULL_COLUMNS.iter().map(|column| format!("\"{column}\":null")).collect();
        let empty = format!("{{{}}}\n", names.join(","));
        assert_eq!(with("action", "member.updated"), empty.replace("\"action\":null", "\"action\":\"member.updated\""));
    }

    #[test]
    fn numbers_and_documents_are_embedded_as_they_are() {
        assert!(with("index", "12407").contains("\"index\":12407,"));
        assert!(
            with("previous", "{\"b\": 1.0e5, \"a\":\"\\u0041\"}")
                .contains("\"previous\":{\"b\": 1.0e5, \"a\":\"\\u0041\"},")
        );
        assert!(with("next", "{\n  \"a\": [\r\n1]\n}").contains("\"next\":{   \"a\": [  1] },"));
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(values in proptest::collection::vec(option::of(any::<String>()), COUNT)) {
            let mut fields: [Option<&[u8]>; COUNT] = [None; COUNT];
            let texts = (0..COUNT).filter(|at| matches!(form(FULL_COLUMNS[*at]), Form::Text));
            texts.for_each(|at| fields[at] = values[at].as_ref().map(|text| text.as_bytes()));
            let written = line(&fields);
            prop_assert_eq!(written.matches(['\n', '\r']).count(), 1);
            let read: BTreeMap<String, Option<String>> = serde_json::from_str(&written).unwrap();
            for (at, column) in FULL_COLUMNS.iter().enumerate() {
                prop_assert_eq!(read[*column].as_deref().map(str::as_bytes), fields[at]);
            }
        }

        #[test]
        fn documents_keep_their_meaning(key in any::<String>(), text in any::<String>(), pretty in any::<bool>()) {
            let document = serde_json::json!({ key: [text, { "n": 1.5 }] });
            let stored = if pretty { serde_json::to_string_pretty(&document) } else { serde_json::to_string(&document) }.unwrap();
            let read: BTreeMap<String, Box<RawValue>> = serde_json::from_str(&with("next", &stored)).unwrap();
            prop_assert_eq!(serde_json::from_str::<Value>(read["next"].get()).unwrap(), document);
            prop_assert!(pretty || read["next"].get() == stored);
        }
    }
}
