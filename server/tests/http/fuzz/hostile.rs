//! What nobody sends by mistake.

use fastrand::Rng;

/// Texts that have broken programs before. None of them is a slug, a name of a parameter, or a word that [`super::judge`] looks for.
const TEXTS: [&str; 44] = [
    "",
    " ",
    "\0",
    "%00",
    "%",
    "%zz",
    "\u{202e}abc",
    "\u{feff}",
    "😀",
    "ﬀ",
    "a\u{301}",
    "\u{10ffff}",
    "\r\nx: y",
    "\t",
    "'",
    "\"",
    "`",
    "\\",
    "\\u0000",
    "\\ud800",
    "';--",
    "' or 1=1--",
    "$1",
    "{0}",
    "{{7*7}}",
    "<script>",
    "</title>",
    "&amp;",
    "=1+1",
    "../../..",
    "-1",
    "0",
    "1e400",
    "NaN",
    "9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211456",
    "0000-00-00",
    "2026-02-30",
    "9999-12-31T23:59:59.999999999Z",
    "-infinity",
    "[[[[[[[[",
    "{\"a\":{\"a\":{\"a\":",
    "00000000-0000-0000-0000-000000000000",
];

/// Bytes that mean something to somebody.
const BYTES: &[u8] = b"\0\x01\t\n\r \"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az{|}~\x7f\x80\xc0\xed\xef\xf4\xff";

/// One of those texts, or one that is long.
pub fn text(random: &mut Rng) -> String {
    match random.usize(..TEXTS.len() + 3) {
        0 => "a".repeat(random.usize(..20_000)),
        1 => "[".repeat(random.usize(..5_000)),
        2 => (0..random.usize(..200)).map(|_| random.char(..)).collect(),
        number => TEXTS[number - 3].to_owned(),
    }
}

/// One that an address or a header has room for.
pub fn short_text(random: &mut Rng) -> String {
    text(random).chars().take(300).collect()
}

/// Something like `bytes`.
pub fn like(bytes: &[u8], random: &mut Rng) -> Vec<u8> {
    let mut like = bytes.to_vec();
    for _ in 0..random.usize(1..=4) {
        edit(&mut like, random);
    }
    like
}

fn edit(bytes: &mut Vec<u8>, random: &mut Rng) {
    let at = random.usize(..=bytes.len());
    let end = (at + random.usize(..=8.min(bytes.len()))).min(bytes.len());
    match random.u8(..8) {
        0 if at < bytes.len() => bytes[at] ^= 1 << random.u8(..8),
        1 if at < bytes.len() => bytes[at] = BYTES[random.usize(..BYTES.len())],
        2 => bytes.insert(at, BYTES[random.usize(..BYTES.len())]),
        3 => drop(bytes.drain(at..end)),
        4 => {
            let again = bytes[at..end].to_vec();
            bytes.splice(at..at, again.repeat(random.usize(1..=3)));
        }
        5 => bytes.truncate(at),
        6 => {
            let piece = bytes[at..end].to_vec();
            let to = random.usize(..=bytes.len());
            bytes.splice(to..to, piece);
        }
        _ => {
            let text = text(random);
            bytes.splice(at..end, text.bytes().take(2_000));
        }
    }
}

/// Any text as a part of an address.
pub fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// Bytes as text, whatever they are.
pub fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A text like this one, or one that is nothing like it.
pub fn other_than(text: &str, random: &mut Rng) -> String {
    if random.bool() { self::text(random) } else { lossy(&like(text.as_bytes(), random)) }
}
