//! A mail as it goes over the wire (RFC 5322), put together by the library: nothing of ours writes a header.

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use orgtrail::mail::Mail;

use super::MailError;

/// RFC 3834: nobody's absence is announced to us.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

pub(super) fn write(mail: &Mail, from: &Mailbox) -> Result<Message, MailError> {
    let to = Mailbox::new(None, mail.to.as_str().parse().map_err(MailError::Address)?);
    let message = Message::builder().from(from.clone()).to(to).subject(&mail.subject).message_id(None);
    let automatic = HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned());
    let message = message.raw_header(automatic).header(ContentType::TEXT_PLAIN);
    message.body(mail.text.clone()).map_err(MailError::Message)
}

#[cfg(test)]
mod tests {
    use orgtrail::identity::email::Email;

    use super::*;

    fn written(to: &str, subject: &str) -> Result<String, MailError> {
        let mail = Mail { to: Email::parse(to).unwrap(), subject: subject.to_owned(), text: "A line.\n".to_owned() };
        let message = write(&mail, &"Orgtrail <orgtrail@acme.example>".parse().unwrap())?;
        Ok(String::from_utf8(message.formatted()).unwrap())
    }

    #[test]
    fn has_the_headers_of_a_mail_that_no_person_wrote() {
        let mail = written("ada@acme.example", "Grüße").unwrap();
        for part in [
            "From: Orgtrail <orgtrail@acme.example>\r\n",
            "To: ada@acme.example\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
            "Message-ID: <",
            "Date: ",
            "\r\n\r\nA line.\r\n",
        ] {
            assert!(mail.contains(part), "{part:?} is not in {mail}");
        }
        assert!(!mail.contains("Grüße"), "headers are ASCII: {mail}");
    }

    #[test]
    fn a_subject_is_one_header_whatever_it_holds() {
        let mail = written("ada@acme.example", "Hello\r\nBcc: eve@evil.example\r\n\r\nBuy!").unwrap();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.to_ascii_lowercase().starts_with("bcc")), "{head}");
        assert_eq!(body, "A line.\r\n");
    }

    #[test]
    fn an_address_that_mail_does_not_know_is_refused() {
        for to in ["<ada@acme.example>", "ada@acme.example,eve@evil.example", "ada@-"] {
            if let Ok(to) = Email::parse(to) {
                assert!(matches!(written(to.as_str(), "Hello"), Err(MailError::Address(_))), "{to:?}");
            }
        }
    }
}
