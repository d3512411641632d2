//! What stands in front of the export.

pub mod export_guard;
