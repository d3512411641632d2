//! Mail to people: plain text, handed over at once and sent by whoever can.

use crate::identity::email::Email;

/// A mail in plain text. No `Debug`: most of them hold a link that is a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// To whom.
    pub to: Email,
    /// One line.
    pub subject: String,
    /// Lines of plain text, each ended by `\n`.
    pub text: String,
}

/// Where mail is posted.
pub trait Mailer: Send + Sync {
    /// Takes a mail and returns at once: what becomes of it, nobody who asks for something waits for or is told.
    fn post(&self, mail: Mail);
}

/// Posts nothing: for commands that write to nobody, and for the invented people of the demonstration.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Mailer for Nowhere {
    fn post(&self, _: Mail) {}
}
