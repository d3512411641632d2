//! Settings → Audit Logs.

pub mod calendar;
pub mod damage;
pub mod detail;
#[cfg(feature = "ssr")]
pub mod download;
pub mod export_bar;
pub mod export_fn;
pub mod filters;
pub mod history;
pub mod keyboard;
pub mod links;
pub mod page;
pub mod range_picker;
pub mod server_fns;
pub mod states;
pub mod table;
