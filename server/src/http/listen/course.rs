//! What the parts of one connection know of each other: its stream, its requests and its answers.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// How far a connection is. All of it happens in the connection's own task, one thing after the other.
#[derive(Debug, Default)]
pub(super) struct Course {
    begun: AtomicU64,
    ended: AtomicU64,
    broken: AtomicBool,
}

impl Course {
    /// A request has come: its head is there.
    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Requests that came.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is not answered to its end.
    pub(super) fn is_busy(&self) -> bool {
        self.begun() != self.ended.load(Ordering::Relaxed)
    }

    /// What the client has got must not be taken for whole: the connection is to be reset, not closed.
    pub(super) fn break_off(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Whether it is to be reset.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }
}

/// The body of an answer, which says when it is over, and whether well.
#[derive(Debug)]
pub(super) struct Answer {
    body: Body,
    course: Arc<Course>,
}

impl Answer {
    /// The answer to the request that began last.
    pub(super) fn new(body: Body, course: Arc<Course>) -> Self {
        Self { body, course }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.course.ended.fetch_add(1, Ordering::Relaxed);
    }
}

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        if matches!(polled, Poll::Ready(Some(Err(_)))) {
            // Without a length, a client of HTTP/1.0 would take what it has for the whole.
            self.course.break_off();
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
