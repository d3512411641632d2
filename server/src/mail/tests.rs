//! The post office: what reaches a mail server or the outbox, what is tried again, and what is given up.

use std::os::unix::fs::PermissionsExt;

use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use orgtrail::identity::email::Email;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::*;

fn mail(to: &str) -> Mail {
    let text = "https://audit.example/invites/canary\n".to_owned();
    Mail { to: Email::parse(to).unwrap(), subject: "An invite".to_owned(), text }
}

fn from() -> Mailbox {
    "Orgtrail <orgtrail@acme.example>".parse().unwrap()
}

#[tokio::test]
async fn without_a_server_each_mail_is_a_file_for_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let post = Post::open(&MailSettings { smtp: None, from: from() }, folder.path(), Clock::Real);
    for to in ["ada@acme.example", "grace@acme.example"] {
        post.post(mail(to));
    }
    post.stop().await;
    let outbox = folder.path().join("outbox");
    assert_eq!(std::fs::metadata(&outbox).unwrap().permissions().mode() & 0o777, 0o700);
    let files: Vec<_> = std::fs::read_dir(outbox).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(file.extension().unwrap(), "eml");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(std::fs::read_to_string(file).unwrap().contains("https://audit.example/invites/canary"));
    }
}

/// Just enough of a mail server (RFC 5321): answers the n-th recipient with the n-th of `answers`, and tells what it took: an
/// empty text for each mail that it did not take.
async fn server(answers: &'static [&'static str]) -> (AsyncSmtpTransportBuilder, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("smtp://{}", listener.local_addr().unwrap());
    let (took, taken) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        let mut answers = answers.iter();
        while let Ok((stream, _)) = listener.accept().await {
            let mail = talk(stream, answers.next().unwrap_or(&"250 ok")).await;
            drop(took.send(mail.unwrap_or_default()));
        }
    });
    (AsyncSmtpTransport::<Tokio1Executor>::from_url(&url).unwrap(), taken)
}

async fn talk(stream: TcpStream, to_recipient: &str) -> Option<String> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 test\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok().filter(|length| *length > 0)?;
        let answer = match &line[..4] {
            "RCPT" => to_recipient,
            "DATA" => break,
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
    }
    stream.write_all(b"354 go on\r\n").await.ok()?;
    let mut mail = String::new();
    while !mail.ends_with("\r\n.\r\n") {
        stream.read_line(&mut mail).await.ok().filter(|length| *length > 0)?;
    }
    stream.write_all(b"250 taken\r\n").await.ok()?;
    Some(mail)
}

const SHORT: &[Duration] = &[Duration::from_millis(1), Duration::from_millis(1)];
const A_DAY: &[Duration] = &[Duration::from_hours(24)];

fn post_to(server: AsyncSmtpTransportBuilder) -> Post {
    Post::with(Way::Smtp(server.build()), from(), SHORT)
}

#[tokio::test]
async fn a_mail_server_gets_the_mail() {
    let (server, mut taken) = server(&[]).await;
    let post = post_to(server);
    post.post(mail("ada@acme.example"));
    let mail = taken.recv().await.unwrap();
    assert!(mail.contains("To: ada@acme.example\r\n") && mail.contains("/invites/canary"), "{mail}");
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let (server, mut taken) = server(&["451 later", "451 later"]).await;
    let post = post_to(server);
    post.post(mail("ada@acme.example"));
    for expected in ["", "", "/invites/canary"] {
        let took = taken.recv().await.unwrap();
        assert!(took.contains(expected) && took.is_empty() == expected.is_empty(), "{took}");
    }
}

#[tokio::test]
async fn what_is_refused_for_good_or_too_often_is_given_up() {
    for answers in [&["550 nobody here"][..], &["451 later"; 3]] {
        let (server, mut taken) = server(answers).await;
        let post = post_to(server);
        post.post(mail("nobody@acme.example"));
        // Once it is through, the next one is the first that the server takes.
        post.0.tasks.close();
        post.0.tasks.wait().await;
        post.post(mail("ada@acme.example"));
        for _ in answers {
            assert_eq!(taken.recv().await.unwrap(), "");
        }
        assert!(taken.recv().await.unwrap().contains("To: ada@acme.example"), "{answers:?}");
    }
}

#[tokio::test]
async fn a_server_that_stops_tries_once_more_and_waits_no_longer() {
    let (server, mut taken) = server(&["451 later"]).await;
    let post = Post::with(Way::Smtp(server.build()), from(), A_DAY);
    post.post(mail("ada@acme.example"));
    assert_eq!(taken.recv().await.unwrap(), "");
    post.stop().await;
    assert!(taken.recv().await.unwrap().contains("/invites/canary"));
}

#[tokio::test]
async fn more_than_the_queue_holds_is_dropped_at_once() {
    let (server, _taken) = server(&[]).await;
    let post = post_to(server);
    let places = Arc::clone(&post.0.places);
    let _all = places.acquire_many_owned(u32::try_from(QUEUE).unwrap()).await.unwrap();
    post.post(mail("ada@acme.example"));
    assert!(post.0.tasks.is_empty());
}

#[test]
fn an_error_says_nothing_of_the_text() {
    let error = MailError::Outbox(std::io::Error::other("disk full"));
    assert_eq!(chain(&error), "it could not be written to the outbox: disk full");
}
