//! The audit log over GraphQL: the three logs of sign-ins, operations and exports, and the changes (contract §5).

use async_graphql::{Context, ID, Object, Result};
use orgtrail::audit::logs::{self, Asked};
use orgtrail::audit::query::EventFilter;

use crate::graphql::connection::Page;
use crate::graphql::scalars::Moment;
use crate::graphql::schema::asked;

pub mod action;
pub mod change;
mod connection;
pub mod entry;
pub mod filter;

use change::{AuditLog, ChangeLog};
use entry::{AuthenticatedAuditLog, ExporterAuditLog, UnauthenticatedAuditLog};
use filter::Filter;

/// The part of an account that is its audit log.
pub struct AccountLogs {
    slug: String,
}

impl AccountLogs {
    /// Of the organization with this slug.
    #[must_use]
    pub fn new(slug: String) -> Self {
        Self { slug }
    }
}

/// A field that is refused is null beside its error, and the others are answered.
impl AccountLogs {
    async fn sign_ins(&self, context: &Context<'_>, page: Asked) -> Result<Page<UnauthenticatedAuditLog>> {
        let (platform, viewer) = asked(context)?;
        Ok(logs::sign_ins(platform, viewer, &self.slug, &page).await?.into())
    }

    async fn operations(&self, context: &Context<'_>, page: Asked) -> Result<Page<AuthenticatedAuditLog>> {
        let (platform, viewer) = asked(context)?;
        Ok(logs::operations(platform, viewer, &self.slug, &page).await?.into())
    }

    async fn exports(&self, context: &Context<'_>, page: Asked) -> Result<Page<ExporterAuditLog>> {
        let (platform, viewer) = asked(context)?;
        Ok(logs::exports(platform, viewer, &self.slug, &page).await?.into())
    }

    async fn changes(&self, context: &Context<'_>, filter: Option<Filter>, page: Asked) -> Result<ChangeLog> {
        let (platform, viewer) = asked(context)?;
        let filter = filter.map_or_else(|| Ok(EventFilter::default()), Filter::parse)?;
        // Asked before the events are, because it speaks of them.
        let complete_through = if context.look_ahead().field("completeThrough").exists() {
            Some(Moment(logs::complete_through(platform, viewer, &self.slug).await?))
        } else {
            None
        };
        let log: Page<AuditLog> = logs::changes(platform, viewer, &self.slug, &filter, &page).await?.into();
        Ok(ChangeLog::new(log, complete_through, self.slug.clone(), filter, page))
    }
}

fn page(first: i32, after: Option<String>, start_time: Option<Moment>, end_time: Option<Moment>) -> Asked {
    Asked { first, after, start_time: start_time.map(|time| time.0), end_time: end_time.map(|time| time.0) }
}

#[Object]
impl AccountLogs {
    /// Attempts to sign in, successful or not, of people who are members of the organization, or invited to it. Newest first.
    async fn unauthenticated_audit_logs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Entries on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "First moment. 30 days before `endTime` where it is not given.")] start_time: Option<Moment>,
        #[graphql(desc = "Last moment, included. Now where it is not given.")] end_time: Option<Moment>,
    ) -> Option<Result<Page<UnauthenticatedAuditLog>>> {
        let page = page(first, after, start_time, end_time);
        Some(self.sign_ins(context, page).await)
    }

    /// Mutations that were sent after signing in, through GraphQL or the pages. Newest first.
    async fn authenticated_audit_logs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Entries on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "First moment. 30 days before `endTime` where it is not given.")] start_time: Option<Moment>,
        #[graphql(desc = "Last moment, included. Now where it is not given.")] end_time: Option<Moment>,
    ) -> Option<Result<Page<AuthenticatedAuditLog>>> {
        let page = page(first, after, start_time, end_time);
        Some(self.operations(context, page).await)
    }

    /// Exports of data that took at least one row out of a model. Those of demonstration models are not among them. Newest first.
    async fn exporter_audit_logs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Entries on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "First moment. 30 days before `endTime` where it is not given.")] start_time: Option<Moment>,
        #[graphql(desc = "Last moment, included. Now where it is not given.")] end_time: Option<Moment>,
    ) -> Option<Result<Page<ExporterAuditLog>>> {
        let page = page(first, after, start_time, end_time);
        Some(self.exports(context, page).await)
    }

    /// What changed in the organization, and what other products sent: the events of Settings → Audit Logs. Newest first.
    async fn audit_logs(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Entries on the page, 1 to 100.")] first: i32,
        #[graphql(desc = "The cursor after which it begins: `endCursor` of the page before.")] after: Option<String>,
        #[graphql(desc = "First moment. 30 days before `endTime` where it is not given.")] start_time: Option<Moment>,
        #[graphql(desc = "Last moment, included. Now where it is not given.")] end_time: Option<Moment>,
        #[graphql(desc = "Which of them; all changes where it is not given.")] filter: Option<Filter>,
    ) -> Option<Result<ChangeLog>> {
        let page = page(first, after, start_time, end_time);
        Some(self.changes(context, filter, page).await)
    }
}

/// An id as GraphQL has it.
fn id(id: impl ToString) -> ID {
    ID(id.to_string())
}
