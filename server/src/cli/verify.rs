//! `orgtrail verify`.

use std::io::Write;
use std::time::Duration;

use orgtrail::Result;
use orgtrail::platform::Platform;
use orgtrail::upkeep::{self, Lane, Turn};
use tokio::time::sleep;

use super::{Done, said};
use crate::config::Config;
use crate::database;

/// How often a server that is at its upkeep is asked whether it is done.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

pub(super) async fn run(config: &Config) -> Done {
    let opened = database::open_as_it_is(config).await?;
    let looked = look(&opened.platform).await;
    opened.close().await;
    match looked.map_err(|error| said(&error))? {
        (trails, 0) => {
            println!(
                "Everything is as it should be: the guards of the schema, and what is kept of {}.",
                many(trails, "trail")
            );
            Ok(())
        }
        (trails, problems) => Err(format!(
            "{} found, in the guards of the schema and {}.",
            many(problems, "problem"),
            many(trails, "trail")
        )
        .into()),
    }
}

/// Prints each problem as it is found; answers how many trails were read, and how many problems there are.
async fn look(platform: &Platform) -> Result<(usize, usize)> {
    let turn = turn(platform).await?;
    let mut problems = 0;
    let print = |problem: String| {
        problems += 1;
        // Whoever reads only the first ones is told by the end how many there were.
        drop(writeln!(std::io::stdout(), "{problem}"));
    };
    let trails = upkeep::verify(platform, print).await?;
    turn.end().await?;
    Ok((trails, problems))
}

/// Waits for the turn of what is done daily, which then no server has.
async fn turn(platform: &Platform) -> Result<Turn> {
    let mut waits = false;
    loop {
        if let Some(turn) = Turn::take(platform, Lane::Daily).await? {
            return Ok(turn);
        }
        if !waits {
            eprintln!("A server is at its daily upkeep: waiting until it is done.");
            waits = true;
        }
        sleep(BETWEEN_LOOKS).await;
    }
}

fn many(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
