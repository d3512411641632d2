//! The parsers of the server. Read by the tests as well (`server/tests/http/fuzz/parsers.rs`).

use async_graphql::Variables;
use orgtrail_server::graphql::document::Document;
use orgtrail_server::graphql::sent::Sent;

use super::domain::Parser;

/// Those of the server.
pub const PARSERS: [Parser; 2] = [("graphql_document", graphql_document), ("graphql_request", graphql_request)];

fn graphql_document(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(document) = Document::read(&text, None, &Variables::default()) {
        assert!(!document.root_fields.is_empty(), "something runs");
    }
}

fn graphql_request(bytes: &[u8]) {
    let Ok(sent) = Sent::parse(bytes) else { return };
    assert!(sent.claimed().is_object());
    if let Ok(variables) = sent.variables() {
        let _read = Document::read(&sent.query, sent.operation_name.as_deref(), &variables);
    }
}
