//! Cursors: a position in a list, sealed so that only this server's own, for the same list, are accepted.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::range::TimeRange;
use crate::{Error, Result};

/// A position in the order `(occurred_at, index)` of a trail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Time of the event; whole microseconds.
    pub occurred_at: DateTime<Utc>,
    /// Its index.
    pub index: i64,
}

/// First byte of a cursor: another layout gets another number, and old links a clear refusal. Behind it, big-endian: microseconds since 1970
/// and index.
const VERSION: u8 = 1;

/// Likewise, with the first instant of a window and the first after it behind them.
const VERSION_IN_WINDOW: u8 = 2;

/// Bytes of the HMAC-SHA256 that a cursor carries: half of it, which nobody guesses.
const SEAL_BYTES: usize = 16;

/// The key that seals cursors; several servers in front of one database share it.
#[derive(Clone)]
pub struct CursorKey(Hmac<Sha256>);

impl CursorKey {
    /// Derives the key from the server's secret, so that no other keyed hash of the server is ever a cursor's.
    #[must_use]
    pub fn derive(secret: &[u8]) -> Self {
        let derived = keyed(&Sha256::digest(secret).into()).chain_update("orgtrail cursor").finalize();
        Self(keyed(&derived.into_bytes().into()))
    }

    /// The cursor of `position`: 44 characters of base64url. `scope` names the organization, the list and its filter.
    #[must_use]
    pub fn seal(&self, scope: &str, position: Position) -> String {
        self.sealed(scope, VERSION, [position.occurred_at.timestamp_micros(), position.index])
    }

    /// The position that a cursor of the same `scope` stands for.
    ///
    /// # Errors
    /// [`Error::BadCursor`] for anything that [`CursorKey::seal`] did not make for this scope.
    pub fn open(&self, scope: &str, cursor: &str) -> Result<Position> {
        let [micros, index] = self.opened(scope, cursor, VERSION).ok_or(Error::BadCursor)?;
        Ok(Position { occurred_at: at(micros)?, index })
    }

    /// The cursor of `position` in a list whose window was resolved when its first page was asked for: it holds on to the window.
    #[must_use]
    pub fn seal_in(&self, scope: &str, window: TimeRange, position: Position) -> String {
        let numbers = [
            position.occurred_at.timestamp_micros(),
            position.index,
            window.start.timestamp_micros(),
            window.end.timestamp_micros(),
        ];
        self.sealed(scope, VERSION_IN_WINDOW, numbers)
    }

    /// The window and the position that a cursor of the same `scope` stands for.
    ///
    /// # Errors
    /// [`Error::BadCursor`] for anything that [`CursorKey::seal_in`] did not make for this scope.
    pub fn open_in(&self, scope: &str, cursor: &str) -> Result<(TimeRange, Position)> {
        let [micros, index, start, end] = self.opened(scope, cursor, VERSION_IN_WINDOW).ok_or(Error::BadCursor)?;
        Ok((TimeRange { start: at(start)?, end: at(end)? }, Position { occurred_at: at(micros)?, index }))
    }

    fn sealed<const N: usize>(&self, scope: &str, version: u8, numbers: [i64; N]) -> String {
        let mut cursor = vec![version];
        cursor.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
        let seal = self.mac(scope, &cursor).finalize().into_bytes();
        cursor.extend_from_slice(&seal[..SEAL_BYTES]);
        URL_SAFE_NO_PAD.encode(cursor)
    }

    fn opened<const N: usize>(&self, scope: &str, cursor: &str, version: u8) -> Option<[i64; N]> {
        let cursor = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (content, seal) = cursor.split_at_checked(1 + N * 8)?;
        self.mac(scope, content).verify_truncated_left(seal).ok().filter(|()| seal.len() == SEAL_BYTES)?;
        let (numbers, _) = content.strip_prefix(&[version])?.as_chunks::<8>();
        numbers.iter().map(|number| i64::from_be_bytes(*number)).collect::<Vec<_>>().try_into().ok()
    }

    /// The content of each version has a length of its own, so that no scope can pass for a part of it.
    fn mac(&self, scope: &str, content: &[u8]) -> Hmac<Sha256> {
        self.0.clone().chain_update(content).chain_update(scope)
    }
}

fn at(micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros).ok_or(Error::BadCursor)
}

/// The key stays out of logs.
impl std::fmt::Debug for CursorKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CursorKey(…)")
    }
}

/// HMAC under a key of 32 bytes, which it pads with zeros to a block of its hash (RFC 2104).
fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    Hmac::new(&block.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key() -> CursorKey {
        CursorKey::derive(b"a secret of the server")
    }

    fn any_position() -> impl Strategy<Value = Position> {
        (-62_135_596_800_000_000i64..253_402_300_800_000_000, any::<i64>()).prop_map(|(micros, index)| Position {
            occurred_at: DateTime::from_timestamp_micros(micros).unwrap(),
            index,
        })
    }

    #[test]
    fn a_cursor_is_stable_across_servers_and_releases() {
        let position = Position { occurred_at: "2026-11-22T03:11:39.000001Z".parse().unwrap(), index: 12_407 };
        let cursor = key().seal("page acme", position);
        assert_eq!(cursor, "AQAGYNTV8fDBAAAAAAAAMHdzmBl283O0jrgALU6LcBmC");
        assert_eq!(key().open("page acme", &cursor).unwrap(), position);
    }

    #[test]
    fn another_key_is_refused() {
        let position = Position { occurred_at: DateTime::UNIX_EPOCH, index: 0 };
        let cursor = key().seal("", position);
        assert!(matches!(CursorKey::derive(b"another").open("", &cursor), Err(Error::BadCursor)));
        assert!(!format!("{:?}", key()).contains('['));
    }

    proptest! {
        #[test]
        fn a_position_is_what_was_sealed(position in any_position(), scope in any::<String>()) {
            let cursor = key().seal(&scope, position);
            prop_assert_eq!(cursor.len(), 44);
            prop_assert_eq!(key().open(&scope, &cursor).unwrap(), position);
        }

        #[test]
        fn a_window_is_what_was_sealed(position in any_position(), start in any_position(), end in any_position(), scope in any::<String>()) {
            let window = TimeRange { start: start.occurred_at, end: end.occurred_at };
            let cursor = key().seal_in(&scope, window, position);
            prop_assert_eq!(key().open_in(&scope, &cursor).unwrap(), (window, position));
            prop_assert!(key().open(&scope, &cursor).is_err());
            prop_assert!(key().open_in(&scope, &key().seal(&scope, position)).is_err());
        }

        #[test]
        fn another_scope_is_refused(position in any_position(), scope in any::<String>(), other in any::<String>()) {
            prop_assume!(scope != other);
            prop_assert!(key().open(&other, &key().seal(&scope, position)).is_err());
        }

        #[test]
        fn every_flipped_bit_is_refused(position in any_position(), bit in 0usize..33 * 8) {
            let mut bytes = URL_SAFE_NO_PAD.decode(key().seal("page", position)).unwrap();
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(key().open("page", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn no_text_is_a_panic(cursor in any::<String>(), bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert!(key().open("page", &cursor).is_err());
            prop_assert!(key().open("page", &URL_SAFE_NO_PAD.encode(bytes)).is_err());
        }

        #[test]
        fn a_cursor_has_one_spelling(position in any_position(), extra in "[=A\\n ]{1,3}") {
            prop_assert!(key().open("page", &(key().seal("page", position) + &extra)).is_err());
        }
    }
}
