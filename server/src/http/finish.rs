//! A request that was begun is finished, even if its client has gone.
//!
//! hyper drops a handler when the connection closes. In the middle of a commit that leaves a rollback too many, in the middle of a
//! `begin` a connection that goes back to its pool inside of a transaction, and in the middle of a page tasks that look for
//! values which are gone. So the handler runs in a task of its own; what it may take is bounded by the database's time limits.

use std::panic::resume_unwind;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use tracing::Instrument;

/// Runs what is inside to its end; a panic goes on to the layer that catches them.
pub async fn run(request: Request, next: Next) -> Response {
    finish(next.run(request)).await
}

async fn finish(answering: impl Future<Output = Response> + Send + 'static) -> Response {
    match tokio::spawn(answering.in_current_span()).await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
        // The runtime is shutting down: nobody reads this any more.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::oneshot::channel;

    #[tokio::test]
    async fn what_was_begun_is_finished_though_nobody_waits() {
        let (begin, begun) = channel();
        let (go_on, may_go_on) = channel::<()>();
        let (end, ended) = channel();
        let answering = finish(async move {
            begin.send(()).unwrap();
            may_go_on.await.unwrap();
            end.send(()).unwrap();
            ().into_response()
        });
        tokio::select! {
            _ = answering => unreachable!("it may not go on yet"),
            began = begun => began.unwrap(),
        }
        go_on.send(()).unwrap();
        ended.await.expect("the work was dropped with its reader");
    }

    #[tokio::test]
    async fn a_panic_is_the_callers() {
        let caller = tokio::spawn(finish(async { panic!("inside") }));
        assert!(caller.await.unwrap_err().is_panic());
    }
}
