//! The pages of an organization: making one, its overview, its settings and its members.

pub mod general;
pub mod members;
pub mod new;
pub mod overview;
pub mod server_fns;
