//! What is written to who is invited.

use super::row::Invite;
use crate::Result;
use crate::identity::email::Email;
use crate::mail::Mail;

pub(super) fn invite(invite: &Invite, organization: &str, link: &str) -> Result<Mail> {
    let Invite { email, role, invited_by_name: inviter, .. } = invite;
    let until = invite.expires_at.format("%-d %B %Y, %H:%M UTC");
    let text = format!(
        "{inviter} invites you to the organization “{organization}” on Orgtrail, as {role}.\n\
         \n\
         Accept it until {until}:\n\
         \n\
         {link}\n\
         \n\
         The invite is for {email} alone. If you do not know what this is about, ignore this mail: nothing happens then.\n"
    );
    Ok(Mail { to: Email::parse(email)?, subject: format!("{inviter} invites you to {organization}"), text })
}
