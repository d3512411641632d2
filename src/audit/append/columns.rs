//! Drafts turned on their side: one array per column, so that any number of events is one `insert … select unnest(…)`.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Draft, ExportFacts, Measured, Recorded};
use crate::Result;
use crate::audit::operation::OperationFacts;

type Text<'a> = Vec<Option<&'a str>>;

#[derive(Default)]
pub(super) struct Columns<'a> {
    index: Vec<i64>,
    id: Vec<Uuid>,
    kind: Vec<&'a str>,
    action: Vec<&'a str>,
    occurred_at: Vec<DateTime<Utc>>,
    recorded_at: Vec<DateTime<Utc>>,
    actor_user_id: Text<'a>,
    actor_user_name: Text<'a>,
    actor_user_email: Text<'a>,
    actor_access_token_id: Text<'a>,
    actor_access_token_name: Text<'a>,
    object_type: Vec<&'a str>,
    object_id: Text<'a>,
    object_name: Text<'a>,
    outcome: Vec<&'a str>,
    previous: Text<'a>,
    next: Text<'a>,
    ip: Text<'a>,
    user_agent: Text<'a>,
    request_id: Text<'a>,
    source_access_token_id: Vec<Option<Uuid>>,
    login_method: Text<'a>,
    login_email: Text<'a>,
    operation_name: Text<'a>,
    operation_text: Text<'a>,
    operation_variables: Text<'a>,
    operation_root_fields: Vec<Option<String>>,
    operation_document_sha256: Vec<Option<&'a [u8]>>,
    export_model: Text<'a>,
    export_rows: Vec<Option<i64>>,
    export_sha256: Vec<Option<&'a [u8]>>,
    export_of_demo: Vec<bool>,
    csv_safe_length: Vec<i32>,
    csv_raw_length: Vec<i32>,
    words: Vec<&'a str>,
}

impl<'a> Columns<'a> {
    /// Everything about events that does not depend on their places.
    pub(super) fn of(events: &[&'a Measured]) -> Self {
        let mut columns = Self::default();
        for event in events {
            columns.push_actor(&event.draft);
            columns.push_rest(&event.draft);
            columns.push_operation(event.draft.operation.as_ref());
            columns.push_export(event.draft.export.as_ref());
            columns.csv_safe_length.push(event.csv_safe_length);
            columns.csv_raw_length.push(event.csv_raw_length);
            columns.words.push(&event.words);
        }
        columns
    }

    /// Puts the events in their places.
    pub(super) fn place(&mut self, events: &[&Measured], places: &[Recorded]) {
        for (event, place) in events.iter().zip(places) {
            self.index.push(place.index);
            self.id.push(place.id);
            self.occurred_at.push(event.draft.claimed_at.unwrap_or(place.recorded_at));
            self.recorded_at.push(place.recorded_at);
        }
    }

    fn push_actor(&mut self, draft: &'a Draft) {
        let (user, token) = (draft.actor.user.as_ref(), draft.actor.access_token.as_ref());
        self.actor_user_id.push(user.map(|user| user.id.as_str()));
        self.actor_user_name.push(user.and_then(|user| user.name.as_deref()));
        self.actor_user_email.push(user.and_then(|user| user.email.as_deref()));
        self.actor_access_token_id.push(token.map(|token| token.id.as_str()));
        self.actor_access_token_name.push(token.and_then(|token| token.name.as_deref()));
    }

    fn push_rest(&mut self, draft: &'a Draft) {
        self.kind.push(draft.kind.as_str());
        self.action.push(&draft.action);
        self.object_type.push(&draft.object_type);
        self.object_id.push(draft.object_id.as_deref());
        self.object_name.push(draft.object_name.as_deref());
        self.outcome.push(draft.outcome.as_str());
        self.previous.push(draft.previous.as_deref());
        self.next.push(draft.next.as_deref());
        self.ip.push(draft.origin.ip.as_deref());
        self.user_agent.push(draft.origin.user_agent.as_deref());
        self.request_id.push(draft.origin.request_id.as_deref());
        self.source_access_token_id.push(draft.source_access_token_id);
        self.login_method.push(draft.login.as_ref().map(|login| login.method.as_str()));
        self.login_email.push(draft.login.as_ref().map(|login| login.email.as_str()));
    }

    fn push_operation(&mut self, operation: Option<&'a OperationFacts>) {
        self.operation_name.push(operation.and_then(|operation| operation.name.as_deref()));
        self.operation_text.push(operation.map(|operation| operation.text.as_str()));
        self.operation_variables.push(operation.map(|operation| operation.variables.as_str()));
        self.operation_root_fields.push(operation.map(|operation| operation.root_fields.join(" ")));
        let sha256 = operation.and_then(|operation| operation.document_sha256.as_ref());
        self.operation_document_sha256.push(sha256.map(<[u8; 32]>::as_slice));
    }

    fn push_export(&mut self, export: Option<&'a ExportFacts>) {
        self.export_model.push(export.map(|export| export.model.as_str()));
        self.export_rows.push(export.map(|export| export.rows));
        self.export_sha256.push(export.and_then(|export| export.sha256.as_ref()).map(<[u8; 32]>::as_slice));
        self.export_of_demo.push(export.is_some_and(|export| export.of_demo));
    }

    /// One statement for the positions and the events: one write to the socket, whatever the number.
    pub(super) async fn insert(&self, connection: &mut PgConnection, organization: Uuid) -> Result<()> {
        sqlx::query!(
            r#"with event as (
                select * from unnest(
                    $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[], $10::text[],
                    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
                    $21::text[], $22::uuid[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[], $29::bytea[],
                    $30::text[], $31::bigint[], $32::bytea[], $33::boolean[], $34::integer[], $35::integer[], $36::text[])
                as event (index, id, kind, action, occurred_at, recorded_at, actor_user_id, actor_user_name, actor_user_email,
                    actor_access_token_id, actor_access_token_name, object_type, object_id, object_name, outcome, previous, next, ip, user_agent,
                    request_id, source_access_token_id, login_method, login_email, operation_name, operation_text, operation_variables,
                    operation_root_fields, operation_document_sha256, export_model, export_rows, export_sha256, export_of_demo, csv_safe_length,
                    csv_raw_length, words)
            ), placed as (
                insert into orgtrail.event_positions (organization_id, index, event_id, recorded_at)
                select $1, index, id, recorded_at from event
            )
            insert into orgtrail.events (organization_id, index, id, kind, action, occurred_at, recorded_at, actor_user_id, actor_user_name,
                actor_user_email, actor_access_token_id, actor_access_token_name, object_type, object_id, object_name, outcome, previous, next, ip,
                user_agent, request_id, source_access_token_id, login_method, login_email, operation_name, operation_text, operation_variables,
                operation_root_fields, operation_document_sha256, export_model, export_rows, export_sha256, export_of_demo, csv_safe_length,
                    csv_raw_length, words)
            select $1, index, id, kind, action, occurred_at, recorded_at, actor_user_id, actor_user_name, actor_user_email,
                actor_access_token_id, actor_access_token_name, object_type, object_id, object_name, outcome, previous::json, next::json, ip,
                user_agent, request_id, source_access_token_id, login_method, login_email, operation_name, operation_text,
                operation_variables::json, string_to_array(operation_root_fields, ' '), operation_document_sha256, export_model,
                export_rows, export_sha256, export_of_demo, csv_safe_length, csv_raw_length, array_to_tsvector(string_to_array(words, ' '))
            from event"#,
            organization,
            &self.index,
            &self.id,
            &self.kind as _,
            &self.action as _,
            &self.occurred_at,
            &self.recorded_at,
            &self.actor_user_id as _,
            &self.actor_user_name as _,
            &self.actor_user_email as _,
            &self.actor_access_token_id as _,
            &self.actor_access_token_name as _,
            &self.object_type as _,
            &self.object_id as _,
            &self.object_name as _,
            &self.outcome as _,
            &self.previous as _,
            &self.next as _,
            &self.ip as _,
            &self.user_agent as _,
            &self.request_id as _,
            &self.source_access_token_id as _,
            &self.login_method as _,
            &self.login_email as _,
            &self.operation_name as _,
            &self.operation_text as _,
            &self.operation_variables as _,
            &self.operation_root_fields as _,
            &self.operation_document_sha256 as _,
            &self.export_model as _,
            &self.export_rows as _,
            &self.export_sha256 as _,
            &self.export_of_demo,
            &self.csv_safe_length,
            &self.csv_raw_length,
            &self.words as _
        )
        .execute(connection)
        .await?;
        Ok(())
    }
}
