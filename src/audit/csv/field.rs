//! One field: quotes around it, quotes in it doubled, and the apostrophe that keeps a spreadsheet from calculating.

use super::Escaping;

/// Appends the field in quotes.
pub(super) fn write(out: &mut Vec<u8>, field: &[u8], escaping: Escaping) {
    let opening: &[u8] = if is_guarded(field, escaping) { b"\"'" } else { b"\"" };
    out.extend_from_slice(opening);
    append_doubling_quotes(out, field);
    out.push(b'"');
}

/// Exactly the bytes that [`write`] appends.
pub(super) fn length(field: &[u8], escaping: Escaping) -> usize {
    let quotes = memchr::memchr_iter(b'"', field).count();
    2 + usize::from(is_guarded(field, escaping)) + field.len() + quotes
}

/// Bytes that are looked at and copied at once.
const STEP: usize = 8;

/// Copies the field, every quote twice.
///
/// JSON has a quote every ten bytes or so: searching for the next one and copying up to it, as for longer stretches would be
/// right, takes nearly twice the time. So each step copies eight bytes, wanted or not, and goes on behind the first quote in them.
fn append_doubling_quotes(out: &mut Vec<u8>, field: &[u8]) {
    let start = out.len();
    out.resize(start + 2 * field.len() + STEP, 0);
    let place = &mut out[start..];
    let (mut rest, mut written) = (field, 0);
    while let Some((step, _)) = rest.split_first_chunk::<STEP>() {
        place[written..written + STEP].copy_from_slice(step);
        let quote = first_quote(*step);
        if quote < STEP {
            place[written + quote + 1] = b'"';
            written += quote + 2;
            rest = &rest[quote + 1..];
        } else {
            written += STEP;
            rest = &rest[STEP..];
        }
    }
    for byte in rest {
        place[written] = *byte;
        place[written + 1] = b'"';
        written += if *byte == b'"' { 2 } else { 1 };
    }
    out.truncate(start + written);
}

/// Place of the first quote among eight bytes; eight if there is none.
fn first_quote(bytes: [u8; STEP]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; STEP]);
    let zero_where_quote = u64::from_le_bytes(bytes) ^ u64::from_le_bytes([b'"'; STEP]);
    let high_bit_where_zero = zero_where_quote.wrapping_sub(ONES) & !zero_where_quote & (ONES << 7);
    high_bit_where_zero.trailing_zeros() as usize / 8
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
