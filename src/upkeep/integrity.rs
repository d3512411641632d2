//! Whether everything is as it should be: the guards of the schema, and what is kept of every trail, read again (R-59).

use chrono::NaiveDate;
use uuid::Uuid;

use super::organizations::trails;
use crate::Result;
use crate::platform::Platform;
use crate::storage::{self, Planning, check, guards};

/// Events that are read again at once: a short statement disturbs nobody.
const STRETCH: i64 = 5000;

/// Problems of one trail that are told: where everything is wrong, the first few say so.
const TOLD: usize = 20;

/// What is not as it should be, a sentence for each.
pub(super) async fn problems(platform: &Platform) -> Result<Vec<String>> {
    let mut found = check::problems(&platform.database.reads).await?;
    found.extend(guards::problems(&platform.database.reads).await?);
    for organization in trails(platform).await? {
        found.extend(Trail { platform, organization }.problems().await?);
    }
    Ok(found)
}

/// The trail of one organization.
struct Trail<'a> {
    platform: &'a Platform,
    organization: Uuid,
}

/// How far a trail goes.
struct Bounds {
    /// Index of the first event that is kept.
    first_kept: i64,
    /// Index of the next event.
    next: i64,
}

impl Trail<'_> {
    async fn problems(&self) -> Result<Vec<String>> {
        let bounds = self.bounds().await?;
        let mut found = self.beyond_its_head(&bounds).await?;
        let mut first = 0;
        while first < bounds.next && found.len() < TOLD {
            // Never across the border between what went and what is kept.
            let border = if first < bounds.first_kept { bounds.first_kept } else { bounds.next };
            let behind = (first + STRETCH).min(border);
            found.extend(self.stretch(first, behind, first >= bounds.first_kept).await?);
            first = behind;
        }
        for day in self.days().await? {
            found.extend(self.day(day).await?);
        }
        found.truncate(TOLD);
        Ok(found)
    }

    async fn begin(&self) -> Result<storage::Transaction> {
        storage::begin_reading(&self.platform.database.exports, self.organization, Planning::Anew).await
    }

    fn problem(&self, what: &str) -> String {
        format!("The trail of organization {}: {what}", self.organization)
    }

    async fn bounds(&self) -> Result<Bounds> {
        let mut transaction = self.begin().await?;
        let bounds = sqlx::query_as!(
            Bounds,
            r#"select orgtrail.first_kept() as "first_kept!", next_index as "next!" from orgtrail.trail_heads where organization_id = $1"#,
            self.organization
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(bounds)
    }

    /// An event that no head ever gave a place to. The head is read with it, because it moves on.
    async fn beyond_its_head(&self, bounds: &Bounds) -> Result<Vec<String>> {
        let mut transaction = self.begin().await?;
        let beyond = sqlx::query_scalar!(
            r#"select e.index from orgtrail.events e
            where e.organization_id = $1 and e.index >= $2
                and e.index >= (select next_index from orgtrail.trail_heads where organization_id = $1)
            order by e.index limit 1"#,
            self.organization,
            bounds.next
        )
        .fetch_optional(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(beyond.map(|index| self.problem(&format!("event {index} lies beyond its head."))).into_iter().collect())
    }

    /// Every index of a stretch has its position and, where it is kept, its event with the same id and time.
    async fn stretch(&self, first: i64, behind: i64, kept: bool) -> Result<Option<String>> {
        let mut transaction = self.begin().await?;
        let wrong = sqlx::query!(
            r#"select min(wanted.index) as first, count(*) as "number!"
            from generate_series($2::bigint, $3::bigint - 1) as wanted (index)
            left join (select index, event_id, recorded_at from orgtrail.event_positions
                where organization_id = $1 and index >= $2 and index < $3) p on p.index = wanted.index
            left join (select index, id, recorded_at from orgtrail.events
                where $4 and organization_id = $1 and index >= $2 and index < $3) e on e.index = wanted.index
            where p.index is null or $4 and (e.index is null or e.id <> p.event_id or e.recorded_at <> p.recorded_at)"#,
            self.organization,
            first,
            behind,
            kept
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let told = |index: i64| {
            let number = wrong.number;
            self.problem(&format!(
                "of the indexes from {first} to {}, {number} have no event or another, first {index}.",
                behind - 1
            ))
        };
        Ok(wrong.first.map(told))
    }

    async fn days(&self) -> Result<Vec<NaiveDate>> {
        let mut transaction = self.begin().await?;
        // The days that have sums, and those of the oldest and the newest event, between which each day is looked at.
        let days = sqlx::query_scalar!(
            r#"with known (day) as (
                select day from orgtrail.trail_days where organization_id = $1
                union all
                select (edge.occurred_at at time zone 'UTC')::date
                from (values ('change'), ('login'), ('operation'), ('export')) as kinds (kind),
                    lateral (
                        (select occurred_at from orgtrail.events e where e.organization_id = $1 and e.kind = kinds.kind and e.index >= (select orgtrail.first_kept())
                            order by occurred_at limit 1)
                        union all
                        (select occurred_at from orgtrail.events e where e.organization_id = $1 and e.kind = kinds.kind order by occurred_at desc limit 1)
                    ) as edge
            )
            select day::date as "day!" from (select min(day) as first, max(day) as last from known) as span,
                generate_series(first::timestamp, last::timestamp, interval '1 day') as day
            order by 1"#,
            self.organization
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(days)
    }

    /// The sums of a day are those of its events that are kept.
    async fn day(&self, day: NaiveDate) -> Result<Vec<String>> {
        let mut transaction = self.begin().await?;
        let wrong = sqlx::query_scalar!(
            r#"with there as (
                select kind, count(*) as events, sum(csv_safe_length) as csv_safe_bytes, sum(csv_raw_length) as csv_raw_bytes
                from orgtrail.events
                where organization_id = $1 and kind = any (array['change', 'login', 'operation', 'export'])
                    and occurred_at >= ($2::date)::timestamp at time zone 'UTC' and occurred_at < ($2::date + 1)::timestamp at time zone 'UTC'
                    and index >= (select orgtrail.first_kept())
                group by kind
            ), noted as (
                select kind, events, csv_safe_bytes, csv_raw_bytes from orgtrail.trail_days where organization_id = $1 and day = $2
            )
            select kind as "kind!" from there full join noted using (kind)
            where (there.events, there.csv_safe_bytes, there.csv_raw_bytes) is distinct from (noted.events, noted.csv_safe_bytes, noted.csv_raw_bytes)
            order by 1"#,
            self.organization,
            day
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let told =
            |kind: String| self.problem(&format!("the sums of {day}, kind {kind}, are not those of its events."));
        Ok(wrong.into_iter().map(told).collect())
    }
}
