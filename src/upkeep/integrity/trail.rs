//! The trail of one organization, read again. What cannot be read is a problem of that part alone, and the others are read all the same.

use std::error::Error;

use chrono::{NaiveDate, TimeDelta};
use uuid::Uuid;

use crate::Result;
use crate::audit::reread::{self, Flaw, Flaws};
use crate::platform::Platform;
use crate::storage::{self, Held};

/// Events that are read again at once: a short statement disturbs nobody.
const STRETCH: i64 = 5000;

/// Of what was recorded lately, the newest that are read again: as many as a few seconds are enough for.
const NEWEST: i64 = 50_000;

/// Problems of one trail that are told: where everything is wrong, the first few say so.
const TOLD: usize = 20;

/// Something about a trail that is not as it should be.
pub(super) struct Problem {
    what: String,
    /// What the database says of itself about it, for the operator alone.
    cause: Option<String>,
    /// Whether it says something about the trail, of which those are told who may read it.
    is_damage: bool,
}

impl Problem {
    fn new(what: String) -> Self {
        Self { what, cause: None, is_damage: true }
    }

    /// That something could not be done, and why.
    pub(super) fn because(what: String, error: &crate::Error) -> Self {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        Self { what, cause: Some(cause), is_damage: false }
    }

    /// What is told to whoever may read the trail.
    pub(super) fn damage(&self) -> Option<String> {
        self.is_damage.then(|| self.what.clone())
    }

    /// A sentence for the operator, of all the trails that there are.
    pub(super) fn of(&self, organization: Uuid) -> String {
        let cause = self.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
        format!("The trail of organization {organization}: {}{cause}.", self.what)
    }
}

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

/// The events of which something is wrong.
#[derive(Default)]
struct Wrong {
    /// They have no position, or are not at theirs.
    places: Flaw,
    contents: Flaws,
}

impl Wrong {
    /// Those of a stretch that follows.
    fn extend(&mut self, later: Self) {
        self.places.extend(later.places);
        self.contents.lengths.extend(later.contents.lengths);
        self.contents.unreadable.extend(later.contents.unreadable);
    }

    fn told(&self) -> impl Iterator<Item = Problem> {
        let told = [
            self.places.told("missing, or not what was recorded"),
            self.contents.lengths.told("longer or shorter than when recorded"),
            self.contents.unreadable.told("no longer readable"),
        ];
        told.into_iter().flatten().map(Problem::new)
    }
}

impl Trail<'_> {
    /// What is not as it should be.
    ///
    /// # Errors
    /// [`crate::Error::Unavailable`] if the database can be asked nothing at all any more.
    pub(super) async fn problems(&self) -> Result<Vec<Problem>> {
        let mut found = Vec::new();
        if let Some(bounds) = Self::read("the head of the log", self.bounds().await, &mut found)? {
            self.indexes(0, &bounds, &mut found).await?;
        }
        for day in Self::read("the days of the log", self.days().await, &mut found)?.unwrap_or_default() {
            let wrong = Self::read(&format!("the events of {day}"), self.day(day).await, &mut found)?;
            found.extend(wrong.unwrap_or_default());
        }
        found.truncate(TOLD);
        Ok(found)
    }

    /// Likewise of what was recorded so lately.
    pub(super) async fn lately(&self, lately: TimeDelta) -> Result<Vec<Problem>> {
        let mut found = Vec::new();
        let first = self.first_since(lately).await;
        if let Some((first, bounds)) = Self::read("the head of the log", first, &mut found)? {
            self.indexes(first, &bounds, &mut found).await?;
        }
        found.truncate(TOLD);
        Ok(found)
    }

    /// What was read; or nothing, and a problem of this part of the trail.
    fn read<T>(part: &str, read: Result<T>, found: &mut Vec<Problem>) -> Result<Option<T>> {
        match read {
            Ok(read) => Ok(Some(read)),
            Err(error) => {
                let held = storage::held(&error);
                if held == Held::Unknown {
                    return Err(error);
                }
                let problem = Problem::because(format!("{part} cannot be read"), &error);
                found.push(Problem { is_damage: held == Held::Broken, ..problem });
                Ok(None)
            }
        }
    }

    async fn begin(&self) -> Result<storage::Transaction> {
        storage::begin_verifying(&self.platform.database, self.organization).await
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
    async fn indexes(&self, mut first: i64, bounds: &Bounds, found: &mut Vec<Problem>) -> Result<()> {
        let beyond = Self::read("what lies beyond the head of the log", self.beyond_its_head(bounds).await, found)?;
        found.extend(beyond.flatten());
        let (mut wrong, mut unread) = (Wrong::default(), Vec::new());
        while first < bounds.next && unread.len() < TOLD {
            let stretch = Stretch::from(first, bounds);
            self.stretch(stretch, &mut wrong, &mut unread).await?;
            first = stretch.behind;
        }
        if unread.len() >= TOLD {
            found.push(Problem::new("not all events were read, since too many cannot be".to_owned()));
        }
        found.extend(wrong.told());
        found.extend(unread);
        Ok(())
    }

    /// An event that no head ever gave a place to. The head is read with it, because it moves on.
    async fn beyond_its_head(&self, bounds: &Bounds) -> Result<Option<Problem>> {
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
        Ok(beyond.map(|index| Problem::new(format!("event {index} lies beyond the head of the log"))))
    }

    /// One that cannot be read is looked at by halves, until the event is found on which it fails.
    async fn stretch(&self, stretch: Stretch, wrong: &mut Wrong, unread: &mut Vec<Problem>) -> Result<()> {
        let mut left = vec![stretch];
        while let Some(stretch) = left.pop()
            && unread.len() < TOLD
        {
            match self.places_and_contents(stretch).await {
                Err(error) if storage::held(&error) != Held::Unknown && !stretch.is_one() => {
                    left.extend(stretch.halves())
                }
                looked => {
                    if let Some(found) = Self::read(&format!("event {}", stretch.first), looked, unread)? {
                        wrong.extend(found);
                    }
                }
            }
        }
        Ok(())
    }

    async fn places_and_contents(&self, stretch: Stretch) -> Result<Wrong> {
        let places = self.places(stretch).await?;
        let contents = if stretch.kept { self.contents(stretch).await? } else { Flaws::default() };
        Ok(Wrong { places, contents })
    }

    /// Every index has its position and, where it is kept, its event with the same id and time.
    async fn places(&self, stretch: Stretch) -> Result<Flaw> {
        let mut transaction = self.begin().await?;
        let wrong = sqlx::query_scalar!(
            r#"select wanted.index as "index!"
            from generate_series($2::bigint, $3::bigint - 1) as wanted (index)
            left join (select index, event_id, recorded_at from orgtrail.event_positions
                where organization_id = $1 and index >= $2 and index < $3) p on p.index = wanted.index
            left join (select index, id, recorded_at from orgtrail.events
                where $4 and organization_id = $1 and index >= $2 and index < $3) e on e.index = wanted.index
            where p.index is null or $4 and (e.index is null or e.id <> p.event_id or e.recorded_at <> p.recorded_at)
            order by wanted.index"#,
            self.organization,
            stretch.first,
            stretch.behind,
            stretch.kept
        )
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(wrong.into_iter().collect())
    }

    /// Every event can be read as one, and its record is as long as was noted.
    async fn contents(&self, stretch: Stretch) -> Result<Flaws> {
        let mut transaction = self.begin().await?;
        let flaws = reread::flaws(&mut transaction, self.organization, stretch.first, stretch.behind).await?;
        transaction.commit().await?;
        Ok(flaws)
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
    async fn day(&self, day: NaiveDate) -> Result<Vec<Problem>> {
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
        let told = |kind: String| Problem::new(format!("the sums of {day}, kind {kind}, are not those of its events"));
        Ok(wrong.into_iter().map(told).collect())
    }
}
