//! A model as somebody uses or changes it: its row, and its state as events hold it.

use serde_json::{Value, json};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::audit::action::Action;
use crate::audit::append::{NewEvent, Object};
use crate::audit::change::Change;
use crate::identity::access::Access;
use crate::{Error, Result};

/// A model.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) description: String,
    pub(super) demo: bool,
    /// How many were added, which is the number of the next one.
    pub(super) records: i64,
    /// How many of them are kept.
    pub(super) kept: i64,
}

impl Model {
    /// The model with this name.
    pub(super) async fn find(connection: &mut PgConnection, access: &Access, name: &str) -> Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select id, name, description, demo, records, records - forgotten as "kept!" from orgtrail.models where organization_id = $1 and name = $2"#,
            access.organization().id,
            name.replace('\0', " ")
        )
        .fetch_optional(connection)
        .await?
        .ok_or(Error::NotFound)
    }

    /// Likewise, held until the change ends: who adds to it and who deletes it come one after the other.
    pub(super) async fn hold(change: &mut Change, access: &Access, name: &str) -> Result<Self> {
        sqlx::query_as!(
            Self,
            r#"select id, name, description, demo, records, records - forgotten as "kept!" from orgtrail.models where organization_id = $1 and name = $2 for update"#,
            access.organization().id,
            name.replace('\0', " ")
        )
        .fetch_optional(change.connection())
        .await?
        .ok_or(Error::NotFound)
    }

    /// The state as `previous` and `next` hold it.
    pub(super) fn state(&self) -> Value {
        let Self { id, name, description, demo, kept, .. } = self;
        json!({ "id": id, "name": name, "description": description, "demo": demo, "records": kept })
    }

    pub(super) fn object(&self) -> Object {
        Object::new("model", self.id, &self.name)
    }

    pub(super) fn event(&self, action: Action) -> NewEvent {
        NewEvent::new(action, self.object())
    }
}
