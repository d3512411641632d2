//! Settings → Audit Logs: a page of events, one event, the count of the download, the actors to choose from.

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use futures::FutureExt;
use sqlx::PgConnection;

use super::cursor;
use super::diff::diff;
use super::moment::moment;
use super::query::{PageQuery, Position, parse_event};
use super::range::calendar;
use super::reading::Reading;
use super::store::{self, Direction, EventRecord, SeenActor, Selection, Window};
use super::view::{ActorChoice, Damage, EventDetail, EventPage, ExportCount, PAGE_SIZE};
use super::{csv, damage, refusal};
use crate::identity::access::{Access, Operation};
use crate::identity::viewer::Viewer;
use crate::platform::Platform;
use crate::storage::Planning;
use crate::{Error, Result};

mod row;

use row::Rows;

/// A page of events: what the query string `raw_query` of the page's URL asks for.
///
/// # Errors
/// Those of authorization; [`Error::Invalid`] naming the parameter; [`Error::BadCursor`].
pub async fn events(platform: &Platform, viewer: &Viewer, slug: &str, raw_query: &str) -> Result<EventPage> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    let now = platform.clock.now();
    let query = PageQuery::parse(raw_query, now)?;
    refusal::record_view(platform, &access).await;
    let complete_through = store::complete_through(&platform.database.reads, access.organization().id).await?;
    let (found, about) = read(platform, &access, &query).await?;
    let rows = Rows::new(platform, access.organization().id, &found.events, now).await?;
    let mut filter = query.filter.view();
    filter.actor = about.actor.map(row::choice).or(filter.actor);
    Ok(EventPage {
        range: query.range.view.clone(),
        filter,
        events: found.events.iter().map(|event| rows.row(event)).collect(),
        newer: found.newer,
        older: found.older,
        trail_is_empty: about.trail_is_empty,
        complete_through: moment(complete_through, now),
        damage: about.damage.map(|damage| Damage { found_at: moment(damage.found_at, now), problems: damage.problems }),
        export_query: query.export_query(&access.organization().slug),
    })
}

struct Found {
    events: Vec<EventRecord>,
    newer: Option<String>,
    older: Option<String>,
}

async fn read(platform: &Platform, access: &Access, query: &PageQuery) -> Result<(Found, About)> {
    let organization = access.organization().id;
    let scope = format!("page {organization} {}", query.to_query_string());
    let window = window(platform, &scope, query.position.as_ref())?;
    let reading = Reading::of(&platform.database, organization).planned(Planning::Anew);
    let about = (selection(access, query), window);
    let shown = reading.ask(&about, |(selection, window), connection| shown(connection, selection, *window).boxed());
    let (events, about) = shown.await?;
    Ok((cut(platform, &scope, events, window), about))
}

/// What a page shows of the trail beside its events.
struct About {
    /// The actor of the filter, with the name that its newest event has.
    actor: Option<SeenActor>,
    trail_is_empty: bool,
    damage: Option<damage::Damage>,
}

async fn shown(
    connection: &mut PgConnection,
    selection: &Selection<'_>,
    window: Window,
) -> Result<(Vec<EventRecord>, About)> {
    let organization = selection.organization;
    let events = store::events(connection, selection, window).await?;
    let actor = match &selection.filter.actor {
        Some(actor) => store::actor(connection, organization, actor).await?,
        None => None,
    };
    let trail_is_empty = store::head(connection, organization).await?.last_index < 0;
    let damage = damage::known(connection, organization).await?;
    Ok((events, About { actor, trail_is_empty, damage }))
}

fn selection<'a>(access: &Access, query: &'a PageQuery) -> Selection<'a> {
    Selection {
        organization: access.organization().id,
        filter: &query.filter,
        range: query.range.range,
        last_index: None,
        with_rows: false,
    }
}

/// One row more than a page shows: it says whether there are more.
fn window(platform: &Platform, scope: &str, position: Option<&Position>) -> Result<Window> {
    let key = &platform.keys.cursor;
    let (from, direction) = match position {
        None => (None, Direction::Older),
        Some(Position::After(cursor)) => (Some(key.open(scope, cursor)?), Direction::Older),
        Some(Position::Before(cursor)) => (Some(key.open(scope, cursor)?), Direction::Newer),
    };
    Ok(Window { from, direction, rows: PAGE_SIZE + 1 })
}

fn cut(platform: &Platform, scope: &str, mut events: Vec<EventRecord>, window: Window) -> Found {
    let page = usize::try_from(PAGE_SIZE).unwrap_or(usize::MAX);
    let more = events.len() > page;
    events.truncate(page);
    let (has_newer, has_older) = match window.direction {
        Direction::Older => (window.from.is_some(), more),
        Direction::Newer => (more, true),
    };
    if window.direction == Direction::Newer {
        events.reverse();
    }
    let seal = |position: cursor::Position| platform.keys.cursor.seal(scope, position);
    // An emptied page (its events were beyond the last) still leads back.
    let newer = events.first().map(EventRecord::position).or(window.from).filter(|_| has_newer).map(seal);
    let older = events.last().map(EventRecord::position).or(window.from).filter(|_| has_older).map(seal);
    Found { events, newer, older }
}

/// Everything about one event.
///
/// # Errors
/// Those of authorization; [`Error::Invalid`] for `event` if `id` is no id; [`Error::NotFound`] if it is not this trail's.
pub async fn event(platform: &Platform, viewer: &Viewer, slug: &str, id: &str) -> Result<EventDetail> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    let id = parse_event(id)?;
    let organization = access.organization().id;
    let reading = Reading::of(&platform.database, organization);
    let about = (organization, id);
    let event =
        reading.ask(&about, |(organization, id), connection| store::event(connection, *organization, *id).boxed());
    let event = event.await?.ok_or(Error::NotFound)?;
    let now = platform.clock.now();
    let rows = Rows::new(platform, organization, std::slice::from_ref(&event), now).await?;
    Ok(detail(&rows, event, now))
}

fn detail(rows: &Rows, event: EventRecord, now: DateTime<Utc>) -> EventDetail {
    let (changed, unchanged) = diff(event.previous.as_deref(), event.next.as_deref());
    EventDetail {
        row: rows.row(&event),
        recorded_at: moment(event.recorded_at, now),
        object_filter: event.object_id.as_ref().map(|id| format!("{}:{id}", event.object_type)),
        facts: row::facts(&event),
        changed,
        unchanged,
        object_type: event.object_type,
        object_id: event.object_id,
        object_name: event.object_name,
        request_id: event.request_id,
        user_agent: event.user_agent,
        previous: event.previous,
        next: event.next,
    }
}

/// What the download will contain; a resource of its own, because an exact count of many events takes longer than a page of them.
///
/// # Errors
/// As [`events`].
pub async fn count(platform: &Platform, viewer: &Viewer, slug: &str, raw_query: &str) -> Result<ExportCount> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    let query = PageQuery::parse(raw_query, platform.clock.now())?;
    let reading = Reading::of(&platform.database, access.organization().id).planned(Planning::Anew);
    let selection = selection(&access, &query);
    let totals = reading.ask(&selection, |selection, connection| store::totals(connection, selection).boxed()).await?;
    let header =
        i64::try_from(csv::header_length(&csv::COLUMNS, csv::Escaping::FormulaSafe, false)).unwrap_or_default();
    Ok(ExportCount { events: totals.events, bytes: totals.csv_safe_bytes + header })
}

/// The first of the months in which anything that a page can show was recorded: in no zone does a day begin a day before it does in UTC, and no
/// event claims to be more than minutes ahead.
fn first_month(now: DateTime<Utc>) -> DateTime<Utc> {
    let earliest = calendar::earliest(now.date_naive()) - TimeDelta::days(1);
    calendar::month(earliest).and_time(NaiveTime::MIN).and_utc()
}

/// The actors that the picker offers: those that the trail knows of the months that pages can show, by name.
///
/// # Errors
/// Those of authorization.
pub async fn actors(platform: &Platform, viewer: &Viewer, slug: &str) -> Result<Vec<ActorChoice>> {
    let access = refusal::authorize(platform, viewer, slug, Operation::ReadAuditLog).await?;
    let organization = access.organization().id;
    let reading = Reading::of(&platform.database, organization);
    let asked = (organization, first_month(platform.clock.now()));
    let seen = reading.ask(&asked, |asked, connection| store::actors(connection, asked.0, asked.1).boxed());
    let mut choices: Vec<_> = seen.await?.into_iter().map(row::choice).collect();
    choices.sort_by_key(|choice| choice.label.to_lowercase());
    Ok(choices)
}
