//! Manifests of trusted documents: reading both forms, and validating each document against a schema. Nothing but computing.

use std::collections::HashSet;

use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::schema;
use crate::error::Fault;
use crate::{Error, Result};

/// Largest manifest, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Most documents of one manifest.
pub const MAX_DOCUMENTS: usize = 5_000;

/// Largest document, in bytes.
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Longest id of a document, in characters.
const MAX_ID_CHARS: usize = 200;

/// What Apollo's manifests call themselves.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// Who wrote a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `{"id": "text", …}`.
    Relay,
    /// `{"format": "apollo-persisted-query-manifest", "version": 1, "operations": […]}`.
    Apollo,
}

impl Format {
    /// The word that is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Relay => "relay",
            Self::Apollo => "apollo",
        }
    }
}

/// A document as its manifest has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What a client sends instead of it.
    pub id: String,
    /// The text of one operation with its fragments.
    pub text: String,
}

/// A manifest that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its form.
    pub format: Format,
    /// Its documents, in its order.
    pub documents: Vec<Document>,
}

/// What a valid document does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// `query`, `mutation` or `subscription`.
    pub kind: &'static str,
    /// Its name, empty if it has none.
    pub name: String,
}

/// The members of an object, in order, each as often as it was written.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
                let mut found = Vec::new();
                while let Some(member) = members.next_entry()? {
                    found.push(member);
                }
                Ok(Members(found))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[derive(Deserialize)]
struct Apollo {
    format: String,
    version: u32,
    operations: Vec<ApolloOperation>,
}

#[derive(Deserialize)]
struct ApolloOperation {
    id: String,
    body: String,
}

/// Reads a manifest in either form.
///
/// # Errors
/// [`Error::Invalid`] for the field `manifest`, if it is none, too large or has too many documents; [`Error::Faulty`] for documents that
/// cannot be, each named.
pub fn read(bytes: &[u8]) -> Result<Manifest> {
    if bytes.is_empty() || bytes.len() > MAX_BYTES {
        return Err(refused(format!("A manifest has 1 byte to 8 MiB; this one has {} bytes.", bytes.len())));
    }
    let Members(members) = serde_json::from_slice(bytes).map_err(unreadable)?;
    let manifest = if members.iter().any(|(name, _)| name == "operations") { apollo(bytes)? } else { relay(members)? };
    if manifest.documents.is_empty() || manifest.documents.len() > MAX_DOCUMENTS {
        let told = format!("A manifest has 1 to {MAX_DOCUMENTS} documents; this one has {}.", manifest.documents.len());
        return Err(refused(told));
    }
    let faults = impossible(&manifest.documents);
    if faults.is_empty() { Ok(manifest) } else { Err(faulty(faults)) }
}

fn apollo(bytes: &[u8]) -> Result<Manifest> {
    let Apollo { format, version, operations } = serde_json::from_slice(bytes).map_err(unreadable)?;
    if (format.as_str(), version) != (APOLLO, 1) {
        return Err(refused(format!("A manifest with operations has the format {APOLLO} in version 1.")));
    }
    let documents = operations.into_iter().map(|ApolloOperation { id, body }| Document { id, text: body });
    Ok(Manifest { format: Format::Apollo, documents: documents.collect() })
}

fn relay(members: Vec<(String, &RawValue)>) -> Result<Manifest> {
    let mut faults = Vec::new();
    let mut documents = Vec::with_capacity(members.len());
    for (id, value) in members {
        match serde_json::from_str(value.get()) {
            Ok(text) => documents.push(Document { id, text }),
            Err(_) => faults.push(Fault::of(&id, "this is no text")),
        }
    }
    if faults.is_empty() { Ok(Manifest { format: Format::Relay, documents }) } else { Err(faulty(faults)) }
}

/// What is wrong with documents before anybody reads their text.
fn impossible(documents: &[Document]) -> Vec<Fault> {
    let mut seen = HashSet::new();
    let wrong = |Document { id, text }: &Document| {
        let length = id.chars().count();
        if !(1..=MAX_ID_CHARS).contains(&length) || id.chars().any(char::is_control) {
            Some(format!("an id has 1 to {MAX_ID_CHARS} characters, none of them a control character"))
        } else if text.len() > MAX_DOCUMENT_BYTES {
            Some(format!("a document has at most {} KiB", MAX_DOCUMENT_BYTES / 1024))
        } else if text.contains('\0') {
            Some("a document has no NUL character".to_owned())
        } else {
            None
        }
    };
    let told = |document: &Document| Some(Fault::of(&shown(&document.id), wrong(document)?));
    let mut faults: Vec<Fault> = documents.iter().filter_map(told).collect();
    let twice = documents.iter().filter(|document| !seen.insert(document.id.as_str()));
    faults.extend(twice.map(|document| Fault::of(&shown(&document.id), "this id is there twice")));
    faults
}

/// An id for a person: not longer than it may be.
fn shown(id: &str) -> String {
    id.chars().take(MAX_ID_CHARS).collect()
}

/// Validates every document against the schema that clients see; answers what each does, in their order.
///
/// # Errors
/// What is wrong, with the id of the document, line and column.
pub fn validate(api: &str, documents: &[Document]) -> Result<Vec<Operation>, Vec<Fault>> {
    let schema = Schema::parse_and_validate(api, "api.graphql")
        .map_err(|invalid| vec![Fault::new(format!("the supergraph cannot be read: {}", invalid.errors))])?;
    let (mut operations, mut faults) = (Vec::with_capacity(documents.len()), Vec::new());
    for document in documents {
        match check(&schema, document) {
            Ok(operation) => operations.push(operation),
            Err(found) => faults.extend(found),
        }
    }
    if faults.is_empty() { Ok(operations) } else { Err(faults) }
}

fn check(schema: &Valid<Schema>, Document { id, text }: &Document) -> Result<Operation, Vec<Fault>> {
    if let Some(fault) = schema::unsafe_to_read(id, text) {
        return Err(vec![fault]);
    }
    let document = ExecutableDocument::parse_and_validate(schema, text, id).map_err(|invalid| {
        let told = invalid.errors.iter().map(|found| {
            let at = found.line_column_range().map(|range| range.start);
            let place = |number: usize| u32::try_from(number).ok();
            Fault {
                line: at.as_ref().and_then(|at| place(at.line)),
                column: at.as_ref().and_then(|at| place(at.column)),
                ..Fault::of(id, found.error.to_string())
            }
        });
        told.collect::<Vec<_>>()
    })?;
    let mut operations = document.operations.iter();
    match (operations.next(), operations.next()) {
        (Some(operation), None) => Ok(Operation {
            kind: operation.operation_type.name(),
            name: operation.name.as_ref().map(ToString::to_string).unwrap_or_default(),
        }),
        _ => Err(vec![Fault::of(id, "a document has exactly one operation")]),
    }
}

/// Refuses a manifest whole, for what is wrong with its documents.
pub(super) fn faulty(faults: Vec<Fault>) -> Error {
    Error::faulty("manifest", "Not every document of this manifest can be trusted, so none was taken.", faults)
}

fn refused(told: String) -> Error {
    Error::invalid("manifest", told)
}

fn unreadable(error: serde_json::Error) -> Error {
    refused(format!("A manifest is a JSON object of Relay's or Apollo's form; this one is not: {error}."))
}

#[cfg(test)]
mod tests;
