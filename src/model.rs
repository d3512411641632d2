//! Models: named collections of records, which are schema-free JSON with a time; filled by programs, taken out by range.

pub mod name;
pub mod view;

#[cfg(feature = "postgres")]
pub mod export;
#[cfg(feature = "postgres")]
pub mod ndjson;
#[cfg(feature = "postgres")]
pub mod query;
#[cfg(feature = "postgres")]
pub mod records;
#[cfg(feature = "postgres")]
pub mod registry;
#[cfg(feature = "postgres")]
mod row;
#[cfg(feature = "postgres")]
mod sent_once;
