//! Graphs: where they are composed, their texts as files, and what programs do with them.

pub mod composing;
pub mod files;
pub mod graphql;
pub mod programs;
