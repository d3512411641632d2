//! The trail of one organization, read again. What cannot be read is a problem of that part alone, and the others are read all the same.

use std::error::Error;
use std::fmt::Display;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use crate::Result;
use crate::audit::reread::{self, Flaw};
use crate::platform::Platform;
use crate::storage::{self, Planning};

/// Events that are read again at once: a short statement disturbs nobody.
const STRETCH: i64 = 5000;

/// Of what was recorded lately, the newest that are read again: as many as a few seconds are enough for.
const NEWEST: i64 = 50_000;

/// Problems of one trail that are told: where everything is wrong, the first few say so.
const TOLD: usize = 20;

pub(super) struct Trail<'a> {
    pub(super) platform: &'a Platform,
    pub(super) organization: Uuid,
}

/// How far a trail goes.
struct Bounds {
    /// Index of the first event that is kept.
    first_kept: i64,
    /// Index of the next event.
    next: i64,
}

/// Indexes that follow each other.
#[derive(Clone, Copy)]
struct Stretch {
    first: i64,
    /// The index after the last one.
    behind: i64,
    /// Whether their events are kept; positions always are.
    kept: bool,
}

impl Stretch {
    /// So many after `first` at most, and never across the border between what went and what is kept.
    fn from(first: i64, bounds: &Bounds) -> Self {
        let kept = first >= bounds.first_kept;
        let border = if kept { bounds.next } else { bounds.first_kept };
        Self { first, behind: (first + STRETCH).min(border), kept }
    }

    /// The second half first.
    fn halves(self) -> [Self; 2] {
        let middle = self.first.midpoint(self.behind);
        [Self { first: middle, ..self }, Self { behind: middle, ..self }]
    }

    fn is_one(self) -> bool {
        self.behind - self.first <= 1
    }
}

impl Trail<'_> {
    /// What is not as it should be, a sentence for each.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] if the database can be asked nothing at all any more.
    pub(super) async fn problems(&self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        if let Some(bounds) = self.read("its head", self.bounds().await, &mut found)? {
            self.indexes(0, &bounds, &mut found).await?;
        }
        for day in self.read("the days of its events", self.days().await, &mut found)?.unwrap_or_default() {
            let wrong = self.read(&format!("the events of {day}"), self.day(day).await, &mut found)?;
            found.extend(wrong.unwrap_or_default());
        }
        found.truncate(TOLD);
        Ok(found)
    }

    /// Likewise of what was recorded so lately.
    pub(super) async fn lately(&self, lately: TimeDelta) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let first = self.first_since(lately).await;
        if let Some((first, bounds)) = self.read("its head", first, &mut found)? {
            self.indexes(first, &bounds, &mut found).await?;
        }
        found.truncate(TOLD);
        Ok(found)
    }

    /// What was read; or nothing, and a problem of this part of the trail.
    fn read<T>(&self, part: &str, read: Result<T>, found: &mut Vec<String>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) if storage::is_of_what_is_held(&error) => {
                let cause = error.source().map(ToString::to_string).unwrap_or_default();
                found.push(self.problem(&format!("{part} cannot be read: {cause}.")));
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn begin(&self) -> Result<storage::Transaction> {
        let exports = &self.platform.database.exports;
        let mut transaction = storage::begin_reading(exports, self.organization, Planning::Anew).await?;
        // A day, or a stretch of large events, may take its time.
        sqlx::query("set local statement_timeout = '10min'").execute(&mut *transaction).await?;
        Ok(transaction)
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

    /// The first of the newest events that was recorded so lately.
    async fn first_since(&self, lately: TimeDelta) -> Result<(i64, Bounds)> {
        let bounds = self.bounds().await?;
        let mut transaction = self.begin().await?;
        let first = sqlx::query_scalar!(
            "select min(index) from orgtrail.event_positions
            where organization_id = $1 and index >= $2 and recorded_at >= coalesce($3, clock_timestamp()) - $4 * interval '1 second'",
            self.organization,
            bounds.first_kept.max(bounds.next - NEWEST),
            self.platform.clock.simulated_now(),
            lately.as_seconds_f64()
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok((first.unwrap_or(bounds.next), bounds))
    }

    /// Everything from the index `first` on.
    async fn indexes(&self, mut first: i64, bounds: &Bounds, found: &mut Vec<String>) -> Result<()> {
        let beyond = self.read("what lies beyond its head", self.beyond_its_head(bounds).await, found)?;
        found.extend(beyond.flatten());
        while first < bounds.next && found.len() < TOLD {
            let stretch = Stretch::from(first, bounds);
            self.stretch(stretch, found).await?;
            first = stretch.behind;
        }
        Ok(())
    }

    /// An event that no head ever gave a place to. The head is read with it, because it moves on.
    async fn beyond_its_head(&self, bounds: &Bounds) -> Result<Option<String>> {
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
        Ok(beyond.map(|index| self.problem(&format!("event {index} lies beyond its head."))))
    }

    /// One that cannot be read is looked at by halves, until the event is found on which it fails.
    async fn stretch(&self, stretch: Stretch, found: &mut Vec<String>) -> Result<()> {
        let mut left = vec![stretch];
        while let Some(stretch) = left.pop()
            && found.len() < TOLD
        {
            match self.places_and_contents(stretch).await {
                Err(error) if storage::is_of_what_is_held(&error) && !stretch.is_one() => left.extend(stretch.halves()),
                looked => {
                    let wrong = self.read(&format!("event {}", stretch.first), looked, found)?;
                    found.extend(wrong.unwrap_or_default());
                }
            }
        }
        Ok(())
    }

    async fn places_and_contents(&self, stretch: Stretch) -> Result<Vec<String>> {
        let mut found: Vec<String> = self.places(stretch).await?.into_iter().collect();
        if stretch.kept {
            found.extend(self.contents(stretch).await?);
        }
        Ok(found)
    }

    /// Every index has its position and, where it is kept, its event with the same id and time.
    async fn places(&self, stretch: Stretch) -> Result<Option<String>> {
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
            stretch.first,
            stretch.behind,
            stretch.kept
        )
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let told = |first: i64| self.of_stretch(stretch, wrong.number, "have no event or another", first);
        Ok(wrong.first.map(told))
    }

    /// Every event can be read as one, and its record is as long as was noted.
    async fn contents(&self, stretch: Stretch) -> Result<Vec<String>> {
        let mut transaction = self.begin().await?;
        let flaws = reread::flaws(&mut transaction, self.organization, stretch.first, stretch.behind).await?;
        transaction.commit().await?;
        let told = |what: &str, flaw: &Flaw| flaw.first.map(|first| self.of_stretch(stretch, flaw.events, what, first));
        let found = [
            told("are longer or shorter than when they were recorded", &flaws.lengths),
            told("can no longer be read as events", &flaws.unreadable),
        ];
        Ok(found.into_iter().flatten().collect())
    }

    fn of_stretch(&self, stretch: Stretch, number: impl Display, what: &str, first: i64) -> String {
        let (from, to) = (stretch.first, stretch.behind - 1);
        self.problem(&format!("of the indexes from {from} to {to}, {number} {what}, first {first}."))
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
