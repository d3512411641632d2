//! Reading the trail from Postgres: one filter in SQL, applied by page, count and export alike, so that they cannot drift apart.

use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{FromRow, Postgres, QueryBuilder};
use uuid::Uuid;

use super::action::Relatives;
use super::cursor::Position;
use super::event::Kind;
use super::query::{ActorFilter, EventFilter, ObjectFilter, Words};
use super::range::TimeRange;
use crate::Result;

mod actors;
mod head;
mod rows;
mod totals;

pub(super) use actors::{SeenActor, actor, actors};
pub(super) use head::{complete_through, head};
pub(super) use rows::EventRecord;
pub(super) use totals::{Totals, totals};

/// Which events a read is about: one organization's, filtered, in a range, up to a position of the trail.
#[derive(Debug, Clone, Copy)]
pub(super) struct Selection<'a> {
    pub organization: Uuid,
    pub filter: &'a EventFilter,
    pub range: TimeRange,
    /// Events beyond this index are not there yet; none: all.
    pub last_index: Option<i64>,
    /// Of exports, only those that took something out of a model that is no demonstration's (contract §5).
    pub with_rows: bool,
}

/// The part of a selection that one page or batch reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Read away from here, not including it; none: from the newest.
    pub from: Option<Position>,
    pub direction: Direction,
    pub rows: i64,
}

/// Which way to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Newest first.
    Older,
    /// Oldest first.
    Newer,
}

impl Direction {
    fn comparison(self) -> &'static str {
        match self {
            Self::Older => "<",
            Self::Newer => ">",
        }
    }

    fn order(self) -> &'static str {
        match self {
            Self::Older => " order by e.occurred_at desc, e.index desc",
            Self::Newer => " order by e.occurred_at asc, e.index asc",
        }
    }
}

impl Selection<'_> {
    /// Adds `from (…) as e`: the events of a window, in its order.
    ///
    /// With several actions (else: kinds) each is read in order from its own stretch of an index and the stretches are merged. As one
    /// condition `= any(…)` no index has the order, and a rare action would be looked for through all events.
    pub(super) fn push_window(&self, sql: &mut QueryBuilder<Postgres>, window: Window) {
        sql.push(" from (");
        if self.filter.words.is_some() {
            self.push_search(sql, Some(window));
        } else {
            self.push_merged(sql, window);
        }
        sql.push(") as e");
        sql.push(window.direction.order());
    }

    /// Adds `from … as e`: every event of the selection, in no order.
    pub(super) fn push_all(&self, sql: &mut QueryBuilder<Postgres>) {
        if self.filter.words.is_some() {
            sql.push(" from (");
            self.push_search(sql, None);
            sql.push(") as e");
        } else {
            sql.push(" from orgtrail.events as e");
            self.push_conditions(sql, self.drives().is_some());
            if let Some(driver) = self.drives() {
                sql.push(format!(" and e.{} = any (", driver.column)).push_bind(driver.values).push(")");
            }
        }
    }

    fn push_merged(&self, sql: &mut QueryBuilder<Postgres>, window: Window) {
        let driver = self.drives();
        if let Some([only]) = driver.as_ref().map(|driver| driver.values.as_slice()) {
            sql.push("select e.* from orgtrail.events as e");
            self.push_conditions(sql, true);
            sql.push(format!(" and e.{} = ", driver.as_ref().map_or("kind", |driver| driver.column)))
                .push_bind(only.clone());
            return push_position(sql, window);
        }
        match &driver {
            Some(driver) => {
                sql.push("select e.* from unnest(").push_bind(driver.values.clone());
                sql.push(") as driver (value) cross join lateral (select e.* from orgtrail.events as e");
            }
            None => {
                sql.push("select e.* from orgtrail.events as e");
            }
        }
        self.push_conditions(sql, driver.is_some());
        if let Some(driver) = &driver {
            sql.push(format!(" and e.{} = driver.value", driver.column));
        }
        push_position(sql, window);
        if driver.is_some() {
            sql.push(") as e");
            sql.push(window.direction.order()).push(" limit ").push_bind(window.rows);
        }
    }

    /// The column whose values are read one after the other; none where an actor or an object narrows the events first.
    fn drives(&self) -> Option<Driver> {
        let narrowed = self.filter.actor.is_some()
            || self.filter.object.as_ref().is_some_and(|object| object.object_id().is_some());
        match self.filter.action_names() {
            _ if narrowed => None,
            Some(actions) => Some(Driver { column: "action", values: actions }),
            None => Some(Driver { column: "kind", values: self.kinds() }),
        }
    }

    /// Whether it is all events of some kinds in its range.
    fn asks_for_kinds_only(&self) -> bool {
        let EventFilter { kinds: _, actor, actions: _, object, words } = self.filter;
        let narrowed = actor.is_some() || object.is_some() || words.is_some() || self.filter.action_names().is_some();
        !narrowed && self.last_index.is_none() && !self.with_rows
    }

    fn kinds(&self) -> Vec<String> {
        self.filter.kinds.iter().map(|kind| kind.as_str().to_owned()).collect()
    }

    /// Every condition of the selection but the driver's. The policy's condition is repeated, so that each statement says whose rows it reads.
    fn push_conditions(&self, sql: &mut QueryBuilder<Postgres>, driven: bool) {
        sql.push(" where e.organization_id = ").push_bind(self.organization);
        sql.push(" and e.occurred_at >= ").push_bind(self.range.start);
        sql.push(" and e.occurred_at < ").push_bind(self.range.end);
        let actions = self.filter.action_names();
        if !driven || (actions.is_some() && self.filter.kinds.len() < Kind::ALL.len()) {
            sql.push(" and e.kind = any (").push_bind(self.kinds()).push(")");
        }
        if let (false, Some(actions)) = (driven, actions) {
            sql.push(" and e.action = any (").push_bind(actions).push(")");
        }
        self.push_who_and_what(sql);
        if let Some(last) = self.last_index {
            sql.push(" and e.index <= ").push_bind(last);
        }
        if self.with_rows {
            sql.push(" and e.export_rows > 0 and not e.export_of_demo"); // the condition of the index `events_exported`
        }
    }

    fn push_who_and_what(&self, sql: &mut QueryBuilder<Postgres>) {
        match &self.filter.actor {
            Some(ActorFilter::User(id)) => {
                sql.push(" and e.actor_user_id = ").push_bind(id.as_str().to_owned());
            }
            Some(ActorFilter::Token(id)) => {
                sql.push(" and e.actor_access_token_id = ").push_bind(id.as_str().to_owned());
            }
            None => {}
        }
        if let Some(object) = &self.filter.object {
            push_object(sql, object);
        }
    }

    /// The word search is one function of the database (contract §9); without a window it answers everything.
    fn push_search(&self, sql: &mut QueryBuilder<Postgres>, window: Option<Window>) {
        let filter = self.filter;
        let (user, token) = match &filter.actor {
            Some(ActorFilter::User(id)) => (Some(id.as_str().to_owned()), None),
            Some(ActorFilter::Token(id)) => (None, Some(id.as_str().to_owned())),
            None => (None, None),
        };
        let from = window.and_then(|window| window.from);
        let mut arguments = sql.push("select e.* from orgtrail.search_events(").separated(", ");
        arguments.push_bind(filter.words.iter().flat_map(Words::tokens).collect::<Vec<_>>());
        arguments.push_bind(self.kinds()).push_bind(filter.action_names());
        arguments.push_bind(user).push_bind(token);
        arguments.push_bind(filter.object.as_ref().map(ObjectFilter::types));
        arguments.push_bind(filter.object.as_ref().and_then(|object| object.object_id()).map(str::to_owned));
        let relatives = filter.object.as_ref().map_or(Relatives::NONE, ObjectFilter::relatives);
        arguments.push_bind(relatives.within).push_bind(relatives.ending);
        arguments.push_bind(self.range.start).push_bind(self.range.end).push_bind(self.last_index);
        arguments.push_bind(from.map(|from| from.occurred_at)).push_bind(from.map(|from| from.index));
        arguments.push_bind(window.is_some_and(|window| window.direction == Direction::Newer));
        arguments.push_bind(window.map(|window| window.rows));
        sql.push(") as e");
    }
}

/// One type, or one object with its relatives. Of what has none the index has the order, which it has not for a list of types.
fn push_object(sql: &mut QueryBuilder<Postgres>, object: &ObjectFilter) {
    let Some(id) = object.object_id().map(str::to_owned) else {
        sql.push(" and e.object_type = ").push_bind(object.object_type().to_owned());
        return;
    };
    let relatives = object.relatives();
    if relatives == Relatives::NONE {
        sql.push(" and e.object_type = ").push_bind(object.object_type().to_owned());
        sql.push(" and e.object_id = ").push_bind(id);
        return;
    }
    sql.push(" and (e.object_type = any (").push_bind(object.types());
    sql.push(") and e.object_id = ").push_bind(id.clone());
    if !relatives.within.is_empty() {
        // Everything that begins with the id and a colon: a semicolon comes next after it.
        sql.push(" or e.object_type = any (").push_bind(relatives.within);
        sql.push(") and e.object_id >= ").push_bind(format!("{id}:"));
        sql.push(" and e.object_id < ").push_bind(format!("{id};"));
    }
    if !relatives.ending.is_empty() {
        sql.push(" or e.object_type = any (").push_bind(relatives.ending);
        sql.push(") and right(e.object_id, length(")
            .push_bind(id.clone())
            .push(") + 1) = ")
            .push_bind(format!(":{id}"));
    }
    sql.push(")");
}

struct Driver {
    column: &'static str,
    values: Vec<String>,
}

/// The pair is compared as a row: as `a < x or a = x and b < y` no index would be entered at the position.
fn push_position(sql: &mut QueryBuilder<Postgres>, window: Window) {
    if let Some(from) = window.from {
        sql.push(format!(" and (e.occurred_at, e.index) {} (", window.direction.comparison()));
        sql.push_bind(from.occurred_at).push(", ").push_bind(from.index).push(")");
    }
    sql.push(window.direction.order()).push(" limit ").push_bind(window.rows);
}

/// The columns that a list needs of an event, from `e`.
pub(super) trait Columns: for<'r> FromRow<'r, PgRow> + Send + Unpin {
    const SELECT: &'static str;
}

/// The events of a window, in its order.
pub(super) async fn events<C: Columns>(
    connection: &mut PgConnection,
    selection: &Selection<'_>,
    window: Window,
) -> Result<Vec<C>> {
    let mut sql = QueryBuilder::new(C::SELECT);
    selection.push_window(&mut sql, window);
    Ok(sql.build_query_as().fetch_all(connection).await?)
}

/// One event of the bound organization.
pub(super) async fn event(connection: &mut PgConnection, organization: Uuid, id: Uuid) -> Result<Option<EventRecord>> {
    let mut sql = QueryBuilder::new(EventRecord::SELECT);
    sql.push(" from orgtrail.event_positions p join orgtrail.events e on e.organization_id = p.organization_id and e.index = p.index");
    sql.push(" and e.recorded_at = p.recorded_at where p.organization_id = ").push_bind(organization);
    sql.push(" and p.event_id = ").push_bind(id);
    Ok(sql.build_query_as().fetch_optional(connection).await?)
}
