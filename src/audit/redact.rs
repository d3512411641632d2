//! Redaction on write (R-48): what names or looks like a secret never reaches the trail. In its place stands a keyed hash, so that one sees
//! that it changed, and that two values are the same, and nothing else.
//!
//! Applied where drafts are appended, so that no use case and no product can forget it. A document without secrets is not copied, and one
//! with some keeps every other byte.

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use memchr::{memchr, memchr2};
use sha2::Sha256;
use uuid::Uuid;

use super::append::Draft;
use super::operation::OperationFacts;
use crate::{Error, Result};

mod graphql;
mod secret;

/// Key of the hashes that stand for secrets.
pub struct RedactionKey(Hmac<Sha256>);

impl RedactionKey {
    /// Derives it from the server's secret.
    ///
    /// # Errors
    /// [`Error::Internal`] never happens: HMAC takes keys of any length.
    pub fn derive(secret: &[u8]) -> Result<Self> {
        let mut key = Hmac::<Sha256>::new_from_slice(secret).map_err(|cause| Error::internal(cause.to_string()))?;
        key.update(b"orgtrail redaction v1");
        Ok(Self(key))
    }

    /// The key for one organization: equal secrets of two organizations do not look alike.
    #[must_use]
    pub fn of(&self, organization: Uuid) -> Redactor {
        let mut key = self.0.clone();
        key.update(organization.as_bytes());
        Redactor(key)
    }
}

/// Redacts the documents of one organization.
pub struct Redactor(Hmac<Sha256>);

impl Redactor {
    /// The draft without secrets; the same one where it had none.
    pub(super) fn draft(&self, mut draft: Draft) -> Draft {
        let redacted = |state: Option<String>| state.map(|state| self.document(&state).unwrap_or(state));
        draft.previous = redacted(draft.previous);
        draft.next = redacted(draft.next);
        draft.operation = draft.operation.map(|operation| self.operation(&operation).unwrap_or(operation));
        draft
    }

    /// A mutation without the secrets in its variables and in its text; nothing if it has none.
    #[must_use]
    pub fn operation(&self, operation: &OperationFacts) -> Option<OperationFacts> {
        let (variables, text) = (self.document(&operation.variables), self.graphql(&operation.text));
        (variables.is_some() || text.is_some()).then(|| OperationFacts {
            variables: variables.unwrap_or_else(|| operation.variables.clone()),
            text: text.unwrap_or_else(|| operation.text.clone()),
            ..operation.clone()
        })
    }

    /// A JSON document without its secrets; nothing if it has none.
    ///
    /// One walk from quote to quote. What is no JSON is left to the database, which refuses it.
    #[must_use]
    pub fn document(&self, document: &str) -> Option<String> {
        let mut redacted = String::new();
        let (mut place, mut kept, may_hold_one) = (0, 0, secret::may_hold_one(document));
        while let Some(start) = memchr(b'"', &document.as_bytes()[place..]).map(|found| place + found) {
            place = end_of_string(document, start)?;
            let text = &document[start..place];
            let value = value_after(document, place);
            let secret = match value {
                Some(value) if secret::is_named_by(text, &document[value..]) => value..end_of_value(document, value)?,
                None if may_hold_one && secret::looks_like_one(text) => start..place,
                _ => continue,
            };
            redacted += &document[kept..secret.start];
            redacted += &self.stand_in(&document[secret.clone()]);
            (place, kept) = (secret.end, secret.end);
        }
        (kept > 0).then(|| redacted + &document[kept..])
    }

    /// What stands for a secret. Of a string counts what it says, not how it is spelled.
    fn stand_in(&self, value: &str) -> String {
        let mut mac = self.0.clone();
        mac.update(secret::said_by(value).as_bytes());
        let hash = HEXLOWER.encode(&mac.finalize().into_bytes());
        format!(r#"{{"redacted":true,"hmac":"{hash}"}}"#)
    }
}

/// Whether what has this name is a secret, for the doors where values have names of their own.
#[must_use]
pub fn names_secret(name: &str) -> bool {
    secret::is_named_by(&format!("\"{name}\""), "\"\"")
}

/// Whether an access token of ours stands somewhere in `text`, for the doors that must not repeat it.
#[must_use]
pub fn holds_access_token(text: &str) -> bool {
    secret::holds_own(text.as_bytes())
}

/// The place after the closing quote of the string that begins at `start`.
fn end_of_string(document: &str, start: usize) -> Option<usize> {
    let mut place = start + 1;
    loop {
        let found = place + memchr2(b'"', b'\\', document.as_bytes().get(place..)?)?;
        if document.as_bytes()[found] == b'"' {
            return Some(found + 1);
        }
        place = found + 2; // whatever is escaped, it ends nothing
    }
}

/// Where the value begins, if what ends at `place` is the key of one.
fn value_after(document: &str, place: usize) -> Option<usize> {
    let colon = skip_space(document, place);
    document[colon..].starts_with(':').then(|| skip_space(document, colon + 1))
}

fn skip_space(document: &str, place: usize) -> usize {
    let rest = &document[place..];
    document.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len()
}

/// The place after the value that begins at `start`: a string, a number or word, or all of an array or object.
fn end_of_value(document: &str, start: usize) -> Option<usize> {
    let bytes = document.as_bytes();
    let (mut place, mut depth) = (start, 0_usize);
    loop {
        place = match bytes.get(place)? {
            b'"' => end_of_string(document, place)?,
            b'[' | b'{' => {
                depth += 1;
                place + 1
            }
            b']' | b'}' => {
                depth = depth.checked_sub(1)?;
                place + 1
            }
            _ => {
                let rest = bytes[place..].iter().position(|byte| b"\"[]{},".contains(byte))?;
                place + rest.max(usize::from(depth > 0)) // inside, commas are passed over
            }
        };
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests;
