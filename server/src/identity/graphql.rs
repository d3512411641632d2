//! Who asks, and access tokens, over GraphQL.

pub mod mutations;
pub mod token;
pub mod token_mutations;
pub mod viewer;
