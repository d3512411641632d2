//! The entries of the logs: of each event, the columns that its log has.

use chrono::{DateTime, Utc};
use sqlx::postgres::{PgRow, Postgres};
use sqlx::{Decode, FromRow, Row, Type};
use uuid::Uuid;

use crate::audit::cursor::Position;
use crate::audit::event::{Actor, ActorToken, ActorUser};
use crate::audit::operation::name_matches;
use crate::audit::store::Columns;

/// An event whose place in the order is known.
pub trait Placed {
    /// The place.
    fn position(&self) -> Position;
}

/// What every entry has.
#[derive(Debug, Clone)]
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

    fn read(cells: &mut Cells<'_>) -> sqlx::Result<Self> {
        Ok(Self {
            id: cells.next()?,
            index: cells.next()?,
            occurred_at: cells.next()?,
            outcome: cells.next()?,
            ip: cells.next()?,
            user_agent: cells.next()?,
            request_id: cells.next()?,
            actor_user_id: cells.next()?,
            actor_user_name: cells.next()?,
            actor_user_email: cells.next()?,
            actor_access_token_id: cells.next()?,
            actor_access_token_name: cells.next()?,
        })
    }
}

/// The cells of a row in their order, which is that of `entry!`: none of them is looked up by its name.
struct Cells<'r> {
    row: &'r PgRow,
    at: usize,
}

impl<'r> Cells<'r> {
    fn next<T: Decode<'r, Postgres> + Type<Postgres>>(&mut self) -> sqlx::Result<T> {
        self.at += 1;
        self.row.try_get(self.at - 1)
    }
}

/// The entry of a log: [`Common`], and a field for each column of its own, from `e`.
macro_rules! entry {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $type:ty = $column:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone)]
        pub struct $name {
            /// What every entry has.
            pub common: Common,
            $($(#[$of])* pub $field: $type,)*
        }

        impl Columns for $name {
            const SELECT: &'static str = concat!(
                "select e.id, e.index, e.occurred_at, e.outcome, e.ip, e.user_agent, e.request_id, e.actor_user_id, e.actor_user_name, ",
                "e.actor_user_email, e.actor_access_token_id, e.actor_access_token_name"
                $(, ", ", $column)*
            );
        }

        impl FromRow<'_, PgRow> for $name {
            fn from_row(row: &PgRow) -> sqlx::Result<Self> {
                let mut cells = Cells { row, at: 0 };
                Ok(Self { common: Common::read(&mut cells)?, $($field: cells.next()?,)* })
            }
        }

        impl Placed for $name {
            fn position(&self) -> Position {
                Position { occurred_at: self.common.occurred_at, index: self.common.index }
            }
        }
    };
}

entry! {
    /// An attempt to sign in.
    SignInEntry {
        /// The way that was used.
        login_method: Option<String> = "e.login_method",
        /// The address as typed.
        login_email: Option<String> = "e.login_email",
    }
}

entry! {
    /// A mutation that was sent.
    OperationEntry {
        /// Its name, as the client said.
        operation_name: Option<String> = "e.operation_name",
        /// Its text, as the client sent it.
        operation_text: Option<String> = "e.operation_text",
        /// Its variables, without secrets: JSON.
        operation_variables: Option<String> = "e.operation_variables::text",
        /// The fields that ran.
        operation_root_fields: Option<Vec<String>> = "e.operation_root_fields",
        /// SHA-256 of the document that ran.
        operation_document_sha256: Option<Vec<u8>> = "e.operation_document_sha256",
    }
}

impl OperationEntry {
    /// Whether the name that the client gave speaks of what ran; none where there is nothing to compare.
    #[must_use]
    pub fn name_matches(&self) -> Option<bool> {
        Some(name_matches(self.operation_name.as_deref()?, self.operation_root_fields.as_deref()?))
    }
}

entry! {
    /// An export of data.
    ExportEntry {
        /// Id of the model.
        object_id: Option<String> = "e.object_id",
        /// The model's name at the time.
        export_model: Option<String> = "e.export_model",
        /// Rows that were taken out.
        export_rows: Option<i64> = "e.export_rows",
        /// SHA-256 of what was taken out.
        export_sha256: Option<Vec<u8>> = "e.export_sha256",
    }
}

entry! {
    /// Any event.
    ChangeEntry {
        /// Its kind.
        kind: String = "e.kind",
        /// Its action.
        action: String = "e.action",
        /// When it was written down.
        recorded_at: DateTime<Utc> = "e.recorded_at",
        /// Type of what it is about.
        object_type: String = "e.object_type",
        /// Id of that.
        object_id: Option<String> = "e.object_id",
        /// Its name at the time.
        object_name: Option<String> = "e.object_name",
        /// Its state before: JSON.
        previous: Option<String> = "e.previous::text",
        /// Its state after: JSON.
        next: Option<String> = "e.next::text",
        /// The access token that sent another product's event.
        source_access_token_id: Option<Uuid> = "e.source_access_token_id",
    }
}
