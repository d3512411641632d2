//! The pages on which people sign in, sign up and see who they are.

pub mod access_tokens;
pub mod account;
pub mod email_change;
pub mod login;
pub mod recovery;
pub mod server_fns;
pub mod signup;
pub mod token_server_fns;
