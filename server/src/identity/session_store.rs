//! Sessions in Postgres, for tower-sessions. Only the SHA-256 of an id is kept (R-06), and both lifetimes are the database's (R-02).

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use orgtrail::identity::sign_in::SignedIn;
use orgtrail::storage::Database;
use orgtrail::trace;
use orgtrail_app::identity::server_fns::SESSION_SIGNED_IN;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::types::Json;
use time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use uuid::Uuid;

use crate::config::SessionLifetimes;

/// Keys of the session under which the viewer layer keeps where it was begun; kept in columns, for the list of one's sessions.
pub const SESSION_IP: &str = "ip";
/// See [`SESSION_IP`].
pub const SESSION_USER_AGENT: &str = "user_agent";

/// The table `orgtrail.sessions`.
#[derive(Clone, Debug)]
pub struct SessionStore {
    database: Database,
    lifetimes: SessionLifetimes,
}

impl SessionStore {
    /// Sessions that live as long as `lifetimes` says.
    #[must_use]
    pub fn new(database: Database, lifetimes: SessionLifetimes) -> Self {
        Self { database, lifetimes }
    }

    /// How long they live.
    #[must_use]
    pub fn lifetimes(&self) -> SessionLifetimes {
        self.lifetimes
    }
}

#[async_trait]
impl tower_sessions::SessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let _span = trace::question();
        // 128 random bits: two of them are never the same, and the primary key would say so.
        sqlx::query!(
            "insert into orgtrail.sessions (id_sha256, user_id, data, expires_at, absolute_expires_at, ip, user_agent)
            select $1, $2, $3, now + least($4::interval, $5::interval), now + $5::interval, $6, $7 from clock_timestamp() as now",
            &hash(record.id),
            user_id(record),
            Json(&record.data) as _,
            interval(self.lifetimes.idle),
            interval(self.lifetimes.absolute),
            text(record, SESSION_IP),
            text(record, SESSION_USER_AGENT),
        )
        .execute(&self.database.writes)
        .await
        .map_err(backend)?;
        Ok(())
    }

    /// Changes a session that exists. One that was deleted meanwhile stays deleted: signing out in one tab wins against a page that
    /// is still loading in another. What has not changed is written once a minute, for the idle time.
    async fn save(&self, record: &Record) -> Result<()> {
        let _span = trace::question();
        let saved = sqlx::query!(
            "update orgtrail.sessions set user_id = $2, data = $3, ip = $5, user_agent = $6,
                last_seen_at = clock_timestamp(), expires_at = least(clock_timestamp() + $4, absolute_expires_at)
            where id_sha256 = $1
                and (data::jsonb <> $3::json::jsonb or last_seen_at < clock_timestamp() - interval '1 minute')",
            &hash(record.id),
            user_id(record),
            Json(&record.data) as _,
            interval(self.lifetimes.idle),
            text(record, SESSION_IP),
            text(record, SESSION_USER_AGENT),
        )
        .execute(&self.database.writes)
        .await;
        let Err(cause) = saved else { return Ok(()) };
        // A database that can only be read is no reason to refuse a page: that the session was used is noted the next time.
        match tower_sessions::SessionStore::load(self, &record.id).await {
            Ok(Some(kept)) if kept.data == record.data => {
                tracing::warn!(%cause, "that a session was used is not noted");
                Ok(())
            }
            _ => Err(backend(cause)),
        }
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let _span = trace::question();
        let found = sqlx::query!(
            r#"select data as "data: Json<HashMap<String, Value>>", extract(epoch from expires_at)::bigint as "expires_at!"
            from orgtrail.sessions
            where id_sha256 = $1 and least(expires_at, absolute_expires_at) > clock_timestamp()"#,
            &hash(*id),
        )
        .fetch_optional(&mut *self.database.lookup().await.map_err(backend)?)
        .await
        .map_err(backend)?;
        let record = found.map(|row| {
            let expiry_date =
                OffsetDateTime::from_unix_timestamp(row.expires_at).map_err(|e| Error::Decode(e.to_string()))?;
            Ok(Record { id: *id, data: row.data.0, expiry_date })
        });
        record.transpose()
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let _span = trace::question();
        sqlx::query!("delete from orgtrail.sessions where id_sha256 = $1", &hash(*id))
            .execute(&self.database.writes)
            .await
            .map_err(backend)?;
        Ok(())
    }
}

/// What is kept of an id, and what a session is told by inside.
#[must_use]
pub fn hash(id: Id) -> [u8; 32] {
    Sha256::digest(id.0.to_le_bytes()).into()
}

fn text<'a>(record: &'a Record, key: &str) -> Option<&'a str> {
    record.data.get(key).and_then(Value::as_str)
}

fn user_id(record: &Record) -> Option<Uuid> {
    SignedIn::deserialize(record.data.get(SESSION_SIGNED_IN)?).ok().map(|signed_in| signed_in.user_id)
}

fn interval(duration: Duration) -> sqlx::postgres::types::PgInterval {
    let microseconds = i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    sqlx::postgres::types::PgInterval { months: 0, days: 0, microseconds }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn backend(error: sqlx::Error) -> Error {
    Error::Backend(error.to_string())
}
