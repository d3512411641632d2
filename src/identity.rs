//! Who somebody is: users and passwords, access tokens, sign-in attempts and the viewer of a request.

pub mod email;
pub mod role;
pub mod view;

#[cfg(feature = "postgres")]
pub mod access;
#[cfg(feature = "postgres")]
pub mod access_token;
#[cfg(feature = "postgres")]
pub mod account;
#[cfg(feature = "postgres")]
pub mod attempt;
#[cfg(feature = "postgres")]
mod client;
#[cfg(feature = "postgres")]
pub mod email_change;
#[cfg(feature = "postgres")]
mod letters;
#[cfg(feature = "postgres")]
pub mod link_secret;
#[cfg(feature = "postgres")]
mod mailed_link;
#[cfg(feature = "postgres")]
pub mod password;
#[cfg(feature = "postgres")]
pub mod recovery;
#[cfg(feature = "postgres")]
pub mod sessions;
#[cfg(feature = "postgres")]
pub mod sign_in;
#[cfg(feature = "postgres")]
pub mod throttle;
#[cfg(feature = "postgres")]
pub mod viewer;
