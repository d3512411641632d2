//! `orgtrail migrate`.

use super::Done;
use crate::config::Config;
use crate::database;

pub(super) async fn run(config: &Config) -> Done {
    database::migrate(config).await?;
    eprintln!("The schema is up to date.");
    Ok(())
}
