//! Whether everything is as it should be: the guards of the schema, and what is kept of every trail, read again (R-59).

use chrono::TimeDelta;
use uuid::Uuid;

use super::organizations::trails;
use crate::Result;
use crate::audit::damage::{self, Extent};
use crate::platform::Platform;
use crate::storage::{check, guards};

mod trail;

use trail::{Problem, Trail};

/// What was recorded so lately is read again often.
const LATELY: TimeDelta = TimeDelta::hours(1);

/// What is not as it should be, a sentence for each. Of each trail it is noted too, for those whose trail it is.
pub(super) async fn problems(platform: &Platform) -> Result<Vec<String>> {
    let mut found = of_schema(platform).await?;
    for organization in trails(platform).await? {
        let problems = Trail { platform, organization }.problems().await?;
        found.extend(note(platform, organization, Extent::Whole, problems).await);
    }
    Ok(found)
}

/// Notes what was found of a trail; answers a sentence for each, and one more where it cannot be noted now: nothing of what was found is lost for that.
async fn note(platform: &Platform, organization: Uuid, extent: Extent, mut problems: Vec<Problem>) -> Vec<String> {
    let told = problems.iter().map(|problem| problem.what.clone()).collect();
    if let Err(error) = damage::note(platform, organization, extent, told).await {
        problems.push(Problem::because("what was found cannot be recorded in it".to_owned(), &error));
    }
    problems.iter().map(|problem| problem.of(organization)).collect()
}

/// Looks at the guards of the schema and reads every trail again, and changes nothing. Tells what is not as it should be, a sentence for each, as soon as
/// it is found; answers how many trails were read. Whoever calls it has the turn of [`super::Lane::Daily`]: what upkeep drops meanwhile would seem to be missing.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn verify(platform: &Platform, mut tell: impl FnMut(String)) -> Result<usize> {
    of_schema(platform).await?.into_iter().for_each(&mut tell);
    let trails = trails(platform).await?;
    for &organization in &trails {
        let problems = Trail { platform, organization }.problems().await?;
        problems.iter().map(|problem| problem.of(organization)).for_each(&mut tell);
    }
    Ok(trails.len())
}

async fn of_schema(platform: &Platform) -> Result<Vec<String>> {
    let mut found = check::problems(&platform.database.reads).await?;
    found.extend(guards::problems(&platform.database.reads).await?);
    found.extend(without_month(platform).await?);
    Ok(found)
}

/// Likewise of what was recorded within the last hour, and of nothing else.
pub(super) async fn lately(platform: &Platform) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for organization in recorded_lately(platform).await? {
        let problems = Trail { platform, organization }.lately(LATELY).await?;
        if !problems.is_empty() {
            found.extend(note(platform, organization, Extent::Newest, problems).await);
        }
    }
    Ok(found)
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
