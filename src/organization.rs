//! Organizations, their members and teams.

pub mod name;
pub mod slug;
pub mod view;

#[cfg(feature = "postgres")]
pub mod choice;
#[cfg(feature = "postgres")]
pub mod invites;
#[cfg(feature = "postgres")]
pub mod members;
#[cfg(feature = "postgres")]
pub mod settings;
#[cfg(feature = "postgres")]
pub mod teams;
