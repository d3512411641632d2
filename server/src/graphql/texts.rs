//! How much text one answer may hold: objects are counted before, but a schema is up to 8 MiB.

use std::sync::atomic::{AtomicUsize, Ordering};

use orgtrail::{Error, Result};

/// Most bytes of schemas and documents in one answer.
const MOST: usize = 16 * 1024 * 1024;

/// What a request has taken of it.
#[derive(Debug, Default)]
pub struct Texts(AtomicUsize);

impl Texts {
    /// Refuses to read another text once there is enough of them.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`].
    pub fn ensure_room(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) < MOST { Ok(()) } else { Err(exceeded()) }
    }

    /// A text for the answer.
    ///
    /// # Errors
    /// [`Error::LimitExceeded`].
    pub fn told<'a>(&self, text: &'a str) -> Result<&'a str> {
        let before = self.0.fetch_add(text.len(), Ordering::Relaxed);
        if before.saturating_add(text.len()) <= MOST { Ok(text) } else { Err(exceeded()) }
    }
}

fn exceeded() -> Error {
    Error::LimitExceeded(format!("One answer holds at most {} MiB of schemas: ask for fewer at once.", MOST >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_end_where_the_room_does() {
        let texts = Texts::default();
        let half = "x".repeat(MOST / 2);
        for _ in 0..2 {
            texts.ensure_room().unwrap();
            texts.told(&half).unwrap();
        }
        assert!(texts.ensure_room().is_err() && texts.told("x").is_err());
    }
}
