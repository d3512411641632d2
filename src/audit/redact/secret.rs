//! What is a secret: the keys that name one, and the values that look like one.

use std::borrow::Cow;

use memchr::memmem;

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

/// Longest key that is looked at, in bytes: what is longer names nothing.
const LONGEST_KEY: usize = 200;

/// Fewest bytes of a quoted text that can look like a secret: below that nobody could tell.
const SHORTEST_VALUE: usize = 20;

/// Fewest characters of what follows `ot_` or `Bearer`.
const SHORTEST_CREDENTIAL: usize = 16;

/// Whether `key`, in its quotes, names a secret, and `value`, the rest of the document, is one: ids, names and dates of secrets
/// (`access_token_id`) are none, nor is what is absent, a yes or no, or how many there are.
pub(super) fn is_named_by(key: &str, value: &str) -> bool {
    let Some(name) = name_of(key) else { return false };
    let name = name.as_str();
    let singular = name.strip_suffix('s').unwrap_or(name);
    let is_secret = WHOLE.contains(&name) || NOUNS.iter().any(|noun| singular.ends_with(noun) || name.ends_with(noun));
    let is_number = value.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let is_count = is_number && name.len() != singular.len();
    is_secret && !is_count && !value.starts_with(['n', 't', 'f'])
}

/// The letters of a key in lower case, without tails and numbers: `New-Password2` is `newpassword`.
fn name_of(key: &str) -> Option<String> {
    if key.len() > LONGEST_KEY {
        return None;
    }
    let spelled = said_by(key);
    let mut name: String =
        spelled.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    loop {
        let rest = name.trim_end_matches(|last: char| last.is_ascii_digit());
        let rest = TAILS.iter().find_map(|tail| rest.strip_suffix(tail)).unwrap_or(rest);
        if rest.len() == name.len() {
            return Some(name);
        }
        name.truncate(rest.len());
    }
}

/// Whether a text, in its quotes, looks like a secret, or holds one.
pub(super) fn looks_like_one(value: &str) -> bool {
    if value.len() < SHORTEST_VALUE {
        return false;
    }
    let text = said_by(value);
    holds_own(text.as_bytes()) || holds_bearer(text.as_bytes()) || text.contains("PRIVATE KEY-----")
}

/// An access token of ours, with a typing error or without.
pub(super) fn holds_own(text: &[u8]) -> bool {
    memmem::find_iter(text, "ot_").any(|found| {
        let rest = &text[found + "ot_".len()..];
        rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count() >= 2 * SHORTEST_CREDENTIAL
    })
}

/// A header with a credential, as programs log it.
fn holds_bearer(text: &[u8]) -> bool {
    // Its least frequent letters, in either case.
    memmem::find_iter(text, "earer ").any(|found| {
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
