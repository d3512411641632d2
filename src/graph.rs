//! Graphs: a small registry of federated GraphQL, in branches.

pub mod name;
pub mod permission;
pub mod view;

#[cfg(feature = "postgres")]
pub mod branches;
#[cfg(feature = "postgres")]
pub mod compose;
#[cfg(feature = "postgres")]
mod composition;
#[cfg(feature = "postgres")]
mod diff;
#[cfg(feature = "postgres")]
pub mod documents;
#[cfg(feature = "postgres")]
pub mod download;
#[cfg(feature = "postgres")]
pub mod manifest;
#[cfg(feature = "postgres")]
pub mod registry;
#[cfg(feature = "postgres")]
mod row;
#[cfg(feature = "postgres")]
pub mod schema;
#[cfg(feature = "postgres")]
pub mod subgraphs;
#[cfg(feature = "postgres")]
pub mod teams;
#[cfg(feature = "postgres")]
mod texts;
#[cfg(feature = "postgres")]
pub mod versions;
