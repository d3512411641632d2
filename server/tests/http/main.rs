//! The built application over HTTP: what it answers to whom.
//!
//! Needs a Postgres in which the tests may make databases: `DATABASE_URL` of a superuser, as `with_postgres` gives.

#![expect(clippy::unwrap_used, reason = "a step that fails is a test that fails")]

mod support;

mod account;
#[path = "../crash/amount.rs"]
mod amount;
mod audit_page;
mod collector;
mod cookies;
mod cross_site;
mod door;
mod events;
mod examples;
mod export;
mod faults;
mod forms;
mod fuzz;
mod graphql;
mod graphs;
mod headers;
mod hostile;
mod howto;
mod invites;
mod listening;
mod mailed;
mod metrics;
mod models;
mod mutations;
mod openapi;
mod overload;
mod pages;
mod pools;
mod process;
mod program;
mod programs;
mod routes;
mod secrets;
mod sessions;
mod sign_in;
mod statuses;
mod stopping;
mod teams;
mod token_forms;
mod tokens;
mod traces;
mod upkeep;
