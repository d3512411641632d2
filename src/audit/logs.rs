//! The logs as programs read them: page after page from the newest on, in the window that the first page had (contract §5).
//!
//! Four of them: attempts to sign in, operations, exports of data, and changes. Each reads the few columns that it has, and all of them through
//! the one filter of the store.

use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use futures::FutureExt;

use super::action::Action;
use super::cursor::{CursorKey, Position};
use super::event::Kind;
use super::query::{ActionPattern, EventFilter};
use super::range::TimeRange;
use super::reading::Reading;
use super::refusal;
use super::store::{self, Columns, Direction, Selection, Window};
use crate::identity::access::{Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage::Planning;
use crate::{Error, Result};

mod entries;
mod window;

pub use entries::{ChangeEntry, Common, ExportEntry, OperationEntry, Placed, SignInEntry};

/// Most entries of a page.
pub const MAX_FIRST: i32 = 100;

/// Which page of a log.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Entries on the page: 1 to [`MAX_FIRST`].
    pub first: i32,
    /// The cursor of the entry after which it begins; none: the newest.
    pub after: Option<String>,
    /// First moment; none: 30 days before the last.
    pub start_time: Option<DateTime<Utc>>,
    /// Last moment, included; none: now.
    pub end_time: Option<DateTime<Utc>>,
}

/// A page of a log.
#[derive(Debug)]
pub struct LogPage<E> {
    /// Its entries, newest first.
    pub entries: Vec<E>,
    /// Whether there are older ones in the window.
    pub has_next_page: bool,
    /// The cursors of its entries.
    pub cursors: Cursors,
}

/// The cursors of a log in one window, made when they are asked for: a page of a hundred entries needs one.
#[derive(Debug, Clone)]
pub struct Cursors {
    key: CursorKey,
    scope: Arc<str>,
    window: TimeRange,
}

impl Cursors {
    /// The cursor of the entry at `position`, for [`Asked::after`].
    #[must_use]
    pub fn of(&self, position: Position) -> String {
        self.key.seal_in(&self.scope, self.window, position)
    }
}

/// Attempts to sign in, successful or not.
///
/// # Errors
/// Those of authorization; [`Error::Invalid`] for `first`, `startTime` and `endTime`; [`Error::BadCursor`].
pub async fn sign_ins(platform: &Platform, viewer: &Viewer, slug: &str, asked: &Asked) -> Result<LogPage<SignInEntry>> {
    let access = authorize(platform, viewer, slug).await?;
    page(platform, &access, &only(Action::LoginAttempted)?, asked, "signIns").await
}

/// Mutations sent after signing in, through GraphQL or the pages.
///
/// # Errors
/// As [`sign_ins`].
pub async fn operations(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    asked: &Asked,
) -> Result<LogPage<OperationEntry>> {
    let access = authorize(platform, viewer, slug).await?;
    page(platform, &access, &only(Action::MutationSent)?, asked, "operations").await
}

/// Exports of data that took something out of a model; those of demonstrations are left out.
///
/// # Errors
/// As [`sign_ins`].
pub async fn exports(platform: &Platform, viewer: &Viewer, slug: &str, asked: &Asked) -> Result<LogPage<ExportEntry>> {
    let access = authorize(platform, viewer, slug).await?;
    let filter = EventFilter { kinds: vec![Kind::Export], ..EventFilter::default() };
    page(platform, &access, &filter, asked, "exports").await
}

/// The events of a filter: changes, where it names no other kinds.
///
/// # Errors
/// As [`sign_ins`].
pub async fn changes(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    filter: &EventFilter,
    asked: &Asked,
) -> Result<LogPage<ChangeEntry>> {
    let access = authorize(platform, viewer, slug).await?;
    page(platform, &access, filter, asked, "changes").await
}

/// How many events of a filter the window has: counted, so to be asked only where somebody wants to know.
///
/// # Errors
/// As [`sign_ins`].
pub async fn count(
    platform: &Platform,
    viewer: &Viewer,
    slug: &str,
    filter: &EventFilter,
    asked: &Asked,
) -> Result<i64> {
    let access = authorize(platform, viewer, slug).await?;
    let (range, _) = place(platform, asked, &scope(&access, filter, asked, "changes"))?;
    let reading = Reading::of(&platform.database, access.organization().id).planned(Planning::Anew);
    let selection = selection(&access, filter, range);
    let totals = reading.ask(&selection, |selection, connection| store::totals(connection, selection).boxed()).await?;
    Ok(totals.events)
}

/// The moment up to which everything that was recorded can be read; to be asked before what it speaks of.
///
/// # Errors
/// Those of authorization.
pub async fn complete_through(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<DateTime<Utc>> {
    let access = authorize(platform, viewer, slug).await?;
    store::complete_through(&platform.database.reads, access.organization().id).await
}

/// Whoever may not is recorded, and so is who looks, at most once in a while.
async fn authorize(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<Access> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    refusal::record_view(platform, &access).await;
    Ok(access)
}

fn only(action: Action) -> Result<EventFilter> {
    let actions = vec![ActionPattern::parse(action.name())?];
    Ok(EventFilter { kinds: vec![action.kind()], actions, ..EventFilter::default() })
}

async fn page<E: Columns>(
    platform: &Platform,
    access: &Access,
    filter: &EventFilter,
    asked: &Asked,
    log: &str,
) -> Result<LogPage<E>> {
    if !(1..=MAX_FIRST).contains(&asked.first) {
        return Err(Error::invalid("first", format!("Ask for 1 to {MAX_FIRST} entries at once.")));
    }
    let scope = scope(access, filter, asked, log);
    let (range, from) = place(platform, asked, &scope)?;
    // One row more than is shown: it says whether there are more.
    let window = Window { from, direction: Direction::Older, rows: i64::from(asked.first) + 1 };
    let reading = Reading::of(&platform.database, access.organization().id).planned(Planning::Once);
    let selection = selection(access, filter, range);
    let about = (selection, window);
    let found =
        reading.ask(&about, |(selection, window), connection| store::events(connection, selection, *window).boxed());
    let mut found: Vec<E> = found.await?;
    let shown = usize::try_from(asked.first).unwrap_or_default();
    let has_next_page = found.len() > shown;
    found.truncate(shown);
    let cursors = Cursors { key: platform.keys.cursor.clone(), scope: scope.into(), window: range };
    Ok(LogPage { entries: found, has_next_page, cursors })
}

fn selection<'a>(access: &Access, filter: &'a EventFilter, range: TimeRange) -> Selection<'a> {
    let with_rows = filter.kinds == [Kind::Export];
    Selection { organization: access.organization().id, filter, range, last_index: None, with_rows }
}

/// What a cursor is good for: an organization, a log, a filter, and the times as they were given (contract §9).
fn scope(access: &Access, filter: &EventFilter, asked: &Asked, log: &str) -> String {
    let given = |time: Option<DateTime<Utc>>| {
        time.map_or_else(|| "-".to_owned(), |time| time.to_rfc3339_opts(SecondsFormat::Nanos, true))
    };
    let (start, end) = (given(asked.start_time), given(asked.end_time));
    format!("log {log} {} {start} {end} {:?}", access.organization().id, filter.view())
}

/// The window and where in it to begin: those of the cursor, or else the whole window that is asked for.
fn place(platform: &Platform, asked: &Asked, scope: &str) -> Result<(TimeRange, Option<Position>)> {
    let now = platform.clock.now();
    match &asked.after {
        None => Ok((window::resolve(asked, now)?, None)),
        Some(cursor) => {
            let (range, position) = platform.keys.cursor.open_in(scope, cursor)?;
            Ok((window::not_below_the_floor(range, now), Some(position)))
        }
    }
}
