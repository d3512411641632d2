//! The variables about mail, understood.

use lettre::message::Mailbox;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, Tokio1Executor};
use url::{Host, Url};

/// How mail leaves, and from whom. No `Debug`: it holds a password.
#[derive(Clone)]
pub struct MailSettings {
    /// The mail server; without one, mail goes to the outbox.
    pub smtp: Option<AsyncSmtpTransportBuilder>,
    /// Who writes.
    pub from: Mailbox,
}

impl MailSettings {
    /// Understands `ORGTRAIL_SMTP_URL` and `ORGTRAIL_MAIL_FROM`.
    ///
    /// # Errors
    /// The variable, and what is wrong with it; never the value of the first, which may hold a password.
    pub fn parse(smtp: Option<&str>, from: Option<&str>) -> Result<Self, (&'static str, String)> {
        let smtp = smtp.map(server).transpose().map_err(|problem| ("ORGTRAIL_SMTP_URL", problem))?;
        let from = sender(from, smtp.is_some()).map_err(|problem| ("ORGTRAIL_MAIL_FROM", problem))?;
        Ok(Self { smtp, from })
    }
}

fn server(text: &str) -> Result<AsyncSmtpTransportBuilder, String> {
    let allowed = "is not a URL such as `smtps://user:password@mail.example`, \
                   `smtp://user:password@mail.example:587?tls=required` or `smtp://127.0.0.1:25`.";
    let url: Url = text.parse().map_err(|_| allowed.to_owned())?;
    let protected =
        url.scheme() == "smtps" || url.query_pairs().any(|(name, value)| name == "tls" && value == "required");
    if url.password().is_some() && !protected && !is_loopback(&url) {
        return Err("has a password, which must not travel in the clear: add `?tls=required`.".to_owned());
    }
    AsyncSmtpTransport::<Tokio1Executor>::from_url(text).map_err(|_| allowed.to_owned())
}

fn is_loopback(url: &Url) -> bool {
    // The scheme is none of those whose hosts are understood: what is here is text.
    let host = url.host_str().and_then(|host| Host::parse(host).ok());
    match host {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn sender(text: Option<&str>, required: bool) -> Result<Mailbox, String> {
    match text {
        Some(text) => text.parse().map_err(|_| {
            format!("`{text}` is not a sender such as `Orgtrail <orgtrail@acme.example>` or `orgtrail@acme.example`.")
        }),
        None if required => Err("must be given with ORGTRAIL_SMTP_URL: who the mails are from.".to_owned()),
        None => "Orgtrail <orgtrail@localhost>".parse().map_err(|_| "has no default".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(smtp: Option<&str>, from: Option<&str>) -> Option<(&'static str, String)> {
        MailSettings::parse(smtp, from).err()
    }

    #[test]
    fn without_a_server_mail_goes_to_the_outbox() {
        let settings = MailSettings::parse(None, None).ok().unwrap();
        assert!(settings.smtp.is_none());
        assert_eq!(settings.from.to_string(), "Orgtrail <orgtrail@localhost>");
    }

    #[test]
    fn a_server_needs_a_sender() {
        let from = Some("Audit <audit@acme.example>");
        for url in ["smtp://127.0.0.1:2525", "smtps://u:p@mail.example", "smtp://u:p@mail.example:587?tls=required"] {
            assert_eq!(refused(Some(url), from), None, "{url}");
            assert_eq!(refused(Some(url), None).unwrap().0, "ORGTRAIL_MAIL_FROM");
        }
        assert_eq!(refused(Some("smtp://u:p@localhost"), from), None);
        assert_eq!(refused(None, Some("nobody")).unwrap().0, "ORGTRAIL_MAIL_FROM");
    }

    #[test]
    fn what_is_refused_is_not_repeated() {
        let from = Some("audit@acme.example");
        for url in [
            "mail.example",
            "https://u:canary@mail.example",
            "smtp://u:canary@mail.example",
            "smtp://u:canary@mail.example?tls=opportunistic",
            "smtp://u:canary@mail.example?tls=maybe",
        ] {
            let (variable, problem) = refused(Some(url), from).unwrap();
            assert_eq!(variable, "ORGTRAIL_SMTP_URL");
            assert!(!problem.contains("canary"), "{problem}");
        }
    }
}
