//! What the application mailed: the links in its outbox.

use std::path::Path;

use orgtrail::identity::viewer::{Origin, User, Viewer};
use orgtrail::identity::{email_change, recovery};
use orgtrail::organization::{invites, settings};

use crate::support::{PASSWORD, TestApplication};

/// The texts of the mails to `address`, oldest first.
pub fn mails_to(app: &TestApplication, address: &str) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(app.outbox()) else { return Vec::new() };
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).filter(|path| is_mail(path)).collect();
    paths.sort();
    let texts = paths.iter().map(|path| plain(&std::fs::read_to_string(path).unwrap()));
    texts.filter(|text| text.contains(&format!("To: {address}\r\n"))).collect()
}

fn is_mail(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "eml")
}

/// Quoted-printable text (RFC 2045) as it was written, as far as it is ASCII.
fn plain(mail: &str) -> String {
    mail.replace("=\r\n", "").replace("=3D", "=")
}

/// The secret of the newest link to `page` that was mailed to `address`; waits for it.
pub async fn secret_mailed(app: &TestApplication, address: &str, page: &str) -> String {
    let link = format!("{}{page}/", app.url);
    loop {
        let newest = mails_to(app, address).into_iter().rev().find_map(|text| secret_after(&text, &link));
        if let Some(secret) = newest {
            return secret;
        }
        tokio::task::yield_now().await;
    }
}

/// The secret that follows `link` in a text.
pub fn secret_after(text: &str, link: &str) -> Option<String> {
    let (_, rest) = text.split_once(link)?;
    rest.get(..43).map(str::to_owned)
}

/// An invite to an organization that nobody else is in; answers its secret.
pub async fn invited(app: &TestApplication, email: &str) -> String {
    let platform = &app.platform;
    let slug = format!("host-{}", app.number());
    let host = Viewer::user(app.add(&slug, None).await, Origin::default());
    settings::create(platform, &host, "Host", &slug).await.unwrap();
    let sent = invites::create(platform, &host, &slug, email, "member", &[]).await.unwrap();
    secret_after(&sent.link, "/invites/").unwrap()
}

/// A link for a forgotten password; answers its secret.
pub async fn forgotten(app: &TestApplication, email: &str) -> String {
    recovery::request(&app.platform, &Viewer::anonymous(Origin::default()), email).await.unwrap();
    secret_mailed(app, email, "/reset").await
}

/// A link that confirms the address of `user` in another spelling; answers its secret.
pub async fn changing(app: &TestApplication, user: &User) -> String {
    let email = user.email.to_uppercase();
    let viewer = Viewer::user(user.clone(), Origin::default());
    let before = mails_to(app, &email).len();
    email_change::request(&app.platform, &viewer, &email, PASSWORD).await.unwrap();
    while mails_to(app, &email).len() == before {
        tokio::task::yield_now().await;
    }
    secret_mailed(app, &email, "/account/email").await
}
