//! What every use case is given: the database, the clock, the keys, where passwords are hashed and where mail is posted.

use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex, PoisonError};

use crate::audit::cursor::CursorKey;
use crate::audit::ingest::IngestQueues;
use crate::audit::redact::RedactionKey;
use crate::audit::refusal::RecentLooks;
use crate::export::RunningExports;
use crate::identity::access_token::TokenLookups;
use crate::identity::password::HashingPool;
use crate::identity::throttle::ThrottleKey;
use crate::mail::Mailer;
use crate::storage::Database;

pub mod gather;
pub mod work;

use work::Workers;

/// Shared by all requests; cheap to clone.
#[derive(Clone)]
pub struct Platform {
    /// Connections.
    pub database: Database,
    /// The time.
    pub clock: Clock,
    /// Keys derived from the server's secret.
    pub keys: Arc<Keys>,
    /// Where passwords are hashed, a bounded number at a time.
    pub hashing: Arc<dyn HashingPool>,
    /// Where schemas are composed and compared, a bounded amount at a time.
    pub workers: Arc<dyn Workers>,
    /// Requests that are done together with others of the same moment.
    pub gathering: Arc<Gathering>,
    /// Looks at the trails that are recorded already.
    pub looks: Arc<RecentLooks>,
    /// Exports that run in this server.
    pub exports: Arc<RunningExports>,
    /// Who may sign up.
    pub sign_up: SignUp,
    /// Where mail is posted.
    pub mail: Arc<dyn Mailer>,
    /// Scheme and host that people type, e.g. `https://audit.example`: what links in mails begin with.
    pub public_url: Arc<str>,
}

/// Keys derived from the server's secret.
pub struct Keys {
    /// Seals cursors.
    pub cursor: CursorKey,
    /// Hashes what is throttled, so that no address is kept in the clear.
    pub throttle: ThrottleKey,
    /// Hashes secrets that would have reached the trail.
    pub redaction: RedactionKey,
}

/// What is done together, for all who wait for it.
#[derive(Default)]
pub struct Gathering {
    /// Lookups of access tokens.
    pub tokens: TokenLookups,
    /// Events of other products.
    pub events: IngestQueues,
}

/// `ORGTRAIL_SIGNUP` (contract §9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignUp {
    /// Only who was invited.
    Invite,
    /// Everybody.
    Open,
    /// Nobody.
    Closed,
}

/// The time that ranges and lifetimes are measured against. What is recorded takes its time from the database's clock (contract §9);
/// the demo alone simulates one, for both.
#[derive(Clone, Default)]
pub enum Clock {
    /// The machine's clock, and the database's for what is recorded.
    #[default]
    Real,
    /// A clock that stands until it is set.
    Simulated(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// A simulated clock that shows `start`.
    #[must_use]
    pub fn simulated(start: DateTime<Utc>) -> Self {
        Self::Simulated(Arc::new(Mutex::new(start)))
    }

    /// The time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place where the machine's clock is read")]
    pub fn now(&self) -> DateTime<Utc> {
        self.simulated_now().unwrap_or_else(Utc::now)
    }

    /// The simulated time, if this clock is one.
    #[must_use]
    pub fn simulated_now(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Real => None,
            Self::Simulated(shown) => Some(*shown.lock().unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Sets a simulated clock; the real one cannot be set.
    pub fn set(&self, now: DateTime<Utc>) {
        if let Self::Simulated(shown) = self {
            *shown.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }
}
