//! The built application over HTTP: what it answers to whom.
//!
//! Needs a Postgres in which the tests may make databases: `DATABASE_URL` of a superuser, as `with_postgres` gives.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

mod account;
mod audit_page;
mod cookies;
mod cross_site;
mod events;
mod export;
mod forms;
mod graphql;
mod graphs;
mod headers;
mod hostile;
mod invites;
mod mailed;
mod mutations;
mod pages;
mod process;
mod programs;
mod routes;
mod sessions;
mod sign_in;
mod statuses;
mod stopping;
mod teams;
mod token_forms;
mod tokens;
