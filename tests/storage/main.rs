//! The product on a real Postgres, as the server's role: what the database refuses, what every use case records, what every read answers.
//!
//! Each test has a database of its own, made from the migrations by `sqlx::test`. The use cases connect to it as `orgtrail_app`: a superuser,
//! whom no policy and no grant holds back, only prepares and looks.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod account;
mod append_only;
mod bytes;
mod catalog;
mod change;
mod check;
mod crashes;
mod damage;
mod documents;
mod expected;
mod export;
mod export_limits;
mod federation;
mod filters;
mod fixture;
mod graphs;
mod history;
mod index;
mod ingest;
mod integrity;
mod invites;
mod isolation;
mod matrix;
mod model;
mod models;
mod organizations;
mod pages;
mod partitions;
mod plans;
mod publish;
mod recovery;
mod redaction;
mod retention;
mod sign_in;
mod teams;
mod tls;
mod together;
mod tokens;
mod upkeep;
mod walk;
