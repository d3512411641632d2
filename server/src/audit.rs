//! What stands in front of server functions, of the export and of mutations, and the audit log over GraphQL.

pub mod export_guard;
pub mod graphql;
pub mod mutations;
pub mod programs;
