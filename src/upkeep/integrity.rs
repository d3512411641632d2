//! Whether everything is as it should be: the guards of the schema, and what is kept of every trail, read again (R-59).

use chrono::TimeDelta;
use uuid::Uuid;

use super::organizations::trails;
use crate::audit::damage::{self, Extent};
use crate::platform::Platform;
use crate::storage::{check, guards};
use crate::{Error, Result};

mod trail;

use trail::{Problem, Trail};

/// What was recorded so lately is read again often.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// What is not as it should be, a sentence for each. The operator is told of each at once: nothing is lost where the rest cannot be looked at.
#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add(&mut self, problem: String) {
        tracing::error!(problem, "the database is not as it should be");
        self.0.push(problem);
    }

    /// Adds what was found of a trail, and notes it for those whose trail it is.
    async fn add_of(
        &mut self,
        platform: &Platform,
        organization: Uuid,
        extent: Extent,
        problems: &[Problem],
    ) -> Result<()> {
        for problem in problems {
            self.add(problem.of(organization));
        }
        let damage: Vec<_> = problems.iter().filter_map(Problem::damage).collect();
        // What was not read may be damaged.
        let extent = if damage.len() == problems.len() { extent } else { Extent::Part };
        match damage::note(platform, organization, extent, damage).await {
            Err(error @ Error::Internal(_)) => {
                let problem = Problem::because("what was found cannot be recorded in it".to_owned(), &error);
                self.add(problem.of(organization));
                Ok(())
            }
            noted => noted,
        }
    }
}

/// What is not as it should be, a sentence for each. Of each trail it is noted too, for those whose trail it is.
pub(super) async fn problems(platform: &Platform) -> Result<Vec<String>> {
    let (mut found, mut failed) = (Found::default(), None);
    of_schema(platform, |problem| found.add(problem)).await?;
    for organization in trails(platform).await? {
        let whole = Extent::Whole { since: platform.clock.now() };
        let problems = Trail { platform, organization }.problems().await?;
        failed = failed.or(found.add_of(platform, organization, whole, &problems).await.err());
    }
    failed.map_or(Ok(found.0), Err)
}

/// Likewise of what was recorded within the last hour, and of nothing else.
pub(super) async fn lately(platform: &Platform) -> Result<Vec<String>> {
    let (mut found, mut failed) = (Found::default(), None);
    for organization in recorded_lately(platform).await? {
        let problems = Trail { platform, organization }.lately(LATELY).await?;
        failed = failed.or(found.add_of(platform, organization, Extent::Part, &problems).await.err());
    }
    failed.map_or(Ok(found.0), Err)
}

/// Looks at the guards of the schema and reads every trail again, and changes nothing. Tells what is not as it should be, a sentence for each, as soon as
/// it is found; answers how many trails were read. Whoever calls it has the turn of [`super::Lane::Daily`]: what upkeep drops meanwhile would seem to be missing.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn verify(platform: &Platform, mut tell: impl FnMut(String)) -> Result<usize> {
    of_schema(platform, &mut tell).await?;
    let trails = trails(platform).await?;
    for &organization in &trails {
        let problems = Trail { platform, organization }.problems().await?;
        problems.iter().map(|problem| problem.of(organization)).for_each(&mut tell);
    }
    Ok(trails.len())
}

async fn of_schema(platform: &Platform, mut tell: impl FnMut(String)) -> Result<()> {
    check::problems(&platform.database.reads).await?.into_iter().for_each(&mut tell);
    guards::problems(&platform.database.reads).await?.into_iter().for_each(&mut tell);
    without_month(platform).await?.into_iter().for_each(&mut tell);
    Ok(())
}

async fn recorded_lately(platform: &Platform) -> Result<Vec<Uuid>> {
    let trails = sqlx::query_scalar!(
        r#"select orgtrail.trails_recorded_since(coalesce($1, clock_timestamp()) - $2 * interval '1 second') as "trail!""#,
        platform.clock.simulated_now(),
        LATELY.as_seconds_f64()
    );
    Ok(trails.fetch_all(&platform.database.writes).await?)
}

/// How many events are in the default partition (R-61); 10,000 where it is more.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn events_without_month(platform: &Platform) -> Result<i64> {
    let events = sqlx::query_scalar!(r#"select orgtrail.events_without_month() as "events!""#);
    Ok(events.fetch_one(&platform.database.writes).await?)
}

async fn without_month(platform: &Platform) -> Result<Option<String>> {
    let events = events_without_month(platform).await?;
    let told = || {
        format!(
            "Events ({events}) are in the partition orgtrail.events_default: their month had none of its own when they were recorded."
        )
    };
    Ok((events > 0).then(told))
}
