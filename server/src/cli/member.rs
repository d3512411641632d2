//! `orgtrail member …`.

use clap::{Args, Subcommand};
use orgtrail::identity::role::Role;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;

use super::{Done, with_database};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum MemberCommand {
    /// Add somebody who has an account to an organization.
    Add(Add),
}

#[derive(Debug, Args)]
pub(super) struct Add {
    /// Slug of the organization.
    #[arg(long)]
    organization: String,
    /// E-mail address of the account.
    #[arg(long)]
    email: String,
    /// Role in the organization: owner, admin or member.
    #[arg(long, default_value = "member")]
    role: String,
}

impl MemberCommand {
    pub(super) async fn run(self, config: &Config) -> Done {
        let Self::Add(Add { organization, email, role }) = self;
        let role = Role::parse(&role)?;
        with_database(config, async |opened| {
            members::add(&opened.platform, &Viewer::operator(), &organization, &email, role).await
        })
        .await?;
        eprintln!("{email} is a member of {organization} now.");
        Ok(())
    }
}
