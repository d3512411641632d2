//! The process: configuration, sockets, sessions, the private Postgres and the command line around the product.

pub mod application;
pub mod audit;
pub mod background;
pub mod cli;
pub mod cluster;
pub mod config;
pub mod database;
pub mod demo;
pub mod graph;
pub mod graphql;
pub mod http;
pub mod identity;
pub mod mail;
pub mod metrics;
pub mod model;
pub mod open_files;
pub mod organization;
mod patience;
pub mod pool;
pub mod replica;
pub mod secret_key;
pub mod site;
pub mod telemetry;
pub mod traces;
pub mod upkeep;
