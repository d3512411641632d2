//! Hostile input of every kind, made by chance from seeds that are printed: a clear answer, and never a fault of ours.

mod faulty;
mod functions;
mod graphql;
mod heads;
mod hostile;
mod inputs;
mod judge;
mod parsers;
mod routes;
mod schema;
mod watching;
