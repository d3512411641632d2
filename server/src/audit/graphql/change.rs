//! The events of the trail: `auditLogs`.

use async_graphql::{ComplexObject, Context, ID, Result, SimpleObject};
use orgtrail::audit::logs::{self, Asked, ChangeEntry};
use orgtrail::audit::query::EventFilter;

use super::action::CatalogueAction;
use super::entry::{AuditLogActor, AuditLogOutcome, outcome};
use super::filter::AuditLogKind;
use super::id;
use crate::graphql::connection::{Edges, Page, PageInfo};
use crate::graphql::scalars::{Json, Moment};
use crate::graphql::schema::asked;

/// A page of events, newest first.
#[derive(SimpleObject)]
#[graphql(name = "AuditLogConnection", complex, serial)]
pub struct ChangeLog {
    /// Where the page ends.
    page_info: PageInfo,
    /// The events.
    edges: Edges<AuditLog>,
    /// The moment up to which everything that was recorded can be read. What is recorded from then on may still appear.
    complete_through: Option<Moment>,
    #[graphql(skip)]
    slug: String,
    #[graphql(skip)]
    filter: EventFilter,
    #[graphql(skip)]
    asked: Asked,
}

impl ChangeLog {
    /// A page, and what it takes to count what it is a part of.
    pub(super) fn new(
        log: Page<AuditLog>,
        complete_through: Option<Moment>,
        slug: String,
        filter: EventFilter,
        asked: Asked,
    ) -> Self {
        Self { page_info: log.page_info, edges: log.edges, complete_through, slug, filter, asked }
    }
}

#[ComplexObject]
impl ChangeLog {
    /// How many events the filter has in the window, on all pages together.
    async fn total_count(&self, context: &Context<'_>) -> Result<i64> {
        let (platform, viewer) = asked(context)?;
        Ok(logs::count(platform, viewer, &self.slug, &self.filter, &self.asked).await?)
    }
}

/// What an event is about.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLogObject {
    /// Its type, such as `member`.
    #[graphql(name = "type")]
    pub object_type: String,
    /// Its id.
    pub id: Option<ID>,
    /// Its name at the time.
    pub name: Option<String>,
}

/// An event of the trail. It never changes.
#[derive(SimpleObject)]
#[graphql(serial)]
pub struct AuditLog {
    /// Id.
    pub id: ID,
    /// Position in the organization's trail, from 0 without gaps.
    pub index: i64,
    /// Its kind.
    pub kind: AuditLogKind,
    /// Its dotted name, such as `member.updated`.
    pub action: String,
    /// The same as a value of the catalogue; null for what another product sent.
    pub catalogue_action: Option<CatalogueAction>,
    /// Who did it.
    pub actor: AuditLogActor,
    /// What it is about.
    pub object: AuditLogObject,
    /// How it ended.
    pub outcome: AuditLogOutcome,
    /// The object's whole state before, without secrets.
    pub previous: Option<Json>,
    /// The object's whole state after, without secrets.
    pub next: Option<Json>,
    /// Address of the client.
    pub ip: Option<String>,
    /// The client, as it calls itself.
    pub user_agent: Option<String>,
    /// Id of the request, as in its answer’s `x-request-id`.
    pub request_id: Option<String>,
    /// The access token that sent it, where another product did.
    pub source_access_token_id: Option<ID>,
    /// When it happened.
    pub occurred_at: Moment,
    /// When it was written down, by the database's clock.
    pub recorded_at: Moment,
}

impl From<ChangeEntry> for AuditLog {
    fn from(entry: ChangeEntry) -> Self {
        let common = entry.common;
        Self {
            id: id(common.id),
            index: common.index,
            kind: AuditLogKind::of(&entry.kind),
            catalogue_action: CatalogueAction::of(&entry.action),
            action: entry.action,
            actor: common.actor().into(),
            object: AuditLogObject {
                object_type: entry.object_type,
                id: entry.object_id.map(id),
                name: entry.object_name,
            },
            outcome: outcome(&common),
            previous: entry.previous.map(Json),
            next: entry.next.map(Json),
            ip: common.ip,
            user_agent: common.user_agent,
            request_id: common.request_id,
            source_access_token_id: entry.source_access_token_id.map(id),
            occurred_at: Moment(common.occurred_at),
            recorded_at: Moment(entry.recorded_at),
        }
    }
}
