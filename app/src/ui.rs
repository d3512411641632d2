//! Small components that every page is made of.

pub mod answered;
pub mod avatar;
pub mod confirm;
#[cfg(feature = "ssr")]
pub mod error_page;
pub mod field;
pub mod icon;
pub mod lone;
pub mod moved;
pub mod notice;
#[cfg(feature = "ssr")]
pub mod refusal_page;
pub mod refused;
pub mod row;
pub mod search;
#[cfg(feature = "ssr")]
pub mod secret_page;
pub mod time;
