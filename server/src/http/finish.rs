//! A request that was begun is finished, even if its client has gone.
//!
//! hyper drops a handler when the connection closes. In the middle of a commit that leaves a rollback too many, in the middle of a
//! `begin` a connection that goes back to its pool inside of a transaction, and in the middle of a page tasks that look for
//! values which are gone. So the handler runs in a task of its own; what it may take is bounded by the database's time limits, and for a page,
//! whose parts wait for each other, by limits of its own.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use orgtrail::Error;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::Instrument;

use super::listen::received::Held;
use super::problem::Problem;

/// How long a page may take to be made, and to be made once more. Very rarely a part of a page waits for another that has long come (known of
/// Leptos: its issues 4673 and 4851); asked again, the page is made at once. A page takes hundredths of a second, and its questions together
/// less than the second limit even where each comes to the limit of the database.
const PATIENCE: [Duration; 2] = [Duration::from_secs(8), Duration::from_secs(25)];

/// Runs what is inside to its end; a panic goes on to the layer that catches them.
pub async fn run(request: Request, next: Next) -> Response {
    let is_page = request.method() == Method::GET && !request.uri().path().starts_with("/api/");
    if !is_page {
        let held = request.extensions().get::<Arc<Held>>().cloned();
        let answering = async move {
            let response = next.run(request).await;
            drop(held); // only now has nobody anything of the body left
            response
        };
        return finish(tokio::spawn(answering.in_current_span())).await;
    }
    let (asked, _) = request.into_parts(); // who asks for a page sends nothing else
    make(PATIENCE, || next.clone().run(Request::from_parts(asked.clone(), Body::empty()))).await
}

/// Makes a page; what is not done in time is made once more, and then given up.
async fn make<F>(patience: [Duration; 2], page: impl Fn() -> F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    for patience in patience {
        let answering = tokio::spawn(page().in_current_span());
        if let Some(response) = within(patience, answering).await {
            return response;
        }
        tracing::warn!("a page was not done in time");
    }
    Problem::from(Error::Unavailable("the page was not done in time".into())).into_response()
}

async fn finish(answering: JoinHandle<Response>) -> Response {
    match answering.await {
        Ok(response) => response,
        Err(ended) if ended.is_panic() => resume_unwind(ended.into_panic()),
        // The runtime is shutting down: nobody reads this any more.
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Gives up what is not done in time: nobody waits longer for it.
async fn within(patience: Duration, answering: JoinHandle<Response>) -> Option<Response> {
    let abort = answering.abort_handle();
    let done = timeout(patience, finish(answering)).await.ok();
    if done.is_none() {
        abort.abort();
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

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
        assert!(within(Duration::from_millis(1), never).await.is_none());
        while !gone.is_finished() {
            tokio::task::yield_now().await;
        }
        // Control: what is done in time is answered.
        let done = tokio::spawn(async { StatusCode::IM_A_TEAPOT.into_response() });
        assert_eq!(within(PATIENCE[0], done).await.unwrap().status(), StatusCode::IM_A_TEAPOT);
    }

    /// The status of a page that is done from the attempt `from` on, and how often it was begun.
    async fn made(from: u32) -> (StatusCode, u32) {
        let begun = Arc::new(AtomicU32::new(0));
        let page = || {
            let attempt = begun.fetch_add(1, Ordering::Relaxed) + 1;
            async move {
                if attempt < from {
                    std::future::pending::<()>().await;
                }
                StatusCode::IM_A_TEAPOT.into_response()
            }
        };
        let status = make([Duration::from_millis(1), Duration::from_millis(50)], page).await.status();
        (status, begun.load(Ordering::Relaxed))
    }

    #[tokio::test]
    async fn a_page_that_hangs_is_made_once_more() {
        assert_eq!(made(1).await, (StatusCode::IM_A_TEAPOT, 1));
        assert_eq!(made(2).await, (StatusCode::IM_A_TEAPOT, 2));
        assert_eq!(made(3).await, (StatusCode::SERVICE_UNAVAILABLE, 2));
    }
}
