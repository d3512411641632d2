//! The trail: what an event is, which actions exist, how the trail is asked, read, exported and written.

pub mod action;
pub mod event;
pub mod query;
pub mod range;
pub mod sentence;
pub mod view;
pub mod visible;
pub mod words;

#[cfg(feature = "postgres")]
pub mod append;
#[cfg(feature = "postgres")]
pub mod change;
#[cfg(feature = "postgres")]
pub mod csv;
#[cfg(feature = "postgres")]
pub mod cursor;
#[cfg(feature = "postgres")]
pub mod diff;
#[cfg(feature = "postgres")]
pub mod export;
#[cfg(feature = "postgres")]
pub mod feed;
#[cfg(feature = "postgres")]
pub mod ingest;
#[cfg(feature = "postgres")]
pub mod logs;
#[cfg(feature = "postgres")]
pub mod moment;
#[cfg(feature = "postgres")]
pub mod ndjson;
#[cfg(feature = "postgres")]
pub mod operation;
#[cfg(feature = "postgres")]
pub mod page;
#[cfg(feature = "postgres")]
pub mod redact;
#[cfg(feature = "postgres")]
mod refusal;
#[cfg(feature = "postgres")]
pub mod store;
