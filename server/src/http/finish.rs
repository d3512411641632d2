//! A request that was begun is finished, even if its client has gone.
//!
//! hyper drops a handler when the connection closes. In the middle of a commit that leaves a rollback too many, and in the
//! middle of a page tasks that look for values which are gone. So the handler runs in a task of its own. What it may take is bounded by the database's time limits; where the database
//! itself does not answer, nobody waits for ever, and a while later the work is given up, with the connections that it waits for. A page, whose
//! parts wait for each other, has limits of its own.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use orgtrail::Error;
use orgtrail::storage::Database;
use tokio::task::{AbortHandle, JoinHandle};
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::listen::limits::Answering;
use super::listen::received::Held;
use super::problem::Problem;

/// How long is waited, and for what.
#[derive(Clone)]
pub struct Finishing {
    /// How long.
    pub patience: Answering,
    /// Whose connections are not used again where they do not answer.
    pub database: Database,
}

/// Runs what is inside to its end; a panic goes on to the layer that catches them.
pub async fn run(State(finishing): State<Finishing>, request: Request, next: Next) -> Response {
    let patience = finishing.patience;
    if !is_page(&request) {
        let held = request.extensions().get::<Arc<Held>>().cloned();
        let body = held.clone();
        let answering = async move {
            let response = next.run(request).await;
            drop(held); // only now has nobody anything of the body left
            response
        };
        let overdue = async move {
            sleep(patience.other).await;
            if let Some(body) = body.filter(|body| body.is_coming()) {
                body.arrival().await; // until then it is the client that was waited for
                sleep(patience.other).await;
            }
        };
        return unless(overdue, &finishing, tokio::spawn(answering.in_current_span())).await;
    }
    let (asked, _) = request.into_parts(); // who asks for a page sends nothing else
    make(&finishing, || next.clone().run(Request::from_parts(asked.clone(), Body::empty()))).await
}

/// Whether it asks for a page. It is made in full also for whoever asks for its head alone.
fn is_page(request: &Request) -> bool {
    matches!(*request.method(), Method::GET | Method::HEAD) && !request.uri().path().starts_with("/api/")
}

/// Makes a page; what is not done in time is made once more, and then given up.
async fn make<F>(finishing: &Finishing, page: impl Fn() -> F) -> Response
where
    F: Future<Output = Response> + Send + 'static,
{
    for patience in finishing.patience.page {
        let answering = tokio::spawn(page().in_current_span());
        if let Some(response) = within(patience, &finishing.database, answering).await {
            return response;
        }
        tracing::warn!("a page was not done in time");
    }
    Problem::from(Error::Unavailable("the page was not done in time".into())).into_response()
}

/// The answer, unless it is overdue. What was begun goes on for a while all the same: it may have come to its commit.
async fn unless(overdue: impl Future<Output = ()>, finishing: &Finishing, answering: JoinHandle<Response>) -> Response {
    let begun = answering.abort_handle();
    tokio::select! {
        response = finish(answering) => response,
        () = overdue => {
            tracing::error!("a request is not waited for any longer");
            finishing.give_up_later(begun);
            let told = "This takes longer than it may, and may yet be done: look, or try again in a moment.";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", told).into_response()
        }
    }
}

impl Finishing {
    /// Lets what nobody waits for go on for a while. If it is still not done then, no answer of the database comes any more: each has a limit there.
    pub fn give_up_later(&self, begun: AbortHandle) {
        let Self { patience, database } = self.clone();
        tokio::spawn(async move {
            sleep(patience.work).await;
            if !begun.is_finished() {
                tracing::error!("what was begun for a request is given up: the database does not answer");
                give_up(&database, &begun);
            }
        });
    }
}

/// Ends what waits for the database. The connections first: what is dropped puts its own back.
fn give_up(database: &Database, begun: &AbortHandle) {
    database.distrust();
    begun.abort();
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
async fn within(patience: Duration, database: &Database, answering: JoinHandle<Response>) -> Option<Response> {
    let begun = answering.abort_handle();
    let done = timeout(patience, finish(answering)).await.ok();
    if done.is_none() {
        give_up(database, &begun);
    }
    done
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use axum::Router;
    use axum::middleware::from_fn_with_state;
    use axum::routing::any;
    use sqlx::postgres::PgConnectOptions;
    use tokio::sync::oneshot::channel;
    use tower::ServiceExt;

    use super::*;
    use crate::http::listen::limits::Limits;

    /// With a database that nobody asks for anything.
    fn finishing(patience: Answering) -> Finishing {
        Finishing { patience, database: Database::new(&PgConnectOptions::new_without_pgpass()) }
    }

    fn usual() -> Finishing {
        finishing(Limits::default().answering)
    }

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
        assert!(within(Duration::from_millis(1), &usual().database, never).await.is_none());
        while !gone.is_finished() {
            tokio::task::yield_now().await;
        }
        // Control: what is done in time is answered.
        let done = tokio::spawn(async { StatusCode::IM_A_TEAPOT.into_response() });
        assert_eq!(
            within(Duration::from_mins(1), &usual().database, done).await.unwrap().status(),
            StatusCode::IM_A_TEAPOT
        );
    }

    #[tokio::test]
    async fn what_is_overdue_is_not_waited_for_and_goes_on() {
        let (go_on, may_go_on) = channel::<()>();
        let (end, ended) = channel();
        let answering = tokio::spawn(async move {
            may_go_on.await.unwrap();
            end.send(()).unwrap();
            ().into_response()
        });
        assert_eq!(unless(async {}, &usual(), answering).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        go_on.send(()).unwrap();
        ended.await.expect("the work was dropped with its reader");
        // Control: what is not overdue is answered.
        let done = tokio::spawn(async { StatusCode::IM_A_TEAPOT.into_response() });
        assert_eq!(unless(std::future::pending(), &usual(), done).await.status(), StatusCode::IM_A_TEAPOT);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_does_not_go_on_for_ever() {
        let begun = tokio::spawn(std::future::pending::<Response>());
        let patience = Answering { work: Duration::from_millis(1), ..Limits::default().answering };
        assert_eq!(unless(async {}, &finishing(patience), begun).await.status(), StatusCode::SERVICE_UNAVAILABLE);
        let begun = tokio::spawn(std::future::pending::<Response>());
        finishing(patience).give_up_later(begun.abort_handle());
        assert!(begun.await.unwrap_err().is_cancelled());
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
        let patience =
            Answering { page: [Duration::from_millis(1), Duration::from_millis(50)], ..Limits::default().answering };
        let status = make(&finishing(patience), page).await.status();
        (status, begun.load(Ordering::Relaxed))
    }

    /// The status of what hangs at the first attempt.
    async fn asked(method: Method, path: &str) -> StatusCode {
        let begun = Arc::new(AtomicU32::new(0));
        let answer = move || async move {
            if begun.fetch_add(1, Ordering::Relaxed) == 0 {
                std::future::pending::<()>().await;
            }
            StatusCode::IM_A_TEAPOT
        };
        let patience = Answering {
            page: [Duration::from_millis(1), Duration::from_mins(1)],
            other: Duration::from_millis(1),
            ..Limits::default().answering
        };
        let router = Router::new().fallback(any(answer)).layer(from_fn_with_state(finishing(patience), run));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        router.oneshot(request).await.unwrap().status()
    }

    #[tokio::test]
    async fn pages_are_made_once_more_and_nothing_else_is() {
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(asked(method.clone(), "/acme").await, StatusCode::IM_A_TEAPOT, "{method}");
            assert_eq!(asked(method.clone(), "/api/viewer").await, StatusCode::SERVICE_UNAVAILABLE, "{method}");
        }
        assert_eq!(asked(Method::POST, "/acme").await, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn a_page_that_hangs_is_made_once_more() {
        assert_eq!(made(1).await, (StatusCode::IM_A_TEAPOT, 1));
        assert_eq!(made(2).await, (StatusCode::IM_A_TEAPOT, 2));
        assert_eq!(made(3).await, (StatusCode::SERVICE_UNAVAILABLE, 2));
    }
}
