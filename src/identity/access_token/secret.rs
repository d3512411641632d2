//! The text of an access token: `ot_`, 43 random characters (256 bits), six of checksum.

use crate::{Error, Result};

const PREFIX: &str = "ot_";
const RANDOM_CHARACTERS: usize = 43;
const CHECKSUM_CHARACTERS: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A well-formed secret of an access token; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("ot_…")
    }
}

impl Secret {
    /// A new secret from the system's randomness.
    pub(super) fn generate() -> Result<Self> {
        let mut secret = PREFIX.to_owned();
        while secret.len() < PREFIX.len() + RANDOM_CHARACTERS {
            let mut byte = [0];
            getrandom::fill(&mut byte).map_err(|cause| Error::internal(cause.to_string()))?;
            // 248 = 4 × 62: larger bytes are thrown away, so that every character is equally likely.
            if byte[0] < 248 {
                secret.push(char::from(ALPHABET[usize::from(byte[0] % 62)]));
            }
        }
        let checksum = checksum(&secret);
        Ok(Self(secret + &checksum))
    }

    /// Accepts what a program sent: a typing error is told from a stranger by the checksum, without asking the database. That can be said
    /// to anybody: it says nothing of the tokens that exist.
    ///
    /// # Errors
    /// [`Error::BadToken`].
    pub fn parse(sent: &str) -> Result<Self> {
        let body = sent.len().checked_sub(CHECKSUM_CHARACTERS).and_then(|end| sent.split_at_checked(end));
        let good = body.is_some_and(|(body, sum)| {
            body.len() == PREFIX.len() + RANDOM_CHARACTERS && body.starts_with(PREFIX) && checksum(body) == sum
        });
        if good { Ok(Self(sent.to_owned())) } else { Err(Error::BadToken(fault(sent))) }
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        super::sha256(self.0.as_bytes())
    }

    /// The text, to be shown once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn fault(sent: &str) -> &'static str {
    if sent.starts_with(PREFIX) {
        "This access token is not whole: a character is missing, added or wrong. Copy it again."
    } else {
        "This is no access token of this server: those begin with ot_."
    }
}

fn checksum(body: &str) -> String {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut characters = ['0'; CHECKSUM_CHARACTERS];
    for character in characters.iter_mut().rev() {
        *character = char::from(ALPHABET[(rest % 62) as usize]);
        rest /= 62;
    }
    characters.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_parses_and_a_typing_error_does_not() {
        let secret = Secret::generate().unwrap();
        assert_eq!(secret.expose().len(), 52);
        assert_eq!(Secret::parse(secret.expose()).unwrap(), secret);
        let mut typo = secret.expose().to_owned();
        let last = typo.pop().unwrap();
        typo.push(if last == 'a' { 'b' } else { 'a' });
        assert!(Secret::parse(&typo).unwrap_err().message().contains("not whole"));
        let stranger = Secret::parse("ghp_abc").unwrap_err();
        assert!(stranger.status() == 401 && stranger.message().contains("begin with ot_"));
    }

    #[test]
    fn hostile_text_is_refused() {
        for sent in ["", "ot_", "é", "ot_é", &"é".repeat(26), &"x".repeat(100_000)] {
            assert!(Secret::parse(sent).is_err());
        }
    }

    #[test]
    fn debug_hides_the_secret() {
        assert_eq!(format!("{:?}", Secret::generate().unwrap()), "ot_…");
    }
}
