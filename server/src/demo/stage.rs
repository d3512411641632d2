//! The stage: plays a step of the plan through the use case that a page or the command line would call, at its simulated moment.

mod graphs;
mod invites;
mod models;
mod teams;

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use futures::TryStreamExt;
use orgtrail::audit::export;
use orgtrail::audit::page;
use orgtrail::export::{End, Export, Receipt, line_ends};
use orgtrail::identity;
use orgtrail::identity::access_token::Wanted;
use orgtrail::identity::access_token::expiry::Expiry;
use orgtrail::identity::attempt::copy_pending;
use orgtrail::identity::viewer::{Origin, User, Viewer};
use orgtrail::identity::{access_token, sign_in};
use orgtrail::mail::Nowhere;
use orgtrail::organization::{members, settings};
use orgtrail::platform::{Clock, Platform};
use orgtrail::{Error, Result, storage};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::known::{self, Known};
use super::people::{self, ADA, GRACE, PEOPLE, Who};
use super::remembering::Remembering;
use super::step::{Act, Step, Trace};
use super::{ORGANIZATION, account, forms};

/// The platform under a simulated clock.
pub(super) struct Stage<'a> {
    platform: Platform,
    password: &'a str,
    /// What was mailed to whom: the secrets of the links of invites, by address.
    invited: Mutex<HashMap<String, String>>,
    /// The secrets of the tokens with which machines work, by the names of those that exist by now.
    secrets: Mutex<HashMap<String, String>>,
}

impl<'a> Stage<'a> {
    /// A stage on the real platform's database.
    pub(super) fn new(real: &Platform, password: &'a str) -> Self {
        let clock = Clock::simulated(real.clock.now());
        // Nobody is written to: the people are invented, their addresses may be somebody's.
        Self {
            platform: Platform {
                clock,
                mail: Arc::new(Nowhere),
                hashing: Arc::new(Remembering::new(real.hashing.clone())),
                ..real.clone()
            },
            password,
            invited: Mutex::default(),
            secrets: Mutex::default(),
        }
    }

    /// After an interruption: a sign-in that was written down but not copied into the trail is copied now, at its moment, and the machines get
    /// secrets that are known. Answers the newest step then.
    pub(super) async fn settle(&self, steps: &[Step], last: Trace) -> Result<Trace> {
        let Some(next) = steps.iter().find(|step| last.is_before(step)) else { return Ok(last) };
        self.platform.clock.set(next.at);
        self.copy_attempts().await?;
        let Known::Begun { last, .. } = known::look(&self.platform).await? else { return Ok(last) };
        if let Some(over) = steps.iter().find(|step| step.remaining == last.remaining) {
            self.renew_machines(over).await?;
        }
        Ok(last)
    }

    /// Plays one step.
    pub(super) async fn play(&self, step: &Step) -> Result<()> {
        self.platform.clock.set(step.at);
        match &step.act {
            Act::Found => self.found(step).await,
            Act::Invite { .. } | Act::ChangeInvite { .. } | Act::RevokeInvite { .. } => self.invite(step).await,
            Act::Join(who) => self.join(step, *who).await,
            Act::ChangeRole { .. } | Act::Remove { .. } => self.manage_members(step).await,
            Act::Rename { by, name } => self.rename(step, *by, name).await,
            Act::MakeToken { .. } | Act::ChangeToken { .. } | Act::RotateToken { .. } | Act::RevokeToken { .. } => {
                self.manage_tokens(step).await
            }
            Act::MakeTeam { .. } | Act::RenameTeam { .. } | Act::DeleteTeam { .. } => self.manage_teams(step).await,
            Act::AddToTeam { .. } | Act::ChangeTeamRole { .. } | Act::LeaveTeam { .. } => self.fill_teams(step).await,
            Act::Graph { .. } => self.run_graph(step).await,
            Act::Model { .. } => self.run_model(step).await,
            Act::ChangeName { .. } | Act::ChangePassword { .. } => self.change_account(step).await,
            Act::SignIn(_) | Act::Mistype(_) | Act::Guess(_) => self.sign_in(step).await,
            Act::Read { .. } | Act::ReadRefused(_) => self.read(step).await,
            Act::Export { .. } | Act::ExportRefused(_) => self.export(step).await,
        }
    }

    /// Somebody who sends a step.
    async fn viewer(&self, who: Who, step: &Step) -> Result<Viewer> {
        let mutation = forms::sent(&step.act).map(Arc::new);
        let origin = Origin { mutation, ..people::origin(who, step.request_id()) };
        Ok(Viewer::user(account::get(&self.platform, who).await?, origin))
    }

    async fn found(&self, step: &Step) -> Result<()> {
        let ada: User = account::make(&self.platform, ADA, self.password).await?;
        let viewer = Viewer::user(ada, people::origin(ADA, step.request_id()));
        settings::create(&self.platform, &viewer, "Acme", ORGANIZATION).await?;
        Ok(())
    }

    async fn manage_members(&self, step: &Step) -> Result<()> {
        match step.act {
            Act::ChangeRole { by, whom, to } => {
                let (viewer, user) = (self.viewer(by, step).await?, account::get(&self.platform, whom).await?);
                members::change_role(&self.platform, &viewer, ORGANIZATION, &user.id.to_string(), to.as_str(), None)
                    .await
            }
            Act::Remove { by, whom } => {
                let (viewer, user) = (self.viewer(by, step).await?, account::get(&self.platform, whom).await?);
                members::remove(&self.platform, &viewer, ORGANIZATION, &user.id.to_string()).await
            }
            _ => Ok(()),
        }
    }

    async fn rename(&self, step: &Step, by: Who, name: &str) -> Result<()> {
        settings::update(&self.platform, &self.viewer(by, step).await?, ORGANIZATION, name, ORGANIZATION, None).await?;
        Ok(())
    }

    async fn manage_tokens(&self, step: &Step) -> Result<()> {
        match &step.act {
            Act::MakeToken { by, name, scopes, hours } => {
                let expiry = hours.map_or(Expiry::Never, |hours| Expiry::At(step.at + TimeDelta::hours(hours)));
                let (viewer, wanted) = (self.viewer(*by, step).await?, Wanted { expiry, ..Wanted::new(name, scopes) });
                let made = access_token::create(&self.platform, &viewer, ORGANIZATION, None, wanted).await?;
                self.keep_secret(name, made.secret.expose());
            }
            Act::ChangeToken { by, name, scopes } => {
                let (viewer, token) = (self.viewer(*by, step).await?, self.token(name).await?);
                let wanted = Wanted::new(name, scopes);
                access_token::update(&self.platform, &viewer, ORGANIZATION, token.into(), wanted).await?;
            }
            Act::RotateToken { by, name } => {
                let (viewer, token) = (self.viewer(*by, step).await?, self.token(name).await?);
                access_token::rotate(&self.platform, &viewer, ORGANIZATION, token).await?;
            }
            Act::RevokeToken { by, name } => {
                let (viewer, token) = (self.viewer(*by, step).await?, self.token(name).await?);
                access_token::revoke(&self.platform, &viewer, ORGANIZATION, token).await?;
            }
            _ => {}
        }
        Ok(())
    }

    async fn token(&self, name: &str) -> Result<Uuid> {
        find_token(&self.platform, name).await?.ok_or(Error::NotFound)
    }

    /// Changes an account of one's own, and has that copied into the trail at once.
    async fn change_account(&self, step: &Step) -> Result<()> {
        match step.act {
            Act::ChangeName { who, name } => {
                identity::account::rename(&self.platform, &self.viewer(who, step).await?, name, None).await?;
            }
            Act::ChangePassword { who, away } => {
                let other = format!("{}, for machines", self.password);
                let (present, new) =
                    if away { (self.password, other.as_str()) } else { (other.as_str(), self.password) };
                identity::account::change_password(&self.platform, &self.viewer(who, step).await?, present, new)
                    .await?;
            }
            _ => {}
        }
        self.copy_attempts().await
    }

    /// Tries to sign in, and has the attempt copied into the trail at once.
    async fn sign_in(&self, step: &Step) -> Result<()> {
        let wrong = format!("{}?", self.password);
        let (who, origin, password) = match step.act {
            Act::SignIn(who) => (who, people::origin(who, step.request_id()), self.password),
            Act::Mistype(who) => (who, people::origin(who, step.request_id()), wrong.as_str()),
            _ => (GRACE, people::burglar(step.request_id()), "robotics2026"),
        };
        let tried = sign_in::sign_in(&self.platform, &Viewer::anonymous(origin), &PEOPLE[who].email(), password).await;
        match (&step.act, tried) {
            (Act::SignIn(_), tried) => {
                tried?;
            }
            (_, tried) => {
                expect_refusal(tried, |error| matches!(error, Error::WrongCredentials | Error::Throttled { .. }))?
            }
        }
        self.copy_attempts().await
    }

    async fn copy_attempts(&self) -> Result<()> {
        while copy_pending(&self.platform).await? > 0 {}
        Ok(())
    }

    async fn read(&self, step: &Step) -> Result<()> {
        match step.act {
            Act::Read { by, query } => {
                page::events(&self.platform, &self.viewer(by, step).await?, ORGANIZATION, query).await?;
                Ok(())
            }
            Act::ReadRefused(who) => {
                let refused = page::events(&self.platform, &self.viewer(who, step).await?, ORGANIZATION, "").await;
                expect_refusal(refused, |error| matches!(error, Error::Forbidden(_)))
            }
            _ => Ok(()),
        }
    }

    async fn export(&self, step: &Step) -> Result<()> {
        match step.act {
            Act::Export { by, days, query } => {
                let started =
                    export::start(&self.platform, &self.viewer(by, step).await?, &export_query(step, days, query))
                        .await?;
                self.pull(step, started).await
            }
            Act::ExportRefused(who) => {
                let refused =
                    export::start(&self.platform, &self.viewer(who, step).await?, &export_query(step, 30, "")).await;
                expect_refusal(refused, |error| matches!(error, Error::Forbidden(_)))
            }
            _ => Ok(()),
        }
    }

    /// Takes an export to its last byte, in a simulated half second.
    async fn pull(&self, step: &Step, export: Export) -> Result<()> {
        let (mut digest, mut receipt) = (Sha256::new(), Receipt::default());
        let ticket = export.ticket();
        let mut chunks = pin!(export.into_stream());
        while let Some(chunk) = chunks.try_next().await? {
            digest.update(&chunk);
            receipt.bytes += chunk.len() as u64;
            receipt.lines += line_ends(&chunk);
        }
        self.platform.clock.set(step.at + TimeDelta::milliseconds(480));
        receipt.sha256 = Some(digest.finalize().into());
        ticket.finish(End::Complete, receipt).await;
        Ok(())
    }
}

/// The last `days` days, today included.
fn export_query(step: &Step, days: u64, rest: &str) -> String {
    let end = step.at.date_naive();
    let start = end - chrono::Days::new(days - 1);
    let separator = if rest.is_empty() { "" } else { "&" };
    format!("organization={ORGANIZATION}&start={start}&end={end}{separator}{rest}")
}

/// What must be refused, and in which way; anything else means that the plan is wrong.
fn expect_refusal<T>(result: Result<T>, expected: fn(&Error) -> bool) -> Result<()> {
    match result {
        Err(refused) if expected(&refused) => Ok(()),
        Err(other) => Err(other),
        Ok(_) => Err(Error::internal("the demo did what it must not")),
    }
}

/// Id of the token of that name that is not revoked.
pub(super) async fn find_token(platform: &Platform, name: &str) -> Result<Option<Uuid>> {
    let Some(organization) = known::find(platform).await? else { return Ok(None) };
    let mut transaction = storage::begin(&platform.database.reads, organization).await?;
    let token = sqlx::query_scalar!(
        "select id from orgtrail.access_tokens where organization_id = $1 and name = $2 and revoked_at is null",
        organization,
        name
    )
    .fetch_optional(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(token)
}
