//! The pages on which people sign in, sign up and see who they are.

pub mod account;
pub mod login;
pub mod server_fns;
pub mod signup;
