//! A query string, taken apart strictly: what a lenient parser would guess at is refused.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::{Error, Result};

/// Longest query string in bytes (R-25 allows a whole URI no more).
pub const MAX_QUERY_BYTES: usize = 8 * 1024;

/// What is percent-encoded in a value: everything that is not unreserved (RFC 3986), but for what makes lists readable.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b':').remove(b'*');

/// The parameters of a query string: each known, each at most once, none empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pairs(Vec<(String, String)>);

impl Pairs {
    /// Takes `raw` (without `?`) apart. An empty value counts as absent: forms send their empty fields.
    ///
    /// # Errors
    /// [`Error::Invalid`] naming the parameter that is unknown, repeated or cannot be decoded.
    pub fn parse(raw: &str, allowed: &[&str]) -> Result<Self> {
        if raw.len() > MAX_QUERY_BYTES {
            let size = format!("The query string has {} bytes; at most {MAX_QUERY_BYTES} are read.", raw.len());
            return Err(Error::invalid("query", size));
        }
        let mut pairs: Vec<(String, String)> = Vec::new();
        for part in raw.split('&').filter(|part| !part.is_empty()) {
            let (name, value) = parse_pair(part, allowed)?;
            if pairs.iter().any(|(known, _)| *known == name) {
                let twice = format!("{name} is given more than once: give it once, lists with commas.");
                return Err(Error::invalid(name, twice));
            }
            pairs.push((name, value));
        }
        Ok(Self(pairs))
    }

    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, value)| known == name && !value.is_empty());
        found.map(|(_, value)| value.as_str())
    }
}

fn parse_pair(part: &str, allowed: &[&str]) -> Result<(String, String)> {
    let (name, value) = part.split_once('=').unwrap_or((part, ""));
    let name = decode(name).filter(|name| allowed.contains(&name.as_str())).ok_or_else(|| unknown(name, allowed))?;
    match decode(value) {
        Some(value) => Ok((name, value)),
        None => Err(Error::invalid(name, "The value is not percent-encoded UTF-8 text, or contains a NUL.")),
    }
}

/// The text of a name or a value; nothing if it is cut off, not UTF-8 or contains NUL, which no text of the trail can.
fn decode(encoded: &str) -> Option<String> {
    let spaced = encoded.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    let sound = escapes_are_whole(encoded) && !decoded.contains('\0');
    sound.then(|| decoded.into_owned())
}

fn escapes_are_whole(encoded: &str) -> bool {
    encoded.split('%').skip(1).all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit()))
}

fn unknown(name: &str, allowed: &[&str]) -> Error {
    let shown: String = name.chars().take(40).filter(char::is_ascii_graphic).collect();
    Error::invalid("query", format!("There is no parameter “{shown}”. The parameters are {}.", allowed.join(", ")))
}

/// Appends `name=value`, with `&` in front unless it is the first.
pub(super) fn push(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    out.push_str(name);
    out.push('=');
    out.extend(utf8_percent_encode(value, ENCODED));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(raw: &str) -> String {
        Pairs::parse(raw, &["q", "kind"]).unwrap_err().to_string()
    }

    #[test]
    fn values_are_decoded_and_empty_ones_are_absent() {
        let pairs = Pairs::parse("&q=caf%C3%A9+%26+tea%2B&kind=&", &["q", "kind"]).unwrap();
        assert_eq!((pairs.get("q"), pairs.get("kind")), (Some("café & tea+"), None));
        assert_eq!(Pairs::parse("kind", &["kind"]).unwrap().get("kind"), None);
    }

    #[test]
    fn refusals_name_the_parameter() {
        insta::assert_snapshot!(refusal("q=a&q=b"), @"q: q is given more than once: give it once, lists with commas.");
        insta::assert_snapshot!(refusal("q=a&%71="), @"q: q is given more than once: give it once, lists with commas.");
        insta::assert_snapshot!(refusal("kinds=all"), @"query: There is no parameter “kinds”. The parameters are q, kind.");
        insta::assert_snapshot!(refusal("%00%0A<script>%ff=1"), @"query: There is no parameter “%00%0A<script>%ff”. The parameters are q, kind.");
        insta::assert_snapshot!(refusal("=1"), @"query: There is no parameter “”. The parameters are q, kind.");
        insta::assert_snapshot!(refusal("q=%ff"), @"q: The value is not percent-encoded UTF-8 text, or contains a NUL.");
        insta::assert_snapshot!(refusal("q=%00"), @"q: The value is not percent-encoded UTF-8 text, or contains a NUL.");
        insta::assert_snapshot!(refusal("q=100%"), @"q: The value is not percent-encoded UTF-8 text, or contains a NUL.");
        insta::assert_snapshot!(refusal("q=%+1"), @"q: The value is not percent-encoded UTF-8 text, or contains a NUL.");
        insta::assert_snapshot!(refusal(&"q".repeat(100_000)), @"query: The query string has 100000 bytes; at most 8192 are read.");
    }

    proptest! {
        #[test]
        fn no_text_is_a_panic(raw in any::<String>()) {
            let _ = Pairs::parse(&raw, &["q"]);
            let _ = Pairs::parse(&format!("q={raw}"), &["q"]);
        }

        #[test]
        fn what_is_pushed_is_read(value in "[^\\x00]{1,40}") {
            let mut raw = String::new();
            push(&mut raw, "kind", "x");
            push(&mut raw, "q", &value);
            prop_assert!(raw.is_ascii());
            let pairs = Pairs::parse(&raw, &["q", "kind"]).unwrap();
            prop_assert_eq!(pairs.get("q"), Some(value.as_str()));
        }
    }
}
