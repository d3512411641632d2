//! Organizations and their members.

pub mod name;
pub mod slug;
pub mod view;

#[cfg(feature = "postgres")]
pub mod members;
#[cfg(feature = "postgres")]
pub mod settings;
