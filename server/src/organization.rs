//! Organizations over GraphQL.

pub mod graphql;
