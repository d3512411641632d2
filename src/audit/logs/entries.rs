//! The entries of the logs: of each event, the columns that its log has.

use chrono::{DateTime, Utc};
use sqlx::FromRow;
use uuid::Uuid;

use crate::audit::cursor::Position;
use crate::audit::event::{Actor, ActorToken, ActorUser};
use crate::audit::operation::name_matches;
use crate::audit::store::Columns;

/// An event whose place in the order is known.
pub(super) trait Placed {
    /// The place.
    fn position(&self) -> Position;
}

/// What every entry has.
#[derive(Debug, Clone, FromRow)]
pub struct Common {
    /// Id of the event.
    pub id: Uuid,
    /// Its position in the trail.
    pub index: i64,
    /// When it happened.
    pub occurred_at: DateTime<Utc>,
    /// How it ended.
    pub outcome: String,
    /// Address of the client.
    pub ip: Option<String>,
    /// The client, as it calls itself.
    pub user_agent: Option<String>,
    /// Id of the request.
    pub request_id: Option<String>,
    actor_user_id: Option<String>,
    actor_user_name: Option<String>,
    actor_user_email: Option<String>,
    actor_access_token_id: Option<String>,
    actor_access_token_name: Option<String>,
}

impl Common {
    /// Who did it.
    #[must_use]
    pub fn actor(&self) -> Actor {
        let user = self.actor_user_id.clone().map(|id| ActorUser {
            id,
            name: self.actor_user_name.clone(),
            email: self.actor_user_email.clone(),
        });
        let access_token =
            self.actor_access_token_id.clone().map(|id| ActorToken { id, name: self.actor_access_token_name.clone() });
        Actor { user, access_token }
    }
}

/// The columns of [`Common`], from `e`, with those of one log behind them.
macro_rules! columns {
    ($($own:literal),*) => {
        concat!(
            "select e.id, e.index, e.occurred_at, e.outcome, e.ip, e.user_agent, e.request_id, e.actor_user_id, e.actor_user_name, ",
            "e.actor_user_email, e.actor_access_token_id, e.actor_access_token_name"
            $(, ", ", $own)*
        )
    };
}

/// An attempt to sign in.
#[derive(Debug, Clone, FromRow)]
pub struct SignInEntry {
    /// What every entry has.
    #[sqlx(flatten)]
    pub common: Common,
    /// The way that was used.
    pub login_method: Option<String>,
    /// The address as typed.
    pub login_email: Option<String>,
}

impl Columns for SignInEntry {
    const SELECT: &'static str = columns!("e.login_method", "e.login_email");
}

/// A mutation that was sent.
#[derive(Debug, Clone, FromRow)]
pub struct OperationEntry {
    /// What every entry has.
    #[sqlx(flatten)]
    pub common: Common,
    /// Its name, as the client said.
    pub operation_name: Option<String>,
    /// Its text, as the client sent it.
    pub operation_text: Option<String>,
    /// Its variables, without secrets: JSON.
    pub operation_variables: Option<String>,
    /// The fields that ran.
    pub operation_root_fields: Option<Vec<String>>,
    /// SHA-256 of the document that ran.
    pub operation_document_sha256: Option<Vec<u8>>,
}

impl Columns for OperationEntry {
    const SELECT: &'static str = columns!(
        "e.operation_name",
        "e.operation_text",
        "e.operation_variables::text as operation_variables",
        "e.operation_root_fields",
        "e.operation_document_sha256"
    );
}

impl OperationEntry {
    /// Whether the name that the client gave speaks of what ran; none where there is nothing to compare.
    #[must_use]
    pub fn name_matches(&self) -> Option<bool> {
        Some(name_matches(self.operation_name.as_deref()?, self.operation_root_fields.as_deref()?))
    }
}

/// An export of data.
#[derive(Debug, Clone, FromRow)]
pub struct ExportEntry {
    /// What every entry has.
    #[sqlx(flatten)]
    pub common: Common,
    /// Id of the model.
    pub object_id: Option<String>,
    /// The model's name at the time.
    pub export_model: Option<String>,
    /// Rows that were taken out.
    pub export_rows: Option<i64>,
    /// SHA-256 of what was taken out.
    pub export_sha256: Option<Vec<u8>>,
}

impl Columns for ExportEntry {
    const SELECT: &'static str = columns!("e.object_id", "e.export_model", "e.export_rows", "e.export_sha256");
}

/// Any event.
#[derive(Debug, Clone, FromRow)]
pub struct ChangeEntry {
    /// What every entry has.
    #[sqlx(flatten)]
    pub common: Common,
    /// Its kind.
    pub kind: String,
    /// Its action.
    pub action: String,
    /// When it was written down.
    pub recorded_at: DateTime<Utc>,
    /// Type of what it is about.
    pub object_type: String,
    /// Id of that.
    pub object_id: Option<String>,
    /// Its name at the time.
    pub object_name: Option<String>,
    /// Its state before: JSON.
    pub previous: Option<String>,
    /// Its state after: JSON.
    pub next: Option<String>,
    /// The access token that sent another product's event.
    pub source_access_token_id: Option<Uuid>,
}

impl Columns for ChangeEntry {
    const SELECT: &'static str = columns!(
        "e.kind",
        "e.action",
        "e.recorded_at",
        "e.object_type",
        "e.object_id",
        "e.object_name",
        "e.previous::text as previous",
        "e.next::text as next",
        "e.source_access_token_id"
    );
}

macro_rules! placed {
    ($($entry:ty),*) => {
        $(impl Placed for $entry {
            fn position(&self) -> Position {
                Position { occurred_at: self.common.occurred_at, index: self.common.index }
            }
        })*
    };
}

placed!(SignInEntry, OperationEntry, ExportEntry, ChangeEntry);
