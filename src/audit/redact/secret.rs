//! What is a secret: the keys that name one, and the values that look like one.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr;
use memchr::memmem::Finder;

/// What a key that names a secret ends in, written together in lower case.
const NOUNS: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "authorization",
    "cookie",
    "credential",
    "apikey",
    "privatekey",
    "secretkey",
    "accesskey",
    "signingkey",
    "encryptionkey",
    "bearer",
];

/// Keys that are too short to be looked for at the end of others.
const WHOLE: [&str; 6] = ["pwd", "jwt", "otp", "totp", "cvc", "cvv"];

/// What may follow without making it anything else than the secret: `password_confirmation`, `authorization_header`.
const TAILS: [&str; 14] = [
    "value",
    "header",
    "hash",
    "digest",
    "pem",
    "plaintext",
    "plain",
    "text",
    "raw",
    "string",
    "confirmation",
    "again",
    "encoded",
    "base64",
];

/// How our own secrets begin.
static OWN: LazyLock<Finder> = LazyLock::new(|| Finder::new("ot_"));

/// How a header's scheme goes on after its first letter, which may be large.
static BEARER: LazyLock<Finder> = LazyLock::new(|| Finder::new("earer "));

/// How the first line of a private key in PEM ends, whatever its sort.
static PRIVATE_KEY: LazyLock<Finder> = LazyLock::new(|| Finder::new("PRIVATE KEY-----"));

/// Longest key that is looked at, in bytes: what is longer names nothing.
const LONGEST_KEY: usize = 128;

/// Fewest bytes of a quoted text that can look like a secret: below that nobody could tell.
const SHORTEST_VALUE: usize = 20;

/// Fewest characters of what follows `ot_` or `Bearer`.
const SHORTEST_CREDENTIAL: usize = 16;

/// Whether `key`, in its quotes, names a secret, and `value`, the rest of the document, is one: ids, names and dates of secrets
/// (`access_token_id`) are none, nor is what is absent, a yes or no, or how many there are.
pub(super) fn is_named_by(key: &str, value: &str) -> bool {
    if key.len() > LONGEST_KEY {
        return false;
    }
    let mut letters = [0; LONGEST_KEY];
    let name = without_tails(letters_of(&said_by(key), &mut letters));
    let singular = name.strip_suffix(b"s").unwrap_or(name);
    let is_secret = NOUNS.iter().any(|noun| ends(singular, noun)) || WHOLE.iter().any(|word| name == word.as_bytes());
    let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_count = is_number && name.len() != singular.len();
    is_secret && !is_count && !value.starts_with(['n', 't', 'f'])
}

/// The letters and digits of a key in lower case: `New-Password2` is `newpassword2`.
fn letters_of<'a>(key: &str, letters: &'a mut [u8; LONGEST_KEY]) -> &'a [u8] {
    let mut length = 0;
    for byte in key.bytes().filter(u8::is_ascii_alphanumeric).take(LONGEST_KEY) {
        letters[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    &letters[..length]
}

/// Without the tails and the numbers at its end.
fn without_tails(mut name: &[u8]) -> &[u8] {
    loop {
        name = match TAILS.iter().find(|tail| ends(name, tail)) {
            Some(tail) => &name[..name.len() - tail.len()],
            None if name.last().is_some_and(u8::is_ascii_digit) => &name[..name.len() - 1],
            None => return name,
        };
    }
}

/// Looks at the last letter first: it nearly always says no.
fn ends(name: &[u8], word: &str) -> bool {
    name.last() == word.as_bytes().last() && name.ends_with(word.as_bytes())
}

/// Whether some text of a document may look like a secret at all: nearly always not, and then none of them has to be looked at.
pub(super) fn may_hold_one(document: &str) -> bool {
    let bytes = document.as_bytes();
    memchr(b'\\', bytes).is_some() || [&OWN, &BEARER, &PRIVATE_KEY].iter().any(|begin| begin.find(bytes).is_some())
}

/// Whether a text, in its quotes, looks like a secret, or holds one.
pub(super) fn looks_like_one(value: &str) -> bool {
    if value.len() < SHORTEST_VALUE {
        return false;
    }
    let text = said_by(value);
    holds_own(text.as_bytes()) || holds_bearer(text.as_bytes()) || PRIVATE_KEY.find(text.as_bytes()).is_some()
}

/// An access token of ours, with a typing error or without.
pub(super) fn holds_own(text: &[u8]) -> bool {
    OWN.find_iter(text).any(|found| {
        let rest = &text[found + "ot_".len()..];
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count() >= 2 * SHORTEST_CREDENTIAL
    })
}

/// A header with a credential, as programs log it.
fn holds_bearer(text: &[u8]) -> bool {
    BEARER.find_iter(text).any(|found| {
        let rest = &text[found + "earer ".len()..];
        let begins = found > 0 && text[found - 1].eq_ignore_ascii_case(&b'b');
        begins && rest.iter().take_while(|byte| is_credential(**byte)).count() >= SHORTEST_CREDENTIAL
    })
}

/// RFC 6750, `b64token`.
fn is_credential(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte)
}

/// What a JSON value says: of a string its text, of others what is written.
pub(super) fn said_by(value: &str) -> Cow<'_, str> {
    let Some(inner) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    if inner.contains('\\') {
        return serde_json::from_str(value).map_or(Cow::Borrowed(value), Cow::Owned);
    }
    Cow::Borrowed(inner)
}
