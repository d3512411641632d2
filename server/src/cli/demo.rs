//! `orgtrail demo`.

use std::io::{IsTerminal, Write};
use std::num::NonZeroU64;

use clap::Args;
use orgtrail::platform::SignUp;
use sqlx::postgres::PgConnectOptions;

use super::{Done, serve};
use crate::application::Application;
use crate::cluster::{DATABASE, Role};
use crate::config::Config;
use crate::demo::{self, Filled, Progress};

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Add so many generated events of kind `change` over the 90 days, for trying and measuring at size.
    #[arg(long, value_name = "N")]
    events: Option<NonZeroU64>,
}

impl Demo {
    /// Fills what is missing, then serves.
    pub(super) async fn run(self, mut config: Config) -> Done {
        demo::check_exposure(&config)?;
        config.sign_up = SignUp::Open;
        let application = Application::build(&config).await?;
        if let Err(error) = self.fill(&application, &config.demo_password).await {
            application.close().await;
            return Err(error);
        }
        print_sign_ins(&config.demo_password);
        if let (Some(_), Some(superuser)) = (self.events, superuser(&application)) {
            tokio::spawn(async move {
                // Whoever stops the demo meanwhile stops this; Postgres does it by itself then, some time.
                if let Err(cause) = demo::vacuum(&superuser).await {
                    tracing::warn!(%cause, "counts are slow for a while");
                }
            });
        }
        serve::serve(application).await
    }

    async fn fill(&self, application: &Application, password: &str) -> Done {
        let platform = application.platform();
        let filled = demo::fill(platform, password, &mut show("Filling the demo")).await?;
        let superuser = superuser(application);
        if let Some(events) = self.events {
            demo::add_events(platform, superuser.as_ref(), events, &mut show("Adding events")).await?;
        }
        if let (Some(superuser), true) = (&superuser, self.events.is_some() || matches!(filled, Filled::Steps(_))) {
            demo::analyze(superuser).await?;
        }
        Ok(())
    }
}

/// Only the private cluster has a superuser that we may be.
fn superuser(application: &Application) -> Option<PgConnectOptions> {
    application.cluster().map(|cluster| cluster.connect_options(DATABASE, Role::Superuser))
}

/// Shows on a terminal how far something is, in place.
fn show(what: &'static str) -> impl FnMut(Progress) + Send {
    let mut shown = None;
    let terminal = std::io::stderr().is_terminal();
    move |Progress { done, of }| {
        let percent = done * 100 / of.max(1);
        if terminal && shown != Some(percent) {
            shown = Some(percent);
            let end = if done == of { "\n" } else { "" };
            let mut out = std::io::stderr();
            // A terminal that went away is no reason to stop.
            drop(write!(out, "\r{what}: {percent} %{end}").and_then(|()| out.flush()));
        }
    }
}

fn print_sign_ins(password: &str) {
    println!("Sign in with the password `{password}` as");
    for (email, role) in demo::sign_ins() {
        println!("  {email}  ({role})");
    }
}
