//! Access tokens: credentials of an organization that are actors in their own right (contract §1, R-07).

use sha2::{Digest, Sha256};

pub mod addresses;
mod credential;
pub mod expiry;
pub mod graphs;
pub mod list;
pub mod manage;
mod scope;
mod secret;
mod token;

pub use credential::{AccessToken, TokenLookups};
pub(super) use credential::{find, find_current, hold};
pub use manage::{CreatedToken, Wanted, adopt, create, parse_form, revoke, rotate, update};
pub use scope::Scope;
pub use secret::Secret;
pub use token::Target;

/// SHA-256, the form in which secrets are kept.
pub(super) fn sha256(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}
