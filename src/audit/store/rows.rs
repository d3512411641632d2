//! The whole row of an event, as pages read it.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Columns;
use crate::audit::cursor::Position;
use crate::audit::event::{Actor, ActorToken, ActorUser};

/// An event as it is stored.
#[derive(Debug, Clone, sqlx::FromRow)]
pub(in crate::audit) struct EventRecord {
    pub id: Uuid,
    pub index: i64,
    pub kind: String,
    pub action: String,
    pub occurred_at: DateTime<Utc>,
    pub recorded_at: DateTime<Utc>,
    pub actor_user_id: Option<String>,
    pub actor_user_name: Option<String>,
    pub actor_user_email: Option<String>,
    pub actor_access_token_id: Option<String>,
    pub actor_access_token_name: Option<String>,
    pub object_type: String,
    pub object_id: Option<String>,
    pub object_name: Option<String>,
    pub outcome: String,
    pub previous: Option<String>,
    pub next: Option<String>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    pub request_id: Option<String>,
    pub source_access_token_id: Option<Uuid>,
    pub operation_name: Option<String>,
    pub operation_text: Option<String>,
    pub operation_variables: Option<String>,
    pub operation_root_fields: Option<Vec<String>>,
    pub login_method: Option<String>,
    pub login_email: Option<String>,
    pub export_model: Option<String>,
    pub export_rows: Option<i64>,
}

impl Columns for EventRecord {
    const SELECT: &'static str = "select e.id, e.index, e.kind, e.action, e.occurred_at, e.recorded_at, e.actor_user_id, e.actor_user_name, \
     e.actor_user_email, e.actor_access_token_id, e.actor_access_token_name, e.object_type, e.object_id, e.object_name, e.outcome, \
     e.previous::text as previous, e.next::text as next, e.ip, e.user_agent, e.request_id, e.source_access_token_id, e.operation_name, \
     e.operation_text, e.operation_variables::text as operation_variables, e.operation_root_fields, \
     e.login_method, e.login_email, e.export_model, e.export_rows";
}

impl EventRecord {
    /// Its place in the order of pages.
    pub(in crate::audit) fn position(&self) -> Position {
        Position { occurred_at: self.occurred_at, index: self.index }
    }

    /// Who did it.
    pub(in crate::audit) fn actor(&self) -> Actor {
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
