//! What stands in front of server functions: of the export, and of mutations.

pub mod export_guard;
pub mod mutations;
