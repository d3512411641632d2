//! The front of the server: one table of routes, and the layers that every request passes.
//!
//! [`listen`] takes the connections. Then, from the outside in: [`facts`] (id, address, log) → [`security_headers`] → [`problem`] (every refusal dressed once) → [`limits`] →
//! [`cross_site`] → for pages and server functions also [`body`] → [`finish`] → the session → the viewer → the flash and [`forms`] → the route. The routes of [`programs`] have an access token only.

pub mod body;
pub mod client_address;
pub mod cross_site;
pub mod facts;
pub mod finish;
pub mod forms;
pub mod front;
pub mod health;
pub mod idempotency;
pub mod limits;
pub mod listen;
mod measured;
pub mod openapi;
pub mod pages;
pub mod problem;
pub mod programs;
pub mod router;
pub mod security_headers;
pub mod sign_out;
pub mod traced;
pub mod upload;
