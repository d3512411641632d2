//! Models, where they meet HTTP.

pub mod download;
pub mod graphql;
pub mod programs;
