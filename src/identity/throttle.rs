//! Throttling of sign-in attempts, by address and by client, whether or not the address exists (R-16).

use chrono::{DateTime, TimeDelta, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::PgConnection;
use std::net::IpAddr;

use crate::meter::Busy;
use crate::platform::Platform;
use crate::{Error, Result};

/// Key of the hashes under which attempts are counted.
pub struct ThrottleKey(Hmac<Sha256>);

impl ThrottleKey {
    /// Derives it from the server's secret.
    ///
    /// # Errors
    /// [`Error::Internal`] never happens: HMAC takes keys of any length.
    pub fn derive(secret: &[u8]) -> Result<Self> {
        let mut key = Hmac::<Sha256>::new_from_slice(secret).map_err(|cause| Error::internal(cause.to_string()))?;
        key.update(b"orgtrail throttle v1");
        Ok(Self(key))
    }

    fn hash(&self, what: &str, value: &str) -> Vec<u8> {
        let mut hash = self.0.clone();
        hash.update(what.as_bytes());
        hash.update(&[0]);
        hash.update(value.as_bytes());
        hash.finalize().into_bytes().to_vec()
    }
}

/// What one attempt is counted under.
pub(super) struct Throttles {
    account: Vec<u8>,
    client: Option<Vec<u8>>,
}

impl Throttles {
    /// The counters of an attempt by `email_key` from `ip`.
    pub(super) fn of(platform: &Platform, email_key: &str, ip: Option<&str>) -> Self {
        let key = &platform.keys.throttle;
        let client = ip.and_then(|ip| ip.parse().ok()).map(|ip| key.hash("client", &network(ip)));
        Self { account: key.hash("account", email_key), client }
    }

    /// The counters of mails that somebody at `ip` has sent to `email_key`, each a failure. They are others than those of attempts: who asks
    /// for mails keeps nobody from signing in.
    pub(super) fn of_mails(platform: &Platform, email_key: &str, ip: Option<&str>) -> Self {
        let key = &platform.keys.throttle;
        let client = ip.and_then(|ip| ip.parse().ok()).map(|ip| key.hash("mailing client", &network(ip)));
        Self { account: key.hash("mailed address", email_key), client }
    }

    /// Refuses while one of them is blocked.
    pub(super) async fn check(&self, platform: &Platform) -> Result<()> {
        let now = platform.clock.now();
        let until = sqlx::query_scalar!(
            "select max(blocked_until) from orgtrail.sign_in_throttles where key = $1 or key = $2",
            &self.account,
            self.client.as_deref()
        )
        .fetch_one(&platform.database.writes)
        .await?;
        match until {
            Some(until) if until > now => {
                Busy::Throttle.refused();
                Err(Error::Throttled { retry_after_seconds: seconds_until(until, now) })
            }
            _ => Ok(()),
        }
    }

    /// Counts a failure.
    pub(super) async fn failed(&self, connection: &mut PgConnection, now: DateTime<Utc>) -> Result<()> {
        count(&mut *connection, &self.account, now, ACCOUNT_WINDOW, account_delay).await?;
        if let Some(client) = &self.client {
            count(connection, client, now, CLIENT_WINDOW, client_delay).await?;
        }
        Ok(())
    }

    /// Forgets the failures of the address after a success; the client's stay.
    pub(super) async fn succeeded(&self, connection: &mut PgConnection) -> Result<()> {
        sqlx::query!("delete from orgtrail.sign_in_throttles where key = $1", &self.account)
            .execute(connection)
            .await?;
        Ok(())
    }
}

const ACCOUNT_WINDOW: TimeDelta = TimeDelta::hours(24);
const CLIENT_WINDOW: TimeDelta = TimeDelta::minutes(5);

/// Five free failures, then a delay that doubles from one second to fifteen minutes.
fn account_delay(failures: i32) -> TimeDelta {
    match failures - 5 {
        ..=0 => TimeDelta::zero(),
        over @ 1..=10 => TimeDelta::seconds((1_i64 << (over - 1)).min(900)),
        _ => TimeDelta::minutes(15),
    }
}

/// Thirty failures in five minutes, then the rest of a window.
fn client_delay(failures: i32) -> TimeDelta {
    if failures < 30 { TimeDelta::zero() } else { CLIENT_WINDOW }
}

async fn count(
    connection: &mut PgConnection,
    key: &[u8],
    now: DateTime<Utc>,
    window: TimeDelta,
    delay: fn(i32) -> TimeDelta,
) -> Result<()> {
    let failures = sqlx::query_scalar!(
        r#"insert into orgtrail.sign_in_throttles as t (key, failures, first_failure, blocked_until) values ($1, 1, $2, $2)
        on conflict (key) do update set
            failures = case when t.first_failure < $3 then 1 else t.failures + 1 end,
            first_failure = case when t.first_failure < $3 then $2 else t.first_failure end
        returning failures"#,
        key,
        now,
        now - window
    )
    .fetch_one(&mut *connection)
    .await?;
    // A free failure blocks nobody, not even who read the clock a moment before it was counted.
    let until = Some(delay(failures)).filter(|delay| !delay.is_zero()).map_or(now - window, |delay| now + delay);
    sqlx::query!("update orgtrail.sign_in_throttles set blocked_until = $2 where key = $1", key, until)
        .execute(connection)
        .await?;
    Ok(())
}

fn seconds_until(until: DateTime<Utc>, now: DateTime<Utc>) -> u64 {
    u64::try_from((until - now).num_milliseconds()).unwrap_or_default().div_ceil(1000).max(1)
}

/// The network that counts as one client: the address, or the /64 of an IPv6 address.
#[must_use]
pub fn network(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => ip.to_string(),
        IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
            Some(ip) => ip.to_string(),
            None => format!("{:x?}", &ip.segments()[..4]),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_from_a_second_to_fifteen_minutes() {
        let seconds: Vec<_> = [1, 5, 6, 7, 8, 15, 16, 1000].map(|n| account_delay(n).num_seconds()).into();
        assert_eq!(seconds, [0, 0, 1, 2, 4, 512, 900, 900]);
    }

    #[test]
    fn an_ipv6_client_is_its_network() {
        let network = |ip: &str| network(ip.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("::ffff:192.0.2.1"), "192.0.2.1");
    }
}
