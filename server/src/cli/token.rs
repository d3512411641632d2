//! `orgtrail token …`.

use clap::{Args, Subcommand};
use orgtrail::identity::access_token::{self, Scope};
use orgtrail::identity::viewer::Viewer;

use super::{Done, with_database};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    /// Make an access token, and print it: on standard output, once, and nothing else.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// Name of the token, as the trail shows it.
    #[arg(long)]
    name: String,
    /// What it may do: audit:read, audit:export, events:write, models:write, models:export, graphs:write, organization:write.
    #[arg(long = "scope", required = true, num_args = 1..)]
    scopes: Vec<String>,
}

impl TokenCommand {
    pub(super) async fn run(self, config: &Config) -> Done {
        let Self::Create(Create { organization, name, scopes }) = self;
        let scopes = scopes.iter().map(|scope| Scope::parse(scope)).collect::<orgtrail::Result<Vec<_>>>()?;
        let created = with_database(config, async |opened| {
            access_token::create(&opened.platform, &Viewer::operator(), &organization, &name, &scopes, None).await
        })
        .await?;
        println!("{}", created.secret.expose());
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn scopes(&self) -> &[String] {
        let Self::Create(create) = self;
        &create.scopes
    }
}
