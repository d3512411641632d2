//! Entries of the logs of sign-ins, operations and exports.

use std::fmt::Write;

use async_graphql::{Enum, ID, SimpleObject};
use orgtrail::audit::event::{Actor, Outcome};
use orgtrail::audit::logs::{Common, ExportEntry, OperationEntry, SignInEntry};

use super::id;
use crate::graphql::scalars::{Json, Moment};

/// A user, as they were when it happened.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLogUser {
    /// Id; null for somebody who did not prove to be anybody.
    pub id: Option<ID>,
    /// Name.
    pub name: Option<String>,
    /// E-mail address; of an attempt to sign in, as it was typed.
    pub email: Option<String>,
}

/// An access token, as it was when it acted.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLogAccessToken {
    /// Id.
    pub id: ID,
    /// Name.
    pub name: Option<String>,
}

/// Who did it: a user or an access token; both, or others, where another product says so.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLogActor {
    /// The user.
    pub user: Option<AuditLogUser>,
    /// The access token.
    pub access_token: Option<AuditLogAccessToken>,
}

/// How it ended.
#[derive(Enum, Clone, Copy, PartialEq, Eq)]
pub enum AuditLogOutcome {
    /// It was done.
    Success,
    /// It was tried and failed.
    Failure,
    /// It was refused.
    Denied,
    /// It was done, and there was nothing in it.
    Empty,
    /// It was broken off half-way.
    Aborted,
}

/// A model that data was taken out of.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLogModel {
    /// Id.
    pub id: Option<ID>,
    /// Its name at the time.
    pub name: Option<String>,
}

/// An attempt to sign in.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct UnauthenticatedAuditLog {
    /// Id of the event.
    pub id: ID,
    /// Position in the organization's trail, from 0 without gaps.
    pub index: i64,
    /// Who it was, as far as that is known: the address as typed, and, after a success, the user.
    pub user: AuditLogUser,
    /// Address of the client.
    pub ip: Option<String>,
    /// The client, as it calls itself.
    pub user_agent: Option<String>,
    /// Id of the request, as in its answer’s `x-request-id`.
    pub request_id: Option<String>,
    /// Whether it succeeded.
    pub success: bool,
    /// How it ended.
    pub outcome: AuditLogOutcome,
    /// The way that was used: `login`, `signup`, `acceptInvite`.
    pub mutation_name: Option<String>,
    /// When it was attempted.
    pub logged_at: Moment,
}

/// A mutation that was sent after signing in.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuthenticatedAuditLog {
    /// Id of the event.
    pub id: ID,
    /// Position in the organization's trail, from 0 without gaps.
    pub index: i64,
    /// The user who sent it; null where an access token did: `actor` says which.
    pub user: Option<AuditLogUser>,
    /// Who sent it.
    pub actor: AuditLogActor,
    /// Its name, as the client gave it: a claim, not a fact. Of a page, the name of its function.
    pub operation_name: Option<String>,
    /// Its text, as the client sent it. Of a page, the address of its function.
    pub operation_text: Option<String>,
    /// Its variables, without secrets.
    pub variables: Option<Json>,
    /// The fields that ran, found in the document by the server.
    pub root_fields: Option<Vec<String>>,
    /// SHA-256 of the document that ran, as hexadecimal digits; the same however it is spaced and commented.
    pub document_sha256: Option<String>,
    /// Whether `operationName` is the name of a field that ran; null where there is nothing to compare.
    pub name_matches: Option<bool>,
    /// How it ended.
    pub outcome: AuditLogOutcome,
    /// Address of the client.
    pub ip: Option<String>,
    /// The client, as it calls itself.
    pub user_agent: Option<String>,
    /// Id of the request, as in its answer’s `x-request-id`.
    pub request_id: Option<String>,
    /// When it ran.
    pub logged_at: Moment,
}

/// An export of data out of a model.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct ExporterAuditLog {
    /// Id of the event.
    pub id: ID,
    /// Position in the organization's trail, from 0 without gaps.
    pub index: i64,
    /// The user who exported; null where an access token did: `actor` says which.
    pub user: Option<AuditLogUser>,
    /// Who exported.
    pub actor: AuditLogActor,
    /// The model.
    pub model: AuditLogModel,
    /// Rows that were taken out.
    pub rows: Option<i64>,
    /// SHA-256 of what was taken out, as hexadecimal digits.
    pub sha256: Option<String>,
    /// How it ended: an export that was broken off is here too.
    pub outcome: AuditLogOutcome,
    /// Address of the client.
    pub ip: Option<String>,
    /// The client, as it calls itself.
    pub user_agent: Option<String>,
    /// Id of the request, as in its answer’s `x-request-id`.
    pub request_id: Option<String>,
    /// When it was exported.
    pub logged_at: Moment,
}

impl From<Actor> for AuditLogActor {
    fn from(actor: Actor) -> Self {
        let user = |user: orgtrail::audit::event::ActorUser| AuditLogUser {
            id: Some(id(user.id)),
            name: user.name,
            email: user.email,
        };
        let token =
            |token: orgtrail::audit::event::ActorToken| AuditLogAccessToken { id: id(token.id), name: token.name };
        Self { user: actor.user.map(user), access_token: actor.access_token.map(token) }
    }
}

/// The outcome of an event; one that is not known any more counts as a failure.
pub(super) fn outcome(of: &Common) -> AuditLogOutcome {
    match Outcome::parse(&of.outcome) {
        Some(Outcome::Success) => AuditLogOutcome::Success,
        Some(Outcome::Denied) => AuditLogOutcome::Denied,
        Some(Outcome::Empty) => AuditLogOutcome::Empty,
        Some(Outcome::Aborted) => AuditLogOutcome::Aborted,
        Some(Outcome::Failure) | None => AuditLogOutcome::Failure,
    }
}

impl From<SignInEntry> for UnauthenticatedAuditLog {
    fn from(entry: SignInEntry) -> Self {
        let common = entry.common;
        let user = common.actor().user;
        Self {
            id: id(common.id),
            index: common.index,
            success: common.outcome == Outcome::Success.as_str(),
            outcome: outcome(&common),
            user: AuditLogUser {
                id: user.as_ref().map(|user| id(&user.id)),
                name: user.and_then(|user| user.name),
                email: entry.login_email,
            },
            mutation_name: entry.login_method,
            logged_at: Moment(common.occurred_at),
            ip: common.ip,
            user_agent: common.user_agent,
            request_id: common.request_id,
        }
    }
}

impl From<OperationEntry> for AuthenticatedAuditLog {
    fn from(entry: OperationEntry) -> Self {
        let name_matches = entry.name_matches();
        let common = entry.common;
        Self {
            id: id(common.id),
            index: common.index,
            user: AuditLogActor::from(common.actor()).user,
            actor: common.actor().into(),
            operation_name: entry.operation_name,
            operation_text: entry.operation_text,
            variables: entry.operation_variables.map(Json),
            root_fields: entry.operation_root_fields,
            document_sha256: entry.operation_document_sha256.map(|sha256| hex(&sha256)),
            name_matches,
            outcome: outcome(&common),
            logged_at: Moment(common.occurred_at),
            ip: common.ip,
            user_agent: common.user_agent,
            request_id: common.request_id,
        }
    }
}

impl From<ExportEntry> for ExporterAuditLog {
    fn from(entry: ExportEntry) -> Self {
        let common = entry.common;
        Self {
            id: id(common.id),
            index: common.index,
            user: AuditLogActor::from(common.actor()).user,
            actor: common.actor().into(),
            model: AuditLogModel { id: entry.object_id.map(id), name: entry.export_model },
            rows: entry.export_rows,
            sha256: entry.export_sha256.map(|sha256| hex(&sha256)),
            outcome: outcome(&common),
            logged_at: Moment(common.occurred_at),
            ip: common.ip,
            user_agent: common.user_agent,
            request_id: common.request_id,
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
