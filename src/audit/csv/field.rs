//! One field: quotes around it, quotes in it doubled, and the apostrophe that keeps a spreadsheet from calculating.

use super::Escaping;

/// Appends the field in quotes.
pub(super) fn write(out: &mut Vec<u8>, field: &[u8], escaping: Escaping) {
    out.push(b'"');
    if is_guarded(field, escaping) {
        out.push(b'\'');
    }
    let mut rest = field;
    while let Some(quote) = memchr::memchr(b'"', rest) {
        let (through_quote, after) = rest.split_at(quote + 1);
        out.extend_from_slice(through_quote);
        out.push(b'"');
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Exactly the bytes that [`write`] appends.
pub(super) fn length(field: &[u8], escaping: Escaping) -> usize {
    let quotes = memchr::memchr_iter(b'"', field).count();
    2 + usize::from(is_guarded(field, escaping)) + field.len() + quotes
}

/// Whether an apostrophe goes in front: the field has one of its own, or could be taken for a formula.
fn is_guarded(field: &[u8], escaping: Escaping) -> bool {
    match (escaping, field.first()) {
        (Escaping::Raw, _) | (_, None) => false,
        (Escaping::FormulaSafe, Some(b'\'')) => true,
        (Escaping::FormulaSafe, Some(_)) => begins_formula(field),
    }
}

/// Whether the first character after leading spaces (U+0020 only) is one with which spreadsheets begin a formula or skip a cell.
fn begins_formula(field: &[u8]) -> bool {
    let text = field.iter().position(|byte| *byte != b' ').map_or(&[][..], |first| &field[first..]);
    match text {
        [b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n', ..] => true,
        [0xEF, 0xBC, last, ..] => matches!(last, 0x9D | 0x8B | 0x8D | 0xA0), // ＝ ＋ － ＠ in UTF-8
        _ => false,
    }
}
