//! Months of the trail, made ahead (R-61).

use chrono::{Days, Months};

use super::{Report, month_of};
use crate::platform::Platform;
use crate::{Result, storage};

/// Days for which partitions are made ahead: the two months after this one at least.
const DAYS_AHEAD: u64 = 70;

/// Months that should be there after this one.
const WANTED_AHEAD: u32 = 2;

/// Makes the partitions of this month and the next two.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn make_ahead(platform: &Platform) -> Result<Report> {
    let today = platform.clock.now().date_naive();
    let last = today.checked_add_days(Days::new(DAYS_AHEAD)).unwrap_or(today);
    let made = storage::make_partitions(&platform.database, today, last).await?;
    let months = months_ahead(platform).await?;
    if months < WANTED_AHEAD {
        tracing::warn!(
            months,
            "the trail has too few months ahead: what is recorded then goes into the default partition"
        );
    }
    Ok(Report { made: u64::try_from(made).unwrap_or_default(), ..Report::default() })
}

/// How many months after this one have a partition, up to the first that has none. A month whose events are in the default partition never
/// gets one.
///
/// # Errors
/// [`crate::Error::Unavailable`] without a database.
pub async fn months_ahead(platform: &Platform) -> Result<u32> {
    let today = platform.clock.now().date_naive();
    let names: Vec<String> = (1..=12)
        .filter_map(|months| month_of(today).checked_add_months(Months::new(months)))
        .map(|month| format!("orgtrail.events_{}", month.format("%Y_%m")))
        .collect();
    let there = sqlx::query_scalar!(
        r#"select to_regclass(name) is not null as "there!" from unnest($1::text[]) with ordinality as wanted (name, place) order by place"#,
        &names
    )
    .fetch_all(&platform.database.writes)
    .await?;
    Ok(u32::try_from(there.into_iter().take_while(|there| *there).count()).unwrap_or_default())
}
