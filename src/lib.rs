//! Orgtrail, the product without the web: what an organization, a viewer and an event of the trail are, and every use case.
//!
//! Without features this crate is pure and compiles for the browser. The feature `postgres` adds storage, secrets and time zones.

pub mod audit;
pub mod error;
#[cfg(feature = "postgres")]
pub mod export;
pub mod graph;
pub mod identity;
#[cfg(feature = "postgres")]
pub mod mail;
#[cfg(feature = "postgres")]
pub mod meter;
pub mod model;
pub mod number;
pub mod organization;
#[cfg(feature = "postgres")]
pub mod platform;
#[cfg(feature = "postgres")]
pub mod storage;
#[cfg(feature = "postgres")]
pub mod trace;
#[cfg(feature = "postgres")]
pub mod upkeep;

pub use error::{Error, Result};
