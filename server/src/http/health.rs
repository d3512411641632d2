//! Whether the process lives, and whether it can serve.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use orgtrail::storage::Database;

use super::problem::Problem;

/// Longest wait for the database's answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the checks look at.
#[derive(Clone)]
pub struct Health {
    /// The database.
    pub database: Database,
    /// Set when the server is asked to stop: nothing new should come.
    pub stopping: Arc<AtomicBool>,
}

/// `/livez`, which never touches the database, and `/readyz`, which does.
pub fn router<S: Clone + Send + Sync + 'static>(health: Health) -> Router<S> {
    Router::new().route("/livez", get(live)).route("/readyz", get(ready)).with_state(health)
}

async fn live() -> &'static str {
    "alive\n"
}

async fn ready(State(health): State<Health>) -> Response {
    if health.stopping.load(Ordering::Relaxed) {
        return not_ready("The server is stopping.");
    }
    let asking = async { sqlx::query("select 1").execute(&mut *health.database.lookup().await?).await };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(Ok(_)) => "ready\n".into_response(),
        Ok(Err(cause)) => {
            tracing::warn!(cause = %cause, "not ready");
            not_ready("The database does not answer.")
        }
        Err(_) => not_ready("The database does not answer within a second."),
    }
}

fn not_ready(why: &str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", why).into_response()
}
