//! What is written to people about their accounts.

use super::email::Email;
use super::link_secret::LinkSecret;
use crate::mail::Mail;

pub(super) fn reset(to: Email, public_url: &str, secret: &LinkSecret) -> Mail {
    let text = format!(
        "Somebody, probably you, asked for a new password for your account on Orgtrail.\n\
         \n\
         Choose it within an hour:\n\
         \n\
         {public_url}/reset/{}\n\
         \n\
         If it was not you, ignore this mail: your password stays as it is.\n",
        secret.expose()
    );
    Mail { to, subject: "A new password".to_owned(), text }
}

pub(super) fn was_reset(to: Email, public_url: &str) -> Mail {
    let text = format!(
        "The password of your account on Orgtrail was changed by a link that was mailed to you, and all your sessions were ended.\n\
         \n\
         If it was not you, ask for a new password at once, and see to it that nobody else reads your mail:\n\
         \n\
         {public_url}/forgot\n"
    );
    Mail { to, subject: "Your password was changed".to_owned(), text }
}

pub(super) fn confirm_change(to: Email, from: &str, public_url: &str, secret: &LinkSecret) -> Mail {
    let text = format!(
        "Somebody, probably you, wants to use this address for the account of {from} on Orgtrail.\n\
         \n\
         Confirm it within an hour:\n\
         \n\
         {public_url}/account/email/{}\n\
         \n\
         If it was not you, ignore this mail: nothing happens then.\n",
        secret.expose()
    );
    Mail { to, subject: "Confirm your e-mail address".to_owned(), text }
}

pub(super) fn change_announced(to: Email, new: &Email, public_url: &str) -> Mail {
    let text = format!(
        "Somebody, probably you, asked to use the address {} for your account on Orgtrail from now on. It changes when they confirm it \
         from there.\n\
         \n\
         If it was not you, somebody knows your password: change it at once:\n\
         \n\
         {public_url}/account\n",
        new.as_str()
    );
    Mail { to, subject: "Your e-mail address is about to change".to_owned(), text }
}
