//! Composing: the schemas of a branch's subgraphs become one supergraph, or a list of what is wrong with them. Nothing but computing.

use std::panic::{AssertUnwindSafe, catch_unwind};

use apollo_compiler::Schema;
use graphql_composition::{Diagnostics, FederatedGraph, Subgraphs, render_api_sdl, render_federated_sdl};

use super::schema;
use crate::error::Fault;

mod names;

/// One subgraph that takes part.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Name in the branch.
    pub name: &'a str,
    /// Where it is served; empty if that was not told.
    pub url: &'a str,
    /// Its schema.
    pub sdl: &'a str,
}

/// What subgraphs become together.
#[derive(Debug)]
pub struct Composed {
    /// The supergraph, with the directives by which a router plans.
    pub supergraph: String,
    /// What clients see of it.
    pub api: String,
}

/// Composes subgraphs.
///
/// # Errors
/// What is wrong, with the subgraph, line and column where a library tells them.
pub fn compose(sources: &[Source<'_>]) -> Result<Composed, Vec<Fault>> {
    // Libraries break on some schemas that are none: whoever sends one is told so, as of all others.
    catch_unwind(AssertUnwindSafe(|| composed(sources))).unwrap_or_else(|_| {
        Err(vec![Fault::new("this cannot be composed: something in it is beyond the library that reads it")])
    })
}

fn composed(sources: &[Source<'_>]) -> Result<Composed, Vec<Fault>> {
    let mut subgraphs = Subgraphs::default();
    let refused = sources.iter().filter_map(|source| ingest(&mut subgraphs, source).err());
    let faults: Vec<Fault> = refused.flatten().collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let graph = graphql_composition::compose(&mut subgraphs)
        .into_result()
        .map_err(|diagnostics| told(&diagnostics, sources))?;
    render(&graph)
}

fn ingest(subgraphs: &mut Subgraphs, source: &Source<'_>) -> Result<(), Vec<Fault>> {
    let Source { name, url, sdl } = *source;
    if let Some(fault) = schema::unsafe_to_read(name, sdl) {
        return Err(vec![fault]);
    }
    let document = cynic_parser::parse_type_system_document(sdl).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        let told = error.to_string();
        // What follows names states of the parser.
        vec![Fault::at(name, sdl, at, told.split(" (expected one of").next().unwrap_or(&told))]
    })?;
    let mut faults = names::undefined(name, sdl, &document);
    faults.extend(names::repeated(name, sdl, &document));
    if !faults.is_empty() {
        return Err(faults);
    }
    // Always with a URL, if an empty one: without any, the library composes by the rules of another specification.
    subgraphs.ingest(&document, name, Some(url));
    Ok(())
}

/// The errors of a composition. The library puts the subgraph, where it knows one, into brackets before its message.
fn told(diagnostics: &Diagnostics, sources: &[Source<'_>]) -> Vec<Fault> {
    let fault = |message: &str| {
        let named = sources.iter().find_map(|source| {
            let rest = message.strip_prefix('[')?.strip_prefix(source.name)?.strip_prefix(']')?;
            Some(Fault::of(source.name, rest.trim_start_matches([':', ' '])))
        });
        named.unwrap_or_else(|| Fault::new(message))
    };
    diagnostics.iter_errors().map(fault).collect()
}

/// Writes both schemas. That of clients is validated: composition itself asks little of what is no matter of federation.
fn render(graph: &FederatedGraph) -> Result<Composed, Vec<Fault>> {
    let api = render_api_sdl(graph);
    let supergraph = render_federated_sdl(graph).map_err(|error| vec![Fault::new(error.to_string())])?;
    match Schema::parse_and_validate(&api, "api.graphql") {
        Ok(_) => Ok(Composed { supergraph, api }),
        Err(invalid) => Err(invalid.errors.iter().map(|fault| Fault::new(fault.error.to_string())).collect()),
    }
}

#[cfg(test)]
mod tests;
