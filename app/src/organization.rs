//! The pages of an organization: making one, its overview, its settings, its members and its teams.

pub mod general;
pub mod invite;
pub mod invite_server_fns;
pub mod invites;
pub mod members;
pub mod new;
pub mod overview;
pub mod server_fns;
pub mod teams;
