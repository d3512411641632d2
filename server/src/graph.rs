//! Graphs: where they are composed.

pub mod composing;
