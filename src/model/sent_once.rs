//! Requests that say by a key that they are one and the same, however often they are sent: a program's, and the form of a page that was
//! sent twice. Their answers are kept beside those of events: a key stands for one request of its sender, wherever it is sent to.

use std::borrow::Cow;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::{Error, Result};

/// A request of an access token or a user, with its key where there is one.
pub(super) struct SentOnce<'a> {
    pub(super) organization: Uuid,
    pub(super) sender: Uuid,
    /// 1 to 255 bytes.
    pub(super) key: Option<Cow<'a, str>>,
    /// Of what was sent, and of where it was sent to, unless that is always the same.
    pub(super) sha256: [u8; 32],
}

impl SentOnce<'_> {
    /// The answer to an earlier request with the same key.
    ///
    /// # Errors
    /// [`Error::Invalid`] if that was another request.
    pub(super) async fn answered<T: DeserializeOwned>(&self, connection: &mut PgConnection) -> Result<Option<T>> {
        let Some(key) = self.key.as_deref() else { return Ok(None) };
        let earlier = sqlx::query!(
            "select body_sha256, answer from orgtrail.ingest_requests where organization_id = $1 and sender_id = $2 and key = $3",
            self.organization,
            self.sender,
            key
        )
        .fetch_optional(connection)
        .await?;
        let Some(earlier) = earlier else { return Ok(None) };
        if earlier.body_sha256 != self.sha256 {
            return Err(Error::invalid(
                "Idempotency-Key",
                "This key was sent before with another body: choose a new one.",
            ));
        }
        serde_json::from_value(earlier.answer).map(Some).map_err(Error::internal)
    }

    /// Keeps the answer under the request's key; false if there is one already.
    pub(super) async fn keep<T: Serialize + ?Sized>(&self, connection: &mut PgConnection, answer: &T) -> Result<bool> {
        let Some(key) = self.key.as_deref() else { return Ok(true) };
        let kept = sqlx::query!(
            "insert into orgtrail.ingest_requests (organization_id, sender_id, key, body_sha256, answer)
            values ($1, $2, $3, $4, $5) on conflict do nothing",
            self.organization,
            self.sender,
            key,
            self.sha256.as_slice(),
            serde_json::to_value(answer).map_err(Error::internal)?
        )
        .execute(connection)
        .await?;
        Ok(kept.rows_affected() == 1)
    }
}
