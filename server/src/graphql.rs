//! GraphQL: `POST /graphql`, for programs and for people who are signed in (contract §5).
//!
//! The way of a request: [`endpoint`] reads it, [`document`] reads its document within [`limits`], [`schema`] executes it, and [`error`]
//! gives every error its code. What the fields are is beside the features: [`crate::audit::graphql`],
//! [`crate::organization::graphql`], [`crate::identity::graphql`], [`crate::graph::graphql`]; [`mutation`] gathers what changes something.

pub mod connection;
pub mod document;
pub mod endpoint;
pub mod error;
pub mod limits;
pub mod mutation;
pub mod scalars;
pub mod schema;
pub mod sent;
pub mod texts;
