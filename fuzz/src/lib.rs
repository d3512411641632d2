//! Everything that reads what strangers write, each fed with any bytes.

pub mod domain;
#[cfg(feature = "server")]
pub mod server;

/// All of them, by name.
#[must_use]
pub fn parsers() -> Vec<domain::Parser> {
    let mut parsers = domain::PARSERS.to_vec();
    #[cfg(feature = "server")]
    parsers.extend(server::PARSERS);
    parsers.sort_by_key(|(name, _)| *name);
    parsers
}
