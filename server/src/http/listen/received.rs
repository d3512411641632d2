//! The bodies of requests on their way in: not too slow, and not too many at once.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::alarm::Alarm;
use super::limits::Sending;

/// Why a body is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It comes too slowly.
    #[error("the body of the request comes too slowly")]
    TooSlow,
    /// Too many bytes of other requests are in memory.
    #[error("too many bodies of requests are in memory")]
    NoRoom,
    /// It broke off, or is malformed.
    #[error("the body of the request broke off")]
    Broken(#[source] hyper::Error),
}

/// The room that the body of a request takes in memory: in the request's extensions, and given back when the last who has it is done with the request.
#[derive(Debug)]
pub struct Held {
    room: Arc<Semaphore>,
    bytes: AtomicUsize,
    /// Whether the client was waited for.
    awaited: AtomicBool,
    /// Cancelled when it is not waited for any longer.
    arrived: CancellationToken,
}

impl Held {
    /// Nothing yet, of `room`, which has a permit for each byte.
    #[must_use]
    pub(super) fn new(room: Arc<Semaphore>) -> Self {
        Self { room, bytes: AtomicUsize::new(0), awaited: AtomicBool::new(false), arrived: CancellationToken::new() }
    }

    /// Whether it is the client that is waited for, for the body.
    pub(crate) fn is_coming(&self) -> bool {
        self.awaited.load(Ordering::Relaxed) && !self.arrived.is_cancelled()
    }

    /// Done when the body has come, or nobody wants it any more.
    pub(crate) fn arrival(&self) -> impl Future<Output = ()> + Send + use<> {
        self.arrived.clone().cancelled_owned()
    }

    /// Takes room for more bytes, if there is.
    fn take(&self, bytes: usize) -> Result<(), Refused> {
        let permits = u32::try_from(bytes).ok().and_then(|bytes| self.room.try_acquire_many(bytes).ok());
        permits.ok_or(Refused::NoRoom)?.forget();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.add_permits(*self.bytes.get_mut());
    }
}

/// The body of a request, as it comes.
#[derive(Debug)]
pub(super) struct Received<B = Incoming> {
    body: B,
    held: Arc<Held>,
    sending: Sending,
    /// When it was first waited for.
    since: Option<Instant>,
    came: u64,
    alarm: Alarm,
}

impl<B> Received<B> {
    /// `body`, which takes room of `held`.
    pub(super) fn new(body: B, held: Arc<Held>, sending: Sending) -> Self {
        Self { body, held, sending, since: None, came: 0, alarm: Alarm::default() }
    }

    fn take(&mut self, frame: Frame<Bytes>) -> Result<Frame<Bytes>, Refused> {
        if let Some(bytes) = frame.data_ref() {
            self.held.take(bytes.len())?;
            self.came += bytes.len() as u64;
        }
        Ok(frame)
    }
}

impl<B> Drop for Received<B> {
    fn drop(&mut self) {
        self.held.arrived.cancel();
    }
}

impl<B: Body<Data = Bytes, Error = hyper::Error> + Unpin> Body for Received<B> {
    type Data = Bytes;
    type Error = Refused;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Refused>>> {
        match Pin::new(&mut self.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(Some(self.take(frame))),
            Poll::Ready(Some(Err(cause))) => Poll::Ready(Some(Err(Refused::Broken(cause)))),
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => {
                self.held.awaited.store(true, Ordering::Relaxed);
                let due = *self.since.get_or_insert_with(Instant::now) + self.sending.time_for(self.came);
                self.alarm.poll(due, cx).map(|()| Some(Err(Refused::TooSlow)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_given_back_by_the_last_who_holds_it() {
        let room = Arc::new(Semaphore::new(100));
        let held = Arc::new(Held::new(Arc::clone(&room)));
        held.take(60).unwrap();
        assert!(matches!(held.take(41), Err(Refused::NoRoom)));
        held.take(40).unwrap();
        let other = Arc::clone(&held);
        drop(held);
        assert_eq!(room.available_permits(), 0);
        drop(other);
        assert_eq!(room.available_permits(), 100);
    }
}
