//! Who asks: sessions and their cookie, tokens, the viewer of a request, and where passwords are hashed.

pub mod flash;
pub mod graphql;
pub mod hashing;
pub mod program;
pub mod rate;
pub mod session_cookie;
pub mod session_store;
pub mod viewer;
