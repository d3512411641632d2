//! The secret in a mailed link: 256 random bits that prove to be the reader of a mailbox, or to have got the link from who made it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

const BYTES: usize = 32;

/// A well-formed secret; `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkSecret(String);

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("LinkSecret")
    }
}

impl LinkSecret {
    /// A new secret from the system's randomness.
    pub(crate) fn generate() -> Result<Self> {
        let mut bytes = [0; BYTES];
        getrandom::fill(&mut bytes).map_err(|cause| Error::internal(cause.to_string()))?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Accepts what is in a path; what cannot be a secret is as unknown as one that nobody made.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn parse(sent: &str) -> Result<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(sent).map_err(|_| Error::NotFound)?;
        if bytes.len() == BYTES { Ok(Self(sent.to_owned())) } else { Err(Error::NotFound) }
    }

    /// What is kept of it.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// The text, for the link alone.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_43_characters_of_a_path() {
        let secret = LinkSecret::generate().unwrap();
        assert_eq!(secret.expose().len(), 43);
        assert_eq!(LinkSecret::parse(secret.expose()).unwrap(), secret);
        assert_eq!(format!("{secret:?}"), "LinkSecret");
    }

    #[test]
    fn hostile_text_is_unknown() {
        for sent in ["", "é", "../../x", &"A".repeat(42), &"A".repeat(44), &"é".repeat(100_000)] {
            assert!(matches!(LinkSecret::parse(sent), Err(Error::NotFound)), "{sent:.50}");
        }
    }
}
