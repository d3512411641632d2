//! How many events a selection has and how long their records are: exactly, and from as little as possible.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use sqlx::{PgConnection, QueryBuilder};

use super::super::range::TimeRange;
use super::Selection;
use crate::Result;

/// Number of events and bytes of their nine-column records, without the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub(in crate::audit) struct Totals {
    pub events: i64,
    pub csv_safe_bytes: i64,
    pub csv_raw_bytes: i64,
}

/// Counts a selection: where nothing but kinds is asked for, whole days from what the database has added up for each day (ADR 0017), and
/// everything else from indexes, which alone have what it asks for.
pub(in crate::audit) async fn totals(connection: &mut PgConnection, selection: &Selection<'_>) -> Result<Totals> {
    if selection.asks_for_kinds_only() {
        by_days(connection, selection).await
    } else {
        one_by_one(connection, selection).await
    }
}

async fn one_by_one(connection: &mut PgConnection, selection: &Selection<'_>) -> Result<Totals> {
    let mut sql = QueryBuilder::new(
        "select count(*) as events, coalesce(sum(e.csv_safe_length), 0)::bigint as csv_safe_bytes, \
         coalesce(sum(e.csv_raw_length), 0)::bigint as csv_raw_bytes",
    );
    selection.push_all(&mut sql);
    Ok(sql.build_query_as().fetch_one(connection).await?)
}

async fn by_days(connection: &mut PgConnection, selection: &Selection<'_>) -> Result<Totals> {
    let (range, whole) = (selection.range, WholeDays::within(selection.range));
    let totals = sqlx::query_as!(
        Totals,
        r#"select coalesce(sum(events), 0)::bigint as "events!", coalesce(sum(csv_safe_bytes), 0)::bigint as "csv_safe_bytes!",
            coalesce(sum(csv_raw_bytes), 0)::bigint as "csv_raw_bytes!"
        from (
            select events, csv_safe_bytes, csv_raw_bytes from orgtrail.trail_days
            where organization_id = $1 and kind = any ($2) and day >= $3 and day < $4
            union all
            select count(*), sum(csv_safe_length), sum(csv_raw_length) from orgtrail.events
            where organization_id = $1 and kind = any ($2) and occurred_at >= $5 and occurred_at < $6
            union all
            select count(*), sum(csv_safe_length), sum(csv_raw_length) from orgtrail.events
            where organization_id = $1 and kind = any ($2) and occurred_at >= $7 and occurred_at < $8
        ) as part"#,
        selection.organization,
        &selection.kinds(),
        whole.first,
        whole.behind,
        range.start,
        range.end.min(midnight(whole.first)),
        range.end.min(midnight(whole.behind)).max(midnight(whole.first)),
        range.end
    )
    .fetch_one(connection)
    .await?;
    Ok(totals)
}

/// The days of UTC that lie wholly in a range; none where `behind` is not after `first`.
struct WholeDays {
    first: NaiveDate,
    behind: NaiveDate,
}

impl WholeDays {
    fn within(range: TimeRange) -> Self {
        let first = range.start.date_naive();
        let first = if midnight(first) < range.start { first + Days::new(1) } else { first };
        Self { first, behind: range.end.date_naive().max(first) }
    }
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}
