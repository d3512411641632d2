//! The steps that concern invites, and how people join.

use std::sync::PoisonError;

use orgtrail::identity::viewer::{Origin, Viewer};
use orgtrail::organization::invites;
use orgtrail::organization::view::invite::{InviteRow, InviteSent};
use orgtrail::{Error, Result};

use super::super::people::{self, ADA, PEOPLE, Who};
use super::super::step::{Act, Step};
use super::super::{ORGANIZATION, account};
use super::Stage;

impl Stage<'_> {
    pub(super) async fn invite(&self, step: &Step) -> Result<()> {
        let platform = &self.platform;
        match &step.act {
            Act::Invite { by, email, role, team } => {
                let viewer = self.viewer(*by, step).await?;
                let teams = match team {
                    Some(team) => vec![self.team(&viewer, team).await?],
                    None => Vec::new(),
                };
                let sent = invites::create(platform, &viewer, ORGANIZATION, email, role.as_str(), &teams).await?;
                self.remember(sent);
            }
            Act::ChangeInvite { by, email, role } => {
                let viewer = self.viewer(*by, step).await?;
                let InviteRow { id, team_ids, version, .. } = self.open_invite(&viewer, email).await?;
                invites::update(platform, &viewer, ORGANIZATION, &id, role.as_str(), &team_ids, version).await?;
            }
            Act::RevokeInvite { by, email } => {
                let viewer = self.viewer(*by, step).await?;
                let id = self.open_invite(&viewer, email).await?.id;
                invites::revoke(platform, &viewer, ORGANIZATION, &id).await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Accepts an invite with a new account, and has the sign-in that this is copied into the trail at once.
    pub(super) async fn join(&self, step: &Step, who: Who) -> Result<()> {
        let remembered = self.invited.lock().unwrap_or_else(PoisonError::into_inner).remove(&PEOPLE[who].email());
        let secret = match remembered {
            Some(secret) => secret,
            None => self.send_again(who).await?,
        };
        let nobody = Viewer::anonymous(people::origin(who, step.request_id()));
        invites::sign_up(&self.platform, &nobody, &secret, PEOPLE[who].name, self.password).await?;
        self.copy_attempts().await
    }

    /// After an interruption nobody knows the link any more: another one is sent. That is no step of the plan.
    async fn send_again(&self, who: Who) -> Result<String> {
        let ada = Viewer::user(account::get(&self.platform, ADA).await?, Origin::default());
        let id = self.open_invite(&ada, &PEOPLE[who].email()).await?.id;
        let sent = invites::resend(&self.platform, &ada, ORGANIZATION, &id).await?;
        Ok(secret(&sent))
    }

    fn remember(&self, sent: InviteSent) {
        let secret = secret(&sent);
        self.invited.lock().unwrap_or_else(PoisonError::into_inner).insert(sent.email, secret);
    }

    async fn open_invite(&self, viewer: &Viewer, email: &str) -> Result<InviteRow> {
        let open = invites::list(&self.platform, viewer, ORGANIZATION).await?.invites;
        open.into_iter().find(|invite| invite.email == email).ok_or(Error::NotFound)
    }
}

/// The last part of the link.
fn secret(sent: &InviteSent) -> String {
    sent.link.rsplit('/').next().unwrap_or_default().to_owned()
}
