//! A document as it was sent: its tokens within bounds, then parsed, and what follows from it alone.

use apollo_parser::{Lexer, TokenKind};
use async_graphql::parser::parse_query;
use async_graphql::parser::types::{DocumentOperations, ExecutableDocument, OperationDefinition, OperationType};
use async_graphql::{Name, Positioned, Variables};
use sha2::{Digest, Sha256};

use super::error::Refused;
use super::limits::{self, exceeded};

mod secrets;

/// A document that may be executed, and what it is: derived from what runs, whatever the client calls it.
#[derive(Debug)]
pub struct Document {
    /// Parsed, for execution.
    pub parsed: ExecutableDocument,
    /// What sort of operation runs.
    pub kind: OperationType,
    /// The name that the document itself gives to it.
    pub name: Option<String>,
    /// The fields at its root, in their order.
    pub root_fields: Vec<String>,
    /// The variables that are put where a secret belongs, whatever they are called.
    pub secrets: Vec<String>,
    /// SHA-256 of the tokens of the document, each followed by a line feed: the same however it is spaced and commented.
    pub sha256: [u8; 32],
}

impl Document {
    /// Reads a document, of which the operation `operation_name` is to run (or the only one).
    ///
    /// # Errors
    /// What is no document, what asks for too much, a mutation with several fields at the root, and a secret in its text as a default.
    pub fn read(text: &str, operation_name: Option<&str>, variables: &Variables) -> Result<Self, Refused> {
        let sha256 = read_tokens(text)?;
        let parsed = parse_query(text).map_err(Refused::from)?;
        let (name, operation) = chosen(&parsed.operations, operation_name)?;
        let (kind, name) = (operation.ty, name.map(ToString::to_string));
        let root_fields = limits::measure(&parsed, operation, variables)?;
        if kind == OperationType::Mutation && root_fields.len() > 1 {
            let told = "A mutation has exactly one field at its root, so that it is done whole or not at all: send one request for each.";
            return Err(Refused::bad_input(told, None));
        }
        let secrets = secrets::variables(&parsed)?;
        Ok(Self { parsed, kind, name, root_fields, secrets, sha256 })
    }
}

/// Counts the tokens and their nesting, and hashes them. Done first: parsers walk down what is nested by calling themselves.
fn read_tokens(text: &str) -> Result<[u8; 32], Refused> {
    let mut hash = Sha256::new();
    let (mut tokens, mut nesting, mut directives) = (0, 0_usize, 0);
    for token in Lexer::new(text) {
        let token = token.map_err(|error| Refused::bad_input(&format!("Syntax: {}.", error.message()), None))?;
        match token.kind() {
            TokenKind::Whitespace | TokenKind::Comment | TokenKind::Comma | TokenKind::Eof => continue,
            TokenKind::LCurly | TokenKind::LParen | TokenKind::LBracket => nesting += 1,
            TokenKind::RCurly | TokenKind::RParen | TokenKind::RBracket => nesting = nesting.saturating_sub(1),
            TokenKind::At => directives += 1,
            _ => {}
        }
        tokens += 1;
        if tokens > limits::TOKENS {
            return Err(exceeded(&format!("{} tokens", limits::TOKENS)));
        }
        if nesting > limits::NESTING {
            return Err(exceeded(&format!("{} brackets in each other", limits::NESTING)));
        }
        if directives > limits::DIRECTIVES {
            return Err(exceeded(&format!("{} directives", limits::DIRECTIVES)));
        }
        hash.update(token.data());
        hash.update("\n");
    }
    Ok(hash.finalize().into())
}

/// The operation that runs, and its name in the document.
fn chosen<'a>(
    operations: &'a DocumentOperations,
    wanted: Option<&str>,
) -> Result<(Option<&'a Name>, &'a OperationDefinition), Refused> {
    let found: Option<(Option<&Name>, &Positioned<OperationDefinition>)> = match wanted {
        Some(wanted) => operations.iter().find(|(name, _)| name.is_some_and(|name| name == wanted)),
        None if operations.iter().len() == 1 => operations.iter().next(),
        None => None,
    };
    let told = match wanted {
        Some(_) => "There is no operation of this `operationName` in the document.",
        None => "Which operation is meant? Name it in `operationName`.",
    };
    found.map(|(name, operation)| (name, &operation.node)).ok_or_else(|| Refused::bad_input(told, None))
}

#[cfg(test)]
mod tests;
