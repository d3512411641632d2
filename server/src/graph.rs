//! Graphs: where they are composed, and what programs do with them.

pub mod composing;
pub mod programs;
