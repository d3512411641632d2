//! The demo: 90 days of Acme Robotics, made by driving the real use cases under a simulated clock; and any number of further events of
//! invented other products, for trying and measuring at size.
//!
//! [`fill`] plans the whole history from the moment of founding (`plan`) and plays it step by step (`stage`). Every step leaves its mark
//! in the trail (`step`), so a fill that was interrupted goes on where its trail ends, and a complete one is left alone (`known`).

mod account;
mod error;
mod forms;
mod generated;
mod graphs;
mod known;
mod lock;
mod models;
mod people;
mod plan;
mod remembering;
mod stage;
mod step;

use chrono::{DateTime, SubsecRound, Utc};
use orgtrail::identity::password::NewPassword;
use orgtrail::platform::Platform;
use orgtrail::storage;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::config::{Config, DEFAULT_DEMO_PASSWORD};

pub use error::DemoError;
pub use generated::add_events;
use known::Known;
use people::{ADA, GRACE, LINUS, PEOPLE};
use stage::Stage;
use step::Trace;

/// Slug of the demo's organization.
pub const ORGANIZATION: &str = "acme";

/// Access tokens of the demo with which other products send events.
const EVENT_TOKENS: [&str; 2] = ["Billing events", "Fleet events"];

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps or events that are written.
    pub done: u64,
    /// Of how many.
    pub of: u64,
}

/// What a fill came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filled {
    /// Nothing was missing.
    Complete,
    /// So many steps were missing, and are there now.
    Steps(usize),
}

/// Makes the organization [`ORGANIZATION`] with its people and its 90 days, as far as they are missing. `password` is everybody's, from
/// now on too where they had another. Takes a quarter of a minute, or next to no time if nothing is missing.
///
/// It fills no database with other organizations; those that people make in a complete demo are theirs, and no obstacle.
///
/// # Errors
/// [`DemoError`], each a sentence for the operator.
pub async fn fill(
    platform: &Platform,
    password: &str,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Filled, DemoError> {
    NewPassword::parse(password).map_err(DemoError::Password)?;
    let _alone = lock::take(platform).await?;
    let now = platform.clock.now().trunc_subsecs(6);
    match known::look(platform).await? {
        Known::Nothing => {
            refuse_others(platform).await?;
            play(platform, password, now - plan::LENGTH, None, progress).await
        }
        Known::Somebodys => Err(DemoError::OtherAcme),
        Known::Begun { founded, last } if last.remaining > 0 => {
            refuse_others(platform).await?;
            play(platform, password, founded, Some(last), progress).await
        }
        Known::Begun { .. } | Known::Expired => {
            account::set_password(platform, password).await?;
            Ok(Filled::Complete)
        }
    }
}

async fn refuse_others(platform: &Platform) -> Result<(), DemoError> {
    if known::has_others(platform).await? { Err(DemoError::OtherOrganizations) } else { Ok(()) }
}

/// Plays what comes after the step that was `last` seen in the trail.
async fn play(
    platform: &Platform,
    password: &str,
    founded: DateTime<Utc>,
    last: Option<Trace>,
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Filled, DemoError> {
    let steps = plan::plan(founded);
    let last_day = (founded + plan::LENGTH).date_naive();
    storage::make_partitions(&platform.database, founded.date_naive(), last_day).await?;
    let stage = Stage::new(platform, password);
    let last = match last {
        Some(last) => Some(stage.settle(&steps, last).await?),
        None => None,
    };
    let missing = steps.iter().filter(|step| last.is_none_or(|last| last.is_before(step)));
    let mut played = 0;
    for step in missing {
        stage.play(step).await?;
        played += 1;
        progress(Progress { done: (steps.len() - usize::from(step.remaining)) as u64, of: steps.len() as u64 });
    }
    Ok(Filled::Steps(played))
}

/// Refuses to be reached from elsewhere with a password that everybody can read here (contract §9).
///
/// # Errors
/// [`DemoError::Exposed`].
pub fn check_exposure(config: &Config) -> Result<(), DemoError> {
    if config.demo_password != DEFAULT_DEMO_PASSWORD {
        return Ok(());
    }
    match config.exposure() {
        Some((variable, reached)) => Err(DemoError::Exposed { variable, reached }),
        None => Ok(()),
    }
}

/// The addresses with which to sign in, and what each is.
#[must_use]
pub fn sign_ins() -> [(String, &'static str); 3] {
    [ADA, GRACE, LINUS].map(|who| (PEOPLE[who].email(), PEOPLE[who].role.as_str()))
}

/// Does for many new events what Postgres would do by itself some time later: it learns what there is of each, so that questions are planned
/// well. As a superuser.
///
/// # Errors
/// What the database says.
pub async fn analyze(superuser: &PgConnectOptions) -> Result<(), sqlx::Error> {
    upkeep(superuser, "analyze orgtrail.events, orgtrail.event_positions").await
}

/// Likewise: counts are answered from indexes alone afterwards. Without it everything is right too, but slower for a while.
///
/// # Errors
/// What the database says.
pub async fn vacuum(superuser: &PgConnectOptions) -> Result<(), sqlx::Error> {
    upkeep(superuser, "vacuum orgtrail.events, orgtrail.event_positions").await
}

async fn upkeep(superuser: &PgConnectOptions, statement: &'static str) -> Result<(), sqlx::Error> {
    let mut connection = superuser.clone().disable_statement_logging().connect().await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_password_stays_on_this_machine() {
        let allowed = |password: &str| {
            let variables = [("ORGTRAIL_ADDR", "0.0.0.0:3000"), ("ORGTRAIL_DEMO_PASSWORD", password)];
            let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
            check_exposure(&Config::from_variables(variables).unwrap()).is_ok()
        };
        assert!(!allowed(DEFAULT_DEMO_PASSWORD));
        assert!(allowed("nobody can guess this one"));
    }

    #[test]
    fn the_default_password_can_be_a_password() {
        assert!(NewPassword::parse(DEFAULT_DEMO_PASSWORD).is_ok());
    }
}
