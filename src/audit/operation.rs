//! Mutations as they were sent after sign-in (contract §5): what the client claims, and beside it what is derived.
//!
//! Whoever lets a mutation in, a form of a page or GraphQL, puts a [`SentMutation`] into the [`Origin`] of its viewer. The first change that
//! the mutation makes records it in its own transaction; what made none, because it was refused or there was nothing to do, is recorded
//! alone by [`settle`].

use std::sync::atomic::{AtomicBool, Ordering};

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::action::Action;
use super::append::Draft;
use super::change::Change;
use super::event::{Actor, Outcome};
use crate::identity::access::{self, Operation};
use crate::identity::attempt;
use crate::identity::viewer::{Identity, Origin, Viewer};
use crate::platform::Platform;
use crate::{Error, Result};

/// Longest text of an operation that is kept, in bytes; a cut is visible.
const MAX_TEXT: usize = 64 * 1024;

/// Longest text in variables that is kept, in bytes; of a longer one its SHA-256 and its size are (contract §9).
const MAX_VALUE: usize = 1024;

/// What is known of a mutation, as its event holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperationFacts {
    /// Its name, as the client has it.
    pub name: Option<String>,
    /// Its text: a GraphQL document, or method and path of a form.
    pub text: String,
    /// Its variables, a JSON object; secrets are taken out when it is recorded.
    pub variables: String,
    /// What really runs: the root fields of the document, or the server function.
    pub root_fields: Vec<String>,
    /// SHA-256 of the normalized document; none for a form.
    pub document_sha256: Option<[u8; 32]>,
}

/// A mutation that was sent, and whether it is recorded.
#[derive(Debug)]
pub struct SentMutation {
    facts: OperationFacts,
    recorded: AtomicBool,
}

impl SentMutation {
    /// A mutation that is not recorded yet. Long texts are cut, or kept as a hash.
    #[must_use]
    pub fn new(
        name: Option<&str>,
        text: &str,
        variables: Value,
        root_fields: Vec<String>,
        document_sha256: Option<[u8; 32]>,
    ) -> Self {
        let name = name.map(|name| cut(name, MAX_VALUE));
        let (text, variables) = (cut(text, MAX_TEXT), shortened(variables).to_string());
        let facts = OperationFacts { name, text, variables, root_fields, document_sha256 };
        Self { facts, recorded: AtomicBool::new(false) }
    }

    /// What is to be recorded of it; nothing if it is recorded already.
    pub(crate) fn unrecorded(&self) -> Option<&OperationFacts> {
        (!self.recorded.load(Ordering::Acquire)).then_some(&self.facts)
    }

    /// Notes that the transaction with its event is committed.
    pub(crate) fn set_recorded(&self) {
        self.recorded.store(true, Ordering::Release);
    }
}

impl OperationFacts {
    /// The event of a mutation that `actor` sent from `origin`.
    pub(crate) fn draft(&self, actor: &Actor, origin: &Origin, outcome: Outcome) -> Draft {
        Draft {
            actor: actor.clone(),
            object_name: Some(self.root_fields.join(", ")),
            outcome,
            origin: origin.clone(),
            operation: Some(self.clone()),
            ..Draft::new(Action::MutationSent)
        }
    }
}

/// Whether the name that a client gave speaks of what runs: it holds the name of each root field, whatever the case and the underscores.
/// An operation without a name claims nothing.
#[must_use]
pub fn name_matches(name: &str, root_fields: &[String]) -> bool {
    let letters = |text: &str| text.replace('_', "").to_lowercase();
    root_fields.iter().all(|field| letters(name).contains(&letters(field)))
}

/// Records how a mutation ended that nothing has recorded yet. `slug` is the organization that it names. Of an organization that the viewer
/// is not in there is no trail for it: what a user sends to none is told to their own organizations, what a token sends to its own.
///
/// # Errors
/// [`Error::Unavailable`]: it is not recorded then.
pub async fn settle(platform: &Platform, viewer: &Viewer, slug: Option<&str>, outcome: Outcome) -> Result<()> {
    let Some(sent) = viewer.origin.mutation.as_ref() else { return Ok(()) };
    if sent.unrecorded().is_none() {
        return Ok(());
    }
    match (&viewer.identity, slug) {
        (Identity::Anonymous | Identity::Operator, _) => Ok(()),
        (Identity::AccessToken(token), _) => {
            let (actor, origin) = (viewer.actor()?, viewer.origin.clone());
            Change::begin_in(platform, token.organization_id, actor, origin).await?.commit_mutation(outcome).await
        }
        (Identity::User(_), Some(slug)) => {
            match access::identify(platform, viewer, slug, Operation::ReadOrganization).await {
                Ok(access) => Change::begin_record(platform, &access).await?.commit_mutation(outcome).await,
                Err(Error::NotFound) => Ok(()),
                Err(error) => Err(error),
            }
        }
        (Identity::User(user), None) => attempt::record_mutation(platform, user, &viewer.origin, outcome).await,
    }
}

/// Variables in which no text is long, and none has a NUL, which Postgres cannot hold.
fn shortened(value: Value) -> Value {
    match value {
        Value::String(text) if text.len() > MAX_VALUE => {
            serde_json::json!({ "sha256": HEXLOWER.encode(&Sha256::digest(&text)), "bytes": text.len() })
        }
        Value::String(text) => Value::String(without_nul(&text)),
        Value::Array(values) => values.into_iter().map(shortened).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (cut(&name, MAX_VALUE), shortened(value))).collect()
        }
        other => other,
    }
}

/// The longest beginning that has at most so many bytes, an ellipsis where something is missing.
fn cut(text: &str, bytes: usize) -> String {
    let text = without_nul(text);
    if text.len() <= bytes {
        return text;
    }
    format!("{}…", &text[..text.floor_char_boundary(bytes - '…'.len_utf8())])
}

fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_values_are_kept_as_hash_and_size() {
        let sent = json!({ "name": "Ada", "sdl": "é".repeat(600), "list": ["a\0b", 1, null], "in": { "deep": true } });
        let kept = shortened(sent);
        assert_eq!(kept["name"], "Ada");
        assert_eq!(kept["sdl"]["bytes"], 1200);
        assert_eq!(kept["sdl"]["sha256"], HEXLOWER.encode(&Sha256::digest("é".repeat(600))));
        assert_eq!(kept["list"], json!(["a\u{fffd}b", 1, null]));
        assert_eq!(kept["in"], json!({ "deep": true }));
    }

    #[test]
    fn long_texts_are_cut_visibly() {
        let sent = SentMutation::new(Some(&"n".repeat(2000)), &"é".repeat(MAX_TEXT), json!({}), Vec::new(), None).facts;
        assert!(sent.text.ends_with('…') && sent.text.len() <= MAX_TEXT && sent.text.len() > MAX_TEXT - 4);
        assert_eq!(sent.name.map(|name| name.len()), Some(MAX_VALUE));
    }

    #[test]
    fn a_name_matches_what_it_speaks_of() {
        let fields = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert!(name_matches("create_team", &fields(&["create_team"])));
        assert!(name_matches("SettingsPageCreateTeamMutation", &fields(&["createTeam"])));
        assert!(!name_matches("ReadTeams", &fields(&["deleteTeam"])));
        assert!(!name_matches("CreateTeam", &fields(&["createTeam", "deleteTeam"])));
    }
}
