//! `orgtrail user …`.

use std::error::Error;
use std::io::IsTerminal;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::{Args, Subcommand};
use orgtrail::identity::role::Role;
use orgtrail::identity::sign_in::create_user;
use orgtrail::identity::viewer::Viewer;
use orgtrail::organization::members;

use super::{Done, with_database};
use crate::config::Config;

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Make an account.
    ///
    /// The password is `ORGTRAIL_USER_PASSWORD`; without it, a terminal is asked, and otherwise one is made and printed once.
    Create(Create),
}

#[derive(Debug, Args)]
pub(super) struct Create {
    /// E-mail address to sign in with.
    #[arg(long)]
    email: String,
    /// Name, as others see it.
    #[arg(long)]
    name: String,
    /// Slug of an organization to add them to.
    #[arg(long, requires = "role")]
    organization: Option<String>,
    /// Role in the organization: owner, admin or member.
    #[arg(long, requires = "organization")]
    role: Option<String>,
}

impl UserCommand {
    pub(super) async fn run(self, config: &Config) -> Done {
        let Self::Create(create) = self;
        create.run(config).await
    }
}

impl Create {
    async fn run(self, config: &Config) -> Done {
        let role = self.role.as_deref().map(Role::parse).transpose()?;
        let password = Password::choose(config)?;
        let user = with_database(config, async |opened| {
            let (platform, operator) = (&opened.platform, Viewer::operator());
            let (name, email, password) = (&self.name, &self.email, &password.text);
            match (&self.organization, role) {
                (Some(slug), Some(role)) => {
                    members::add_new(platform, &operator, slug, (name, email, password), role).await
                }
                _ => create_user(platform, &operator, name, email, Some(password)).await,
            }
        });
        let user = user.await?;
        eprintln!("{} <{}> can sign in.", user.name, user.email);
        if password.made {
            println!("{}", password.text);
        }
        Ok(())
    }
}

/// A password for somebody else. No `Debug`.
struct Password {
    text: String,
    /// Nobody knows it yet: it has to be printed.
    made: bool,
}

impl Password {
    fn choose(config: &Config) -> Result<Self, Box<dyn Error + Send + Sync>> {
        if let Some(text) = &config.user_password {
            Ok(Self { text: text.clone(), made: false })
        } else if std::io::stdin().is_terminal() {
            Ok(Self { text: rpassword::prompt_password("Password (12 to 128 characters): ")?, made: false })
        } else {
            let mut random = [0; 18];
            getrandom::fill(&mut random)?;
            Ok(Self { text: URL_SAFE_NO_PAD.encode(random), made: true })
        }
    }
}
