//! The command line.

mod demo;
mod member;
mod migrate;
mod openapi;
mod schema;
mod serve;
pub(crate) mod shutdown;
mod token;
mod user;
mod verify;

use std::error::Error;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::database::{self, Opened, Stay};
use crate::{telemetry, traces};

/// A self-hosted audit log for organizations.
///
/// Without a command it serves. Configuration comes from environment variables only: `ORGTRAIL_ADDR`, `ORGTRAIL_DATA_DIR`,
/// `DATABASE_URL` and others, each explained in `.env.example` and docs/configuration.md. Without `DATABASE_URL` a private Postgres
/// is started in the data folder.
#[derive(Debug, Parser)]
#[command(name = "orgtrail", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages and the API (what happens without a command).
    Serve,
    /// Bring the schema of the database up to date.
    Migrate,
    /// Look whether everything is as it should be: the guards of the schema, and every trail, read again from its first event.
    ///
    /// It changes nothing, and needs no key. Each problem is a line on standard output. It ends with 0 if there is none, with 1 if there is one or it could not
    /// look at everything.
    Verify,
    /// Fill a demo organization with 90 days of events, print the sign-ins, and serve.
    Demo(demo::Demo),
    /// People.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Members of organizations.
    #[command(subcommand)]
    Member(member::MemberCommand),
    /// Print the schema of GraphQL, in its definition language.
    Schema,
    /// Print the description of the routes of programs, in OpenAPI.
    Openapi,
    /// Access tokens of organizations.
    #[command(subcommand)]
    Token(token::TokenCommand),
}

impl Command {
    /// What is logged where nothing was chosen: people wait for what a short command says itself.
    fn log(&self) -> &'static str {
        if self.serves() { "info" } else { "warn" }
    }

    /// Whether it answers requests.
    fn serves(&self) -> bool {
        matches!(self, Self::Serve | Self::Demo(_))
    }
}

/// What a command ends with: an error is a sentence for the operator.
type Done = Result<(), Box<dyn Error + Send + Sync>>;

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// A sentence that says what went wrong, and what to do.
    pub async fn run(self) -> Done {
        let config = Config::from_env()?;
        let command = self.command.unwrap_or(Command::Serve);
        let filter = config.log.as_deref().unwrap_or(command.log());
        let spans = config.traces.as_ref().filter(|_| command.serves()).map(traces::start).transpose();
        let spans = spans.map_err(|error| format!("{}: {error}", traces::settings::ENDPOINT))?;
        telemetry::start(filter, config.log_format, spans).map_err(|error| format!("ORGTRAIL_LOG: {error}"))?;
        match command {
            Command::Serve => serve::run(&config).await,
            Command::Migrate => migrate::run(&config).await,
            Command::Verify => verify::run(&config).await,
            Command::Schema => schema::run(),
            Command::Openapi => openapi::run(),
            Command::Demo(demo) => demo.run(config).await,
            Command::User(command) => command.run(&config).await,
            Command::Member(command) => command.run(&config).await,
            Command::Token(command) => command.run(&config).await,
        }
    }
}

/// Runs `job` on the opened database, and leaves it as it was found: a private cluster that runs already goes on.
async fn with_database<T>(
    config: &Config,
    job: impl AsyncFnOnce(&Opened) -> orgtrail::Result<T>,
) -> Result<T, Box<dyn Error + Send + Sync>> {
    let opened = database::open(config, Stay::Short).await?;
    let done = job(&opened).await;
    opened.close().await;
    done.map_err(|error| said(&error))
}

/// An error of the domain for a terminal: with its cause, which a page would not show.
fn said(error: &orgtrail::Error) -> Box<dyn Error + Send + Sync> {
    crate::http::problem::chain(error).into()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn serving_is_what_happens_without_a_command() {
        assert!(Cli::parse_from(["orgtrail"]).command.is_none());
        assert!(matches!(Cli::parse_from(["orgtrail", "serve"]).command, Some(Command::Serve)));
    }

    #[test]
    fn scopes_can_be_given_one_by_one_or_together() {
        for arguments in [
            ["--scope", "audit:read", "--scope", "audit:export"].as_slice(),
            &["--scope", "audit:read", "audit:export"],
        ] {
            let command = ["orgtrail", "token", "create", "--organization", "acme", "--name", "SIEM"];
            let Some(Command::Token(token)) = Cli::parse_from(command.iter().chain(arguments)).command else {
                panic!()
            };
            assert_eq!(token.scopes().len(), 2);
        }
    }
}
