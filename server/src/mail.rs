//! Mail: posted by the use cases, sent in the background by SMTP, or put into the outbox in the data folder where no server is named.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lettre::message::Mailbox;
use lettre::transport::smtp;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use orgtrail::mail::{Mail, Mailer};
use orgtrail::platform::Clock;
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::http::problem::chain;

mod message;
mod outbox;
pub mod settings;

use outbox::Outbox;
use settings::MailSettings;

/// Most mails that wait or are sent; more are dropped, and the log says so. They wait in memory: who asked can ask again.
const QUEUE: usize = 512;
/// Most that are sent at the same time.
const AT_ONCE: usize = 4;
/// Longest wait for a step of a mail server.
const PATIENCE: Duration = Duration::from_secs(20);
/// After a failure that may pass: how long until the next attempt. After the last one the mail is given up.
const PAUSES: &[Duration] = &[
    Duration::from_secs(5),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_mins(10),
    Duration::from_mins(30),
];

/// The post office: cheap to clone, ends with [`Post::stop`].
#[derive(Clone)]
pub struct Post(Arc<Office>);

struct Office {
    way: Way,
    from: Mailbox,
    pauses: &'static [Duration],
    places: Arc<Semaphore>,
    lines: Semaphore,
    tasks: TaskTracker,
    stopping: CancellationToken,
    runtime: Handle,
}

/// How mail leaves.
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Outbox(Outbox),
}

/// Why a mail did not leave. Never shows anything of its text.
#[derive(Debug, thiserror::Error)]
enum MailError {
    /// What the domain takes for an address is none for mail.
    #[error("it cannot be addressed")]
    Address(#[source] lettre::address::AddressError),
    /// It could not be put together.
    #[error("it cannot be put together")]
    Message(#[source] lettre::error::Error),
    /// The mail server.
    #[error("the mail server did not take it")]
    Smtp(#[source] smtp::Error),
    /// The folder.
    #[error("it could not be written to the outbox")]
    Outbox(#[source] std::io::Error),
}

impl MailError {
    /// Whether another attempt may do better.
    fn is_passing(&self) -> bool {
        match self {
            Self::Address(_) | Self::Message(_) => false,
            Self::Smtp(cause) => !cause.is_permanent() && !cause.is_client(),
            Self::Outbox(_) => true,
        }
    }
}

impl Post {
    /// Opens the office. Called inside of the runtime, which carries the mail.
    #[must_use]
    pub fn open(settings: &MailSettings, data_folder: &Path, clock: Clock) -> Self {
        let way = match &settings.smtp {
            Some(builder) => Way::Smtp(builder.clone().timeout(Some(PATIENCE)).build()),
            None => Way::Outbox(Outbox::new(data_folder, clock)),
        };
        Self::with(way, settings.from.clone(), PAUSES)
    }

    fn with(way: Way, from: Mailbox, pauses: &'static [Duration]) -> Self {
        Self(Arc::new(Office {
            way,
            from,
            pauses,
            places: Arc::new(Semaphore::new(QUEUE)),
            lines: Semaphore::new(AT_ONCE),
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
            runtime: Handle::current(),
        }))
    }

    /// Waits until everything has left or was given up: from now on each mail has one attempt more, and no pause.
    pub async fn stop(&self) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }
}

impl Mailer for Post {
    fn post(&self, mail: Mail) {
        let office = Arc::clone(&self.0);
        let Ok(place) = Arc::clone(&office.places).try_acquire_owned() else {
            tracing::error!(to = mail.to.as_str(), "a mail was dropped: too many are waiting");
            return;
        };
        let carrying = async move {
            office.carry(&mail).await;
            drop(place);
        };
        drop(self.0.tasks.spawn_on(carrying, &self.0.runtime));
    }
}

impl Office {
    async fn carry(&self, mail: &Mail) {
        let to = mail.to.as_str();
        match self.carry_patiently(mail).await {
            Ok(()) => tracing::info!(to, "a mail was sent"),
            Err(error) => tracing::error!(to, cause = chain(&error), "a mail was given up"),
        }
    }

    async fn carry_patiently(&self, mail: &Mail) -> Result<(), MailError> {
        let message = message::write(mail, &self.from)?;
        let mut pauses = self.pauses.iter();
        loop {
            let last = self.stopping.is_cancelled();
            match (self.send(&message).await, pauses.next()) {
                (Err(error), Some(pause)) if error.is_passing() && !last => {
                    tracing::warn!(to = mail.to.as_str(), cause = chain(&error), "a mail will be sent again");
                    // A server that stops does not wait for its time to come.
                    let _stopped = self.stopping.run_until_cancelled(tokio::time::sleep(*pause)).await;
                }
                (done, _) => return done,
            }
        }
    }

    async fn send(&self, message: &Message) -> Result<(), MailError> {
        // The semaphore is never closed: without a permit there would only be one line more.
        let _line = self.lines.acquire().await;
        match &self.way {
            Way::Smtp(server) => server.send(message.clone()).await.map(drop).map_err(MailError::Smtp),
            Way::Outbox(outbox) => outbox.put(message.formatted()).await.map_err(MailError::Outbox),
        }
    }
}

#[cfg(test)]
mod tests;
