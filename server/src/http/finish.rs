//! A request that was begun is finished, even if its client has gone.
//!
//! hyper drops a handler when the connection closes. In the middle of a commit that leaves a rollback too many, in the middle of a
//! `begin` a connection that goes back to its pool inside of a transaction, and in the middle of a page tasks that look for
//! values which are gone. So the handler runs in a task of its own; what it may take is bounded by the database's time limits, and for a page,
//! whose parts wait for each other, by a limit of its own.

use std::panic::resume_unwind;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use orgtrail::Error;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument;

use super::problem::Problem;

/// How long a page may take to be made. All its questions together take less, even where each comes to the limit of the database.
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs what is inside to its end; a panic goes on to the layer that catches them.
pub async fn run(request: Request, next: Next) -> Response {
    let is_page = request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    let answering = tokio::spawn(next.run(request).in_current_span());
    if is_page { within(PATIENCE, answering).await } else { finish(answering).await }
}

async fn finish(answering: JoinHandle<Response>) -> Response {
    match answering.await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
        // The runtime is shutting down: nobody reads this any more.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Gives up what is not done in time: nobody waits longer for a page.
async fn within(patience: Duration, answering: JoinHandle<Response>) -> Response {
    let abort = answering.abort_handle();
    let Ok(response) = timeout(patience, finish(answering)).await else {
        abort.abort();
        return Problem::from(Error::Unavailable("the page was not done in time".into())).into_response();
    };
    response
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
        let answering = finish(tokio::spawn(async move {
            begin.send(()).unwrap();
            may_go_on.await.unwrap();
            end.send(()).unwrap();
            ().into_response()
        }));
        tokio::select! {
            _ = answering => unreachable!("it may not go on yet"),
            began = begun => began.unwrap(),
        }
        go_on.send(()).unwrap();
        ended.await.expect("the work was dropped with its reader");
    }

    #[tokio::test]
    async fn a_panic_is_the_callers() {
        let caller = tokio::spawn(finish(tokio::spawn(async { panic!("inside") })));
        assert!(caller.await.unwrap_err().is_panic());
    }

    #[tokio::test]
    async fn what_is_never_done_is_given_up() {
        let never = tokio::spawn(std::future::pending());
        let gone = never.abort_handle();
        assert_eq!(within(Duration::from_millis(1), never).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        while !gone.is_finished() {
            tokio::task::yield_now().await;
        }
        // Control: what is done in time is answered.
        let done = tokio::spawn(async { StatusCode::IM_A_TEAPOT.into_response() });
        assert_eq!(within(PATIENCE, done).await.status(), StatusCode::IM_A_TEAPOT);
    }
}
